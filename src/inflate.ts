/** Bytes that were deflated, without a header: RFC 1951. The package carries its binaries so, and `DecompressionStream` has no answer at once. */

/** Bits of the longest code. */
const LONGEST = 15;
const END_OF_BLOCK = 256;
/** Codes for lengths of codes: that before once more, and runs of zeros. */
const SAME = 16;
const ZEROS = 17;

/** In which order the lengths of the codes for lengths come. */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** The first value of each code, and bits that are added to it: `each` codes of each count of bits, twice as many without any. */
function values(count: number, first: number, each: number): readonly [base: Uint16Array, bits: Uint8Array] {
  const base = new Uint16Array(count + 1);
  const bits = new Uint8Array(count + 1);
  let next = first;
  for (let code = 0; code < count; code++) {
    base[code] = next;
    bits[code] = Math.max(0, Math.floor(code / each) - 1);
    next += 1 << (bits[code] as number);
  }
  return [base, bits];
}

/** For the next LONGEST bits of the input, the first of them the lowest: 16 · symbol + bits of its code. */
function codeTable(codeLengths: Uint8Array): Uint16Array {
  const table = new Uint16Array(1 << LONGEST);
  let code = 0;
  for (let length = 1; length <= LONGEST; length++, code <<= 1) {
    for (let symbol = codeLengths.indexOf(length); symbol >= 0; symbol = codeLengths.indexOf(length, symbol + 1), code++) {
      // Codes are written from their highest bit on.
      let reversed = 0;
      for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
      for (let bits = reversed; bits < table.length; bits += 1 << length) table[bits] = symbol * 16 + length;
    }
  }
  return table;
}

/** The codes of blocks that bring none. */
function fixedLengths(): Uint8Array {
  return new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
}

/**
 * One function, and one loop: it runs once, before any compiler has seen it.
 *
 * @param size  of the result
 * @param bytes as `deflateRaw` made them: what is no such thing gives anything
 */
export function inflate(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(size);
  const [lengthBase, lengthBits] = values(28, 3, 4);
  // The longest match has a code of its own.
  lengthBase[28] = 258;
  const [farBase, farBits] = values(30, 1, 2);
  let [at, from, held, count] = [0, 0, 0, 0];

  const take = (bits: number): number => {
    for (; count < bits; count += 8) held |= (bytes[from++] as number) << count;
    const value = held & ((1 << bits) - 1);
    held >>>= bits;
    count -= bits;
    return value;
  };

  const readLengths = (): readonly [Uint8Array, Uint8Array] => {
    const [literals, distances, codes] = [take(5) + 257, take(5) + 1, take(4) + 4];
    const short = new Uint8Array(lengthOrder.length);
    for (let i = 0; i < codes; i++) short[lengthOrder[i] as number] = take(3);
    const table = codeTable(short);
    const all = new Uint8Array(literals + distances);
    for (let i = 0; i < all.length; ) {
      for (; count < LONGEST; count += 8) held |= (bytes[from++] as number) << count;
      const found = table[held & (table.length - 1)] as number;
      take(found & 15);
      const code = found >> 4;
      let [value, times] = [code, 1];
      if (code === SAME) [value, times] = [all[i - 1] as number, 3 + take(2)];
      else if (code > SAME) [value, times] = [0, code === ZEROS ? 3 + take(3) : 11 + take(7)];
      all.fill(value, i, i + times);
      i += times;
    }
    return [all.subarray(0, literals), all.subarray(literals)];
  };

  for (let last = 0; last === 0; ) {
    last = take(1);
    const kind = take(2);
    if (kind === 0) {
      // Stored: whole bytes, of which some may be held already.
      from -= count >> 3;
      held = count = 0;
      const length = take(16);
      take(16);
      result.set(bytes.subarray(from, from + length), at);
      from += length;
      at += length;
      continue;
    }
    const [literalLengths, farLengths] = kind === 1 ? [fixedLengths(), new Uint8Array(30).fill(5)] : readLengths();
    const [literals, far] = [codeTable(literalLengths), codeTable(farLengths)];
    const mask = literals.length - 1;
    for (;;) {
      for (; count < LONGEST; count += 8) held |= (bytes[from++] as number) << count;
      let found = literals[held & mask] as number;
      held >>>= found & 15;
      count -= found & 15;
      const code = found >> 4;
      if (code < END_OF_BLOCK) {
        result[at++] = code;
        continue;
      }
      if (code === END_OF_BLOCK) break;
      const length = (lengthBase[code - 257] as number) + take(lengthBits[code - 257] as number);
      for (; count < LONGEST; count += 8) held |= (bytes[from++] as number) << count;
      found = far[held & mask] as number;
      held >>>= found & 15;
      count -= found & 15;
      const back = (farBase[found >> 4] as number) + take(farBits[found >> 4] as number);
      // A match that begins less than its length ago repeats itself.
      for (const end = at + length; at < end; at++) result[at] = result[at - back] as number;
    }
  }
  return result;
}
