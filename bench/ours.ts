/** The engine as a contestant, in each of the ways a user calls it. */
import type { ConvOptions, Engine, InputLayout, Tensor } from '../src/types.ts';
import type { Contestant } from './contestant.ts';
import { inputTensor, type Problem, toChannelsFirst, weightTensor } from './problem.ts';

function optionsOf({ shape }: Problem, inputLayout: InputLayout): Omit<ConvOptions, 'out'> {
  const { height, width, groups } = shape;
  return {
    stride: [height.stride, width.stride],
    dilation: [height.dilation, width.dilation],
    padding: [
      [height.padBegin, height.padEnd],
      [width.padBegin, width.padEnd],
    ],
    groups,
    inputLayout,
  };
}

/** Prepared; nothing is copied. */
function onTensors(engine: Engine, problem: Problem, layout: InputLayout): Contestant {
  const given = inputTensor(problem, layout);
  const layer = engine.conv2d.prepare(weightTensor(problem, 'oihw'), optionsOf(problem, layout));
  const input = engine.alloc(given.shape);
  input.data.set(given.data);
  const out = engine.alloc(layer.plan(given.shape).outputShape);
  return {
    name: `${layout} tensors`,
    run: () => {
      layer.run(input, { out });
    },
    result: () => toChannelsFirst(problem.shape, out.data.slice(), layout),
    dispose: () => {
      for (const held of [out, input, layer]) held.dispose();
    },
  };
}

/** Prepared; the input is copied in and the result out, into a fresh array. */
function onArrays(engine: Engine, problem: Problem, layout: InputLayout): Contestant {
  const input = inputTensor(problem, layout);
  const layer = engine.conv2d.prepare(weightTensor(problem, 'oihw'), optionsOf(problem, layout));
  let last: Tensor | undefined;
  return {
    name: `${layout} arrays`,
    run: () => {
      last = layer.run(input);
    },
    result: () => toChannelsFirst(problem.shape, last?.data ?? new Float32Array(), layout),
    dispose: () => layer.dispose(),
  };
}

/** Nothing is prepared: options are checked and weights packed in every call. */
function oneShot(engine: Engine, problem: Problem, layout: InputLayout): Contestant {
  const input = inputTensor(problem, layout);
  const weight = weightTensor(problem, 'oihw');
  const options = optionsOf(problem, layout);
  let last: Tensor | undefined;
  return {
    name: `${layout} one-shot`,
    run: () => {
      last = engine.conv2d(input, weight, options);
    },
    result: () => toChannelsFirst(problem.shape, last?.data ?? new Float32Array(), layout),
    dispose: () => {},
  };
}

export function ourContestants(engine: Engine, problem: Problem, layouts: readonly InputLayout[]): Contestant[] {
  return layouts.flatMap((layout) => [onTensors, onArrays, oneShot].map((make) => make(engine, problem, layout)));
}
