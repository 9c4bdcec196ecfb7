/** A binary whose memory is shared between threads: the same one, but for the limits of the memory that it imports. */

/** Section of imports, and how the limits of a memory begin. */
const IMPORTS = 2;
const MEMORY = 2;
const SHARED_WITH_MAXIMUM = 3;
/** All that a 32-bit address reaches: the memory that is given must not have more. */
const MOST_PAGES = 65536;

interface Cursor {
  at: number;
}

/** An unsigned integer of the format, seven bits to a byte. */
export function readLeb(bytes: Uint8Array, cursor: Cursor): number {
  let [value, shift] = [0, 0];
  for (;;) {
    const byte = bytes[cursor.at++] as number;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return value;
    shift += 7;
  }
}

function writeLeb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...writeLeb(Math.floor(value / 128))];
}

/** The only import of our binaries is their memory; undefined where that is not so, or where it is shared already. */
function sharedImports(bytes: Uint8Array, start: number, end: number): number[] | undefined {
  const cursor = { at: start };
  if (readLeb(bytes, cursor) !== 1) return undefined;
  for (let names = 0; names < 2; names++) {
    const length = readLeb(bytes, cursor);
    cursor.at += length;
  }
  if (bytes[cursor.at++] !== MEMORY) return undefined;
  const names = bytes.subarray(start, cursor.at);
  const flags = bytes[cursor.at++] as number;
  const initial = readLeb(bytes, cursor);
  if (flags > 1) return undefined;
  if (flags === 1) readLeb(bytes, cursor);
  if (cursor.at !== end) return undefined;
  return [...names, SHARED_WITH_MAXIMUM, ...writeLeb(initial), ...writeLeb(MOST_PAGES)];
}

/** @returns undefined where `bytes` are no binary of ours, or one for threads already */
export function sharedBinary(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const cursor = { at: 8 };
  while (cursor.at < bytes.length) {
    const begin = cursor.at;
    const id = bytes[cursor.at++];
    const size = readLeb(bytes, cursor);
    const start = cursor.at;
    cursor.at += size;
    if (id !== IMPORTS) continue;
    const imports = sharedImports(bytes, start, cursor.at);
    if (imports === undefined) return undefined;
    const section = [IMPORTS, ...writeLeb(imports.length), ...imports];
    const result = new Uint8Array(bytes.length - (cursor.at - begin) + section.length);
    result.set(bytes.subarray(0, begin));
    result.set(section, begin);
    result.set(bytes.subarray(cursor.at), begin + section.length);
    return result;
  }
  return undefined;
}
