/** Numbers → pictures that an <img> can show, as data URIs. */
import sharp from 'sharp';

type Colour = readonly [red: number, green: number, blue: number];

const paper: Colour = [247, 247, 247];
const positive: Colour = [178, 60, 10];
const negative: Colour = [20, 80, 170];

function blend(from: Colour, to: Colour, part: number): number[] {
  return from.map((value, i) => Math.round(value + ((to[i] as number) - value) * part));
}

async function encode(pixels: Uint8Array, width: number, height: number, channels: 3 | 4): Promise<string> {
  const png = await sharp(pixels, { raw: { width, height, channels } }).png({ palette: true, compressionLevel: 9 }).toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}

/** Black is 0 and less, white is `white`: the largest value where it is not given. */
export function greyPicture(values: Float32Array, size: number, white = values.reduce((a, b) => Math.max(a, b), 0)): Promise<string> {
  const top = white > 0 ? white : 1;
  const rgb = new Uint8Array(size * size * 3);
  values.forEach((value, i) => {
    rgb.fill(Math.round((255 * Math.max(0, value)) / top), 3 * i, 3 * i + 3);
  });
  return encode(rgb, size, size, 3);
}

/** Columns of the grid in which the slices of a kernel stand: as square as it can be with no place left empty. */
function gridColumns(slices: number): number {
  let columns = Math.ceil(Math.sqrt(slices));
  while (slices % columns !== 0) columns++;
  return columns;
}

function signed(value: number, largest: number): number[] {
  return blend(paper, value > 0 ? positive : negative, Math.abs(value) / (largest || 1));
}

/** One square in the colour of `value` on the scale of kernelPicture. */
export function signedSquare(value: number, largest: number): Promise<string> {
  return encode(Uint8Array.from(signed(value, largest)), 1, 1, 3);
}

/**
 * A kernel [slices, size, size], one slice for each channel it reads, in a grid with transparent lines between: orange is positive, blue
 * negative, and full colour the largest magnitude of the whole kernel.
 */
export function kernelPicture(
  values: Float32Array,
  slices: number,
  size: number,
): { picture: Promise<string>; width: number; height: number } {
  const columns = gridColumns(slices);
  const rows = slices / columns;
  const gap = slices > 1 ? 1 : 0;
  const width = columns * (size + gap) - gap;
  const height = rows * (size + gap) - gap;
  const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const rgba = new Uint8Array(width * height * 4);
  values.forEach((value, i) => {
    const slice = Math.floor(i / (size * size));
    const cell = i % (size * size);
    const x = (slice % columns) * (size + gap) + (cell % size);
    const y = Math.floor(slice / columns) * (size + gap) + Math.floor(cell / size);
    rgba.set([...signed(value, largest), 255], 4 * (y * width + x));
  });
  return { picture: encode(rgba, width, height, 4), width, height };
}
