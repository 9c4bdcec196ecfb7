/** Tasks: every kernel's result is the same, bit by bit, whoever computes which part of it in which order, and for how many threads it was cut. */
import { describe, expect, it } from 'vitest';
import type { ConvOptions } from '../src/index.ts';
import type { TaskKernel } from '../src/wasm.ts';
import { fractions, operands, problem } from './cases.ts';
import { expectSame } from './tasks.ts';

describe.each(['nchw', 'nhwc'] as const)('%s', (inputLayout) => {
  /** Layers, and the kernel that must have computed them in more than one task. */
  const layers: [string, ConvOptions, TaskKernel | { nchw: TaskKernel; nhwc: TaskKernel }][] = [
    ['ic3ih40iw60oc9kh3ph1', { paddingMode: 'reflect' }, 'padImage'],
  ];
  it.each(layers)('conv2d %s %j', (name, options, kernel) => {
    const { input, weight, options: all } = operands(problem(name), { inputLayout, ...options }, fractions);
    const most = expectSame('conv2d', input, weight, all);
    expect(most.get(typeof kernel === 'string' ? kernel : kernel[inputLayout])).toBeGreaterThan(1);
  });
});
