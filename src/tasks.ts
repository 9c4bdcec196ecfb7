/**
 * Tasks of a kernel: parts of its result that are computed in any order, at the same time, by whoever comes first. Each is computed as if it were alone, so that
 * no sum depends on how many threads there are. The head of a kernel's file says what its tasks are; a kernel checks that it is not asked for more.
 */
import { LINE_CHANNELS, NR, PIXELS, SHUFFLED_PIXELS } from '../assembly/blocks.ts';
import { roundUp, type ShareBand, wholeBand } from './bands.ts';
import type { TaskParams } from './params.ts';
import type { ConvPlan } from './plan.ts';
import { groupsTogether } from './plan-groups.ts';
import { type ConvShape, type FilterShape, type Spatial, volume } from './shape.ts';
import type { Cost, Share, TaskCount } from './team.ts';
import { factorBytes, tilesOf } from './winograd.ts';

/** assembly/pad.ts: the rows of the copy. */
export function padTasks({ batch, inC, inSize, channelsLast }: ConvShape, border: ConvPlan['border']): number {
  if (border === undefined) return 0;
  const { begin, end } = border;
  return (channelsLast ? batch : batch * inC) * (inSize[0] + begin[0] + end[0]) * (inSize[1] + begin[1] + end[1]);
}

/** What sums over taps take, whatever the algorithm: nobody wakes for what is done before. */
export function shapeCost({ batch, inC, outC, groupInC, inSize, outSize, kernel }: ConvShape): Cost {
  const results = batch * outC * volume(outSize);
  return { flops: 2 * results * groupInC * volume(kernel), floats: results + batch * inC * volume(inSize) };
}

/** What several of them take. */
export function costOf(shapes: readonly ConvShape[]): Cost {
  return shapes.map(shapeCost).reduce((sum, { flops, floats }) => ({ flops: sum.flops + flops, floats: sum.floats + floats }));
}

/** Tasks for each thread, so that none of them waits long for the last one: ResNet-50, two threads over one, geometric mean: 3 tasks 1.84, 8 1.92, 16 1.91. */
const TASKS_EACH = 8;

/** Panels of the least part of a result. A part prepares its image once more, and a tile of F(m, r) wants a line of channels. */
const LEAST_PANELS = 4;

/**
 * Factors of weights that come from memory are read in runs as long as can be: 512→512 at 7², 38 MB of them, two threads over one, by parts of so many of its 64
 * panels: 4 1.1, 8 1.4, 16 1.56, 32 1.65; 21, which leaves 22 to the last, 1.25.
 */
const STREAMED_BYTES = 16_777_216;

/**
 * Bands for each of several threads. ResNet's layers and a stem, channels first, two threads over one: bands as large as the cache holds 1.59–1.76, 2 for each thread
 * 1.67–1.81, 4 1.80–1.89, 8 1.77–1.90.
 */
const BANDS_EACH = 4;

/** For `threads` threads. */
export function sharedBand(threads: number): ShareBand {
  if (threads === 1) return wholeBand;
  return ({ batch, result: [outD, outH, outW], least }, band, step = 1) => {
    const { images, slices, rows, columns } = band;
    const others = Math.ceil(batch / images) * Math.ceil(outD / slices) * Math.ceil(outW / columns);
    const wanted = Math.ceil((BANDS_EACH * threads) / others);
    if (images > 1 || slices > 1 || Math.ceil(outH / rows) >= wanted) return band;
    return { ...band, rows: Math.min(rows, roundUp(Math.max(least(1), Math.ceil(outH / wanted)), step)) };
  };
}

/** What is computed is the way back: its results are as many and as large as the convolution's image. */
function isBack({ kind }: ConvPlan): boolean {
  return kind === 'transposed' || kind === 'transposedDepthwise' || kind === 'scattered';
}

/** Bands of a result whose layout changes: assembly/channels-first.ts. */
function bands(plan: ConvPlan): number {
  const { shape, band } = plan;
  const [deep, high, wide] = (isBack(plan) ? shape.inSize : shape.outSize) as Spatial;
  const along = (size: number, most: number): number => Math.ceil(size / most);
  return along(shape.batch, band.images) * along(deep, band.slices) * along(high, band.rows) * along(wide, band.columns);
}

/** assembly/depthwise-channels-first.ts and depthwise-channels-last.ts. */
function depthwiseTasks({ shape, band, inPlace, pack: { channelsLast } }: ConvPlan): number {
  const { batch, inC, outC, outSize } = shape;
  const bands = Math.ceil(outSize[1] / band.rows);
  if (channelsLast) return batch * bands;
  return inPlace ? batch * outC * (Math.floor((outSize[1] - 2 * shape.dilation[1]) / band.rows) + 1) : batch * inC * bands;
}

/** assembly/depthwise-factored.ts: bands of each plane, or of each image. */
function factoredTasks({ shape: { batch, outC, outSize }, band, pack: { channelsLast } }: ConvPlan): number {
  return (channelsLast ? batch : batch * outC) * Math.ceil(outSize[1] / band.rows);
}

/** assembly/groups.ts: bands of groups. */
function groupsTasks({ shape, band, pack }: ConvPlan): number {
  const { batch, groups, outSize } = shape;
  return batch * Math.ceil(outSize[1] / band.rows) * Math.ceil(groups / groupsTogether(shape, pack));
}

/** What a kernel computes at a time: see the heads of their files. */
function units(plan: ConvPlan): number {
  const { kind, shape, pack, band, innerBand, points } = plan;
  const { batch, outSize } = shape;
  if (kind === 'depthwise') return depthwiseTasks(plan);
  if (kind === 'factored') return factoredTasks(plan);
  if (kind === 'grouped') return groupsTasks(plan);
  if (kind === 'pointwise') return batch * Math.ceil(volume(outSize) / band.rows);
  if (!pack.channelsLast) return bands(plan);
  if (kind === 'conv') return Math.ceil((batch * volume(outSize)) / PIXELS);
  if (kind === 'winograd') return points === 0 ? 1 : Math.ceil(tilesOf(shape, points) / innerBand);
  return kind === 'scattered' ? 1 : Math.ceil(shape.inSize[1] / band.rows);
}

/** Panels of the results of all groups. */
function panelsOf(plan: ConvPlan): number {
  const { groups, groupInC, groupOutC } = plan.shape;
  return groups * Math.ceil((isBack(plan) ? groupInC : groupOutC) / NR);
}

/** Panels of a part of a result, 0 where it is computed whole: see assembly/tasks.ts. */
function partPanels(plan: ConvPlan, threads: number): number {
  const { kind, pack } = plan;
  const sums = ['conv', 'pointwise', 'scattered', 'transposed', 'winograd'].includes(kind);
  if (!sums || threads === 1 || pack.kernelShuffle > 1) return 0;
  const panels = panelsOf(plan);
  const streamed = factorBytes(plan.factors) > STREAMED_BYTES;
  const parts = streamed ? threads : Math.ceil((TASKS_EACH * threads) / units(plan));
  const size = Math.max(LEAST_PANELS, Math.floor(panels / parts));
  return parts > 1 && 2 * size <= panels ? size : 0;
}

/** @param part `partPanels` */
function convTasks(plan: ConvPlan, part: number, threads: number): TaskCount {
  const together = part === 0 ? 1 : Math.floor(panelsOf(plan) / part);
  return { count: units(plan) * together, threads, together };
}

/** How several threads, or one of them, share the work of one convolution. */
export function shareOf(plan: ConvPlan, shape: ConvShape, threads: number): Share {
  const panels = partPanels(plan, threads);
  return { panels, tasks: convTasks(plan, panels, threads), padding: apart(padTasks(shape, plan.border), threads) };
}

/** Tasks that share nothing. */
export function apart(count: number, threads: number): TaskCount {
  return { count, threads, together: 1 };
}

/** assembly/chain.ts and separable-channels-first.ts: strips of `rows` rows of the last step's result. */
export function stripTasks({ batch, outSize }: ConvShape, rows: number): number {
  return batch * Math.ceil(outSize[1] / rows);
}

/** assembly/columns.ts: rows of the matrix of columns. */
export function unfoldTasks({ batch, inC, kernel }: ConvShape): number {
  return batch * inC * volume(kernel);
}

/** assembly/columns.ts: planes of the image. */
export function foldTasks({ batch, inC }: ConvShape): number {
  return batch * inC;
}

/** assembly/channels.ts: planes, or pixels where a plane has one. */
export function shuffleTasks(outer: number, channels: number, inner: number): number {
  return inner === 1 ? Math.ceil(outer / SHUFFLED_PIXELS) : outer * channels;
}

/** assembly/channels.ts: channels, or lines of them where a plane has one pixel. */
export function sumTasks(channels: number, inner: number): number {
  return inner === 1 ? Math.ceil(channels / LINE_CHANNELS) : channels;
}

/** assembly/pack.ts: panels of all groups, or lines of channels. The same of assembly/weight-grad.ts. */
export function unpackTasks({ outC, groups }: Pick<FilterShape, 'outC' | 'groups'>, depthwise: boolean): number {
  return depthwise ? Math.ceil(outC / LINE_CHANNELS) : groups * Math.ceil(outC / groups / NR);
}

/** assembly/weight-grad.ts: parts of the sums. */
export function weightGradTasks(shape: ConvShape, depthwise: boolean, { taskPanels, taskRows, taskChannels }: TaskParams): number {
  const rows = shape.kernel[0] * shape.kernel[1];
  return Math.ceil(rows / taskRows) * Math.ceil(shape.groupInC / taskChannels) * Math.ceil(unpackTasks(shape, depthwise) / taskPanels);
}
