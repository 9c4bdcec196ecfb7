/** Training of the digits network: every gradient against finite differences, the optimiser against its formula, the command. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Adam } from '../examples/digits/adam.ts';
import { loadTestDigits, PIXELS } from '../examples/digits/data.ts';
import { biasGradient, inputGradient, weightGradient } from '../examples/digits/gradients.ts';
import { initialWeights, lossAndGradients } from '../examples/digits/loss.ts';
import { type ConvSpec, layers } from '../examples/digits/network.ts';
import { randomNumbers } from '../examples/digits/random.ts';
import * as reference from '../src/reference/index.ts';
import { integers } from './cases.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const digits = loadTestDigits();

function spec(inC: number, outC: number, kernel: number, stride: number, padding: number, inSize: number): ConvSpec {
  const outSize = Math.floor((inSize + 2 * padding - kernel) / stride) + 1;
  return {
    name: `ic${inC}ih${inSize}oc${outC}oh${outSize}kh${kernel}sh${stride}ph${padding}`,
    inC,
    outC,
    kernel,
    stride,
    padding,
    relu: false,
    inSize,
    outSize,
  };
}

describe('one layer', () => {
  // Strides with and without rows that no window reaches, a border wider and narrower than the kernel asks for, a map that a kernel covers whole.
  const specs = [
    spec(2, 3, 3, 1, 1, 4),
    spec(1, 3, 5, 1, 2, 5),
    spec(2, 3, 3, 2, 1, 6),
    spec(2, 2, 3, 2, 1, 7),
    spec(2, 2, 2, 3, 0, 7),
    spec(2, 2, 3, 3, 0, 7),
    spec(3, 2, 1, 1, 0, 3),
    spec(2, 4, 4, 1, 0, 4),
  ];
  const batch = 2;

  it.each(specs)('$name: every derivative is the difference it makes', (layer) => {
    const { inC, outC, kernel, stride, padding, inSize, outSize } = layer;
    const input = integers(batch * inC * inSize * inSize, 1);
    const weight = integers(outC * inC * kernel * kernel, 2);
    const bias = integers(outC, 3);
    const gradOutput = integers(batch * outC * outSize * outSize, 4);
    // ⟨conv(input, weight) + bias, gradOutput⟩ is linear in each operand, and of integers: a difference over a step of 1 is its derivative, exactly.
    const value = (): number => {
      const x = { data: input, shape: [batch, inC, inSize, inSize] };
      const y = reference.conv2d(x, { data: weight, shape: [outC, inC, kernel, kernel] }, { bias, stride, padding }).data;
      expect(y.length).toBe(gradOutput.length);
      return y.reduce((sum, v, i) => sum + v * (gradOutput[i] as number), 0);
    };
    const differences = (operand: Float32Array): number[] => {
      const before = value();
      return Array.from(operand, (kept, i) => {
        operand[i] = kept + 1;
        const after = value();
        operand[i] = kept;
        return after - before;
      });
    };
    // + 0: a sum that comes out as −0 is 0.
    const plain = (values: Float32Array): number[] => Array.from(values, (v) => v + 0);
    expect(plain(inputGradient(engine, layer, batch, gradOutput, weight))).toEqual(differences(input));
    expect(plain(weightGradient(engine, layer, batch, input, gradOutput))).toEqual(differences(weight));
    expect(plain(biasGradient(layer, batch, gradOutput))).toEqual(differences(bias));
  });
});

/** One image through one layer, all in float64. */
function forward64(layer: ConvSpec, image: Float64Array, weight: Float64Array, bias: Float64Array): Float64Array<ArrayBuffer> {
  const { inC, outC, kernel, stride, padding, inSize, outSize, relu } = layer;
  const result = new Float64Array(outC * outSize * outSize);
  for (let i = 0; i < result.length; i++) {
    const [oc, oh, ow] = [Math.floor(i / outSize ** 2), Math.floor(i / outSize) % outSize, i % outSize];
    let sum = bias[oc]!;
    for (let ic = 0; ic < inC; ic++) {
      for (let kh = 0; kh < kernel; kh++) {
        const ih = oh * stride + kh - padding;
        if (ih < 0 || ih >= inSize) continue;
        for (let kw = 0; kw < kernel; kw++) {
          const iw = ow * stride + kw - padding;
          if (iw >= 0 && iw < inSize)
            sum += weight[((oc * inC + ic) * kernel + kh) * kernel + kw]! * image[(ic * inSize + ih) * inSize + iw]!;
        }
      }
    }
    result[i] = relu ? Math.max(sum, 0) : sum;
  }
  return result;
}

describe('the network', () => {
  const count = 8;
  const images = digits.images.subarray(0, count * PIXELS);
  const labels = digits.labels.subarray(0, count);

  /** The loss of the digits `images` in float64: exact enough for steps that are too small to take a cell of relu past its corner. */
  function loss64(parameters: readonly Float64Array[], wanted: number): number {
    let sum = 0;
    for (let b = 0; b < wanted; b++) {
      let map = Float64Array.from(images.subarray(b * PIXELS, (b + 1) * PIXELS));
      for (const [n, layer] of layers.entries()) map = forward64(layer, map, parameters[2 * n]!, parameters[2 * n + 1]!);
      const top = Math.max(...map);
      sum += top + Math.log(map.reduce((total, x) => total + Math.exp(x - top), 0)) - map[labels[b]!]!;
    }
    return sum / wanted;
  }

  it('parameters of every layer change the loss as their gradients say', () => {
    const random = randomNumbers(5);
    const weights = initialWeights(random);
    // Without a bias the empty paper sits on the corner of relu, where the slopes to the left and to the right differ.
    for (const { bias } of weights) for (const c of bias.keys()) bias[c] = 0.1 + 0.2 * random();
    const parameters = weights.flatMap(({ weight, bias }) => [Float64Array.from(weight), Float64Array.from(bias)]);
    const batch = 2;
    const { loss, gradients } = lossAndGradients(engine, weights, images.subarray(0, batch * PIXELS), labels.subarray(0, batch));
    expect(Math.abs(loss - loss64(parameters, batch))).toBeLessThan(1e-5);
    expect(gradients.map(({ length }) => length)).toEqual(parameters.map(({ length }) => length));
    for (const [n, parameter] of parameters.entries()) {
      const gradient = gradients[n]!;
      const steepest = gradient.reduce((best, g, i) => (Math.abs(g) > Math.abs(gradient[best]!) ? i : best), 0);
      for (const i of [steepest, ...Array.from({ length: 4 }, () => Math.floor(random() * parameter.length))]) {
        const kept = parameter[i]!;
        const step = 1e-6;
        parameter[i] = kept + step;
        const above = loss64(parameters, batch);
        parameter[i] = kept - step;
        const below = loss64(parameters, batch);
        parameter[i] = kept;
        // What the gradient lacks of the slope is the float32 of a few layers, 2⁻²⁴ times the root of some hundred terms each.
        const wrong = Math.abs((above - below) / (2 * step) - gradient[i]!) / Math.abs(gradient[steepest]!);
        expect(wrong, `${layers[n >> 1]?.name}, ${n % 2 ? 'bias' : 'weight'} ${i}`).toBeLessThan(1e-5);
      }
    }
  });

  it('learns a few digits by heart', () => {
    const weights = initialWeights(randomNumbers(6));
    const adam = new Adam(weights.flatMap(({ weight, bias }) => [weight, bias]));
    const before = lossAndGradients(engine, weights, images, labels).loss;
    for (let step = 0; step < 30; step++) adam.update(lossAndGradients(engine, weights, images, labels).gradients, 0.002);
    const after = lossAndGradients(engine, weights, images, labels).loss;
    expect(before).toBeGreaterThan(1);
    expect(after).toBeLessThan(0.05);
  });
});

describe('Adam', () => {
  it('moves by the rate, whatever the size of a gradient that stays the same', () => {
    const parameters = Float32Array.of(1, 1, 1);
    const adam = new Adam([parameters]);
    for (let step = 0; step < 10; step++) adam.update([Float32Array.of(1e3, -1, 1e-3)], 0.01);
    for (const [i, want] of [0.9, 1.1, 0.9].entries()) expect(parameters[i]).toBeCloseTo(want, 4);
  });

  it('follows the formula of the paper', () => {
    const parameters = Float32Array.of(0.5);
    const adam = new Adam([parameters]);
    let [m, v, want] = [0, 0, 0.5];
    for (const [t, gradient] of [0.3, -2, 0.01, 1, 0, -0.5].entries()) {
      m = 0.9 * m + 0.1 * gradient;
      v = 0.999 * v + 0.001 * gradient ** 2;
      want -= (0.05 * (m / (1 - 0.9 ** (t + 1)))) / (Math.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-8);
      adam.update([Float32Array.of(gradient)], 0.05);
      expect(parameters[0]).toBeCloseTo(want, 5);
    }
  });
});

describe('the command', () => {
  const train = (...flags: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'examples/digits/train.ts', ...flags], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      encoding: 'utf8',
    });

  it('helps, and refuses what it does not know before it trains', () => {
    expect(train('--help')).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('--epochs <n>') as string });
    expect(train('--epoch', '3')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining("'--epoch'") as string });
    const none = train('--epochs', '0');
    expect(none).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('--epochs must be a whole number of at least 1') as string,
    });
    expect(none.stderr).not.toContain('    at ');
  });
});
