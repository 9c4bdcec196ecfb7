/** Every operation, bound to one engine. */
import type { Context } from './call.ts';
import { flattenedConv2dOperation, spatialSeparableConv2dOperation } from './chain.ts';
import { biasGradOperation, channelShuffleOperation } from './channel-operations.ts';
import { convOperation, depthwiseConv2dOperation } from './conv.ts';
import { convTransposeOperation } from './conv-transposed.ts';
import { inputGradOperation } from './gradients.ts';
import { separableConv2dOperation } from './separable.ts';
import type { Operations } from './types.ts';
import { foldOperation, unfoldOperation } from './unfold.ts';
import { weightGradOperation } from './weight-grad.ts';

export function operationsOf(context: Context): Operations {
  return {
    conv1d: convOperation(context, 1),
    conv2d: convOperation(context, 2),
    conv3d: convOperation(context, 3),
    convTranspose1d: convTransposeOperation(context, 1),
    convTranspose2d: convTransposeOperation(context, 2),
    convTranspose3d: convTransposeOperation(context, 3),
    depthwiseConv2d: depthwiseConv2dOperation(context),
    separableConv2d: separableConv2dOperation(context),
    spatialSeparableConv2d: spatialSeparableConv2dOperation(context),
    flattenedConv2d: flattenedConv2dOperation(context),
    channelShuffle: channelShuffleOperation(context),
    unfold: unfoldOperation(context),
    fold: foldOperation(context),
    conv1dInputGrad: inputGradOperation(context, 1, 'conv'),
    conv2dInputGrad: inputGradOperation(context, 2, 'conv'),
    conv3dInputGrad: inputGradOperation(context, 3, 'conv'),
    conv1dWeightGrad: weightGradOperation(context, 1, 'conv'),
    conv2dWeightGrad: weightGradOperation(context, 2, 'conv'),
    conv3dWeightGrad: weightGradOperation(context, 3, 'conv'),
    convTranspose1dInputGrad: inputGradOperation(context, 1, 'transposed'),
    convTranspose2dInputGrad: inputGradOperation(context, 2, 'transposed'),
    convTranspose3dInputGrad: inputGradOperation(context, 3, 'transposed'),
    convTranspose1dWeightGrad: weightGradOperation(context, 1, 'transposed'),
    convTranspose2dWeightGrad: weightGradOperation(context, 2, 'transposed'),
    convTranspose3dWeightGrad: weightGradOperation(context, 3, 'transposed'),
    biasGrad: biasGradOperation(context),
  };
}
