/**
 * The peer OpenCV.js, for Gaussians alone: image filters are what it is made for. Its images have up to four channels, interleaved.
 * Its package belongs to this folder's own package.json, so nothing here may be imported, or typed, by those who have not installed it.
 */
import type { ContestantName, SyncContestant } from './contestant.ts';
import { type Peer, requirePeer } from './peer.ts';
import { gaussianTaps, inLayout, type Problem, toChannelsFirst } from './problem.ts';

interface Mat {
  /** A view: to be read again after any call, memory may have grown. */
  readonly data32F: Float32Array;
  delete(): void;
}

/** Opaque to us. */
type Point = object;

/** The part of OpenCV.js that is used. */
interface OpenCv {
  readonly Mat: new (rows?: number, columns?: number, type?: number) => Mat;
  readonly Point: new (x: number, y: number) => Point;
  readonly CV_32FC1: number;
  readonly CV_32FC2: number;
  readonly CV_32FC3: number;
  readonly CV_32FC4: number;
  readonly BORDER_CONSTANT: number;
  matFromArray(rows: number, columns: number, type: number, values: readonly number[]): Mat;
  sepFilter2D(from: Mat, to: Mat, depth: number, row: Mat, column: Mat, anchor: Point, delta: number, border: number): void;
  filter2D(from: Mat, to: Mat, depth: number, kernel: Mat, anchor: Point, delta: number, border: number): void;
}

/** Whether OpenCV's filters can compute the layer: same size, every pixel, zeros around. */
function isFilter({ shape: { operation, batch, inC, axes } }: Problem): boolean {
  const centred = axes.every(
    ({ kernel, stride, dilation, padBegin, padEnd }) =>
      stride === 1 && dilation === 1 && padBegin === padEnd && kernel === 2 * padBegin + 1,
  );
  return operation === 'gaussian' && batch === 1 && inC <= 4 && centred;
}

function contestantsOf(cv: OpenCv, problem: Problem): SyncContestant[] {
  const [height, width] = problem.shape.axes;
  if (!isFilter(problem) || !height || !width) return [];
  const pixels = inLayout(problem.operands[0], 'nhwc').data;
  const type = [cv.CV_32FC1, cv.CV_32FC2, cv.CV_32FC3, cv.CV_32FC4][problem.shape.inC - 1] as number;
  const image = () => new cv.Mat(height.input, width.input, type);
  const [column, row] = [gaussianTaps(height.kernel), gaussianTaps(width.kernel)];
  const centre = new cv.Point(-1, -1);
  const taps = (rows: number, columns: number, values: readonly number[]): Mat => cv.matFromArray(rows, columns, cv.CV_32FC1, values);

  /** @param kernels given up with the contestant */
  const contestant = (
    name: ContestantName,
    kernels: readonly Mat[],
    run: (from: Mat, to: Mat) => void,
    result: (to: Mat) => Float32Array,
  ): SyncContestant => {
    const [from, to] = [image(), image()];
    from.data32F.set(pixels);
    return {
      name,
      run: () => run(from, to),
      result: () => toChannelsFirst(result(to), problem.resultDims, 'nhwc'),
      dispose: () => {
        for (const mat of [from, to, ...kernels]) mat.delete();
      },
    };
  };

  /** Along and down in one call. */
  const separated = (name: ContestantName, copies: boolean): SyncContestant => {
    const [down, along] = [taps(column.length, 1, column), taps(1, row.length, row)];
    let last: Float32Array | undefined;
    const filter = (from: Mat, to: Mat): void => cv.sepFilter2D(from, to, -1, along, down, centre, 0, cv.BORDER_CONSTANT);
    const copied = (from: Mat, to: Mat): void => {
      from.data32F.set(pixels);
      filter(from, to);
      last = to.data32F.slice();
    };
    return contestant(name, [down, along], copies ? copied : filter, (to) => last ?? to.data32F.slice());
  };

  const product = column.flatMap((y) => row.map((x) => y * x));
  const whole = taps(column.length, row.length, product);
  return [
    separated('opencv tensors', false),
    separated('opencv arrays', true),
    contestant(
      'opencv filter2D',
      [whole],
      (from, to) => cv.filter2D(from, to, -1, whole, centre, 0, cv.BORDER_CONSTANT),
      (to) => to.data32F.slice(),
    ),
  ];
}

/** @throws Error when the package is not installed */
export async function loadOpenCv(): Promise<Peer> {
  const name = '@techstark/opencv-js';
  const cv = (await (requirePeer(name) as Promise<OpenCv>)) as OpenCv;
  const { version } = requirePeer(`${name}/package.json`) as { version: string };
  return { name, version, contestants: (problem) => contestantsOf(cv, problem) };
}
