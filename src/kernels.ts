/** A module → an instance with typed exports. */
import { hostError } from './check.ts';
import type { TaskKernels } from './task-kernels.ts';

/** assembly/index.ts, as seen from here. Pointers are byte addresses. */
export interface Kernels extends TaskKernels {
  readonly heapBase: WebAssembly.Global;
  readonly version: WebAssembly.Global;
  /** 1 in the build for relaxed SIMD. */
  readonly relaxed: WebAssembly.Global;
  packWinograd(
    points: number,
    kH: number,
    kW: number,
    strideH: number,
    strideW: number,
    gathered: boolean,
    panels: number,
    channels: number,
    from: number,
    to: number,
    work: number,
  ): void;
  packPointwise(groups: number, groupOutC: number, groupInC: number, stride: number, weights: number, bias: number, to: number): void;
  packRows(params: number, from: number, to: number): void;
  packPanels(params: number, from: number, to: number): void;
  packTaps(params: number, from: number, to: number): void;
  packBias(to: number, from: number, outC: number, groups: number, stride: number, shuffle: number): void;
}

/** An instance on `memory`. @throws Error `ERR_HOST` where the host refuses, or the module is of another version */
export function instantiate(op: string, module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  try {
    return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
  } catch (cause) {
    // Some hosts compile whatever comes, and look at a page's policy only now.
    throw hostError(op, 'this host refuses to run the binary here, or it is one of another version', cause);
  }
}
