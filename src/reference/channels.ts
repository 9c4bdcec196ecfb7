/** What is done channel by channel. */
import { checkGroups, readChannels } from '../channels.ts';
import { elements } from '../tensor.ts';
import type { ChannelOptions, Tensor } from '../types.ts';
import { shuffledChannel } from './finish.ts';

/** Output channel `i · groups + g` is input channel `g · (C / groups) + i`. Any rank from 3 on. */
export function channelShuffle(input: Tensor, givenGroups: number, options?: Omit<ChannelOptions, 'out'>): Tensor {
  const op = 'channelShuffle';
  const { given, channels, inner } = readChannels(op, 'input', input, options, false);
  const groups = checkGroups(op, givenGroups, channels);
  const data = new Float32Array(elements(given.shape));
  given.data.forEach((value, i) => {
    const c = Math.floor(i / inner) % channels;
    data[i + (shuffledChannel(c, channels, groups) - c) * inner] = value;
  });
  return { data, shape: [...given.shape] };
}

/** `[outC]`: the sum of each channel. */
export function biasGrad(gradOutput: Tensor, options?: Omit<ChannelOptions, 'out'>): Tensor {
  const { given, channels, inner } = readChannels('biasGrad', 'gradOutput', gradOutput, options, false);
  const sums = new Float64Array(channels);
  given.data.forEach((value, i) => {
    const c = Math.floor(i / inner) % channels;
    sums[c] = (sums[c] as number) + value;
  });
  return { data: Float32Array.from(sums), shape: [channels] };
}
