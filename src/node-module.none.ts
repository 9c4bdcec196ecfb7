/** In place of node-module.ts for workerd and edge functions: their tools refuse imports whose names they cannot read. */
export async function nodeModule<T>(_name: string): Promise<T | undefined> {
  return undefined;
}
