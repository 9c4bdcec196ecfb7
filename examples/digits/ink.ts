/** What is ink and what is paper in a grey picture, whichever of the two is darker and wherever the light falls from. */

export interface Grey {
  /** 0 … 255 */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Brightness at (x, y): a + b·x + c·y. */
type Plane = readonly [a: number, b: number, c: number];

interface Point {
  readonly x: number;
  readonly y: number;
  readonly value: number;
}

function border({ data, width, height }: Grey): Point[] {
  const at = (x: number, y: number): Point => ({ x, y, value: data[y * width + x] as number });
  const rows = Array.from({ length: width }, (_, x) => [at(x, 0), at(x, height - 1)]);
  const columns = Array.from({ length: height }, (_, y) => [at(0, y), at(width - 1, y)]);
  return [...rows, ...columns].flat();
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Least squares: three normal equations, solved by Cramer's rule. Nothing where the points do not span a plane. */
function fit(points: readonly Point[]): Plane | undefined {
  const sum = (of: (point: Point) => number): number => points.reduce((total, point) => total + of(point), 0);
  const [n, x, y] = [points.length, sum((p) => p.x), sum((p) => p.y)];
  const [xx, xy, yy] = [sum((p) => p.x * p.x), sum((p) => p.x * p.y), sum((p) => p.y * p.y)];
  const [v, xv, yv] = [sum((p) => p.value), sum((p) => p.x * p.value), sum((p) => p.y * p.value)];
  const det = (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number): number =>
    a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const whole = det(n, x, y, x, xx, xy, y, xy, yy);
  if (Math.abs(whole) < 1e-9 * n * xx * yy || whole === 0) return undefined;
  return [
    det(v, x, y, xv, xx, xy, yv, xy, yy) / whole,
    det(n, v, y, x, xv, xy, y, yv, yy) / whole,
    det(n, x, v, x, xx, xv, y, xy, yv) / whole,
  ];
}

/** A cell of the border further than this from the paper is ink that runs off the picture. */
const OFF_PAPER = 24;

/**
 * The paper, from the border: a plane, since light from one side makes one end of a photograph darker. Begun at the median and fitted a few
 * times to the cells that are near it, so that ink on the border does not bend it.
 */
function paper(grey: Grey): Plane {
  const points = border(grey);
  const middle = median(points.map(({ value }) => value));
  const bent = fit(points) ?? [middle, 0, 0];
  const near = ([a, b, c]: Plane): Point[] => points.filter(({ x, y, value }) => Math.abs(value - a - b * x - c * y) < OFF_PAPER);
  const flat: Plane = [middle, 0, 0];
  let best = near(bent).length > near(flat).length ? bent : flat;
  for (let round = 0; round < 3; round++) best = fit(near(best)) ?? best;
  return best;
}

/** 0 … 1 per cell: how much of it is ink, 1 the strongest. Nothing where no cell differs from the paper by `contrast`. */
export function findInk(grey: Grey, contrast: number): Float32Array | undefined {
  const [a, b, c] = paper(grey);
  const distance = Float32Array.from(grey.data, (value, i) => value - a - b * (i % grey.width) - c * Math.floor(i / grey.width));
  const lighter = distance.reduce((most, d) => Math.max(most, d), 0);
  const darker = distance.reduce((most, d) => Math.max(most, -d), 0);
  const most = Math.max(lighter, darker);
  if (most < contrast) return undefined;
  // Ink lies on one side of the paper: on that which is further away.
  const sign = darker >= lighter ? -1 : 1;
  // Noise of paper and decoder below an eighth of the ink is no ink.
  return distance.map((d) => ((sign * d) / most < 0.125 ? 0 : (sign * d) / most));
}
