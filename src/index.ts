/** Public names only. */
import { defaultEngine } from './engine.ts';
import type { ConvOptions, EngineTensor, Tensor } from './types.ts';

export type { CodedError, ErrorCode } from './check.ts';
export { createEngine, createEngineSync, defaultEngine } from './engine.ts';
export { tensor } from './tensor.ts';
export type {
  Accuracy,
  Activation,
  Algorithm,
  ConvOperation,
  ConvOptions,
  DepthwiseOperation,
  Engine,
  EngineInfo,
  EngineOptions,
  EngineSyncOptions,
  EngineTensor,
  FilterLayout,
  InputLayout,
  Layer,
  LayerOptions,
  Padding,
  PaddingMode,
  Plan,
  Tensor,
  WasmSource,
} from './types.ts';

/**
 * 2-D convolution of a batch of images (cross-correlation: the kernel is not flipped), on the shared default engine.
 *
 * @param input  `[batch, inC, H, W]`, or `[batch, H, W, inC]` with `inputLayout: 'nhwc'`
 * @param weight `[outC, inC / groups, kH, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outH, outW]` in the input's layout
 * @throws TypeError for the wrong kind of thing, RangeError for the wrong value; each has a `code`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
 */
export function conv2d(input: Tensor, weight: Tensor, options: ConvOptions & { out: EngineTensor }): Promise<EngineTensor>;
export function conv2d(input: Tensor, weight: Tensor, options?: ConvOptions): Promise<Tensor>;
export async function conv2d(input: Tensor, weight: Tensor, options?: ConvOptions): Promise<Tensor> {
  return (await defaultEngine()).conv2d(input, weight, options);
}

/**
 * 1-D convolution, on the shared default engine.
 *
 * @param input  `[batch, inC, W]`, or `[batch, W, inC]` with `inputLayout: 'nwc'`
 * @param weight `[outC, inC / groups, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outW]` in the input's layout
 * @throws as `conv2d`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html
 */
export function conv1d(input: Tensor, weight: Tensor, options: ConvOptions & { out: EngineTensor }): Promise<EngineTensor>;
export function conv1d(input: Tensor, weight: Tensor, options?: ConvOptions): Promise<Tensor>;
export async function conv1d(input: Tensor, weight: Tensor, options?: ConvOptions): Promise<Tensor> {
  return (await defaultEngine()).conv1d(input, weight, options);
}

/**
 * 3-D convolution, on the shared default engine.
 *
 * @param input  `[batch, inC, D, H, W]`, or `[batch, D, H, W, inC]` with `inputLayout: 'ndhwc'`
 * @param weight `[outC, inC / groups, kD, kH, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outD, outH, outW]` in the input's layout
 * @throws as `conv2d`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv3d.html
 */
export function conv3d(input: Tensor, weight: Tensor, options: ConvOptions & { out: EngineTensor }): Promise<EngineTensor>;
export function conv3d(input: Tensor, weight: Tensor, options?: ConvOptions): Promise<Tensor>;
export async function conv3d(input: Tensor, weight: Tensor, options?: ConvOptions): Promise<Tensor> {
  return (await defaultEngine()).conv3d(input, weight, options);
}

/**
 * 2-D convolution in which each input channel has filters of its own, on the shared default engine.
 *
 * @param input  `[batch, inC, H, W]`, or `[batch, H, W, inC]` with `inputLayout: 'nhwc'`
 * @param weight `[inC · multiplier, 1, kH, kW]`, or as `filterLayout` says; output channel c comes from input channel ⌊c / multiplier⌋
 * @returns `[batch, inC · multiplier, outH, outW]` in the input's layout
 * @throws as `conv2d`; `groups` is no option here
 */
export function depthwiseConv2d(
  input: Tensor,
  weight: Tensor,
  options: Omit<ConvOptions, 'groups'> & { out: EngineTensor },
): Promise<EngineTensor>;
export function depthwiseConv2d(input: Tensor, weight: Tensor, options?: Omit<ConvOptions, 'groups'>): Promise<Tensor>;
export async function depthwiseConv2d(input: Tensor, weight: Tensor, options?: Omit<ConvOptions, 'groups'>): Promise<Tensor> {
  return (await defaultEngine()).depthwiseConv2d(input, weight, options);
}
