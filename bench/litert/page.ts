/** What runs in the browser: both contestants, the loop of the ceiling, and the contest. main.ts asks it for one layer after the other. */
import { createEngine } from '../../src/index.ts';
import type { EngineInfo } from '../../src/types.ts';
import { ceilingProbe } from '../ceiling-probe.ts';
import type { ContestOptions } from '../contest.ts';
import { ourTensors } from '../ours.ts';
import { makeProblem } from '../problem.ts';
import type { LayerReport } from '../report.ts';
import { runContest } from '../runner.ts';
import type { LayerShape } from '../shapes.ts';
import { startLiteRt } from './litert.ts';
import { asInTensorFlow } from './tensorflow-padding.ts';

export interface PageBench {
  /** @returns what our engine says of itself */
  start(threads: number): Promise<EngineInfo>;
  /** Times both on a layer, each padding as TensorFlow does where that is another padding of the same sizes. */
  measure(set: string, shape: LayerShape, options: ContestOptions): Promise<LayerReport>;
}

declare global {
  var pageBench: PageBench;
}

/** Made by `start`. */
let measure: PageBench['measure'] | undefined;

globalThis.pageBench = {
  start: async (threads) => {
    // Only an isolated page has a clock of 5 µs.
    if (!crossOriginIsolated) throw new Error('the page is not isolated');
    const [engine, litert, ceiling] = [await createEngine({ threads }), await startLiteRt('/litert/', threads), await ceilingProbe()];
    measure = async (set, shape, options) => {
      const known = asInTensorFlow(shape);
      const problem = makeProblem(known ?? shape);
      const ours = (['nchw', 'nhwc'] as const).map((layout) => ourTensors(engine, problem, layout));
      const theirs = known ? await litert.contestants(problem) : [];
      return runContest(set, problem, [...ours, ...theirs], ceiling, { ...options, naive: false });
    };
    return engine.info;
  },
  measure: async (...args) => {
    if (!measure) throw new Error('start comes first');
    return measure(...args);
  },
};
