/** A picture of one digit → what MNIST would have made of it: 28 × 28, bright ink on nothing, 20 cells in its longer side, centred by its mass. */

/** @typedef {{ data: ArrayLike<number>, width: number, height: number }} Picture RGBA of 8 bits, as ImageData holds it */
/** @typedef {{ values: Float32Array, width: number, height: number }} Ink 0 … 1 for each cell */

const SIDE = 28;
const BOX = 20;
/** Of 255: less between paper and ink is an empty page. */
const CONTRAST = 24;

/** Brightness 0 … 255 (Rec. 709) on white paper. @param {Picture} picture */
function greyOf({ data, width, height }) {
  return Float32Array.from({ length: width * height }, (_, i) => {
    const at = (/** @type {number} */ channel) => data[4 * i + channel] ?? 0;
    return 255 + (at(3) / 255) * (0.2126 * at(0) + 0.7152 * at(1) + 0.0722 * at(2) - 255);
  });
}

/** How far each pixel is from the paper, which is what the border shows. @param {Picture} picture @returns {Ink | undefined} */
function inkOf(picture) {
  const { width, height } = picture;
  const grey = greyOf(picture);
  const isBorder = (/** @type {number} */ i) => i < width || i >= width * (height - 1) || i % width === 0 || i % width === width - 1;
  const border = grey.filter((_, i) => isBorder(i)).sort();
  const paper = border[border.length >> 1] ?? 255;
  const darker = grey.reduce((most, value) => Math.max(most, paper - value), 0);
  const lighter = grey.reduce((most, value) => Math.max(most, value - paper), 0);
  const most = darker > lighter ? -darker : lighter;
  if (Math.abs(most) < CONTRAST) return undefined;
  // What is fainter than an eighth of the ink is noise.
  const values = grey.map((value) => ((value - paper) / most < 0.125 ? 0 : (value - paper) / most));
  return { values, width, height };
}

/** What lies around all that is more than a quarter ink. @param {Ink} ink */
function boxOf({ values, width }) {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  values.forEach((value, i) => {
    if (value <= 0.25) return;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
  });
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The box of an ink in cells, each the mean of its part, the longer side of BOX of them. @param {Ink} ink @returns {Ink} */
function fitted(ink) {
  const box = boxOf(ink);
  const scale = BOX / Math.max(box.width, box.height);
  const [width, height] = [Math.max(1, Math.round(box.width * scale)), Math.max(1, Math.round(box.height * scale))];
  // Of a cell, in each direction: no row of pixels falls between two of them.
  const points = Math.ceil(1 / scale) + 3;
  const values = Float32Array.from({ length: width * height }, (_, cell) => {
    let sum = 0;
    for (let i = 0; i < points * points; i++) {
      const x = ((cell % width) + ((i % points) + 0.5) / points) / width;
      const y = (Math.floor(cell / width) + (Math.floor(i / points) + 0.5) / points) / height;
      sum += ink.values[(box.top + Math.floor(y * box.height)) * ink.width + box.left + Math.floor(x * box.width)] ?? 0;
    }
    return sum / (points * points);
  });
  return { values, width, height };
}

/** Where `size` cells begin so that their centre of mass lies in the middle. @param {number} centre @param {number} size */
function place(centre, size) {
  return Math.max(0, Math.min(SIDE - size, Math.round((SIDE - 1) / 2 - centre)));
}

/** @param {Picture} picture @returns {Float32Array | undefined} [28 · 28], 0 … 1; undefined where nothing is drawn */
export function centredDigit(picture) {
  const ink = inkOf(picture);
  if (!ink) return undefined;
  const { values, width, height } = fitted(ink);
  const mass = values.reduce((sum, value) => sum + value, 0);
  const left = place(values.reduce((sum, value, i) => sum + value * (i % width), 0) / mass, width);
  const top = place(values.reduce((sum, value, i) => sum + value * Math.floor(i / width), 0) / mass, height);
  // A stroke thinner than a cell comes out grey; digits of MNIST are never without white.
  const white = values.reduce((most, value) => Math.max(most, value), 0);
  const digit = new Float32Array(SIDE * SIDE);
  values.forEach((value, i) => {
    digit[(top + Math.floor(i / width)) * SIDE + left + (i % width)] = value / white;
  });
  return digit;
}
