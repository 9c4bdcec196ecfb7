/** The exports of the module, and nothing else. src/kernels.ts types them. */
export { chain } from "./chain";
export { channelShuffle, channelSums } from "./channels";
export { fold, unfold } from "./columns";
export { convChannelsFirst } from "./channels-first";
export { convChannelsLast } from "./conv-channels-last";
export { convScattered } from "./conv-scattered";
export { convTransposed } from "./conv-transposed";
export { depthwiseChannelsFirst } from "./depthwise-channels-first";
export { depthwiseChannelsLast } from "./depthwise-channels-last";
export { factoredChannelsFirst, factoredChannelsLast } from "./depthwise-factored";
export { groupsChannelsFirst, groupsChannelsLast } from "./groups";
export { packBias, packPanels, packRows, packTaps, unpackPanels, unpackTaps } from "./pack";
export { padImage } from "./pad";
export { packPointwise, pointwiseChannelsFirst } from "./pointwise-channels-first";
export { separableChannelsFirst } from "./separable-channels-first";
export { convWinograd } from "./winograd";
export { packWinograd } from "./winograd-weights";
export { weightGradChannelsFirst, weightGradChannelsLast } from "./weight-grad";

/** First byte of linear memory that is free. A constant of this file would be a variable, set by a function that runs when the module is instantiated. */
// @ts-expect-error TypeScript exports what a file declares, this is the compiler's own
export { __heap_base as heapBase };

/** The version of the package this binary was built for: major · 10⁶ + minor · 10³ + patch, given by scripts/build-wasm.ts. */
export const version: i32 = VERSION;

/** 1 where a · b + c is rounded once: the build for relaxed SIMD. */
export const relaxed: i32 = ASC_FEATURE_RELAXED_SIMD ? 1 : 0;
