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
  for (let i = 0; i < sums.length; i++) {
    const c = Math.floor(i / inner) % channels;
    const value = activate((sums[i] as number) + (settings.bias?.data[c] ?? 0), settings.activation);
    finished[i + (shuffledChannel(c, channels, settings.shuffle) - c) * inner] = value;
  }
  return finished;
}

export function rounded(values: Float64Array, shape: readonly number[]): Tensor {
  return { data: Float32Array.from(values), shape: [...shape] };
}
