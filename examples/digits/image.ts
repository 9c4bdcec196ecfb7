/** A digit in an image file → what MNIST would have made of it: 28 × 28, bright ink on nothing, centred by its mass. */
import { existsSync, statSync } from 'node:fs';
import sharp from 'sharp';
import { PIXELS, SIDE } from './data.ts';
import { findInk, type Grey } from './ink.ts';

/** What is wrong with the file, in words for the one who gave it. */
export class ImageError extends Error {}

/** MNIST fits the ink into a box of 20 × 20 cells. */
const BOX = 20;

/** Less contrast than this between paper and ink is a blank page. */
const CONTRAST = 24;

async function decode(path: string): Promise<Grey> {
  if (!existsSync(path)) throw new ImageError(`there is no file ${path}`);
  if (!statSync(path).isFile()) throw new ImageError(`${path} is not a file`);
  try {
    // Transparent parts are paper: white, unless the ink itself is white.
    const picture = sharp(path).rotate();
    const { data, info } = await picture
      .ensureAlpha()
      .resize(512, 512, { fit: 'inside', withoutEnlargement: true })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = info.width * info.height;
    let [light, weight] = [0, 0];
    for (let i = 0; i < pixels; i++) {
      const alpha = data[4 * i + 3] as number;
      light += alpha * luminance(data, 4 * i);
      weight += alpha;
    }
    const opaque = weight === 255 * pixels;
    const paper = opaque || light < 128 * weight ? 255 : 0;
    const grey = Uint8Array.from({ length: pixels }, (_, i) => {
      const alpha = (data[4 * i + 3] as number) / 255;
      return Math.round(luminance(data, 4 * i) * alpha + paper * (1 - alpha));
    });
    return { data: grey, width: info.width, height: info.height };
  } catch (error) {
    const reason = String(error instanceof Error ? error.message : error).split('\n')[0];
    throw new ImageError(`${path} is not an image that can be read: ${reason}`);
  }
}

/** Rec. 709. */
function luminance(data: Uint8Array, at: number): number {
  return 0.2126 * (data[at] as number) + 0.7152 * (data[at + 1] as number) + 0.0722 * (data[at + 2] as number);
}

/** First and last index at which `has` is true. */
function range(length: number, has: (index: number) => boolean): [first: number, last: number] {
  let first = 0;
  let last = length - 1;
  while (first < last && !has(first)) first++;
  while (last > first && !has(last)) last--;
  return [first, last];
}

/** [28 · 28] of the digit in the image file `path`. @throws ImageError */
export async function readDigit(path: string): Promise<Float32Array> {
  const grey = await decode(path);
  const { width, height } = grey;
  const values = findInk(grey, CONTRAST);
  if (!values) throw new ImageError(`${path} shows nothing: every part of it has nearly the same brightness`);
  const [top, bottom] = range(height, (y) => values.subarray(y * width, (y + 1) * width).some((v) => v > 0.25));
  const [left, right] = range(width, (x) =>
    Array.from({ length: height }, (_, y) => values[y * width + x] as number).some((v) => v > 0.25),
  );
  const cropped = { width: right - left + 1, height: bottom - top + 1 };
  const scale = BOX / Math.max(cropped.width, cropped.height);
  const target = { width: Math.max(1, Math.round(cropped.width * scale)), height: Math.max(1, Math.round(cropped.height * scale)) };
  const bytes = Uint8Array.from(values, (v) => Math.round(v * 255));
  const small = await sharp(bytes, { raw: { width, height, channels: 1 } })
    .extract({ left, top, ...cropped })
    .resize(target.width, target.height, { fit: 'fill' })
    .extractChannel(0)
    .raw()
    .toBuffer();
  // A stroke thinner than a cell comes out grey; digits of MNIST are never without white.
  const white = small.reduce((a, b) => Math.max(a, b), 1);
  let [mass, massX, massY] = [0, 0, 0];
  for (let i = 0; i < small.length; i++) {
    const v = small[i] as number;
    mass += v;
    massX += v * (i % target.width);
    massY += v * Math.floor(i / target.width);
  }
  const place = (centre: number, size: number): number => Math.max(0, Math.min(SIDE - size, Math.round((SIDE - 1) / 2 - centre)));
  const [x0, y0] = [place(massX / mass, target.width), place(massY / mass, target.height)];
  const digit = new Float32Array(PIXELS);
  for (let i = 0; i < small.length; i++) {
    digit[(y0 + Math.floor(i / target.width)) * SIDE + x0 + (i % target.width)] = (small[i] as number) / white;
  }
  return digit;
}
