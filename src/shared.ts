/**
 * Every operation as a function of the module, on one shared engine. Their arguments are read until they settle: the first of them waits for the host to compile.
 * What their memory does not hold is not cut into strips, as an engine cuts it, but throws `ERR_MEMORY`.
 */

import type { Context } from './call.ts';
import { flattenedConv2dOperation, spatialSeparableConv2dOperation } from './chain.ts';
import { biasGradOperation, channelShuffleOperation } from './channel-operations.ts';
import { convOperation, depthwiseConv2dOperation } from './conv.ts';
import { convTransposeOperation } from './conv-transposed.ts';
import { sharedContext } from './core.ts';
import { inputGradOperation } from './gradients.ts';
import { separableConv2dOperation } from './separable.ts';
import type {
  AsyncOperation,
  ChannelOptions,
  ConvGradOptions,
  ConvOptions,
  ConvTransposeOptions,
  FlattenedWeights,
  GradOptions,
  Operations,
  SeparableOptions,
  Tensor,
  UnfoldOptions,
} from './types.ts';
import { foldOperation, unfoldOperation } from './unfold.ts';
import { weightGradOperation } from './weight-grad.ts';

type Conv = AsyncOperation<[weight: Tensor], ConvOptions>;
type ConvTranspose = AsyncOperation<[weight: Tensor], ConvTransposeOptions>;
type InputGrad<Options = ConvGradOptions> = AsyncOperation<[weight: Tensor, inputShape: readonly number[]], Options>;
type WeightGrad<Options = ConvGradOptions> = AsyncOperation<[gradOutput: Tensor, weightShape: readonly number[]], Options>;

/** An operation on the shared engine, made by the first call: whoever imports one function carries no other. */
function shared<Given extends readonly unknown[]>(
  name: keyof Operations,
  make: (context: Context) => (...given: never) => unknown,
): (...given: Given) => Promise<never> {
  let operation: ((...given: readonly unknown[]) => never) | undefined;
  return async (...given) => {
    operation ??= make(await sharedContext(name)) as (...given: readonly unknown[]) => never;
    return operation(...given);
  };
}

/**
 * 2-D convolution of a batch of images (cross-correlation: the kernel is not flipped), on the shared default engine.
 *
 * @param input  `[batch, inC, H, W]`, or `[batch, H, W, inC]` with `inputLayout: 'nhwc'`
 * @param weight `[outC, inC / groups, kH, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outH, outW]` in the input's layout
 * @throws TypeError for the wrong kind of thing, RangeError for the wrong value; each has a `code`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html
 */
export const conv2d: Conv = /* @__PURE__ */ shared('conv2d', (context) => convOperation(context, 2));

/**
 * 1-D convolution, on the shared default engine.
 *
 * @param input  `[batch, inC, W]`, or `[batch, W, inC]` with `inputLayout: 'nwc'`
 * @param weight `[outC, inC / groups, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outW]` in the input's layout
 * @throws as `conv2d`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv1d.html
 */
export const conv1d: Conv = /* @__PURE__ */ shared('conv1d', (context) => convOperation(context, 1));

/**
 * 3-D convolution, on the shared default engine.
 *
 * @param input  `[batch, inC, D, H, W]`, or `[batch, D, H, W, inC]` with `inputLayout: 'ndhwc'`
 * @param weight `[outC, inC / groups, kD, kH, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outD, outH, outW]` in the input's layout
 * @throws as `conv2d`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv3d.html
 */
export const conv3d: Conv = /* @__PURE__ */ shared('conv3d', (context) => convOperation(context, 3));

/**
 * 2-D transposed convolution, on the shared default engine.
 *
 * @param input  `[batch, inC, H, W]`, or `[batch, H, W, inC]` with `inputLayout: 'nhwc'`
 * @param weight `[inC, outC / groups, kH, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outH, outW]` in the input's layout; outH = (H − 1) · stride − padding + extent + outputPadding
 * @throws as `conv2d`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html
 */
export const convTranspose2d: ConvTranspose = /* @__PURE__ */ shared('convTranspose2d', (context) => convTransposeOperation(context, 2));

/**
 * 1-D transposed convolution, on the shared default engine.
 *
 * @param input  `[batch, inC, W]`, or `[batch, W, inC]` with `inputLayout: 'nwc'`
 * @param weight `[inC, outC / groups, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outW]` in the input's layout
 * @throws as `conv2d`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose1d.html
 */
export const convTranspose1d: ConvTranspose = /* @__PURE__ */ shared('convTranspose1d', (context) => convTransposeOperation(context, 1));

/**
 * 3-D transposed convolution, on the shared default engine.
 *
 * @param input  `[batch, inC, D, H, W]`, or `[batch, D, H, W, inC]` with `inputLayout: 'ndhwc'`
 * @param weight `[inC, outC / groups, kD, kH, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outD, outH, outW]` in the input's layout
 * @throws as `conv2d`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose3d.html
 */
export const convTranspose3d: ConvTranspose = /* @__PURE__ */ shared('convTranspose3d', (context) => convTransposeOperation(context, 3));

/**
 * 2-D convolution in which each input channel has filters of its own, on the shared default engine.
 *
 * @param input  `[batch, inC, H, W]`, or `[batch, H, W, inC]` with `inputLayout: 'nhwc'`
 * @param weight `[inC · multiplier, 1, kH, kW]`, or as `filterLayout` says; output channel c comes from input channel ⌊c / multiplier⌋
 * @returns `[batch, inC · multiplier, outH, outW]` in the input's layout
 * @throws as `conv2d`; `groups` is no option here
 */
export const depthwiseConv2d: AsyncOperation<[weight: Tensor], Omit<ConvOptions, 'groups'>> = /* @__PURE__ */ shared(
  'depthwiseConv2d',
  depthwiseConv2dOperation,
);

/**
 * Depthwise convolution, then a 1×1 one, in one pass: what lies between is never written out whole. On the shared default engine.
 *
 * @param depthwise `[inC · m, 1, kH, kW]`, or as `filterLayout` says
 * @param pointwise `[outC, inC · m, 1, 1]`, or as `filterLayout` says
 * @returns `[batch, outC, outH, outW]` in the input's layout
 * @throws as `conv2d`
 */
export const separableConv2d: AsyncOperation<[depthwise: Tensor, pointwise: Tensor], SeparableOptions> = /* @__PURE__ */ shared(
  'separableConv2d',
  separableConv2dOperation,
);

/**
 * A convolution down, then one along, in one pass. On the shared default engine.
 *
 * @param column `[midC, inC / groups, kH, 1]`, or as `filterLayout` says
 * @param row    `[outC, midC / groups, 1, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outH, outW]` in the input's layout
 * @throws as `conv2d`
 */
export const spatialSeparableConv2d: AsyncOperation<[column: Tensor, row: Tensor], ConvOptions> = /* @__PURE__ */ shared(
  'spatialSeparableConv2d',
  spatialSeparableConv2dOperation,
);

/**
 * Across channels, then down, then along, in one pass. On the shared default engine.
 *
 * @param weights `channel` `[outC, inC]`, `vertical` `[outC, kH]`, `horizontal` `[outC, kW]`
 * @returns `[batch, outC, outH, outW]` in the input's layout
 * @throws as `conv2d`
 * @see https://arxiv.org/abs/1412.5474
 */
export const flattenedConv2d: AsyncOperation<
  [weights: FlattenedWeights],
  Omit<ConvOptions, 'groups' | 'filterLayout'>
> = /* @__PURE__ */ shared('flattenedConv2d', flattenedConv2dOperation);

/**
 * Output channel `i · groups + g` is input channel `g · (C / groups) + i`; any rank from 3 on. On the shared default engine.
 *
 * @throws as `conv2d`
 * @see https://arxiv.org/abs/1707.01083
 */
export const channelShuffle: AsyncOperation<[groups: number], ChannelOptions> = /* @__PURE__ */ shared(
  'channelShuffle',
  channelShuffleOperation,
);

/**
 * Every window of an image as a column, on the shared default engine.
 *
 * @param input `[batch, C, H, W]`
 * @returns `[batch, C · kH · kW, L]`
 * @throws as `conv2d`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
 */
export const unfold: AsyncOperation<[kernelSize: number | readonly number[]], UnfoldOptions> = /* @__PURE__ */ shared(
  'unfold',
  unfoldOperation,
);

/**
 * Columns back into an image: the sum of all that stand for a pixel. On the shared default engine.
 *
 * @param columns    `[batch, C · kH · kW, L]`
 * @param outputSize `[H, W]`
 * @returns `[batch, C, H, W]`
 * @throws as `conv2d`
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
 */
export const fold: AsyncOperation<[outputSize: readonly number[], kernelSize: number | readonly number[]], UnfoldOptions> =
  /* @__PURE__ */ shared('fold', foldOperation);

/**
 * Gradient of `conv2d` with respect to its input, on the shared default engine.
 *
 * @param gradOutput of the shape of the forward result
 * @param inputShape the whole shape of the forward input, in `inputLayout`
 * @param options    those of the forward call that change its geometry
 * @returns a tensor of `inputShape`
 * @throws as `conv2d`
 */
export const conv2dInputGrad: InputGrad = /* @__PURE__ */ shared('conv2dInputGrad', (context) => inputGradOperation(context, 2, 'conv'));

/** As `conv2dInputGrad`, of `conv1d`. */
export const conv1dInputGrad: InputGrad = /* @__PURE__ */ shared('conv1dInputGrad', (context) => inputGradOperation(context, 1, 'conv'));

/** As `conv2dInputGrad`, of `conv3d`. */
export const conv3dInputGrad: InputGrad = /* @__PURE__ */ shared('conv3dInputGrad', (context) => inputGradOperation(context, 3, 'conv'));

/**
 * Gradient of `conv2d` with respect to its weight: a sum over batch and pixels, in an order that is always the same. On the shared default engine.
 *
 * @param gradOutput  of the shape of the forward result
 * @param weightShape the whole shape of the weight, in `filterLayout`
 * @returns a tensor of `weightShape`
 * @throws as `conv2d`
 */
export const conv2dWeightGrad: WeightGrad = /* @__PURE__ */ shared('conv2dWeightGrad', (context) =>
  weightGradOperation(context, 2, 'conv'),
);

/** As `conv2dWeightGrad`, of `conv1d`. */
export const conv1dWeightGrad: WeightGrad = /* @__PURE__ */ shared('conv1dWeightGrad', (context) =>
  weightGradOperation(context, 1, 'conv'),
);

/** As `conv2dWeightGrad`, of `conv3d`. */
export const conv3dWeightGrad: WeightGrad = /* @__PURE__ */ shared('conv3dWeightGrad', (context) =>
  weightGradOperation(context, 3, 'conv'),
);

/** As `conv2dInputGrad`, of `convTranspose1d`. */
export const convTranspose1dInputGrad: InputGrad<GradOptions> = /* @__PURE__ */ shared('convTranspose1dInputGrad', (context) =>
  inputGradOperation(context, 1, 'transposed'),
);

/** As `conv2dInputGrad`, of `convTranspose2d`. */
export const convTranspose2dInputGrad: InputGrad<GradOptions> = /* @__PURE__ */ shared('convTranspose2dInputGrad', (context) =>
  inputGradOperation(context, 2, 'transposed'),
);

/** As `conv2dInputGrad`, of `convTranspose3d`. */
export const convTranspose3dInputGrad: InputGrad<GradOptions> = /* @__PURE__ */ shared('convTranspose3dInputGrad', (context) =>
  inputGradOperation(context, 3, 'transposed'),
);

/** As `conv2dWeightGrad`, of `convTranspose1d`. */
export const convTranspose1dWeightGrad: WeightGrad<GradOptions> = /* @__PURE__ */ shared('convTranspose1dWeightGrad', (context) =>
  weightGradOperation(context, 1, 'transposed'),
);

/** As `conv2dWeightGrad`, of `convTranspose2d`. */
export const convTranspose2dWeightGrad: WeightGrad<GradOptions> = /* @__PURE__ */ shared('convTranspose2dWeightGrad', (context) =>
  weightGradOperation(context, 2, 'transposed'),
);

/** As `conv2dWeightGrad`, of `convTranspose3d`. */
export const convTranspose3dWeightGrad: WeightGrad<GradOptions> = /* @__PURE__ */ shared('convTranspose3dWeightGrad', (context) =>
  weightGradOperation(context, 3, 'transposed'),
);

/**
 * Gradient with respect to a bias: the sum of each channel. On the shared default engine.
 *
 * @param gradOutput any rank from 3 on
 * @returns `[outC]`
 * @throws as `conv2d`
 */
export const biasGrad: AsyncOperation<[], ChannelOptions> = /* @__PURE__ */ shared('biasGrad', biasGradOperation);
