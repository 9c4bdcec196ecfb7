/** What pages ship that compute a convolution by others: their JavaScript as a user's bundler makes it, and the binary that such a page loads. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipBytes } from '../../scripts/sizes.ts';
import { userBundlers } from '../../scripts/user-bundle.ts';
import { resolvePeer } from '../peer.ts';

export interface PeerPage {
  /** The package. */
  readonly name: string;
  readonly version: string;
  /** Gzip, all files. */
  readonly bytes: number;
  /** Other packages that it needs. */
  readonly dependencies: number;
}

interface PageOf {
  readonly name: string;
  /** What is used of it, no more than a convolution needs. */
  readonly code: string;
  /** Files that it loads beside the bundle, from the package's folder. */
  readonly loads: readonly string[];
}

const pages: readonly PageOf[] = [
  {
    name: '@tensorflow/tfjs-backend-wasm',
    code: `import { conv2d, setBackend, tensor } from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
globalThis.use = [conv2d, setBackend, setWasmPaths, tensor];`,
    loads: ['dist/tfjs-backend-wasm-simd.wasm'],
  },
  {
    name: 'onnxruntime-web',
    code: `import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm'; globalThis.use = [env, InferenceSession, Tensor];`,
    loads: ['dist/ort-wasm-simd-threaded.wasm'],
  },
  {
    name: '@litertjs/core',
    code: `import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core'; globalThis.use = [loadAndCompile, loadLiteRt, Tensor];`,
    loads: ['wasm/litert_wasm_internal.js', 'wasm/litert_wasm_internal.wasm'],
  },
];

/** The folder of an installed package. */
function folderOf(name: string): string {
  const main = resolvePeer(name);
  const end = main.lastIndexOf(join('node_modules', name)) + join('node_modules', name).length;
  return main.slice(0, end);
}

async function peerPage({ name, code, loads }: PageOf): Promise<PeerPage> {
  const folder = folderOf(name);
  const { version, dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
    dependencies?: object;
  };
  const { text } = await userBundlers.esbuild({}, code, dirname(folder));
  const files = loads.map((file) => gzipBytes(readFileSync(join(folder, file))));
  const bytes = files.reduce((sum, size) => sum + size, gzipBytes(text));
  return { name, version, bytes, dependencies: Object.keys(dependencies).length };
}

/** @throws Error when one is not installed */
export async function peerPages(): Promise<PeerPage[]> {
  const measured: PeerPage[] = [];
  for (const page of pages) measured.push(await peerPage(page));
  return measured;
}
