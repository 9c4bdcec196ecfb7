/** Convolution by its definition, in up to three dimensions. */
import { type ConvSettings, convSettings, type Rank, referenceFields } from '../options.ts';
import { type ConvShape, convShape, type FilterShape, filterShape } from '../shape.ts';
import { elements, readTensor } from '../tensor.ts';
import type { ConvSemantics, PaddingMode, Tensor } from '../types.ts';
import { activate } from './activation.ts';

/** The cell of an image of `size` cells that stands at `i`, which may lie outside; −1 where a zero stands. */
function sourceCell(i: number, size: number, mode: PaddingMode): number {
  if (i >= 0 && i < size) return i;
  if (mode === 'reflect') return i < 0 ? -i : 2 * (size - 1) - i;
  if (mode === 'circular') return (i + size) % size;
  if (mode === 'replicate') return i < 0 ? 0 : size - 1;
  return -1;
}

/** Position of an element in a tensor of `channels` and a [d, h, w] image. */
function offset(
  b: number,
  c: number,
  [d, h, w]: readonly number[],
  channels: number,
  size: readonly number[],
  channelsLast: boolean,
): number {
  const [sizeD, sizeH, sizeW] = size as [number, number, number];
  const pixel = ((d as number) * sizeH + (h as number)) * sizeW + (w as number);
  const pixels = sizeD * sizeH * sizeW;
  return channelsLast ? (b * pixels + pixel) * channels + c : (b * channels + c) * pixels + pixel;
}

/** The sum of one output channel at one output pixel, in float64. */
function windowSum(
  input: Float32Array,
  weight: Float32Array,
  shape: ConvShape,
  filter: FilterShape,
  b: number,
  oc: number,
  at: readonly number[],
): number {
  const { kernel, inSize, stride, dilation, padBegin, paddingMode, groupInC, groupOutC, inC, channelsLast } = shape;
  const firstChannel = Math.floor(oc / groupOutC) * groupInC;
  const cell = (axis: number, tap: number): number =>
    sourceCell(
      (at[axis] as number) * (stride[axis] as number) + tap * (dilation[axis] as number) - (padBegin[axis] as number),
      inSize[axis] as number,
      paddingMode,
    );
  let sum = 0;
  let tap = 0;
  for (let kd = 0; kd < kernel[0]; kd++) {
    const d = cell(0, kd);
    for (let kh = 0; kh < kernel[1]; kh++) {
      const h = cell(1, kh);
      for (let kw = 0; kw < kernel[2]; kw++, tap++) {
        const w = cell(2, kw);
        if (d < 0 || h < 0 || w < 0) continue;
        for (let i = 0; i < groupInC; i++) {
          const x = input[offset(b, firstChannel + i, [d, h, w], inC, inSize, channelsLast)] as number;
          sum += x * (weight[oc * filter.strideO + i * filter.strideI + tap * filter.strideTap] as number);
        }
      }
    }
  }
  return sum;
}

/** Channel `c` after a shuffle by `groups`: input channel g·(C / groups) + i goes to i·groups + g. */
function shuffledChannel(c: number, channels: number, groups: number): number {
  const size = channels / groups;
  return (c % size) * groups + Math.floor(c / size);
}

function convolve(input: Tensor, weight: Tensor, shape: ConvShape, filter: FilterShape, settings: ConvSettings): Tensor {
  const { batch, outC, outSize, outputShape, channelsLast } = shape;
  const [outD, outH, outW] = outSize;
  const data = new Float32Array(elements(outputShape));
  for (let b = 0; b < batch; b++) {
    for (let oc = 0; oc < outC; oc++) {
      const bias = settings.bias?.data[oc] ?? 0;
      const target = shuffledChannel(oc, outC, settings.shuffle);
      for (let od = 0; od < outD; od++) {
        for (let oh = 0; oh < outH; oh++) {
          for (let ow = 0; ow < outW; ow++) {
            const sum = bias + windowSum(input.data, weight.data, shape, filter, b, oc, [od, oh, ow]);
            data[offset(b, target, [od, oh, ow], outC, outSize, channelsLast)] = activate(sum, settings.activation);
          }
        }
      }
    }
  }
  return { data, shape: [...outputShape] };
}

function convolution(
  op: string,
  rank: Rank,
  depthwise: boolean,
  givenInput: Tensor,
  givenWeight: Tensor,
  options: ConvSemantics | undefined,
): Tensor {
  const fields = depthwise ? referenceFields.filter((field) => field !== 'groups') : referenceFields;
  const settings = convSettings(op, rank, options, fields);
  const input = readTensor(op, 'input', givenInput);
  const weight = readTensor(op, 'weight', givenWeight);
  const filter = filterShape(op, 'weight', weight.shape, settings, depthwise);
  return convolve(input, weight, convShape(op, input.shape, filter, settings), filter, settings);
}

/**
 * 2-D convolution (cross-correlation: the kernel is not flipped) with sums in float64.
 *
 * @param input  `[batch, inC, H, W]`, or `[batch, H, W, inC]` with `inputLayout: 'nhwc'`
 * @param weight `[outC, inC / groups, kH, kW]`, or as `filterLayout` says
 * @returns `[batch, outC, outH, outW]` in the input's layout
 * @throws TypeError for the wrong kind of thing, RangeError for the wrong value
 */
export function conv2d(input: Tensor, weight: Tensor, options?: ConvSemantics): Tensor {
  return convolution('conv2d', 2, false, input, weight, options);
}

/** As `conv2d` in one dimension: input `[batch, inC, W]`, weight `[outC, inC / groups, kW]`. */
export function conv1d(input: Tensor, weight: Tensor, options?: ConvSemantics): Tensor {
  return convolution('conv1d', 1, false, input, weight, options);
}

/** As `conv2d` in three dimensions: input `[batch, inC, D, H, W]`, weight `[outC, inC / groups, kD, kH, kW]`. */
export function conv3d(input: Tensor, weight: Tensor, options?: ConvSemantics): Tensor {
  return convolution('conv3d', 3, false, input, weight, options);
}

/** As `conv2d` with a group for each input channel; weight `[inC · multiplier, 1, kH, kW]`. */
export function depthwiseConv2d(input: Tensor, weight: Tensor, options?: Omit<ConvSemantics, 'groups'>): Tensor {
  return convolution('depthwiseConv2d', 2, true, input, weight, options);
}
