/**
 * The network forwards and backwards on the library's kernels: conv2d, conv2dInputGrad, conv2dWeightGrad and biasGrad.
 *
 * Parameters, maps and gradients live in the engine's memory for as long as the trainer does, so that a step copies and allocates nothing.
 */
import type { Engine, EngineTensor } from '../../src/index.ts';
import { SIDE } from './data.ts';
import { crossEntropy, type Loss } from './loss.ts';
import { type LayerWeights, layers, weightShape } from './network.ts';

/** Uniform in ±√(6 / fan-in), which keeps the size of what passes through relu (arXiv 1502.01852); biases 0. */
export function initialWeights(random: () => number): LayerWeights[] {
  return layers.map((spec) => {
    const { inC, outC, kernel } = spec;
    const bound = Math.sqrt(6 / (inC * kernel * kernel));
    return {
      weight: Float32Array.from({ length: outC * inC * kernel * kernel }, () => bound * (2 * random() - 1)),
      bias: new Float32Array(outC),
    };
  });
}

/**
 * relu lets the gradient through where its output is positive. A product: with an `if`, which no processor can foresee here, a cell took
 * 6.9 ns and not 2.6, of a million to a step.
 */
function cutOff(gradient: Float32Array, output: Float32Array): void {
  for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) * Number((output[i] as number) > 0);
}

/** A layer's tensors. */
interface Stage {
  readonly weight: EngineTensor;
  readonly bias: EngineTensor;
  readonly weightGrad: EngineTensor;
  readonly biasGrad: EngineTensor;
  readonly output: EngineTensor;
  readonly outputGrad: EngineTensor;
}

export class Trainer {
  readonly #engine: Engine;
  readonly #stages: readonly Stage[];
  /** [batch, 1, 28, 28], filled by the caller before each step. */
  readonly images: EngineTensor;
  /** Weight and bias of every layer, in order. */
  readonly parameters: readonly EngineTensor[];
  /** One for each of the parameters. */
  readonly gradients: readonly EngineTensor[];

  constructor(engine: Engine, start: readonly LayerWeights[], batch: number) {
    this.#engine = engine;
    this.images = engine.alloc([batch, 1, SIDE, SIDE]);
    this.#stages = layers.map((spec, i) => {
      const { outC, outSize } = spec;
      const stage = {
        weight: engine.alloc(weightShape(spec)),
        bias: engine.alloc([outC]),
        weightGrad: engine.alloc(weightShape(spec)),
        biasGrad: engine.alloc([outC]),
        output: engine.alloc([batch, outC, outSize, outSize]),
        outputGrad: engine.alloc([batch, outC, outSize, outSize]),
      };
      const { weight, bias } = start[i] as LayerWeights;
      stage.weight.data.set(weight);
      stage.bias.data.set(bias);
      return stage;
    });
    this.parameters = this.#stages.flatMap(({ weight, bias }) => [weight, bias]);
    this.gradients = this.#stages.flatMap(({ weightGrad, biasGrad }) => [weightGrad, biasGrad]);
  }

  /** The loss of the present images against their labels, and the gradient of every parameter. */
  step(labels: ArrayLike<number>): Loss {
    const logits = this.#forward();
    const loss = crossEntropy(logits.output.data, labels, logits.outputGrad.data);
    this.#backward();
    return loss;
  }

  /** A copy of the parameters. */
  weights(): LayerWeights[] {
    return this.#stages.map(({ weight, bias }) => ({ weight: weight.data.slice(), bias: bias.data.slice() }));
  }

  dispose(): void {
    this.images.dispose();
    for (const stage of this.#stages) for (const held of Object.values<EngineTensor>({ ...stage })) held.dispose();
  }

  /** @returns the last layer */
  #forward(): Stage {
    let input = this.images;
    for (const [i, { stride, padding, relu }] of layers.entries()) {
      const { weight, bias, output } = this.#stages[i] as Stage;
      const activation = relu ? 'relu' : undefined;
      // Direct sums: the weights in the repository are the same bits whatever a later planner prefers.
      this.#engine.conv2d(input, weight, { bias, stride, padding, activation, accuracy: 'exact', out: output });
      input = output;
    }
    return this.#stages[layers.length - 1] as Stage;
  }

  #backward(): void {
    const { conv2dInputGrad, conv2dWeightGrad, biasGrad } = this.#engine;
    for (const [i, { stride, padding, relu }] of [...layers.entries()].reverse()) {
      const stage = this.#stages[i] as Stage;
      const before = this.#stages[i - 1];
      if (relu) cutOff(stage.outputGrad.data, stage.output.data);
      const input = before?.output ?? this.images;
      conv2dWeightGrad(input, stage.outputGrad, stage.weight.shape, { stride, padding, out: stage.weightGrad });
      biasGrad(stage.outputGrad, { out: stage.biasGrad });
      if (before)
        conv2dInputGrad(stage.outputGrad, stage.weight, before.output.shape, {
          stride,
          padding,
          accuracy: 'exact',
          out: before.outputGrad,
        });
    }
  }
}
