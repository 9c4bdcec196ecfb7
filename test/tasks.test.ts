/** Tasks: every kernel's result is the same, bit by bit, whoever computes which part of it in which order, and for how many threads it was cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConvOptions, Tensor } from '../src/index.ts';
import type { TaskKernel } from '../src/wasm.ts';
import type { Op } from './any-call.ts';
import { fractions, operands, problem } from './cases.ts';
import { testEngine } from './engines.ts';
import { taskwise } from './tasks.ts';

const engine = testEngine();
type Anything = (...given: readonly unknown[]) => Tensor;

/** The same call on an engine and task by task, cut for 1, 2, 3 and 8 threads. @returns the kernels that ran, and how many tasks they had at most */
export function expectSame(op: Op, ...given: readonly unknown[]): Map<TaskKernel, number> {
  const most = new Map<TaskKernel, number>();
  const want = (engine[op] as unknown as Anything)(...given);
  for (const threads of [1, 2, 3, 8]) {
    const { operations, runs } = taskwise(threads);
    const got = (operations[op] as unknown as Anything)(...given);
    const [a, b] = [new Uint32Array(got.data.slice().buffer), new Uint32Array(want.data.slice().buffer)];
    const at = a.findIndex((x, i) => x !== b[i]);
    if (at >= 0) expect.fail(`${op} for ${threads} threads: float ${at} of ${b.length} is ${got.data[at]}, not ${want.data[at]}`);
    for (const [kernel, tasks] of runs) most.set(kernel, Math.max(most.get(kernel) ?? 0, tasks));
  }
  return most;
}

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
