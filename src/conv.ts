/** conv1d, conv2d, conv3d and depthwiseConv2d: settings → shape → plan → packed weights → kernel → result. */
import { checkFields, conflict, disposed, wrongType, wrongValue } from './check.ts';
import { align, type Heap } from './memory.ts';
import { type ConvSettings, callFields, convSettings, layerFields, type Rank } from './options.ts';
import { CONV_PARAMS_BYTES, PAD_PARAMS_BYTES, writeConvParams, writePadParams } from './params.ts';
import { type ConvPlan, convPlan, type PackPlan, packedBytes, packPlan, publicPlan, workspaceBytes } from './plan.ts';
import { type ConvShape, convShape, type FilterShape, filterShape, volume } from './shape.ts';
import { checkData, elements, HeapTensor, isFloat32Array, lengthOf, makeDisposable, readTensor, releaseWhenForgotten } from './tensor.ts';
import type { ConvOperation, ConvOptions, DepthwiseOperation, EngineTensor, Layer, LayerOptions, Plan, Tensor } from './types.ts';
import type { Kernels } from './wasm.ts';

/** What an operation needs of its engine. */
export interface Context {
  readonly heap: Heap;
  readonly kernels: Kernels;
}

/** Weights in the order of their kernel, and room for the records of a call: one block of the heap. */
interface PackedConv {
  readonly plan: PackPlan;
  readonly block: number;
  readonly convParams: number;
  readonly padParams: number;
  readonly bias: number;
  readonly weights: number;
}

const PARAMS_BYTES = align(CONV_PARAMS_BYTES) + align(PAD_PARAMS_BYTES);

function hosted(heap: Heap, value: unknown): value is HeapTensor {
  return value instanceof HeapTensor && value.heap === heap;
}

/** Runs `use` with `values` in the memory: where they lie, or as a copy that is given back afterwards. 0 stands for none. */
function withCopy(op: string, heap: Heap, value: Tensor | undefined, use: (pointer: number) => void): void {
  if (value === undefined || hosted(heap, value)) {
    use(value?.pointer ?? 0);
    return;
  }
  const pointer = heap.take(op, elements(value.shape) * 4);
  try {
    heap.f32.set(value.data, pointer / 4);
    use(pointer);
  } finally {
    heap.release(pointer);
  }
}

function pack(
  op: string,
  { heap, kernels }: Context,
  weight: Tensor,
  filter: FilterShape,
  settings: ConvSettings,
  plan: PackPlan,
): PackedConv {
  const block = heap.take(op, PARAMS_BYTES + packedBytes(plan));
  const convParams = block;
  const padParams = convParams + align(CONV_PARAMS_BYTES);
  const bias = block + PARAMS_BYTES;
  const weights = bias + align(plan.biasGroups * plan.biasStride * 4);
  const { outC, groupInC, strideO, strideI, strideTap } = filter;
  const taps = volume(filter.kernel);
  const { weightStride, packShuffle } = plan;
  try {
    withCopy(op, heap, weight, (from) => {
      if (plan.algorithm === 'gemm') {
        kernels.packPanels(weights, from, outC, plan.biasGroups, groupInC, taps, strideO, strideI, strideTap, weightStride, packShuffle);
      } else if (plan.channelsLast) {
        kernels.packTaps(weights, from, outC, taps, strideO, strideTap, weightStride, packShuffle);
      } else {
        kernels.packRows(weights, from, outC, taps, strideO, strideTap, weightStride, packShuffle);
      }
    });
    withCopy(op, heap, settings.bias, (from) => {
      kernels.packBias(bias, from, outC, plan.biasGroups, plan.biasStride, packShuffle);
    });
  } catch (error) {
    heap.release(block);
    throw error;
  }
  return { plan, block, convParams, padParams, bias, weights };
}

/** Throws unless the result may be written to `out`. */
function checkOut(op: string, heap: Heap, out: unknown, shape: readonly number[], inputs: readonly (Tensor | undefined)[]): void {
  if (out === undefined) return;
  if (out instanceof HeapTensor) {
    out.checkAlive(op, 'out');
    if (out.heap !== heap) throw conflict(op, 'out must not be a tensor of another engine');
    if (inputs.some((input) => input === out)) throw conflict(op, 'out must not be an input as well');
    const same = out.shape.length === shape.length && out.shape.every((size, i) => size === shape[i]);
    if (!same) throw wrongValue(op, 'out.shape', `[${shape.join(', ')}]`, out.shape);
    return;
  }
  if (!isFloat32Array(out)) throw wrongType(op, 'out', 'a Float32Array or an EngineTensor', out);
  checkData(op, 'out', out);
  const length = elements(shape);
  if (lengthOf(out) !== length) throw wrongValue(op, 'out.length', `${length}, the size of [${shape.join(', ')}]`, lengthOf(out));
}

function writeParams({ heap }: Context, packed: PackedConv, plan: ConvPlan, shape: ConvShape, settings: ConvSettings): void {
  writeConvParams(heap.f32, packed.convParams, plan, settings.activation);
  writePadParams(heap.f32, packed.padParams, shape, plan);
}

/** One call of the kernel; the records of the call are written already. */
function compute(
  op: string,
  { heap, kernels }: Context,
  packed: PackedConv,
  plan: ConvPlan,
  outputShape: readonly number[],
  input: Tensor,
  out: Float32Array | EngineTensor | undefined,
): Tensor {
  const length = elements(outputShape);
  if (length === 0)
    return out instanceof HeapTensor ? out : { data: (out as Float32Array | undefined) ?? new Float32Array(0), shape: [...outputShape] };
  const workspace = heap.take(op, workspaceBytes(plan));
  try {
    const inputCopy = workspace;
    const padded = inputCopy + (plan.inputBytes > 0 ? align(plan.inputBytes) : 0);
    const work = padded + (plan.paddedBytes > 0 ? align(plan.paddedBytes) : 0);
    const output = out instanceof HeapTensor ? out.pointer : work + align(plan.workBytes);
    let image = inputCopy;
    if (hosted(heap, input)) image = input.pointer;
    else heap.f32.set(input.data, inputCopy / 4);
    if (plan.paddedBytes > 0) {
      kernels.padImage(packed.padParams, image, padded);
      image = padded;
    }
    const { algorithm, channelsLast } = packed.plan;
    const run = {
      gemm: channelsLast ? kernels.convChannelsLast : kernels.convChannelsFirst,
      direct: channelsLast ? kernels.depthwiseChannelsLast : kernels.depthwiseChannelsFirst,
    }[algorithm];
    run(packed.convParams, image, packed.weights, packed.bias, output, work);
    if (out instanceof HeapTensor) return out;
    const first = output / 4;
    const shape = [...outputShape];
    if (out === undefined) return { data: heap.f32.slice(first, first + length), shape };
    const data = out as Float32Array;
    data.set(heap.f32.subarray(first, first + length));
    return { data, shape };
  } finally {
    heap.release(workspace);
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** A convolution with packed weights. The last plan is kept: a layer mostly sees one shape. */
class ConvLayer implements Layer {
  readonly #op: string;
  readonly #context: Context;
  readonly #filter: FilterShape;
  readonly #settings: ConvSettings;
  readonly #packed: PackedConv;
  readonly #keep: () => void;
  #last: { plan: ConvPlan; shape: ConvShape; inputShape: readonly number[]; inputHosted: boolean; outputHosted: boolean } | undefined;
  #alive = true;

  constructor(op: string, context: Context, filter: FilterShape, settings: ConvSettings, packed: PackedConv) {
    this.#op = op;
    this.#context = context;
    this.#filter = filter;
    this.#settings = { ...settings, bias: undefined };
    this.#packed = packed;
    this.#keep = releaseWhenForgotten(this, context.heap, packed.block);
  }

  #checkAlive(): void {
    if (!this.#alive) throw disposed(this.#op, 'the layer');
    if (this.#context.heap.closed) throw disposed(this.#op, 'the engine');
  }

  run(input: Tensor, options: { out: EngineTensor }): EngineTensor;
  run(input: Tensor, options?: { out?: Float32Array | undefined }): Tensor;
  run(given: Tensor, options?: { out?: Float32Array | EngineTensor | undefined }): Tensor {
    this.#checkAlive();
    const op = this.#op;
    const { heap } = this.#context;
    checkFields(op, options, ['out']);
    const out = options?.out;
    const input = readTensor(op, 'input', given);
    const inputHosted = hosted(heap, input);
    const outputHosted = out instanceof HeapTensor;
    let last = this.#last;
    if (
      last === undefined ||
      last.inputHosted !== inputHosted ||
      last.outputHosted !== outputHosted ||
      !sameShape(last.inputShape, input.shape)
    ) {
      const shape = convShape(op, input.shape, this.#filter, this.#settings);
      const plan = convPlan(shape, this.#packed.plan, inputHosted, outputHosted);
      last = { plan, shape, inputShape: [...input.shape], inputHosted, outputHosted };
    }
    checkOut(op, heap, out, last.shape.outputShape, [input]);
    if (last !== this.#last) {
      writeParams(this.#context, this.#packed, last.plan, last.shape, this.#settings);
      this.#last = last;
    }
    return compute(op, this.#context, this.#packed, last.plan, last.shape.outputShape, input, out);
  }

  plan(inputShape: readonly number[]): Plan {
    this.#checkAlive();
    return publicPlan(convPlan(convShape(this.#op, inputShape, this.#filter, this.#settings), this.#packed.plan));
  }

  dispose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#keep();
    this.#context.heap.release(this.#packed.block);
  }

  declare [Symbol.dispose]: () => void;
}

makeDisposable(ConvLayer.prototype);

function operation(context: Context, op: string, rank: Rank, depthwise: boolean): ConvOperation {
  const { heap } = context;
  const allowed = (fields: readonly string[]): readonly string[] => (depthwise ? fields.filter((field) => field !== 'groups') : fields);
  const fieldsOfCall = allowed(callFields);
  const fieldsOfLayer = allowed(layerFields);

  function planned(weight: Tensor, settings: ConvSettings): { filter: FilterShape; plan: PackPlan } {
    const filter = filterShape(op, 'weight', weight.shape, settings, depthwise);
    return { filter, plan: packPlan(op, filter, settings) };
  }

  function call(givenInput: Tensor, givenWeight: Tensor, options?: ConvOptions): Tensor {
    if (heap.closed) throw disposed(op, 'the engine');
    const settings = convSettings(op, rank, options, fieldsOfCall);
    const input = readTensor(op, 'input', givenInput);
    const weight = readTensor(op, 'weight', givenWeight);
    const { filter, plan: packing } = planned(weight, settings);
    const shape = convShape(op, input.shape, filter, settings);
    const out = options?.out;
    checkOut(op, heap, out, shape.outputShape, [input, weight, settings.bias]);
    const plan = convPlan(shape, packing, hosted(heap, input), out instanceof HeapTensor);
    const packed = pack(op, context, weight, filter, settings, packing);
    try {
      writeParams(context, packed, plan, shape, settings);
      return compute(op, context, packed, plan, shape.outputShape, input, out);
    } finally {
      heap.release(packed.block);
    }
  }

  function prepare(given: Tensor, options?: LayerOptions): Layer {
    if (heap.closed) throw disposed(op, 'the engine');
    const settings = convSettings(op, rank, options, fieldsOfLayer);
    const weight = readTensor(op, 'weight', given);
    const { filter, plan } = planned(weight, settings);
    return new ConvLayer(op, context, filter, settings, pack(op, context, weight, filter, settings, plan));
  }

  // The overloads of the interface say what `out` decides: an engine tensor in, the same engine tensor out.
  return Object.assign(call, { prepare }) as ConvOperation;
}

export function convOperation(context: Context, rank: Rank): ConvOperation {
  return operation(context, `conv${rank}d`, rank, false);
}

export function depthwiseConv2dOperation(context: Context): DepthwiseOperation {
  return operation(context, 'depthwiseConv2d', 2, true);
}
