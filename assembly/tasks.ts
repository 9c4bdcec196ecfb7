/**
 * Tasks of a kernel that sums over channels: [unit][part]. A unit is what it computes at a time, as a block of pixels or a band of rows; its results are
 * cut into parts of p.taskPanels panels where there are fewer units than threads could share. What is left of the panels belongs to the last part. src/tasks.ts
 * counts likewise.
 *
 * A part prepares what all of its unit's panels read, unless the workspace holds it already: `before` is the task of the same kernel and the same operands that was
 * computed last in this workspace, −1 where there was none.
 */
import { NR } from "./blocks";
import { ConvParams } from "./params";

/** Behind the last of `count` tasks where `last` is −1: whoever computes all of them need not count. */
// @ts-ignore: decorator
@inline
export function behindTasks(last: i32, count: i32): i32 {
  if (!ASC_NO_ASSERT) assert(last >= -1 && last <= count, "no such task");
  return last < 0 ? count : last;
}

/** Panels of all groups' results, of which there are `outC` in each. */
export function panelsOf(groups: i32, groupOutC: i32): i32 {
  return groups * ((groupOutC + NR - 1) / NR);
}

/** The first channel of panel `n` of all; behind the last one for a panel behind the last. */
export function channelOf(n: i32, groupOutC: i32): i32 {
  const panels = (groupOutC + NR - 1) / NR;
  const g = n / panels;
  return g * groupOutC + (n - g * panels) * NR;
}

/** Units [first, last) of a kernel's results, and panels [from, to) of each. `prepared`: the workspace holds what was prepared for unit `first`. */
export type Part = (
  p: ConvParams, input: usize, weights: usize, bias: usize, output: usize, work: usize, first: i32, last: i32, from: i32, to: i32, prepared: bool,
) => void;

/** Tasks [first, last) of `units` units, as `behindTasks` says. */
export function runTasks(
  part: Part, units: i32, panels: i32, first: i32, last: i32, before: i32, work: usize, p: ConvParams, input: usize, weights: usize, bias: usize,
  output: usize,
): void {
  const size = p.taskPanels;
  const parts = size == 0 ? 1 : max(1, panels / size);
  if (!ASC_NO_ASSERT) assert(first >= 0);
  last = behindTasks(last, units * parts);
  let ready = before < 0 ? -1 : before / parts;
  while (first < last) {
    const unit = first / parts, begin = first - unit * parts;
    const whole = begin == 0 && ready != unit ? (last - first) / parts : 0;
    if (whole > 0) {
      part(p, input, weights, bias, output, work, unit, unit + whole, 0, panels, false);
      first += whole * parts;
    } else {
      const end = min(parts, begin + last - first);
      part(p, input, weights, bias, output, work, unit, unit + 1, begin * size, end == parts ? panels : end * size, ready == unit);
      first += end - begin;
      ready = unit;
    }
  }
}
