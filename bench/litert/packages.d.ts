/**
 * The parts of packages of this folder's own that the page uses, so that those who have not installed them can check types.
 * @see ../package.json
 */

declare module 'flatbuffers' {
  /** Where something begins, counted from the end of what is written. */
  type Offset = number;

  export class Builder {
    constructor(initialBytes: number);
    startObject(fields: number): void;
    addFieldInt8(field: number, value: number, defaultValue: number): void;
    addFieldInt32(field: number, value: number, defaultValue: number): void;
    addFieldOffset(field: number, value: Offset, defaultValue: Offset): void;
    endObject(): Offset;
    startVector(elementBytes: number, elements: number, alignment: number): void;
    addInt32(value: number): void;
    addOffset(value: Offset): void;
    endVector(): Offset;
    createString(text: string): Offset;
    finish(root: Offset, identifier: string): void;
    asUint8Array(): Uint8Array<ArrayBuffer>;
  }
}

declare module '@litertjs/core' {
  export class Tensor {
    constructor(data: Float32Array, shape: readonly number[]);
    /** A copy. */
    toTypedArray(): Float32Array;
    delete(): void;
  }

  export interface CompiledModel {
    /** Whether XNNPACK computes all of it. */
    readonly isFullyAccelerated: boolean;
    run(input: Tensor): Promise<Tensor[]>;
    delete(): void;
  }

  export interface LiteRt {
    readonly liteRtWasm: { readonly HEAPU8: Uint8Array };
  }

  export function supportsFeature(feature: 'relaxedSimd'): Promise<boolean>;

  /** @param path of the folder that serves its binaries */
  export function loadLiteRt(path: string, options: { threads: boolean }): Promise<LiteRt>;

  export function loadAndCompile(
    model: Uint8Array,
    options: { accelerator: 'wasm'; cpuOptions: { numThreads: number } },
  ): Promise<CompiledModel>;
}
