/** Where labels go, so that none lies on another, on a mark, or outside of the plot. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function overlap(a: Box, b: Box): number {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return across > 0 && down > 0 ? across * down : 0;
}

/** Of areas: what sums of fractions leave behind is no overlap. */
const slack = 1e-6;

const outside = (box: Box, bounds: Box): number => box.width * box.height - overlap(box, bounds);

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Steps around a point, the nearest first. */
const ways: readonly Point[] = [13, 20, 28, 38, 50, 64, 80].flatMap((radius) =>
  Array.from({ length: 16 }, (_, i) => (i * Math.PI) / 8).map((angle) => ({
    x: radius * Math.cos(angle - Math.PI / 2),
    y: radius * Math.sin(angle - Math.PI / 2),
  })),
);

/**
 * Centres for labels of `points`, in their order: the nearest place that is free, or the least crowded one where none is.
 * @param size of each label
 * @param taken what must be left free besides
 */
export function placeLabels(
  points: readonly Point[],
  size: readonly Pick<Box, 'width' | 'height'>[],
  taken: readonly Box[],
  bounds: Box,
): Point[] {
  const filled = [...taken];
  return points.map((point, i) => {
    const { width, height } = size[i] as Pick<Box, 'width' | 'height'>;
    let best: { centre: Point; box: Box; cost: number } | undefined;
    for (const way of ways) {
      const centre = { x: point.x + way.x, y: point.y + way.y };
      const box = { x: centre.x - width / 2, y: centre.y - height / 2, width, height };
      const cost = filled.reduce((sum, other) => sum + overlap(box, other), 10 * outside(box, bounds));
      if (!best || cost < best.cost - slack) best = { centre, box, cost };
      if (cost < slack) break;
    }
    const { centre, box } = best as { centre: Point; box: Box };
    filled.push(box);
    return centre;
  });
}

/** Of several places for one label the first that is free, or the least crowded one. */
export function roomiest(places: readonly [Box, ...Box[]], taken: readonly Box[], bounds: Box): Box {
  const cost = (box: Box): number => taken.reduce((sum, other) => sum + overlap(box, other), 10 * outside(box, bounds));
  return places.reduce((best, box) => (cost(box) < cost(best) - slack ? box : best));
}

/** Heights as near to the wanted ones as a distance of `gap` allows, within `low` and `high` where there is room. */
export function spreadOut(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => (wanted[a] as number) - (wanted[b] as number));
  const result = [...wanted];
  let least = low;
  for (const i of order) {
    result[i] = Math.max(result[i] as number, least);
    least = (result[i] as number) + gap;
  }
  let most = high;
  for (const i of order.reverse()) {
    result[i] = Math.min(result[i] as number, most);
    most = (result[i] as number) - gap;
  }
  return result;
}
