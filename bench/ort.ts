/**
 * The peer onnxruntime-web: its WASM provider, the SIMD build on one thread, channels first. Its tensors lie in arrays of ours and
 * are copied in and out by each run, so that there is only one way to call it.
 * Its package belongs to this folder's own package.json, so nothing here may be imported, or typed, by those who have not installed it.
 */
import type { AsyncContestant } from './contestant.ts';
import { type OnnxNode, onnxModel } from './onnx.ts';
import { nodesOf, type OrtSession, type OrtTensor } from './ort-model.ts';
import { type Peer, requirePeer } from './peer.ts';
import type { Problem } from './problem.ts';

/** The part of onnxruntime-web that is used. */
interface Ort {
  readonly env: { readonly versions: { readonly web?: string }; readonly wasm: { numThreads?: number; proxy?: boolean } };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: { create(model: Uint8Array, options: { executionProviders: readonly string[] }): Promise<OrtSession> };
}

async function onArrays(ort: Ort, problem: Problem, nodes: readonly OnnxNode[]): Promise<AsyncContestant> {
  const { operands, resultDims } = problem;
  const [{ data, shape }] = operands;
  const session = await ort.InferenceSession.create(onnxModel(nodes, shape, resultDims), { executionProviders: ['wasm'] });
  let last: Float32Array = new Float32Array();
  return {
    name: 'ort arrays',
    runAsync: async () => {
      const { y } = await session.run({ x: new ort.Tensor('float32', data, shape) });
      last = y.data;
    },
    result: () => last,
    dispose: () => session.release(),
  };
}

/** @throws Error when the package is not installed */
export function loadOrt(): Peer {
  const name = 'onnxruntime-web';
  const ort = requirePeer(name) as Ort;
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  return {
    name,
    version: ort.env.versions.web ?? 'unknown',
    contestants: async (problem) => {
      const nodes = nodesOf(problem);
      return nodes ? [await onArrays(ort, problem, nodes)] : [];
    },
  };
}
