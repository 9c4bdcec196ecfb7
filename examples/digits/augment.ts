/** A digit written a little differently: turned, stretched, slanted and moved, sampled bilinearly with nothing beyond the border. */
import { PIXELS, SIDE } from './data.ts';

const CENTRE = (SIDE - 1) / 2;

/** Writes the changed `image` to `to`; both hold 28 × 28 values. */
export function augment(image: Float32Array, to: Float32Array, random: () => number): void {
  const between = (low: number, high: number): number => low + (high - low) * random();
  const turn = between(-0.2, 0.2);
  const slant = between(-0.15, 0.15);
  const [wide, high] = [between(0.87, 1.13), between(0.87, 1.13)];
  const [moveX, moveY] = [between(-2, 2), between(-2, 2)];
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const [xx, xy, yx, yy] = [cos * wide, (slant - sin) * high, sin * wide, cos * high];
  const at = (x: number, y: number): number => (x >= 0 && x < SIDE && y >= 0 && y < SIDE ? (image[y * SIDE + x] as number) : 0);
  for (let i = 0; i < PIXELS; i++) {
    const dx = (i % SIDE) - CENTRE;
    const dy = Math.floor(i / SIDE) - CENTRE;
    const x = CENTRE + moveX + xx * dx + xy * dy;
    const y = CENTRE + moveY + yx * dx + yy * dy;
    const [x0, y0] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [x - x0, y - y0];
    const above = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx;
    const below = at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx;
    to[i] = above * (1 - fy) + below * fy;
  }
}
