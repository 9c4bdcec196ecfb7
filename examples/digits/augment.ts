/** A digit written a little differently: turned, stretched, slanted and moved, sampled bilinearly with nothing beyond the border. */
import { PIXELS, SIDE } from './data.ts';

const CENTRE = (SIDE - 1) / 2;

/** Writes the changed `image` to `to`; both hold 28 × 28 values. */
export function augment(image: Float32Array, to: Float32Array, random: () => number): void {
  const between = (low: number, high: number): number => low + (high - low) * random();
  // The turn is drawn as a sine: unlike `Math.sin` a root is the same to the bit on every host.
  const sin = between(-0.12, 0.12);
  const cos = Math.sqrt(1 - sin * sin);
  const slant = between(-0.09, 0.09);
  const [wide, high] = [between(0.92, 1.08), between(0.92, 1.08)];
  const [moveX, moveY] = [between(-1.2, 1.2), between(-1.2, 1.2)];
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
