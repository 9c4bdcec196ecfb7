/** Who takes part beside us. */
import { loadOpenCv } from './opencv.ts';
import { loadOrt } from './ort.ts';
import type { Peer } from './peer.ts';
import type { LayerShape } from './shapes.ts';
import { loadTfjs } from './tfjs.ts';

/** @throws Error when one is not installed, or would not run as it should */
export async function loadPeers(layers: readonly LayerShape[]): Promise<Peer[]> {
  const peers = [await loadTfjs(), loadOrt()];
  // 15 MB of JavaScript that only computes Gaussians.
  if (layers.some(({ operation }) => operation === 'gaussian')) peers.push(await loadOpenCv());
  return peers;
}
