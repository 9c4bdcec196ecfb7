/** 0.12.3 → 12003: the form in which a binary carries the version of the package it was built for. */
export function versionNumber(text: string): number {
  const [major = 0, minor = 0, patch = 0] = text.split('-', 1)[0]?.split('.').map(Number) ?? [];
  return major * 1e6 + minor * 1e3 + patch;
}

export function versionText(number: number): string {
  return [Math.floor(number / 1e6), Math.floor(number / 1e3) % 1e3, number % 1e3].join('.');
}
