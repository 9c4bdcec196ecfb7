/**
 * Each operation as one writes it first: nested loops, one sum, no blocking. Channels first; ranks below three are 3-D with axes of one cell.
 * What can be had for nothing is had: typed arrays, the taps inside the image found once per row and column, no test in the inner loop.
 * Sums are float64, as numbers are here: these loops are also what every contestant is held against.
 */
import type { SyncContestant } from './contestant.ts';
import { asConv, asTransposed, dimsOf } from './operations.ts';
import { elementsOf, type Problem, type Step, weightedSteps } from './problem.ts';
import { type LayerShape, threeAxes } from './shapes.ts';

/**
 * @param input  `[batch, inC, …image]`
 * @param weight `[outC, inC / groups, …kernel]`
 * @param output `[batch, outC, …result]`, overwritten
 */
export function naiveConv({ batch, groups, inC, outC, axes }: LayerShape, input: Float32Array, weight: Float32Array, output: Float32Array) {
  const [depth, height, width] = threeAxes(axes);
  const { input: inD, output: outD, kernel: kD, stride: strideD, dilation: dilationD, padBegin: padFront } = depth;
  const { input: inH, output: outH, kernel: kH, stride: strideH, dilation: dilationH, padBegin: padTop } = height;
  const { input: inW, output: outW, kernel: kW, stride: strideW, dilation: dilationW, padBegin: padLeft } = width;
  const groupInC = inC / groups;
  const groupOutC = outC / groups;
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let oc = 0; oc < outC; oc++) {
      const firstC = b * inC + Math.floor(oc / groupOutC) * groupInC;
      for (let od = 0; od < outD; od++) {
        const front = od * strideD - padFront;
        const kdBegin = Math.max(0, Math.ceil(-front / dilationD));
        const kdEnd = Math.min(kD, Math.ceil((inD - front) / dilationD));
        for (let oh = 0; oh < outH; oh++) {
          const top = oh * strideH - padTop;
          const khBegin = Math.max(0, Math.ceil(-top / dilationH));
          const khEnd = Math.min(kH, Math.ceil((inH - top) / dilationH));
          for (let ow = 0; ow < outW; ow++) {
            const left = ow * strideW - padLeft;
            const kwBegin = Math.max(0, Math.ceil(-left / dilationW));
            const kwEnd = Math.min(kW, Math.ceil((inW - left) / dilationW));
            let sum = 0;
            // Depth outside the channels: a 2-D layer enters this loop once per sum, not once per channel.
            for (let kd = kdBegin; kd < kdEnd; kd++) {
              for (let ic = 0; ic < groupInC; ic++) {
                const plane = ((firstC + ic) * inD + front + kd * dilationD) * inH;
                const weightPlane = ((oc * groupInC + ic) * kD + kd) * kH;
                for (let kh = khBegin; kh < khEnd; kh++) {
                  const row = (plane + top + kh * dilationH) * inW + left;
                  const weightRow = (weightPlane + kh) * kW;
                  for (let kw = kwBegin; kw < kwEnd; kw++)
                    sum += (input[row + kw * dilationW] as number) * (weight[weightRow + kw] as number);
                }
              }
            }
            output[at++] = sum;
          }
        }
      }
    }
  }
}

/**
 * Transposed convolution: every input pixel adds its multiple of the kernel to the result.
 * @param input  `[batch, inC, …image]`
 * @param weight `[inC, outC / groups, …kernel]`
 * @param output `[batch, outC, …result]`, overwritten
 */
export function naiveTransposed(
  { batch, groups, inC, outC, axes }: LayerShape,
  input: Float32Array,
  weight: Float32Array,
  output: Float32Array,
) {
  const [depth, height, width] = threeAxes(axes);
  const { input: inD, output: outD, kernel: kD, stride: strideD, dilation: dilationD, padBegin: padFront } = depth;
  const { input: inH, output: outH, kernel: kH, stride: strideH, dilation: dilationH, padBegin: padTop } = height;
  const { input: inW, output: outW, kernel: kW, stride: strideW, dilation: dilationW, padBegin: padLeft } = width;
  const groupInC = inC / groups;
  const groupOutC = outC / groups;
  const sums = new Float64Array(outD * outH * outW);
  for (let b = 0; b < batch; b++) {
    for (let oc = 0; oc < outC; oc++) {
      const firstC = Math.floor(oc / groupOutC) * groupInC;
      sums.fill(0);
      for (let ic = firstC; ic < firstC + groupInC; ic++) {
        let pixel = (b * inC + ic) * inD * inH * inW;
        const kernel = (ic * groupOutC + (oc % groupOutC)) * kD;
        for (let id = 0; id < inD; id++) {
          const front = id * strideD - padFront;
          const kdBegin = Math.max(0, Math.ceil(-front / dilationD));
          const kdEnd = Math.min(kD, Math.ceil((outD - front) / dilationD));
          for (let ih = 0; ih < inH; ih++) {
            const top = ih * strideH - padTop;
            const khBegin = Math.max(0, Math.ceil(-top / dilationH));
            const khEnd = Math.min(kH, Math.ceil((outH - top) / dilationH));
            for (let iw = 0; iw < inW; iw++) {
              const left = iw * strideW - padLeft;
              const kwBegin = Math.max(0, Math.ceil(-left / dilationW));
              const kwEnd = Math.min(kW, Math.ceil((outW - left) / dilationW));
              const value = input[pixel++] as number;
              for (let kd = kdBegin; kd < kdEnd; kd++) {
                for (let kh = khBegin; kh < khEnd; kh++) {
                  const row = ((front + kd * dilationD) * outH + top + kh * dilationH) * outW + left;
                  const weightRow = ((kernel + kd) * kH + kh) * kW;
                  for (let kw = kwBegin; kw < kwEnd; kw++)
                    (sums[row + kw * dilationW] as number) += value * (weight[weightRow + kw] as number);
                }
              }
            }
          }
        }
      }
      output.set(sums, (b * outC + oc) * sums.length);
    }
  }
}

/**
 * Gradient of a convolution's weights.
 * @param input  `[batch, inC, …image]`
 * @param gradOutput `[batch, outC, …result]`
 * @param output `[outC, inC / groups, …kernel]`, overwritten
 */
export function naiveWeightGrad(
  { batch, groups, inC, outC, axes }: LayerShape,
  input: Float32Array,
  gradOutput: Float32Array,
  output: Float32Array,
) {
  const [depth, height, width] = threeAxes(axes);
  const { input: inD, output: outD, kernel: kD, stride: strideD, dilation: dilationD, padBegin: padFront } = depth;
  const { input: inH, output: outH, kernel: kH, stride: strideH, dilation: dilationH, padBegin: padTop } = height;
  const { input: inW, output: outW, kernel: kW, stride: strideW, dilation: dilationW, padBegin: padLeft } = width;
  const groupInC = inC / groups;
  const groupOutC = outC / groups;
  let at = 0;
  for (let oc = 0; oc < outC; oc++) {
    for (let ic = 0; ic < groupInC; ic++) {
      const inputC = Math.floor(oc / groupOutC) * groupInC + ic;
      for (let kd = 0; kd < kD; kd++) {
        const front = kd * dilationD - padFront;
        const odBegin = Math.max(0, Math.ceil(-front / strideD));
        const odEnd = Math.min(outD, Math.ceil((inD - front) / strideD));
        for (let kh = 0; kh < kH; kh++) {
          const top = kh * dilationH - padTop;
          const ohBegin = Math.max(0, Math.ceil(-top / strideH));
          const ohEnd = Math.min(outH, Math.ceil((inH - top) / strideH));
          for (let kw = 0; kw < kW; kw++) {
            const left = kw * dilationW - padLeft;
            const owBegin = Math.max(0, Math.ceil(-left / strideW));
            const owEnd = Math.min(outW, Math.ceil((inW - left) / strideW));
            let sum = 0;
            for (let b = 0; b < batch; b++) {
              for (let od = odBegin; od < odEnd; od++) {
                for (let oh = ohBegin; oh < ohEnd; oh++) {
                  const row = (((b * inC + inputC) * inD + front + od * strideD) * inH + top + oh * strideH) * inW + left;
                  const gradRow = (((b * outC + oc) * outD + od) * outH + oh) * outW;
                  for (let ow = owBegin; ow < owEnd; ow++)
                    sum += (input[row + ow * strideW] as number) * (gradOutput[gradRow + ow] as number);
                }
              }
            }
            output[at++] = sum;
          }
        }
      }
    }
  }
}

/** The steps of a composed operation one after the other, the results between them rounded to float32. */
function chainLoops(steps: readonly Step[], input: Float32Array, output: Float32Array): () => void {
  const between = steps.slice(1).map(({ shape }) => new Float32Array(elementsOf(dimsOf(shape).operands[0])));
  return () => {
    for (const [i, { shape, weight }] of steps.entries()) naiveConv(shape, between[i - 1] ?? input, weight.data, between[i] ?? output);
  };
}

function loopsOf(problem: Problem, output: Float32Array): () => void {
  const { shape, operands } = problem;
  const [{ data: first }, { data: second }] = operands;
  switch (shape.operation) {
    case 'conv':
    case 'gaussian':
      return () => naiveConv(shape, first, second, output);
    case 'deconv':
      return () => naiveTransposed(shape, first, second, output);
    case 'bwd_d': {
      const turned = asTransposed(shape);
      return () => naiveTransposed(turned, first, second, output);
    }
    case 'bwd_w':
      return () => naiveWeightGrad(shape, first, second, output);
    case 'deconv_bwd_d': {
      const turned = asConv(shape);
      return () => naiveConv(turned, first, second, output);
    }
    case 'deconv_bwd_w': {
      const turned = asConv(shape);
      return () => naiveWeightGrad(turned, second, first, output);
    }
    case 'separable':
    case 'spatial':
    case 'flattened':
      return chainLoops(weightedSteps(problem) ?? [], first, output);
  }
}

export function naiveContestant(problem: Problem): SyncContestant {
  const output = new Float32Array(elementsOf(problem.resultDims));
  return { name: 'naive', run: loopsOf(problem, output), result: () => output, dispose: () => {} };
}
