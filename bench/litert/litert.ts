/**
 * LiteRT.js as a contestant: XNNPACK, compiled with relaxed SIMD. Its input tensor is made before, and the tensor that a run makes for its
 * result stays in its heap; it is given up, as the documentation asks for, before the next run.
 */
import { type CompiledModel, loadAndCompile, loadLiteRt, supportsFeature, Tensor } from '@litertjs/core';
import type { AsyncContestant } from '../contestant.ts';
import { channelsLast, type Problem, toChannelsFirst } from '../problem.ts';
import { isTfliteLayer, operatorOf } from './tflite-layer.ts';
import { tfliteModel } from './tflite-model.ts';

function onTensors(model: CompiledModel, problem: Problem): AsyncContestant {
  const { data, shape } = channelsLast(problem.operands[0]);
  const input = new Tensor(data, shape);
  let held: Tensor | undefined;
  return {
    name: 'litert tensors',
    runAsync: async () => {
      held?.delete();
      [held] = await model.run(input);
    },
    result: () => toChannelsFirst(held?.toTypedArray() ?? new Float32Array(), problem.resultDims, 'nhwc'),
    dispose: () => {
      for (const each of [held, input, model]) each?.delete();
    },
  };
}

/** What it can compute of problems that are padded as in TensorFlow. */
export interface LiteRtPeer {
  contestants(problem: Problem): Promise<readonly AsyncContestant[]>;
}

/**
 * @param path of the folder that serves its binaries
 * @throws Error when it would not run with relaxed SIMD, or on another number of threads
 */
export async function startLiteRt(path: string, threads: number): Promise<LiteRtPeer> {
  if (!(await supportsFeature('relaxedSimd'))) throw new Error('LiteRT.js would not use its build for relaxed SIMD here');
  const { liteRtWasm } = await loadLiteRt(path, { threads: threads > 1 });
  // The build for one thread cannot have more: its memory is its own. The other one keeps as many workers as the host has cores.
  const shared = typeof SharedArrayBuffer === 'function' && liteRtWasm.HEAPU8.buffer instanceof SharedArrayBuffer;
  if (shared !== threads > 1) throw new Error(`LiteRT.js has ${shared ? 'threads' : 'no threads'} here`);
  return {
    contestants: async (problem) => {
      if (!isTfliteLayer(problem.shape)) return [];
      const model = await loadAndCompile(tfliteModel(operatorOf(problem)), { accelerator: 'wasm', cpuOptions: { numThreads: threads } });
      if (!model.isFullyAccelerated) throw new Error(`XNNPACK would not compute ${problem.shape.words}`);
      return [onTensors(model, problem)];
    },
  };
}
