/** Numbers → pictures that an <img> can show, as data URIs. */
import sharp from 'sharp';

type Colour = readonly [red: number, green: number, blue: number];

const paper: Colour = [247, 247, 247];
const positive: Colour = [178, 60, 10];
const negative: Colour = [20, 80, 170];

function blend(from: Colour, to: Colour, part: number): number[] {
  return from.map((value, i) => Math.round(value + ((to[i] as number) - value) * part));
}

async function encode(rgb: Uint8Array, width: number, height: number): Promise<string> {
  const png = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .png({ palette: true, compressionLevel: 9 })
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

/** Black is 0 and less, white is `white`: the largest value where it is not given. */
export function greyPicture(values: Float32Array, size: number, white = values.reduce((a, b) => Math.max(a, b), 0)): Promise<string> {
  const top = white > 0 ? white : 1;
  const rgb = new Uint8Array(size * size * 3);
  values.forEach((value, i) => {
    rgb.fill(Math.round((255 * Math.max(0, value)) / top), 3 * i, 3 * i + 3);
  });
  return encode(rgb, size, size);
}

/** Columns of the grid in which the slices of a kernel stand. */
export function gridColumns(slices: number): number {
  return Math.ceil(Math.sqrt(slices));
}

/**
 * A kernel [slices, size, size], one slice for each channel it reads, in a grid with a line of paper between: orange is positive, blue negative,
 * and full colour the largest magnitude of the whole kernel.
 */
export function kernelPicture(
  values: Float32Array,
  slices: number,
  size: number,
): { picture: Promise<string>; width: number; height: number } {
  const columns = gridColumns(slices);
  const rows = Math.ceil(slices / columns);
  const gap = slices > 1 ? 1 : 0;
  const width = columns * (size + gap) - gap;
  const height = rows * (size + gap) - gap;
  const top = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) rgb.set(paper, 3 * i);
  values.forEach((value, i) => {
    const slice = Math.floor(i / (size * size));
    const cell = i % (size * size);
    const x = (slice % columns) * (size + gap) + (cell % size);
    const y = Math.floor(slice / columns) * (size + gap) + Math.floor(cell / size);
    rgb.set(blend(paper, value > 0 ? positive : negative, Math.abs(value) / top), 3 * (y * width + x));
  });
  return { picture: encode(rgb, width, height), width, height };
}
