/** What the hosts read: a digit of every kind from the test set, which the network was not trained on, and the network. */
import { loadTestDigits, PIXELS, part, SIDE } from '../../examples/digits/data.ts';
import { layers, loadWeights, weightShape } from '../../examples/digits/network.ts';
import { type ConvOptions, createEngineSync, type Tensor, tensor } from '../../src/index.ts';
import * as reference from '../../src/reference/index.ts';

const KINDS = 10;

/** The first digit of each kind in the test set: the one at `i` is an `i`. */
function firstOfEach(): Float32Array {
  const digits = loadTestDigits();
  const images = new Float32Array(KINDS * PIXELS);
  for (let kind = 0; kind < KINDS; kind++) {
    const index = digits.labels.indexOf(kind);
    images.set(part(digits, index, index + 1).images, kind * PIXELS);
  }
  return images;
}

interface Step {
  readonly weight: Tensor;
  readonly options: ConvOptions & { readonly bias: Float32Array };
}

const images = tensor(firstOfEach(), [KINDS, 1, SIDE, SIDE]);
const weights = loadWeights();
const steps: readonly Step[] = layers.map((spec, i) => {
  const { weight, bias } = weights.layers[i]!;
  const { stride, padding, relu } = spec;
  return { weight: tensor(weight, weightShape(spec)), options: { bias, stride, padding, activation: relu ? 'relu' : undefined } };
});

function text({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** Both as a module that any host can import: float32 in base64. */
export function fixtureModule(): string {
  const digits = { data: text(images.data), shape: images.shape };
  const network = steps.map(({ weight, options }) => ({
    ...options,
    weight: text(weight.data),
    shape: weight.shape,
    bias: text(options.bias),
  }));
  return `export const digits = ${JSON.stringify(digits)};\nexport const layers = ${JSON.stringify(network)};\n`;
}

function logits(conv2d: (input: Tensor, weight: Tensor, options: ConvOptions) => Tensor): number[] {
  return [...steps.reduce((map, { weight, options }) => conv2d(map, weight, options), images as Tensor).data];
}

export interface Truth {
  /** [kind, 10], summed in float64, rounded after each layer. */
  readonly reference: readonly number[];
  /** The bits that `relaxedSimd: false` promises on every machine. */
  readonly bits: readonly number[];
}

export function truth(): Truth {
  const engine = createEngineSync({ relaxedSimd: false });
  return { reference: logits(reference.conv2d), bits: logits(engine.conv2d) };
}
