/** A PNG file → pixels, in hosts that have no decoder of their own. */
import { convertIndexedToRgb, decode } from 'fast-png';

/** What is wrong with a file, with the HTTP status that says so. */
export class PictureError extends Error {
  constructor(/** @type {number} */ status, /** @type {string} */ message) {
    super(message);
    this.status = status;
  }
}

/** Deflate makes at most 1032 bytes of one, so a file of this size fills 34 MB at most. */
export const MOST_BYTES = 32 * 1024;
const MOST_PIXELS = 1024 * 1024;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Checks what the file says of its size before anything of that size is made. @param {Uint8Array} bytes */
function checkHeader(bytes) {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) throw new PictureError(415, 'the body must be a PNG');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A second header could name another size.
  if (bytes.length < 24 || String.fromCharCode(...bytes).split('IHDR').length !== 2) throw new PictureError(400, 'the PNG is broken');
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width * height > MOST_PIXELS) throw new PictureError(413, `at most 1024 × 1024 pixels, got ${width} × ${height}`);
}

/** Of grey pixels that share a byte, which are as good as colours of a palette. @param {number} depth */
function greys(depth) {
  return Array.from({ length: 2 ** depth }, (_, i) => new Array(3).fill((255 * i) / (2 ** depth - 1)));
}

/** Colours of a palette, grey, grey and alpha, RGB or RGBA, of any depth → RGBA of 8 bits. @param {import('fast-png').DecodedPng} png */
function rgba(png) {
  const { width, height, depth } = png;
  const pixels = width * height;
  const palette = png.palette ?? (depth < 8 ? greys(depth) : undefined);
  const direct = palette ? convertIndexedToRgb({ ...png, palette }) : png.data;
  const channels = direct.length / pixels;
  const largest = palette ? 255 : 2 ** depth - 1;
  const hasAlpha = channels === 2 || channels === 4;
  const data = Uint8Array.from({ length: 4 * pixels }, (_, i) => {
    const [pixel, channel] = [channels * Math.floor(i / 4), i % 4];
    if (channel === 3) return hasAlpha ? (255 * (direct[pixel + channels - 1] ?? 0)) / largest : 255;
    return (255 * (direct[pixel + (channels > 2 ? channel : 0)] ?? 0)) / largest;
  });
  return { data, width, height };
}

/** @param {Uint8Array} bytes @returns {import('./ink.js').Picture} @throws PictureError */
export function decodePng(bytes) {
  checkHeader(bytes);
  try {
    return rgba(decode(bytes, { checkCrc: true }));
  } catch {
    throw new PictureError(400, 'the PNG is broken');
  }
}
