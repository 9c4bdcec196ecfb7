/** The engine as a contestant, in each of the ways a user calls it. */
import type { Engine, EngineTensor, Tensor } from '../src/types.ts';
import { type Calls, callsOf, type Method, type Prepared, twoCalls } from './calls.ts';
import type { ContestantName, SyncContestant } from './contestant.ts';
import { dimsInLayout, elementsOf, findsWeights, type Layout, makeProblem, type Problem, toChannelsFirst } from './problem.ts';

/** A result as the engine gives it → channels first. */
function fromLayout(problem: Problem, data: Float32Array, layout: Layout): Float32Array {
  return toChannelsFirst(data, problem.resultDims, findsWeights(problem) ? 'nchw' : layout);
}

/** What `accuracy: 'normal'` promises of tiles. */
const errorTimes = 4;

/** Prepared; nothing is copied. */
export function onTensors(engine: Engine, name: ContestantName, problem: Problem, layout: Layout, calls: Calls): SyncContestant {
  const held: EngineTensor[] = [];
  const alloc = (dims: readonly number[]): EngineTensor => {
    const tensor = engine.alloc(dims);
    held.push(tensor);
    return tensor;
  };
  const hold = ({ data, shape }: Tensor): Tensor => {
    const tensor = alloc(shape);
    tensor.data.set(data);
    return tensor;
  };
  const out = alloc(findsWeights(problem) ? problem.resultDims : dimsInLayout(problem.resultDims, layout));
  const call = calls.prepared(hold, out);
  return {
    name,
    computes: problem,
    errorTimes,
    run: () => {
      call.run();
    },
    result: () => fromLayout(problem, out.data.slice(), layout),
    dispose: () => {
      for (const each of [call, ...held]) each.dispose();
    },
  };
}

/** A prepared layer on engine tensors. */
export function ourTensors(engine: Engine, problem: Problem, layout: Layout, method: Method = {}): SyncContestant {
  return onTensors(engine, `${layout} tensors`, problem, layout, callsOf(engine, problem, layout, method));
}

/** Into an array. */
function onArrays(name: ContestantName, problem: Problem, layout: Layout, call: Prepared): SyncContestant {
  let last: Tensor | undefined;
  return {
    name,
    errorTimes,
    run: () => {
      last = call.run();
    },
    result: () => fromLayout(problem, last?.data ?? new Float32Array(), layout),
    dispose: call.dispose,
  };
}

/** Prepared, with operands that are copied in and a result that is copied out. */
function onOwnArrays(problem: Problem, layout: Layout, calls: Calls): SyncContestant {
  return onArrays(
    `${layout} arrays`,
    problem,
    layout,
    calls.prepared((operand) => operand),
  );
}

/** The same into one array, which each call overwrites. */
function onGivenArray(problem: Problem, layout: Layout, calls: Calls): SyncContestant {
  const out = new Float32Array(elementsOf(problem.resultDims));
  const call = calls.prepared((operand) => operand, out);
  return { ...onArrays(`${layout} out`, problem, layout, call), result: () => fromLayout(problem, out, layout) };
}

/** A prepared layer from arrays to a fresh array. */
export function ourArrays(engine: Engine, problem: Problem, layout: Layout): SyncContestant {
  return onOwnArrays(problem, layout, callsOf(engine, problem, layout));
}

export function ourContestants(engine: Engine, problem: Problem, layouts: readonly Layout[]): SyncContestant[] {
  const { operation } = problem.shape;
  const isGradient = operation === 'bwd_d' || operation === 'bwd_w';
  // Of groups the matrices are too small to be a measure. One problem for both layouts: its oracle need not compute twice.
  const forward = isGradient && problem.shape.groups === 1 ? makeProblem({ ...problem.shape, operation: 'conv' }) : undefined;
  return layouts.flatMap((layout) => {
    const calls = callsOf(engine, problem, layout);
    const { oneShot } = calls;
    const contestants = [
      onTensors(engine, `${layout} tensors`, problem, layout, calls),
      onOwnArrays(problem, layout, calls),
      onGivenArray(problem, layout, calls),
    ];
    if (oneShot) contestants.push(onArrays(`${layout} one-shot`, problem, layout, { run: oneShot, dispose: () => {} }));
    if (operation === 'separable')
      contestants.push(onTensors(engine, `${layout} two calls`, problem, layout, twoCalls(engine, problem, layout)));
    if (operation === 'gaussian')
      contestants.push(onTensors(engine, `${layout} unfactored`, problem, layout, callsOf(engine, problem, layout, { accuracy: 'exact' })));
    if (forward)
      contestants.push(onTensors(engine, `${layout} forward`, forward, layout, callsOf(engine, forward, layout, { algorithm: 'gemm' })));
    return contestants;
  });
}
