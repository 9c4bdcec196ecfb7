/** `channelShuffle` and `biasGrad`: what is done channel by channel. */
import { type Context, checkOpen, checkOut, emptyResult, invoke } from './call.ts';
import { checkGroups, readChannels } from './channels.ts';
import { apart, shuffleTasks, sumTasks } from './tasks.ts';
import { type Cost, teamBytes } from './team.ts';
import { elements } from './tensor.ts';
import type { ChannelOptions, Operations, Tensor } from './types.ts';
import { takenBy, whereSooner } from './unshared.ts';

export function channelShuffleOperation(context: Context): Operations['channelShuffle'] {
  const op = 'channelShuffle';
  const { heap } = context;
  const call = (input: Tensor, givenGroups: number, options?: ChannelOptions): Tensor => {
    checkOpen(op, heap);
    const { given, outer, channels, inner } = readChannels(op, 'input', input, options, true);
    const groups = checkGroups(op, givenGroups, channels);
    const out: unknown = options?.out;
    checkOut(op, heap, out, given.shape, [given]);
    if (elements(given.shape) === 0) return emptyResult(given.shape, out);
    const cost: Cost = { flops: 0, floats: 2 * elements(given.shape) };
    return whereSooner(
      context,
      () => takenBy(cost, [given.shape, given.shape], 0),
      [given],
      out,
      (place) => {
        const { team } = place;
        const tasks = apart(shuffleTasks(outer, channels, inner), team.crew(cost));
        return invoke(op, place, [given], given.shape, out, 0, ([from], output) => {
          team.run('channelShuffle', tasks, 0, 0, outer, channels, inner, groups, from as number, output);
        });
      },
    );
  };
  return call as Operations['channelShuffle'];
}

export function biasGradOperation(context: Context): Operations['biasGrad'] {
  const op = 'biasGrad';
  const { heap } = context;
  const call = (gradOutput: Tensor, options?: ChannelOptions): Tensor => {
    checkOpen(op, heap);
    const { given, outer, channels, inner } = readChannels(op, 'gradOutput', gradOutput, options, true);
    const out: unknown = options?.out;
    checkOut(op, heap, out, [channels], [given]);
    // A float64 for each channel.
    const workBytes = channels * 8;
    const cost: Cost = { flops: 0, floats: elements(given.shape) };
    return whereSooner(
      context,
      () => takenBy(cost, [given.shape, [channels]], workBytes),
      [given],
      out,
      (place) => {
        const { team } = place;
        const threads = team.crew(cost);
        return invoke(op, place, [given], [channels], out, teamBytes(threads, workBytes), ([from], output, work) => {
          team.run(
            'channelSums',
            apart(sumTasks(channels, inner), threads),
            work,
            workBytes,
            outer,
            channels,
            inner,
            from as number,
            output,
          );
        });
      },
    );
  };
  return call as Operations['biasGrad'];
}
