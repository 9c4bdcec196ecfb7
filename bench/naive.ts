/**
 * Convolution as one writes it first: seven loops, one sum, no blocking. Channels first.
 * What can be had for nothing is had: typed arrays, the taps inside the image found once per row and column, no test in the inner loop.
 */
import type { LayerShape } from './shapes.ts';

/**
 * @param input  `[batch, inC, inH, inW]`
 * @param weight `[outC, inC / groups, kH, kW]`
 * @param output `[batch, outC, outH, outW]`, overwritten
 */
export function naiveConv(shape: LayerShape, input: Float32Array, weight: Float32Array, output: Float32Array): void {
  const { batch, groups, inC, outC, height, width } = shape;
  const { input: inH, output: outH, kernel: kH, stride: strideH, dilation: dilationH, padBegin: padTop } = height;
  const { input: inW, output: outW, kernel: kW, stride: strideW, dilation: dilationW, padBegin: padLeft } = width;
  const groupInC = inC / groups;
  const groupOutC = outC / groups;
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let oc = 0; oc < outC; oc++) {
      const firstC = b * inC + Math.floor(oc / groupOutC) * groupInC;
      for (let oh = 0; oh < outH; oh++) {
        const top = oh * strideH - padTop;
        const khBegin = Math.max(0, Math.ceil(-top / dilationH));
        const khEnd = Math.min(kH, Math.ceil((inH - top) / dilationH));
        for (let ow = 0; ow < outW; ow++) {
          const left = ow * strideW - padLeft;
          const kwBegin = Math.max(0, Math.ceil(-left / dilationW));
          const kwEnd = Math.min(kW, Math.ceil((inW - left) / dilationW));
          let sum = 0;
          for (let ic = 0; ic < groupInC; ic++) {
            for (let kh = khBegin; kh < khEnd; kh++) {
              const row = ((firstC + ic) * inH + top + kh * dilationH) * inW + left;
              const weightRow = ((oc * groupInC + ic) * kH + kh) * kW;
              for (let kw = kwBegin; kw < kwEnd; kw++) sum += (input[row + kw * dilationW] as number) * (weight[weightRow + kw] as number);
            }
          }
          output[at++] = sum;
        }
      }
    }
  }
}
