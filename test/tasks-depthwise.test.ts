/** Tasks of depthwise convolutions by taps and by factors, and of groups: see test/tasks.ts. */
import { describe, expect, it } from 'vitest';
import type { ConvOptions } from '../src/index.ts';
import type { TaskKernel } from '../src/wasm.ts';
import { fractions, operands, problem } from './cases.ts';
import { expectSame } from './tasks.ts';

describe.each(['nchw', 'nhwc'] as const)('%s', (inputLayout) => {
  const depthwise: [string, ConvOptions][] = [
    // In place, in one band and in many; a row is left over.
    ['mb2g5ic5ih9iw7oc5kh3ph1', {}],
    ['g4ic4ih53iw403oc4kh3ph1', { activation: 'relu' }],
    ['g4ic4ih77iw301oc4kh3sh2ph1', { shuffle: 2 }],
    ['mb2g8ic8ih31iw45oc8kh3sh2ph1', { paddingMode: 'circular' }],
    // Copied in planes.
    ['mb2g3ic3ih50iw120oc6kh5dh2ph4', { activation: 'tanh' }],
    ['mb2g6ic6ih40iw150oc6kh3ph1', { activation: 'silu', shuffle: 3 }],
    ['g2ic2ih61iw230oc10kh5sh3ph2', { shuffle: 5 }],
    // Copied pixels: a multiplier, and less than a vector.
    ['mb2g5ic5ih39iw50oc20kh3ph1', { activation: 'sigmoid' }],
    ['g3ic3ih99iw70oc3kh3sh2ph1', {}],
    ['mb2g2ic2ih60iw41oc42kh3dh2ph2', { shuffle: 3 }],
  ];
  it.each(depthwise)('depthwise %s %j', (name, options) => {
    const { input, weight, options: all } = operands(problem(name), { inputLayout, ...options }, fractions);
    const bias = fractions(weight.shape[0] as number, 3);
    const most = expectSame('conv2d', input, weight, { algorithm: 'direct', ...all, bias });
    const kernel: TaskKernel = inputLayout === 'nchw' ? 'depthwiseChannelsFirst' : 'depthwiseChannelsLast';
    expect(most.get(kernel)).toBeGreaterThan(1);
  });
});
