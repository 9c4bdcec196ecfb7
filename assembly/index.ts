/** The exports of the module, and nothing else. src/wasm.ts types them. */
export { convChannelsFirst } from "./conv-channels-first";
export { convChannelsLast } from "./conv-channels-last";
export { depthwiseChannelsFirst } from "./depthwise-channels-first";
export { depthwiseChannelsLast } from "./depthwise-channels-last";
export { packBias, packPanels, packRows, packTaps } from "./pack";
export { padImage } from "./pad";

/** First byte of linear memory that is free. */
export const heapBase: usize = __heap_base;

/** The version of the package this binary was built for: major · 10⁶ + minor · 10³ + patch, given by scripts/build-wasm.ts. */
export const version: i32 = VERSION;
