/**
 * Block sizes of the kernels. TypeScript reads the same file to size workspaces, so nothing here may use a type of AssemblyScript.
 *
 * The register tile is MR × NR = 5 × 8: ten accumulators, two vectors of B, one broadcast of A and one product make 14 of the
 * 15 vector registers that V8 has to give. Measured by `node --import tsx bench/tiles.ts` (see bench/EXPERIMENTS.md).
 */

/** Rows of the register tile. */
export const MR = 5;

/** Columns of the register tile: two vectors. */
export const NR = 8;

/** Output channels of the tile of grouped convolutions, each a row of two vectors of pixels: eight sums, which do not wait for each other. */
export const FOUR = 4;

/** Filters of a group up to which a GEMM sums dot products, where the channels are whole vectors: tiles would compute four columns. See assembly/gemm-dots.ts. */
export const DOTS = 3;

/** Steps of a sum from which three filters are dot products too: the lanes of each are added at its end. Transposed, 12 to 36 steps 0.8–0.97, 32 of 1×1 1.0–1.06, 64 to 72 1.02–1.06, 108 1.1. Two filters of 16 steps 1.05–1.2, one of 12 1.04–1.12. */
export const DOT_STEPS = 40;

/** Channels of a cache line. Groups of fewer are turned into planes together: 3×3/2 in groups of four 28 → 36 GFLOP/s, channels-last (Node 24, fused). */
export const LINE_CHANNELS = 16;

/** Groups, channels-last: with so many results of a group or more, all of eight pixels are summed before the next eight. 32: 515 → 492 µs, 64: 990 → 955, 16: 231 → 241 (stem of 224², Node 24, fused). */
export const SPREAD = 32;

/** Channel shuffle, channels-last: pixels of a task, so many that handing them out costs little beside moving them. */
export const SHUFFLED_PIXELS = 256;

/** Pixels whose rows are walked per panel of weights. */
export const PIXELS = 120;

/**
 * Transposed: results of a row of a phase from which blocks end with the row, whose tiles write where the results belong. Shorter rows leave too many low tiles:
 * 128→64 2×2/2, 21² 0.99, 22² 1.01, 24² 1.02, 56² 1.06 (Node 24, fused, channels last).
 */
export const ALONG = 22;

/**
 * Bytes of an image and its result, or of weights, that come from beyond an L2 of 1 MB: they are read ahead, line by line, a block of the image or AHEAD panels. 512→2048 7², 4 MB of weights: 1.02–1.05, 320→1280 7²,
 * 1.6 MB, warm: 0.97. 256→64 56², 4 MB of image and result: 1.00–1.07, three groups 240→240 28², 1.5 MB: 0.98 warm, 1.03 from memory.
 */
export const FAR_BYTES = 2097152;
export const AHEAD = 4;

/**
 * Steps of a sum whose loop, two at a time, has an end that processors foresee. A longer one ends with some 20 cycles lost, a shorter one costs
 * about five for being entered. Pointwise layers of 56 channels, in two parts and in one: 58.3 and 52.6 GFLOP/s (Node 24, fused).
 */
export const FORESEEN = 32;

/** Parts in which a longer loop may be run: more cost what they save. */
export const PARTS = 3;

/** Channels-first: bytes of a band's input and output in the other layout, which should stay in L2 with some of the weights. Larger bands share fewer rows and read the weights less often, see bench/EXPERIMENTS.md. */
export const LAYOUT_BYTES = 400000;

/** Chains, weight gradient: bytes of what a strip or band holds. The bits of a weight gradient depend on it. */
export const HELD_BYTES = 262144;

/** Pointwise, channels first: rows of weights that go over the panels of a block of pixels before the next do. */
export const ROWS = 120;

/**
 * Pointwise, channels first: rows of a group with which the first tile of a panel packs it. With fewer its sums wait for themselves, with more the packing
 * is too small a part.
 */
export const PACKING_FROM = 3;
export const PACKING_TO = 128;

/** Pointwise, channels first: bytes of the panels of a block of pixels, which stay in L2 beside the weights that go over them. */
export const PANEL_BYTES = 131072;

/** Weight gradient: an image of fewer channels is seen by whole rows of the kernel; more channels hide the cost of a run for each tap. */
export const WHOLE_ROWS_BELOW = 16;

/** Winograd: taps of the largest kernel along an axis; with more, few results are left to a tile. */
export const MOST_TAPS = 5;

/** Depthwise, channels-last: channels of a copied band. Four vectors keep a row of it at some KiB. */
export const CHANNELS = 16;

/** Depthwise, channels-last: bytes of the weights that go over a band together, see bench/EXPERIMENTS.md. */
export const WEIGHT_BYTES = 12288;

/** Depthwise, channels-first: bytes before a copied band for the two bounds of a clamp, a whole vector. */
export const BOUNDS_BYTES = 16;

/** Depthwise: bytes that a band of rows should take, so that it stays in L1 and L2. */
export const BAND_BYTES = 32768;

/** Floats added to a row or panel whose stride would be a power of two: such rows share one set of the cache. */
export const SKEW = 16;

/** Depthwise, channels-last, in place: workspace of each channel for rows that assembly/depthwise-down.ts copies. */
export const COPY_BYTES = 180;
