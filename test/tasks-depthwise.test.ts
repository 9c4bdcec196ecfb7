/** Tasks of depthwise convolutions, by taps and by factors, and of those in groups: see test/tasks.ts. */
import { describe, expect, it } from 'vitest';
import type { ConvOptions, Tensor } from '../src/index.ts';
import type { TaskKernel } from '../src/task-kernels.ts';
import { fractions, operands, problem } from './cases.ts';
import { expectSame } from './tasks.ts';

/** A column times a row for each channel. */
function rankOne([outC, kH, kW]: readonly [number, number, number]): Tensor {
  const [column, row] = [fractions(outC * kH, 5), fractions(outC * kW, 6)];
  const data = Float32Array.from({ length: outC * kH * kW }, (_, i) => {
    const [c, h] = [Math.floor(i / (kH * kW)), Math.floor(i / kW) % kH];
    return (column[c * kH + h] as number) * (row[c * kW + (i % kW)] as number);
  });
  return { data, shape: [outC, 1, kH, kW] };
}

describe.each(['nchw', 'nhwc'] as const)('%s', (inputLayout) => {
  const layout = inputLayout === 'nchw' ? 'First' : 'Last';

  function expectTasks(kernel: TaskKernel, name: string, options: ConvOptions, made?: Tensor): void {
    const p = problem(name);
    const { input, weight, options: all } = operands(p, { inputLayout, bias: fractions(p.oc, 3), ...options }, fractions);
    const most = expectSame('conv2d', input, made ?? weight, all);
    expect(most.get(kernel)).toBeGreaterThan(1);
  }

  it.each<[string, ConvOptions]>([
    // In place, in one band and in many; a row is left over.
    ['mb2g5ic5ih9iw7oc5kh3ph1', {}],
    ['g4ic4ih53iw403oc4kh3ph1', { activation: 'relu' }],
    ['g4ic4ih77iw301oc4kh3sh2ph1', { shuffle: 2 }],
    ['mb2g8ic8ih31iw45oc8kh3sh2ph1', { paddingMode: 'circular' }],
    ['mb2g4ic4ih90iw130oc8kh3dh6ph6', { activation: 'relu6' }],
    // Down the columns.
    ['mb2g16ic16ih90iw33oc16kh3dh3ph3', { activation: 'silu' }],
    ['mb2g16ic16ih77iw40oc16kh3ph1', { shuffle: 4 }],
    ['mb2g512ic512ih19iw9oc512kh3ph1', { activation: 'silu' }],
    // Planes copied.
    ['mb2g3ic3ih50iw120oc6kh5dh2ph4', { activation: 'tanh' }],
    ['mb2g6ic6ih40iw150oc6kh3ph1', { activation: 'silu', shuffle: 3 }],
    ['g2ic2ih61iw230oc10kh5sh3ph2', { shuffle: 5 }],
    ['mb2g5ic5ih41iw44oc5kh5ph2', {}],
    ['mb2g5ic5ih41iw39oc5kh7ph3', {}],
    // Pixels copied: a multiplier, and less than a vector.
    ['mb2g5ic5ih39iw50oc20kh3ph1', { activation: 'sigmoid' }],
    ['g3ic3ih99iw70oc3kh3sh2ph1', {}],
    ['mb2g2ic2ih60iw41oc42kh3dh2ph2', { shuffle: 3 }],
  ])('by taps: %s %j', (name, options) => {
    expectTasks(`depthwiseChannels${layout}`, name, { algorithm: 'direct', ...options });
  });

  it.each<[string, ConvOptions]>([
    ['g2ic2ih70iw131oc2kh5ph2', {}],
    ['mb2g6ic6ih61iw90oc6kh5sh2sw1ph2', { activation: 'silu', shuffle: 2 }],
    ['g4ic4ih64iw77oc12kh7dh2ph6', { shuffle: 3, activation: 'relu6' }],
    ['mb2g3ic3ih50iw140oc6kh5sh3sw1ph1', { activation: 'tanh' }],
    // Bands that see nothing but the border.
    ['g2ic2ih3iw400oc4kh5ph30', {}],
    ['g3ic3ih60iw101oc3kh5kw9ph2pw4', { paddingMode: 'reflect' }],
  ])('by factors: %s %j', (name, options) => {
    const p = problem(name);
    expectTasks(`factoredChannels${layout}`, name, { algorithm: 'factored', ...options }, rankOne([p.oc, p.kh, p.kw]));
  });

  it.each<[string, ConvOptions]>([
    ['mb2g3ic12ih61iw50oc12kh3ph1', {}],
    ['g8ic16ih70iw45oc32kh3sh2ph1', { shuffle: 4, activation: { elu: 0.5 } }],
    ['g5ic15ih64iw31oc40kh5dh2ph4', { algorithm: 'direct', paddingMode: 'replicate' }],
    ['mb2g2ic8ih99iw99oc8kh3sh3', { activation: 'sigmoid' }],
    ['mb2g3ic9ih61iw50oc21kh3ph1', { activation: 'silu' }],
    ['g18ic36ih70iw33oc90kh3sh2ph1', { shuffle: 5 }],
    ['g2ic6ih93iw45oc6kh3dh2ph2', { paddingMode: 'reflect' }],
    // Few channels in all.
    ['ic3ih90iw96oc32kh3sh2ph1', { accuracy: 'exact' }],
    ['mb2ic2ih50iw67oc36kh3ph1', { accuracy: 'exact', activation: 'relu' }],
    ['ic1ih90iw96oc8kh5ph2', { shuffle: 4 }],
  ])('groups: %s %j', (name, options) => {
    expectTasks(`groupsChannels${layout}`, name, options);
  });
});
