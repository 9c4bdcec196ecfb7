/**
 * The peer onnxruntime-node: native code with the vectors of the machine, one thread, channels first. Its input is made once, and it reads that in place.
 * Its package belongs to this folder's own package.json, so nothing here may be imported, or typed, by those who have not installed it.
 */
import type { AsyncContestant } from './contestant.ts';
import { type OnnxNode, onnxModel } from './onnx.ts';
import { nodesOf, type OrtSession, type OrtTensor } from './ort-model.ts';
import { type Peer, requirePeer } from './peer.ts';
import type { Problem } from './problem.ts';

/** One thread in all. Whose 'cpu' that is: see peers.ts. */
const sessionOptions = { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' } as const;

/** The part of onnxruntime-node that is used. */
interface OrtNative {
  readonly env: { readonly versions: { readonly node?: string } };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: { create(model: Uint8Array, options: typeof sessionOptions): Promise<OrtSession> };
}

async function native(ort: OrtNative, { operands, resultDims }: Problem, nodes: readonly OnnxNode[]): Promise<AsyncContestant> {
  const [{ data, shape }] = operands;
  const session = await ort.InferenceSession.create(onnxModel(nodes, shape, resultDims), sessionOptions);
  const feeds = { x: new ort.Tensor('float32', data, shape) };
  let last: Float32Array = new Float32Array();
  return {
    name: 'ort native',
    runAsync: async () => {
      last = (await session.run(feeds)).y.data;
    },
    result: () => last,
    dispose: () => session.release(),
  };
}

/** @throws Error when the package is not installed */
export function loadOrtNative(): Peer {
  const name = 'onnxruntime-node';
  const ort = requirePeer(name) as OrtNative;
  return {
    name,
    version: ort.env.versions.node ?? 'unknown',
    contestants: async (problem) => {
      const nodes = nodesOf(problem);
      return nodes ? [await native(ort, problem, nodes)] : [];
    },
  };
}
