/** Pictures for the examples: PNG files of MNIST's test digits, and files that are no such thing. */
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { loadTestDigits, PIXELS, SIDE } from '../examples/digits/data.ts';

const digits = loadTestDigits();

export const classes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** MNIST's test digit `index`, 0 … 255. */
function pixelsOf(index: number): Uint8Array {
  return Uint8Array.from(digits.images.subarray(index * PIXELS, (index + 1) * PIXELS), (ink) => Math.round(255 * ink));
}

export function labelOf(index: number): number {
  return digits.labels[index] as number;
}

/** RGBA of a test digit, as an ImageData holds it. */
export function pictureOf(index: number): { data: Uint8Array; width: number; height: number } {
  const data = new Uint8Array(4 * PIXELS);
  pixelsOf(index).forEach((value, i) => {
    data.set([value, value, value, 255], 4 * i);
  });
  return { data, width: SIDE, height: SIDE };
}

/** The first test digit of a class. */
function firstOf(digit: number): number {
  return digits.labels.indexOf(digit);
}

function image(pixels: Uint8Array): Sharp {
  return sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 1 } });
}

/** As MNIST has it: bright ink, 28 × 28, grey. */
export function png(digit: number): Promise<Buffer> {
  return image(pixelsOf(firstOf(digit)))
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

/** As people draw: dark ink on a page of 200 × 160, in which the digit is neither large nor in the middle. */
function drawn(digit: number): Sharp {
  return image(pixelsOf(firstOf(digit)).map((ink) => 255 - ink))
    .resize(112, 112)
    .extend({ top: 12, bottom: 36, left: 70, right: 18, background: '#fff' });
}

/** The same digit in each form that PNG has for colours. */
export const forms: Readonly<Record<string, (digit: number) => Promise<Buffer>>> = {
  'grey of 8 bits': (digit) => drawn(digit).toColourspace('b-w').png().toBuffer(),
  'grey of 16 bits': (digit) => drawn(digit).toColourspace('grey16').png().toBuffer(),
  'grey of 1 bit': async (digit) => {
    const { data, info } = await drawn(digit).threshold(128).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    const rowBytes = Math.ceil(info.width / 8);
    const rows = new Uint8Array((rowBytes + 1) * info.height);
    for (let i = 0; i < info.width * info.height; i++) {
      const [x, y] = [i % info.width, Math.floor(i / info.width)];
      if (data[i * info.channels]) rows[y * (rowBytes + 1) + 1 + (x >> 3)]! |= 0x80 >> (x & 7);
    }
    return pngFile({ width: info.width, height: info.height, depth: 1, rows });
  },
  RGB: (digit) => drawn(digit).toColourspace('srgb').png().toBuffer(),
  'a palette': (digit) => drawn(digit).toColourspace('srgb').png({ palette: true }).toBuffer(),
  interlaced: (digit) => drawn(digit).toColourspace('b-w').png({ progressive: true }).toBuffer(),
  'ink on nothing': async (digit) => {
    const { data, info } = await drawn(digit).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    const rgba = Uint8Array.from({ length: 4 * info.width * info.height }, (_, i) =>
      i % 4 < 3 ? 40 : 255 - (data[(i >> 2) * info.channels] as number),
    );
    return sharp(rgba, { raw: { width: info.width, height: info.height, channels: 4 } })
      .png()
      .toBuffer();
  },
};

/** @see https://www.w3.org/TR/png-3/#5Chunk-layout */
function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

interface Written {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  /** Each with its filter before it. */
  readonly rows: Uint8Array;
  /** Chunks before the data. */
  readonly more?: readonly Buffer[];
}

function header(width: number, height: number, depth: number): Buffer {
  const fields = Buffer.alloc(13);
  fields.writeUInt32BE(width, 0);
  fields.writeUInt32BE(height, 4);
  fields[8] = depth;
  return chunk('IHDR', fields);
}

/** A grey PNG to the letter, for what no encoder would write. */
function pngFile({ width, height, depth, rows, more = [] }: Written): Buffer {
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = chunk('IDAT', deflateSync(rows));
  return Buffer.concat([signature, header(width, height, depth), ...more, data, chunk('IEND', new Uint8Array(0))]);
}

export interface Refused {
  readonly title: string;
  readonly body: Uint8Array;
  readonly status: number;
  readonly error: string;
}

/** What no digit can be read from. */
export async function refusals(): Promise<readonly Refused[]> {
  const good = await png(7);
  const damaged = Buffer.from(good);
  damaged[good.length >> 1]! ^= 1;
  const rows = new Uint8Array(29 * 28);
  const twice = pngFile({ width: 28, height: 28, depth: 8, rows, more: [header(14, 28, 8)] });
  return [
    { title: 'a text', body: Buffer.from('a seven'), status: 415, error: 'the body must be a PNG' },
    { title: 'nothing', body: new Uint8Array(0), status: 415, error: 'the body must be a PNG' },
    { title: 'a JPEG', body: await image(pixelsOf(0)).jpeg().toBuffer(), status: 415, error: 'the body must be a PNG' },
    { title: 'a signature alone', body: good.subarray(0, 8), status: 400, error: 'the PNG is broken' },
    { title: 'half a PNG', body: good.subarray(0, good.length >> 1), status: 400, error: 'the PNG is broken' },
    { title: 'a PNG with a bit turned', body: damaged, status: 400, error: 'the PNG is broken' },
    {
      title: 'a PNG of fewer rows than it says',
      body: pngFile({ width: 28, height: 56, depth: 8, rows }),
      status: 400,
      error: 'the PNG is broken',
    },
    { title: 'a PNG of two sizes', body: twice, status: 400, error: 'the PNG is broken' },
    {
      title: 'a PNG of many pixels',
      body: pngFile({ width: 60_000, height: 60_000, depth: 8, rows }),
      status: 413,
      error: 'at most 1024 × 1024 pixels, got 60000 × 60000',
    },
    {
      title: 'many bytes',
      body: Buffer.concat([good, new Uint8Array(1_000_000)]),
      status: 413,
      error: `at most 32768 bytes, got ${good.length + 1_000_000}`,
    },
    { title: 'an empty page', body: pngFile({ width: 28, height: 28, depth: 8, rows }), status: 422, error: 'the picture is empty' },
  ];
}
