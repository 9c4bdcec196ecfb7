/// <reference lib="esnext.disposable" />

/**
 * A dense, row-major float32 tensor. Any object of this form is accepted by every operation.
 *
 * `data` may lie anywhere in its buffer, which may be shared, resizable or growable; it is read during the call alone. A view whose buffer was detached, or has
 * shrunk or grown so that `shape` no longer fits, is refused. What a getter or a proxy throws comes back as it is.
 */
export interface Tensor<D extends Float32Array = Float32Array> {
  readonly data: D;
  readonly shape: readonly number[];
}

/** A tensor inside the engine's own memory: operations copy nothing in or out. `data` is a getter; read it again after any call. */
export interface EngineTensor extends Tensor {
  /** Gives the memory back. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** One entry per spatial dimension: a number pads both sides, a pair pads `[begin, end]`. */
export type Padding = number | 'valid' | 'same' | 'same-lower' | readonly (number | readonly [begin: number, end: number])[];

/** What lies beyond the border of the image (PyTorch's words). */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';

/** A function applied to every output value, while it is still in a register. */
export type Activation =
  | 'relu'
  | 'relu6'
  | 'sigmoid'
  | 'tanh'
  | 'silu'
  | 'hardSwish'
  | { readonly leakyRelu: number }
  | { readonly elu: number }
  | { readonly clamp: readonly [min: number, max: number] };

/** `n` batch, `c` channels, and the spatial dimensions of the operation. */
export type InputLayout = 'ncw' | 'nwc' | 'nchw' | 'nhwc' | 'ncdhw' | 'ndhwc';
type FilterOrder<Space extends string> = `oi${Space}` | `o${Space}i` | `io${Space}` | `i${Space}o` | `${Space}io` | `${Space}oi`;
/** `o` output channels, `i` input channels of a group, and the spatial dimensions of the operation, together and in order. */
export type FilterLayout = FilterOrder<'w'> | FilterOrder<'hw'> | FilterOrder<'dhw'>;
export type Algorithm = 'auto' | 'gemm' | 'winograd' | 'direct' | 'factored';
export type Accuracy = 'exact' | 'normal' | 'fast';

/** What the function computes: everything but where the result goes and how it is found. */
export interface ConvSemantics {
  /** `[outChannels]`, added to every output pixel. */
  bias?: Float32Array | Tensor | undefined;
  /** Step of the window, one number or one per spatial dimension. Default 1. */
  stride?: number | readonly number[] | undefined;
  /** Distance between the taps of the kernel; 1 means none. Default 1. */
  dilation?: number | readonly number[] | undefined;
  /** Default 0. `'same'` puts an odd cell at the end, `'same-lower'` at the beginning. */
  padding?: Padding | undefined;
  /** Default `'zeros'`. */
  paddingMode?: PaddingMode | undefined;
  /** Both channel counts are split into this many independent convolutions. Default 1. */
  groups?: number | undefined;
  /** Channel shuffle of the result by this many groups. `bias[c]` still belongs to weight row `c`. */
  shuffle?: number | undefined;
  activation?: Activation | undefined;
  /** Layout of input and output. Default: channels first, `'nchw'` in two dimensions. */
  inputLayout?: InputLayout | undefined;
  /** Order of the weight's dimensions. Default: `'oihw'` in two dimensions, and likewise in others. */
  filterLayout?: FilterLayout | undefined;
}

export interface ConvOptions extends ConvSemantics {
  /** Default `'auto'`. One that cannot serve the shape throws `ERR_UNSUPPORTED`. */
  algorithm?: Algorithm | undefined;
  /** `'exact'`: direct sums only. `'normal'`: up to the error of F(4×4,3×3). `'fast'`: F(6×6,3×3) too. Default `'normal'`. */
  accuracy?: Accuracy | undefined;
  /**
   * Where the result is written: a `Float32Array` of exactly its length, or an engine tensor of its shape. Overwritten whole, and untouched when the call throws.
   * The array may overlap any operand; the engine tensor must not be one.
   */
  out?: Float32Array | EngineTensor | undefined;
}

/** What has no place in the options of an operation is absent from its type. */
type Method = Pick<ConvOptions, 'algorithm' | 'accuracy' | 'out'>;

/** Sizes of the result of a transposed convolution. At most one of both. */
export interface TransposedSizes {
  /** Cells more at the end, fewer than the stride or the dilation. Default 0. */
  outputPadding?: number | readonly number[] | undefined;
  /** The result's spatial size, one of those that the stride leaves open. */
  outputSize?: readonly number[] | undefined;
}

/** What a transposed convolution computes. The layout letters of the weight mean `i` inC, `o` outC / groups; default `'iohw'`. */
export interface ConvTransposeSemantics extends Omit<ConvSemantics, 'paddingMode'>, TransposedSizes {
  paddingMode?: 'zeros' | undefined;
}

/** Options of `convTranspose1d`, `2d`, `3d`. */
export interface ConvTransposeOptions extends ConvTransposeSemantics, Method {}

/** What the gradient of a convolution is told: the options of the forward call that change its geometry. */
export interface ConvGradSemantics extends Omit<ConvSemantics, 'bias' | 'activation' | 'shuffle' | 'paddingMode'> {
  paddingMode?: 'zeros' | undefined;
}

/** Options of the gradients of a convolution. */
export interface ConvGradOptions extends ConvGradSemantics, Method {}

/** What a gradient of any kind is told: the sizes are those of a transposed convolution. */
export interface GradSemantics extends ConvGradSemantics, TransposedSizes {}

/** Options of a gradient of any kind. */
export interface GradOptions extends GradSemantics, Method {}

/** What `separableConv2d` computes. Stride, padding and dilation are those of the depthwise step; bias and activation follow the pointwise one. */
export interface SeparableSemantics extends Omit<ConvSemantics, 'groups'> {
  /** `[inC · multiplier]`, added between the steps. */
  depthwiseBias?: Float32Array | Tensor | undefined;
  /** Applied between the steps. */
  depthwiseActivation?: Activation | undefined;
}

/** Options of `separableConv2d`. */
export interface SeparableOptions extends SeparableSemantics, Method {}

/** Weights of `flattenedConv2d`: `[outC, inC]` across channels, `[outC, kH]` down, `[outC, kW]` along. */
export interface FlattenedWeights {
  readonly channel: Tensor;
  readonly vertical: Tensor;
  readonly horizontal: Tensor;
}

/** Options of `unfold` and `fold`. `padding` pads both sides. */
export interface UnfoldOptions {
  stride?: number | readonly number[] | undefined;
  dilation?: number | readonly number[] | undefined;
  padding?: number | readonly number[] | undefined;
  out?: Float32Array | EngineTensor | undefined;
}

/** Options of `channelShuffle` and `biasGrad`. */
export interface ChannelOptions {
  /** Default: channels first. */
  inputLayout?: InputLayout | undefined;
  out?: Float32Array | EngineTensor | undefined;
}

/** Options of a prepared layer: `out` is given to each `run`. */
export type LayerOptions = Omit<ConvOptions, 'out'>;

/** How a call would be computed. Nothing is touched to find out. */
export interface Plan {
  /** Can be given back as the option `algorithm`. */
  readonly algorithm: Exclude<Algorithm, 'auto'>;
  /** The form of the algorithm, for people. */
  readonly variant: string;
  readonly outputShape: readonly number[];
  /** 2 × the multiply-adds of the direct sum, padded taps included, whatever the algorithm. */
  readonly flops: number;
  /** Linear memory the call takes beyond packed weights and engine tensors, its copies of input and output included; in strips, what the largest takes. */
  readonly workspaceBytes: number;
  readonly weightBytes: number;
  /** Why this algorithm, for people. */
  readonly reason: string;
}

/** An operation whose weights are packed once. Takes any batch and image size. */
export interface Layer {
  run(input: Tensor, options?: { out?: Float32Array | undefined }): Tensor;
  run(input: Tensor, options: { out: EngineTensor }): EngineTensor;
  run(input: Tensor, options?: { out?: Float32Array | EngineTensor | undefined }): Tensor;
  plan(inputShape: readonly number[]): Plan;
  /** Gives the packed weights back. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** What a global class of the host makes, where the project's types declare it: those of Node have no `WebAssembly` and no `Worker`. */
type Of<Name extends string> = typeof globalThis extends Record<Name, abstract new (...given: never) => infer Made> ? Made : object;

/** `WebAssembly.Module`, which is declared without a property: a number would do, but for `object`. */
type WasmModule = object &
  (typeof globalThis extends { WebAssembly: { Module: abstract new (...given: never) => infer Made } } ? Made : object);

/** `BufferSource`. Before TypeScript 5.7 a view has no type of its buffer. */
type WasmBytes = ArrayBufferView | ArrayBuffer;

/** A binary, or what leads to one. */
export type WasmBinary = WasmModule | WasmBytes | Of<'Response'> | Of<'URL'>;
export type WasmSource = WasmBinary | Promise<WasmBinary> | ((file: string) => WasmBinary | Promise<WasmBinary>);

export interface EngineOptions {
  /** Size of the pool, the calling thread included. Default 1. */
  threads?: number | 'auto' | undefined;
  /** Default `'auto'`: fused multiply-add where the host has it. */
  relaxedSimd?: boolean | 'auto' | undefined;
  /** Where the binary comes from. Default: inlined. */
  wasm?: WasmSource | undefined;
  /** Where the thread's module comes from. */
  worker?: Of<'URL'> | (() => Of<'Worker'>) | undefined;
  /**
   * Upper bound of the linear memory in bytes. Default 4 GiB. Convolutions that do not fit are computed in strips, copied in and out one after the other, to the
   * same bits; other operations with weights image by image. What cannot be cut so small, or has operands of more than 4 GiB, throws `ERR_MEMORY`.
   */
  maxMemory?: number | undefined;
}

/** Options of `createEngineSync`: the source must be at hand. */
export interface EngineSyncOptions extends Omit<EngineOptions, 'wasm'> {
  wasm?: WasmModule | WasmBytes | ((file: string) => WasmModule | WasmBytes) | undefined;
}

export interface EngineInfo {
  readonly simd: 'simd128' | 'relaxed';
  readonly threads: number;
  /** Why `threads` is less than was asked for. */
  readonly threadsReason?: string;
  /** Present size of the linear memory; with threads there may be two, and it is that of both. */
  readonly memoryBytes: number;
  readonly version: string;
}

/** Where a result goes decides what is returned: an engine tensor in, the same engine tensor out. */
type Into = { out: EngineTensor };

/** A forward operation with weights, bound to its engine. */
export interface Operation<Weights extends readonly Argument[], Options> {
  (input: Tensor, ...rest: [...weights: Weights, options: Options & Into]): EngineTensor;
  (input: Tensor, ...rest: [...weights: Weights, options?: Options]): Tensor;
  /** Packs the weights once; they are copied, and may change afterwards. */
  prepare(...rest: [...weights: Weights, options?: Omit<Options, 'out'>]): Layer;
}

/** What stands between the input and the options. */
export type Argument = Tensor | FlattenedWeights | readonly number[] | number;

/** An operation that has no weights to prepare, or is a gradient; `Rest` is what follows its first argument. */
export interface PlainOperation<Rest extends readonly Argument[], Options> {
  (given: Tensor, ...rest: [...rest: Rest, options: Options & Into]): EngineTensor;
  (given: Tensor, ...rest: [...rest: Rest, options?: Options]): Tensor;
}

/** An operation on the shared default engine. */
export interface AsyncOperation<Rest extends readonly Argument[], Options> {
  (given: Tensor, ...rest: [...rest: Rest, options: Options & Into]): Promise<EngineTensor>;
  (given: Tensor, ...rest: [...rest: Rest, options?: Options]): Promise<Tensor>;
}

export type ConvOperation = Operation<[weight: Tensor], ConvOptions>;
/** `depthwiseConv2d` takes no `groups`: there are as many as channels. */
export type DepthwiseOperation = Operation<[weight: Tensor], Omit<ConvOptions, 'groups'>>;
export type ConvTransposeOperation = Operation<[weight: Tensor], ConvTransposeOptions>;
export type SeparableOperation = Operation<[depthwise: Tensor, pointwise: Tensor], SeparableOptions>;
export type SpatialSeparableOperation = Operation<[column: Tensor, row: Tensor], ConvOptions>;
export type FlattenedOperation = Operation<[weights: FlattenedWeights], Omit<ConvOptions, 'groups' | 'filterLayout'>>;
export type InputGradOperation<Options = ConvGradOptions> = PlainOperation<[weight: Tensor, inputShape: readonly number[]], Options>;
export type WeightGradOperation<Options = ConvGradOptions> = PlainOperation<[gradOutput: Tensor, weightShape: readonly number[]], Options>;

/** Every operation by its name. */
export interface Operations {
  readonly conv1d: ConvOperation;
  readonly conv2d: ConvOperation;
  readonly conv3d: ConvOperation;
  readonly convTranspose1d: ConvTransposeOperation;
  readonly convTranspose2d: ConvTransposeOperation;
  readonly convTranspose3d: ConvTransposeOperation;
  readonly depthwiseConv2d: DepthwiseOperation;
  readonly separableConv2d: SeparableOperation;
  readonly spatialSeparableConv2d: SpatialSeparableOperation;
  readonly flattenedConv2d: FlattenedOperation;
  readonly channelShuffle: PlainOperation<[groups: number], ChannelOptions>;
  readonly unfold: PlainOperation<[kernelSize: number | readonly number[]], UnfoldOptions>;
  readonly fold: PlainOperation<[outputSize: readonly number[], kernelSize: number | readonly number[]], UnfoldOptions>;
  readonly conv1dInputGrad: InputGradOperation;
  readonly conv2dInputGrad: InputGradOperation;
  readonly conv3dInputGrad: InputGradOperation;
  readonly conv1dWeightGrad: WeightGradOperation;
  readonly conv2dWeightGrad: WeightGradOperation;
  readonly conv3dWeightGrad: WeightGradOperation;
  readonly convTranspose1dInputGrad: InputGradOperation<GradOptions>;
  readonly convTranspose2dInputGrad: InputGradOperation<GradOptions>;
  readonly convTranspose3dInputGrad: InputGradOperation<GradOptions>;
  readonly convTranspose1dWeightGrad: WeightGradOperation<GradOptions>;
  readonly convTranspose2dWeightGrad: WeightGradOperation<GradOptions>;
  readonly convTranspose3dWeightGrad: WeightGradOperation<GradOptions>;
  readonly biasGrad: PlainOperation<[], ChannelOptions>;
}

/** Its memory, layers and engine tensors are its own: engines share nothing, and any number of them may live at once. */
export interface Engine extends Operations {
  readonly info: EngineInfo;
  /** A zero-filled tensor in the engine's memory. */
  alloc(shape: readonly number[]): EngineTensor;
  /** Ends the engine: every later call throws `ERR_DISPOSED`. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}
