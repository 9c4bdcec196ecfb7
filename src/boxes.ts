/** Parts of tensors, and how they are copied out of the whole and back into it. */

/** Neighbouring cells of an axis that stay neighbours where they are copied to. `from` is −1 for zeros. */
export interface Run {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** One dimension of what is copied: sizes of both sides, and which cells. */
export interface Dimension {
  readonly source: number;
  readonly target: number;
  readonly runs: readonly Run[];
}

/** Where a part lies in a tensor, or the whole in a part. */
export interface Box {
  readonly dimensions: readonly Dimension[];
  readonly lane: number;
}

function isWhole({ source, target, runs }: Dimension): boolean {
  return source === target && runs.length === 1 && runs[0]?.from === 0 && runs[0].length === source;
}

/** Copies the cells of a box, in runs as long as they are on both sides. */
export function copyBox(from: Float32Array, fromAt: number, to: Float32Array, toAt: number, { dimensions, lane }: Box): void {
  let floats = lane;
  let last = dimensions.length - 1;
  for (; last >= 0 && isWhole(dimensions[last] as Dimension); last--) floats *= (dimensions[last] as Dimension).source;
  const steps: [source: number, target: number][] = [[floats, floats]];
  for (let i = last; i > 0; i--) {
    const [source, target] = steps[0] as [number, number];
    const dimension = dimensions[i] as Dimension;
    steps.unshift([source * dimension.source, target * dimension.target]);
  }
  const visit = (i: number, source: number, target: number): void => {
    if (i > last) {
      to.set(from.subarray(source, source + floats), target);
      return;
    }
    const [sourceStep, targetStep] = steps[i] as [number, number];
    for (const run of (dimensions[i] as Dimension).runs) {
      const [first, at] = [source + run.from * sourceStep, target + run.to * targetStep];
      if (run.from < 0) to.fill(0, at, at + run.length * targetStep);
      else if (i === last) to.set(from.subarray(first, first + run.length * floats), at);
      else for (let n = 0; n < run.length; n++) visit(i + 1, first + n * sourceStep, at + n * targetStep);
    }
  };
  visit(0, fromAt, toAt);
}
