/** Libraries of test/runtimes, which has a package.json of its own: who runs other tests need not install them. */
import { createRequire } from 'node:module';

const require = createRequire(new URL('../runtimes/package.json', import.meta.url));

/** @param T what is used of it: its own types are there only where it is */
export function requireRuntime<T>(name: string): T {
  return require(name) as T;
}
