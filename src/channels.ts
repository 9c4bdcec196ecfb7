/** Arguments of `channelShuffle` and `biasGrad` → how many values each channel has, and where. */
import { checkFields, checkInteger, checkOneOf, wrongValue } from './check.ts';
import { readTensor } from './tensor.ts';
import type { ChannelOptions, Tensor } from './types.ts';

const layouts = ['ncw', 'nwc', 'nchw', 'nhwc', 'ncdhw', 'ndhwc'] as const;

/** A tensor of any rank as `outer` × channels × `inner`. */
export interface Channels {
  readonly given: Tensor;
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/**
 * @param name of the tensor in messages
 * @throws TypeError, RangeError unless it has batch, channels and a spatial dimension at least
 */
export function readChannels(op: string, name: string, value: unknown, options: ChannelOptions | undefined, withOut: boolean): Channels {
  checkFields(op, options, withOut ? ['inputLayout', 'out'] : ['inputLayout']);
  const given = readTensor(op, name, value);
  const { shape } = given;
  const rank = shape.length;
  if (rank < 3) throw wrongValue(op, `${name}.shape.length`, 'at least 3: batch, channels and the spatial dimensions', rank);
  // Tags have three spatial letters at most; with more dimensions any of them says where the channels are.
  const fitting = rank > 5 ? layouts : layouts.filter((layout) => layout.length === rank);
  const layout = options?.inputLayout;
  const last = layout !== undefined && checkOneOf(op, 'inputLayout', layout, fitting).endsWith('c');
  const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
  const [batch, channels] = [shape[0] as number, shape[last ? rank - 1 : 1] as number];
  const rest = product(shape.slice(1)) / channels;
  return last ? { given, outer: batch * rest, channels, inner: 1 } : { given, outer: batch, channels, inner: rest };
}

/** Groups of a shuffle. @throws TypeError, RangeError unless they divide the channels */
export function checkGroups(op: string, groups: unknown, channels: number): number {
  const count = checkInteger(op, 'groups', groups, 1);
  if (channels % count !== 0) throw wrongValue(op, 'groups', `a divisor of the ${channels} channels`, count);
  return count;
}
