import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { augment } from '../examples/digits/augment.ts';
import { loadTestDigits, PIXELS, readIdx, SIDE } from '../examples/digits/data.ts';
import { inputGradient, weightGradient } from '../examples/digits/gradients.ts';
import { ImageError, readDigit } from '../examples/digits/image.ts';
import { argmax, CLASSES, type ConvSpec, layers, loadWeights, Network, parameterCount, softmax } from '../examples/digits/network.ts';
import { blockPicture, sideBySide } from '../examples/digits/picture.ts';
import { PlainNetwork } from '../examples/digits/plain-js.ts';
import { randomNumbers } from '../examples/digits/random.ts';
import { initialWeights, lossAndGradients } from '../examples/digits/train.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, integers } from './cases.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const digits = loadTestDigits();
const weights = loadWeights();
const network = new Network(engine, weights);
const root = fileURLToPath(new URL('..', import.meta.url));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'digits-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function main(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', 'tsx', 'examples/digits/main.ts', ...args], { cwd: root, encoding: 'utf8' });
}

describe('data', () => {
  it('reads the test set', () => {
    expect(digits.count).toBe(10_000);
    expect(digits.images.length).toBe(10_000 * PIXELS);
    expect([...digits.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    expect(digits.images.reduce((a, b) => Math.max(a, b), 0)).toBe(1);
  });

  it('refuses what is no IDX file', () => {
    expect(readIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9))).toEqual({ shape: [2], data: Uint8Array.of(7, 9) });
    expect(() => readIdx(Uint8Array.of(1, 2, 3))).toThrow('not an IDX file');
    expect(() => readIdx(Uint8Array.of(0, 0, 8, 2, 0))).toThrow('inside its header');
    expect(() => readIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7))).toThrow('must hold 10 bytes, got 9');
  });
});

describe('network', () => {
  it('is small, and says how it was trained', () => {
    expect(parameterCount).toBe(43_418);
    expect(parameterCount).toBeLessThanOrEqual(60_000);
    expect(weights.accuracy).toBeGreaterThanOrEqual(0.99);
    expect(weights.epochs).toBeGreaterThan(0);
  });

  it('reads the first thousand digits, in WebAssembly and in plain JavaScript alike', () => {
    const logits = network.logits(digits.images, 1000);
    const right = Array.from(
      { length: 1000 },
      (_, i) => argmax(logits.subarray(i * CLASSES, (i + 1) * CLASSES)) === digits.labels[i],
    ).filter(Boolean);
    expect(right.length).toBeGreaterThanOrEqual(985);
    const plain = new PlainNetwork(weights).logits(digits.images, 200);
    plain.forEach((value, i) => {
      expect(Math.abs(value - (logits[i] as number))).toBeLessThan(1e-3);
    });
  });

  it('gives a feature map for every kernel', () => {
    const maps = network.featureMaps(digits.images.subarray(0, PIXELS));
    expect(maps.map(({ length }) => length)).toEqual(layers.map(({ outC, outSize }) => outC * outSize * outSize));
    expect(maps.at(-1)).toEqual(network.logits(digits.images, 1));
  });

  it('softmax and argmax', () => {
    expect([...softmax(Float32Array.of(0, 0))]).toEqual([0.5, 0.5]);
    expect(argmax(softmax(Float32Array.of(1000, 1001, 999)))).toBe(1);
  });
});

describe('training', () => {
  const specs: ConvSpec[] = [
    { name: 'a', inC: 2, outC: 3, kernel: 3, stride: 2, padding: 1, relu: false, inSize: 6, outSize: 3 },
    { name: 'b', inC: 3, outC: 2, kernel: 5, stride: 1, padding: 2, relu: false, inSize: 6, outSize: 6 },
    { name: 'c', inC: 2, outC: 4, kernel: 4, stride: 1, padding: 0, relu: false, inSize: 4, outSize: 1 },
  ];

  it.each(specs)('gradients of $name are adjoint to the convolution', (spec) => {
    // ⟨conv(x, w), g⟩ is linear in x and in w: its gradient with respect to each, taken by that again, gives the same number. Exact on integers.
    const { inC, outC, kernel, stride, padding, inSize, outSize } = spec;
    const x = integers(2 * inC * inSize * inSize, 1);
    const w = integers(outC * inC * kernel * kernel, 2);
    const g = integers(2 * outC * outSize * outSize, 3);
    const y = reference.conv2d(
      { data: x, shape: [2, inC, inSize, inSize] },
      { data: w, shape: [outC, inC, kernel, kernel] },
      { stride, padding },
    );
    const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
    expect(y.data.length).toBe(g.length);
    expect(dot(inputGradient(engine, spec, 2, g, w), x)).toBe(dot(y.data, g));
    expect(dot(weightGradient(engine, spec, 2, x, g), w)).toBe(dot(y.data, g));
  });

  it('the loss falls along the gradient as fast as the gradient says', () => {
    const random = randomNumbers(7);
    const start = initialWeights(random);
    const images = digits.images.subarray(0, 4 * PIXELS);
    const labels = digits.labels.subarray(0, 4);
    const { loss, gradients } = lossAndGradients(engine, start, images, labels);
    const square = gradients.reduce((sum, g) => sum + g.reduce((a, b) => a + b * b, 0), 0);
    const step = 1e-3 / square;
    for (const [i, parameter] of start.flatMap(({ weight, bias }) => [weight, bias]).entries()) {
      const gradient = gradients[i] as Float32Array;
      expect(gradient.length).toBe(parameter.length);
      parameter.forEach((value, n) => {
        parameter[n] = value - step * (gradient[n] as number);
      });
    }
    const fall = loss - lossAndGradients(engine, start, images, labels).loss;
    expect(fall / (step * square)).toBeGreaterThan(0.95);
    expect(fall / (step * square)).toBeLessThan(1.05);
  });

  it('augmentation moves a digit and keeps its ink', () => {
    const image = digits.images.subarray(0, PIXELS);
    const changed = new Float32Array(PIXELS);
    augment(image, changed, randomNumbers(3));
    const mass = (data: Float32Array): number => data.reduce((a, b) => a + b, 0);
    expect(changed).not.toEqual(image);
    expect(mass(changed) / mass(image)).toBeGreaterThan(0.7);
    expect(mass(changed) / mass(image)).toBeLessThan(1.4);
  });
});

describe('pictures', () => {
  it('draw halves and shades', () => {
    expect(blockPicture([1, 0, 0, 1], 2)).toEqual(['▀▄']);
    expect(blockPicture([1, 1, 1, 1], 2)).toEqual(['██']);
    expect(blockPicture([0, 0, 0, 0], 2)).toEqual(['  ']);
    expect(
      sideBySide([
        { title: 'one', lines: ['██', '██'] },
        { title: 'b', lines: ['▀▀', '▄▄'] },
      ]),
    ).toBe('on  b\n██  ▀▀\n██  ▄▄');
  });
});

describe('--digit', () => {
  /** Test digit `index` as a picture file of 140 × 140 on a page of 200 × 240. */
  async function file(name: string, index: number, style: 'dark on light' | 'light on dark' | 'transparent'): Promise<string> {
    const grey = Uint8Array.from(digits.images.subarray(index * PIXELS, (index + 1) * PIXELS), (v) => Math.round(255 * v));
    const path = join(folder, name);
    const big = sharp(grey, { raw: { width: SIDE, height: SIDE, channels: 1 } })
      .resize(140, 140)
      .toColourspace('b-w');
    const raw = await big.raw().toBuffer();
    const rgba = new Uint8Array(200 * 240 * 4);
    for (let i = 0; i < 200 * 240; i++) {
      const [x, y] = [(i % 200) - 20, Math.floor(i / 200) - 60];
      const ink = x >= 0 && x < 140 && y >= 0 && y < 140 ? (raw[(y * 140 + x) * (raw.length / (140 * 140))] as number) : 0;
      rgba.set(
        style === 'transparent'
          ? [20, 20, 90, ink]
          : style === 'dark on light'
            ? [255 - ink, 255 - ink, 255 - ink, 255]
            : [ink, ink, ink, 255],
        4 * i,
      );
    }
    await sharp(rgba, { raw: { width: 200, height: 240, channels: 4 } })
      .flatten(style === 'transparent' ? false : { background: '#fff' })
      .toFile(path);
    return path;
  }

  it.each([
    ['a.png', 'dark on light'],
    ['b.png', 'light on dark'],
    ['c.png', 'transparent'],
    ['d.jpg', 'dark on light'],
    ['e.jpg', 'light on dark'],
  ] as const)('reads %s, %s', async (name, style) => {
    for (const index of [0, 1, 2, 3, 4]) {
      const logits = network.logits(await readDigit(await file(name, index, style)), 1);
      expect(argmax(logits)).toBe(digits.labels[index]);
    }
  });

  it('says what is wrong with a file', async () => {
    const bad = (name: string, bytes: string | Uint8Array): string => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    };
    await expect(readDigit(join(folder, 'none.png'))).rejects.toThrow(ImageError);
    await expect(readDigit(folder)).rejects.toThrow('is not a file');
    await expect(readDigit(bad('text.png', 'no picture'))).rejects.toThrow('is not an image that can be read');
    await expect(readDigit(bad('empty.png', ''))).rejects.toThrow('is not an image that can be read');
    const blank = join(folder, 'blank.png');
    await sharp({ create: { width: 50, height: 50, channels: 3, background: '#eee' } }).toFile(blank);
    await expect(readDigit(blank)).rejects.toThrow('shows nothing');
  });

  it('answers in the terminal and in JSON', async () => {
    const path = await file('f.png', 3, 'dark on light');
    const said = main('--digit', path);
    expect(said.status).toBe(0);
    expect(said.stdout).toContain('This is a 0.');
    const json = main('--digit', path, '--json');
    const lines = json.stdout.trim().split('\n');
    expect(lines.length).toBe(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({ digit: 0, probabilities: expect.any(Array) as unknown });
    const wrong = main('--digit', join(folder, 'none.png'));
    expect(wrong).toMatchObject({ status: 1, stdout: '' });
    expect(wrong.stderr.trim().split('\n')).toEqual([`there is no file ${join(folder, 'none.png')}`]);
  });
});

describe('the command', () => {
  it('helps, and refuses what it does not know', () => {
    expect(main('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--digit <path>') as string });
    expect(main('--jason')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining("Unknown option '--jason'") as string });
    expect(main('--limit', '0')).toMatchObject({ status: 2, stderr: expect.stringContaining('--limit must be a whole number') as string });
  });

  it('recognises, writes the page, and prints one line of JSON', () => {
    const { status, stdout } = main('--json', '--limit', '600', '--index', '2');
    expect(status).toBe(0);
    const lines = stdout.split('\n');
    expect(lines.length).toBe(2);
    const result = JSON.parse(lines[0] as string) as Record<string, number>;
    expect(Object.keys(result)).toEqual(['accuracy', 'digits', 'imagesPerSecond', 'jsImagesPerSecond', 'ratio']);
    expect(result).toMatchObject({ digits: 600 });
    expect(result.accuracy).toBeGreaterThan(0.98);
    const html = readFileSync(join(root, 'digits.html'), 'utf8');
    const pictures = layers.reduce((sum, { outC }) => sum + 2 * outC, 0);
    const misread = Math.round(600 * (1 - (result.accuracy ?? 0)));
    expect(html.match(/<img /g)?.length).toBe(1 + pictures + misread);
    expect(html.match(/alt="Kernel /g)?.length).toBe(pictures / 2);
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
  });
});

it('random numbers are uniform', () => {
  const random = randomNumbers(1);
  const mean = Array.from({ length: 10_000 }, random).reduce((a, b) => a + b, 0) / 10_000;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.01);
  expect(fractions(3)).not.toEqual(fractions(3, 2));
});
