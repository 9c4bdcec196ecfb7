/** What follows the sums: bias, activation, shuffle, and the one rounding to float32. */
import type { ConvSettings } from '../options.ts';
import { channelAxis } from '../shape.ts';
import { elements } from '../tensor.ts';
import type { Tensor } from '../types.ts';
import { activate } from './activation.ts';

/** Channel `c` after a shuffle by `groups`: input channel g·(C / groups) + i goes to i·groups + g. */
export function shuffledChannel(c: number, channels: number, groups: number): number {
  const size = channels / groups;
  return (c % size) * groups + Math.floor(c / size);
}

/** `shape` is that of the sums. */
export function finish(sums: Float64Array, shape: readonly number[], settings: ConvSettings): Float64Array {
  const axis = channelAxis(settings);
  const channels = shape[axis] as number;
  const inner = elements(shape.slice(axis + 1));
  const finished = new Float64Array(sums.length);
  for (let at = 0; at < sums.length; at += inner) {
    const c = (at / inner) % channels;
    const bias = settings.bias?.data[c] ?? 0;
    const to = at + (shuffledChannel(c, channels, settings.shuffle) - c) * inner;
    for (let i = 0; i < inner; i++) finished[to + i] = activate((sums[at + i] as number) + bias, settings.activation);
  }
  return finished;
}

export function rounded(values: Float64Array, shape: readonly number[]): Tensor {
  return { data: Float32Array.from(values), shape: [...shape] };
}
