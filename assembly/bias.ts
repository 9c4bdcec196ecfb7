/** Results of a transposed convolution, channels-last, that no tap has reached, or not yet. p describes the convolution whose input gradient it is. */
import { activateRuns } from "./activation";
import { NR } from "./blocks";
import { shuffledChannel } from "./gemm";
import { TRANSPOSED_DEPTHWISE } from "./kinds";
import { ConvParams } from "./params";
import { copyFloats } from "./simd";
import { channelOf } from "./tasks";

/** Rows [top, bottom) of each image, channels of panels [firstPanel, lastPanel): the bias, and what follows the sum if it is `finished`. */
export function fillWithBias(p: ConvParams, bias: usize, output: usize, top: i32, bottom: i32, firstPanel: i32, lastPanel: i32, finished: bool): void {
  const depthwise = p.kind == TRANSPOSED_DEPTHWISE;
  const channels = p.inC, inH = p.inH, inW = p.inW;
  const N = depthwise ? channels : p.groupInC;
  const stride = depthwise ? 0 : ((N + NR - 1) / NR) * NR;
  const begin = depthwise ? 0 : channelOf(firstPanel, N), end = depthwise ? channels : channelOf(lastPanel, N);
  const pixelBytes = <usize>channels << 2;
  const filled = output + <usize>(top * inW) * pixelBytes;
  for (let c = begin; c < end; c++) {
    const g = c / N;
    store<f32>(filled + (<usize>shuffledChannel(c, channels, p.shuffle) << 2), load<f32>(bias + (<usize>(g * stride + c - g * N) << 2)));
  }
  const at = <usize>begin << 2;
  if (finished) activateRuns(p, 1, filled + at, 0, <usize>(end - begin) << 2);
  for (let n = 0; n < p.batch * p.inD; n++) {
    let pixel = output + <usize>((n * inH + top) * inW) * pixelBytes;
    for (let i = (bottom - top) * inW; i != 0; i--) {
      if (pixel != filled) copyFloats(pixel + at, filled + at, end - begin);
      pixel += pixelBytes;
    }
  }
}
