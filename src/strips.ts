/** A call that the memory does not hold whole: its result is computed in strips, whose operands are copied in and out one after the other. */
import { type Box, copyBox, type Dimension, type Run } from './boxes.ts';
import { type Context, checkThere, hosted, type Out, workspaceBytes } from './call.ts';
import { cutOf, type ImageCut } from './cuts.ts';
import { publicPlan } from './plan-words.ts';
import type { Call, Program } from './program.ts';
import { type ConvShape, type Spatial, shapeOf } from './shape.ts';
import type { Team } from './team.ts';
import { elements, freshFloats, HeapTensor, plainView } from './tensor.ts';
import type { PaddingMode, Plan, Tensor } from './types.ts';

/** Floats of the largest operands that are cut: as many as 32-bit addresses reach. What is larger was not meant. */
const MOST_FLOATS = 1_073_741_824;

/** Results along an axis, and the cells of the image that they read. */
interface Piece {
  readonly first: number;
  readonly results: number;
  readonly cells: number;
  readonly begin: number;
  readonly end: number;
  readonly runs: readonly Run[];
}

/** The cell that stands for one of the border, −1 for a zero. Borders of other modes are at most as wide as the image. */
function cellOf(at: number, size: number, mode: PaddingMode): number {
  if (at >= 0 && at < size) return at;
  if (mode === 'zeros') return -1;
  if (mode === 'replicate') return at < 0 ? 0 : size - 1;
  if (mode === 'circular') return at < 0 ? at + size : at - size;
  return at < 0 ? -at : 2 * (size - 1) - at;
}

function runsOf(start: number, stop: number, size: number, mode: PaddingMode): readonly Run[] {
  const runs: { from: number; to: number; length: number }[] = [];
  for (let at = start; at < stop; at++) {
    const from = cellOf(at, size, mode);
    const last = runs.at(-1);
    if (last && (from < 0 ? last.from < 0 : last.from >= 0 && from === last.from + last.length)) last.length++;
    else runs.push({ from, to: at - start, length: 1 });
  }
  return runs;
}

function pieceOf(
  { inSize, outSize, stride, kernel, dilation, padBegin, padEnd, paddingMode }: ConvShape,
  axis: 0 | 1 | 2,
  first: number,
  most: number,
): Piece {
  const results = Math.min(most, outSize[axis] - first);
  const size = inSize[axis];
  if (results === outSize[axis]) {
    return { first, results, cells: size, begin: padBegin[axis], end: padEnd[axis], runs: [{ from: 0, to: 0, length: size }] };
  }
  const start = first * stride[axis] - padBegin[axis];
  // The last piece has what no result reads, too: it lies in tiles of F(m, r) that end there.
  const stop =
    first + results === outSize[axis]
      ? size + padEnd[axis]
      : start + (results - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1;
  const [low, high] = [Math.max(0, start), Math.min(size, stop)];
  // Zeros are left to the kernel, but that it wants a cell at least; a border of anything else is copied like what is inside.
  if (paddingMode === 'zeros' && low < high) {
    return { first, results, cells: high - low, begin: low - start, end: stop - high, runs: [{ from: low, to: 0, length: high - low }] };
  }
  return { first, results, cells: stop - start, begin: 0, end: 0, runs: runsOf(start, stop, size, paddingMode) };
}

/** Pieces of so many results; the last may have fewer. */
function piecesOf(shape: ConvShape, axis: 0 | 1 | 2, results: number): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let first = 0; first < shape.outSize[axis]; first += results) pieces.push(pieceOf(shape, axis, first, results));
  return pieces;
}

type Place = readonly [Piece, Piece, Piece];

function placesOf([slices, rows, columns]: readonly [readonly Piece[], readonly Piece[], readonly Piece[]]): Iterable<Place> {
  return {
    *[Symbol.iterator]() {
      for (const d of slices) for (const h of rows) for (const w of columns) yield [d, h, w] as const;
    },
  };
}

/** A part of the convolution. It keeps the stride along an axis on which it has one result, which says how the whole is computed. */
function partOf(shape: ConvShape, place: Place): ConvShape {
  const { inC, outC, inputShape } = shape;
  const each = (of: (piece: Piece) => number): ConvShape['inSize'] => [of(place[0]), of(place[1]), of(place[2])];
  const rank = inputShape.length - 2;
  const [inSize, outSize] = [each(({ cells }) => cells), each(({ results }) => results)];
  return {
    ...shape,
    batch: 1,
    inSize,
    outSize,
    padBegin: each(({ begin }) => begin),
    padEnd: each(({ end }) => end),
    inputShape: shapeOf({ batch: 1, channels: inC, sizes: inSize.slice(3 - rank) }, shape),
    outputShape: shapeOf({ batch: 1, channels: outC, sizes: outSize.slice(3 - rank) }, shape),
  };
}

interface Strip {
  readonly call: Call;
  readonly inputShape: readonly number[];
  readonly input: Box;
  readonly output: Box;
}

/** A call in strips. */
export interface Strips extends Iterable<Strip> {
  /** Bytes of the largest: its copies and its workspace. */
  readonly bytes: number;
  /** @param whole what is said of the call where it is not cut */
  describe(whole: Plan): Plan;
}

function bytesOf(inputShape: readonly number[], { outputShape, workBytes }: Call): number {
  return workspaceBytes([inputShape, outputShape], workBytes);
}

function described(whole: Plan, { describe }: Call, bytes: number, size: number, what: string): Plan {
  const { algorithm, variant, reason } = describe(publicPlan);
  return {
    ...whole,
    algorithm,
    variant: `${variant}, in strips of ${size} ${what}${size === 1 ? '' : 's'}`,
    reason: `${reason}; the whole call does not fit into the memory`,
    workspaceBytes: bytes,
  };
}

/** So many images at a time. */
function inImages(inputShape: readonly number[], outputShape: readonly number[], call: (batch: number) => Call, most: number): Strips {
  const batch = inputShape[0] as number;
  const [inLane, outLane] = [inputShape, outputShape].map((sizes) => elements(sizes.slice(1))) as [number, number];
  const calls = new Map([most, batch % most].filter((size) => size > 0).map((size) => [size, call(size)]));
  const shape = (size: number): readonly number[] => [size, ...inputShape.slice(1)];
  const bytes = Math.max(...[...calls].map(([size, own]) => bytesOf(shape(size), own)));
  return {
    bytes,
    describe: (whole) => described(whole, calls.get(most) as Call, bytes, most, 'image'),
    *[Symbol.iterator]() {
      for (let first = 0; first < batch; first += most) {
        const size = Math.min(most, batch - first);
        const input: Dimension = { source: batch, target: size, runs: [{ from: first, to: 0, length: size }] };
        const output: Dimension = { source: size, target: batch, runs: [{ from: 0, to: first, length: size }] };
        yield {
          call: calls.get(size) as Call,
          inputShape: shape(size),
          input: { dimensions: [input], lane: inLane },
          output: { dimensions: [output], lane: outLane },
        };
      }
    },
  };
}

/** The dimensions of an operand of which one image is cut. */
function boxOf(batch: Dimension, channels: number, space: readonly Dimension[], channelsLast: boolean): Box {
  if (channelsLast) return { dimensions: [batch, ...space], lane: channels };
  const planes: Dimension = { source: channels, target: channels, runs: [{ from: 0, to: 0, length: channels }] };
  return { dimensions: [batch, planes, ...space], lane: 1 };
}

const AXIS_NAMES = ['slice', 'row', 'column'] as const;

/** Parts of images, one after the other, `sizes[axis]` results of an axis at a time. */
function inParts({ shape, part: call }: ImageCut, sizes: Spatial, axis: 0 | 1 | 2): Strips {
  const { batch, inC, outC, channelsLast } = shape;
  const along = (i: 0 | 1 | 2): readonly Piece[] => piecesOf(shape, i, sizes[i]);
  const pieces = [along(0), along(1), along(2)] as const;
  // What a part is asked for depends on its sizes alone, and few of these differ.
  const keyOf = ({ results, cells, begin, end }: Piece): string => `${results} ${cells} ${begin} ${end}`;
  const kinds = pieces.map((each) => [...new Map(each.map((piece) => [keyOf(piece), piece])).values()]);
  const keyAt = (place: Place): string => place.map(keyOf).join();
  const calls = new Map<string, { readonly call: Call; readonly inputShape: readonly number[] }>();
  let bytes = 0;
  for (const place of placesOf(kinds as [Piece[], Piece[], Piece[]])) {
    const part = partOf(shape, place);
    const own = { call: call(part), inputShape: part.inputShape };
    calls.set(keyAt(place), own);
    bytes = Math.max(bytes, bytesOf(part.inputShape, own.call));
  }
  const [first] = calls.values();
  return {
    bytes,
    describe: (whole) => described(whole, (first as { call: Call }).call, bytes, sizes[axis], AXIS_NAMES[axis]),
    *[Symbol.iterator]() {
      for (let image = 0; image < batch; image++) {
        const from: Dimension = { source: batch, target: 1, runs: [{ from: image, to: 0, length: 1 }] };
        const to: Dimension = { source: 1, target: batch, runs: [{ from: 0, to: image, length: 1 }] };
        for (const place of placesOf(pieces)) {
          const read = place.map(({ cells, runs }, i): Dimension => ({ source: shape.inSize[i] as number, target: cells, runs }));
          const written = place.map(
            ({ first, results }, i): Dimension => ({
              source: results,
              target: shape.outSize[i] as number,
              runs: [{ from: 0, to: first, length: results }],
            }),
          );
          yield {
            ...(calls.get(keyAt(place)) as { call: Call; inputShape: readonly number[] }),
            input: boxOf(from, inC, read, channelsLast),
            output: boxOf(to, outC, written, channelsLast),
          };
        }
      }
    },
  };
}

/** The strips of most steps, of at least one and fewer than `count`, that take no more than `bytes`. */
function largest(count: number, bytes: number, strips: (steps: number) => Strips): Strips | undefined {
  if (count < 2) return undefined;
  let found: Strips | undefined;
  let [low, high] = [0, count - 1];
  let middle = 1;
  // That one of them fits is asked first: where it does not, nothing does.
  while (low < high) {
    const tried = strips(middle);
    if (tried.bytes <= bytes) [found, low] = [tried, middle];
    else high = middle - 1;
    middle = Math.ceil((low + high) / 2);
  }
  return found;
}

/**
 * The largest strips that take no more than `bytes`: images; where one is too much, slices, rows or columns of each: the outermost axis that will do.
 *
 * @returns undefined where the call cannot be cut so small
 */
export function stripsOf(program: Program, inputShape: readonly number[], call: Call, team: Team, bytes: number): Strips | undefined {
  const { outputShape } = call;
  if (Math.max(elements(inputShape), elements(outputShape)) > MOST_FLOATS) return undefined;
  const batch = inputShape[0] as number;
  const { images, image } = cutOf(program, inputShape, team);
  const some = largest(batch, bytes, (size) => inImages(inputShape, outputShape, images, size));
  if (some || image === undefined) return some;
  const {
    units,
    shape: { outSize },
  } = image;
  for (const axis of [0, 1, 2] as const) {
    const size = (i: 0 | 1 | 2, steps: number): number => (i < axis ? units[i] : i === axis ? steps * units[i] : outSize[i]);
    const found = largest(Math.ceil(outSize[axis] / units[axis]), bytes, (steps) =>
      inParts(image, [size(0, steps), size(1, steps), size(2, steps)], axis),
    );
    if (found) return found;
  }
  return undefined;
}

/** Whether one may lie over the other. Two buffers that are shared may be the same memory. */
function mayOverlap(a: Float32Array, b: Float32Array): boolean {
  return a.buffer === b.buffer || !(a.buffer instanceof ArrayBuffer || b.buffer instanceof ArrayBuffer);
}

/**
 * Computes a call strip by strip. The records are left as the last strip wrote them.
 *
 * @param outputShape of the whole
 * @returns the result: `out`, or a fresh array
 */
export function runStrips(
  op: string,
  { heap, team }: Context,
  strips: Strips,
  outputShape: readonly number[],
  records: number,
  packed: number,
  derived: number,
  input: Tensor,
  out: Out,
): Tensor {
  const into = out instanceof HeapTensor ? out : undefined;
  for (const operand of [input, into]) checkThere(op, operand);
  const length = elements(outputShape);
  const from = plainView(input.data, elements(input.shape));
  const given = into || out === undefined ? undefined : plainView(out as Float32Array, length);
  // What an early strip gives must not lie over what a later one reads.
  const fresh = into || (given && !mayOverlap(given, from)) ? undefined : freshFloats(op, length);
  const workspace = heap.take(op, strips.bytes);
  try {
    const { f32 } = heap;
    // The memory may have grown: a tensor in it is looked up again.
    const source = hosted(heap, input) ? input.data : from;
    const to = fresh ?? given ?? (into as HeapTensor).data;
    for (const { call, inputShape, input: read, output: written } of strips) {
      const work = workspace + workspaceBytes([inputShape], 0);
      const result = work + workspaceBytes([], call.workBytes);
      copyBox(source, 0, f32, workspace / 4, read);
      call.write(f32, records, packed, derived);
      call.run(team, records, packed, workspace, result, work);
      copyBox(f32, result / 4, to, 0, written);
    }
  } finally {
    heap.release(workspace);
  }
  if (into) return into;
  if (given && fresh) given.set(fresh);
  return { data: (out as Float32Array | undefined) ?? (fresh as Float32Array), shape: [...outputShape] };
}
