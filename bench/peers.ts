/** Who takes part beside us. */
import { loadOpenCv } from './opencv.ts';
import { loadOrt } from './ort.ts';
import { loadOrtNative } from './ort-native.ts';
import type { Peer } from './peer.ts';
import type { LayerShape } from './shapes.ts';
import { loadTfjs } from './tfjs.ts';

/** @throws Error when one is not installed, or would not run as it should */
export async function loadPeers(layers: readonly LayerShape[]): Promise<Peer[]> {
  // Before onnxruntime-web: both register a backend 'cpu' in the package they share, and the first one stays, so that the native one would compute in WASM.
  const native = loadOrtNative();
  const peers = [await loadTfjs(), loadOrt(), native];
  // 15 MB of JavaScript that only computes Gaussians.
  if (layers.some(({ operation }) => operation === 'gaussian')) peers.push(await loadOpenCv());
  return peers;
}
