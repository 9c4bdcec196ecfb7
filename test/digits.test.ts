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
import { initialWeights, lossAndGradients } from '../examples/digits/loss.ts';
import { argmax, CLASSES, type ConvSpec, layers, loadWeights, Network, parameterCount, softmax } from '../examples/digits/network.ts';
import { blockPicture, sideBySide } from '../examples/digits/picture.ts';
import { PlainNetwork } from '../examples/digits/plain-js.ts';
import { normal, randomNumbers } from '../examples/digits/random.ts';
import * as reference from '../src/reference/index.ts';
import { integers } from './cases.ts';
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

  /** A five drawn with a pen of `width` on a picture of 500 × 600, over whatever `paper` draws. */
  async function drawn(name: string, width: number, paper: string): Promise<string> {
    const five = `<path d="M75 22 L35 22 L30 55 C50 45 78 52 75 78 C70 102 35 102 22 90" fill="none" stroke="#111" stroke-width="${width}"/>`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="500" height="600" viewBox="0 0 100 120">${paper}${five}</svg>`;
    const path = join(folder, name);
    await sharp(Buffer.from(svg)).flatten({ background: '#fff' }).toFile(path);
    return path;
  }
  const shade = `<defs><linearGradient id="g"><stop offset="0" stop-color="#fff"/><stop offset="1" stop-color="#888"/></linearGradient></defs>
    <rect width="100" height="120" fill="url(#g)"/>`;

  it.each([
    ['a hair', 0.4, ''],
    ['a pen', 3, ''],
    ['a brush', 12, ''],
    ['light from the left', 5, shade],
    ['ink that runs off the paper', 5, '<rect x="97" y="20" width="3" height="30"/>'],
  ])('reads a drawing: %s', async (name, width, paper) => {
    const image = await readDigit(await drawn(`${name.replaceAll(' ', '-')}.png`, width, paper));
    expect(image.reduce((a, b) => Math.max(a, b), 0)).toBe(1);
    if (!name.startsWith('ink')) expect(argmax(network.logits(image, 1))).toBe(5);
    // No paper is taken for ink: MNIST leaves four cells free on every side, less what centring by mass moves.
    const edge = Array.from({ length: SIDE }, (_, i) => [image[i], image[PIXELS - 1 - i], image[i * SIDE], image[i * SIDE + SIDE - 1]]);
    expect(edge.flat().every((value) => value === 0)).toBe(true);
  });

  it('fits the ink into a box of 20 cells, its mass in the middle', async () => {
    const bar = join(folder, 'bar.png');
    const black = await sharp({ create: { width: 30, height: 200, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    await sharp({ create: { width: 400, height: 300, channels: 3, background: '#fff' } })
      .composite([{ input: black, left: 10, top: 60 }])
      .png()
      .toFile(bar);
    const image = await readDigit(bar);
    const rows = Array.from({ length: SIDE }, (_, y) => image.subarray(y * SIDE, (y + 1) * SIDE).some((v) => v > 0.5));
    const columns = Array.from({ length: SIDE }, (_, x) =>
      Array.from({ length: SIDE }, (_, y) => image[y * SIDE + x] as number).some((v) => v > 0.5),
    );
    expect([rows.indexOf(true), rows.lastIndexOf(true)]).toEqual([4, 23]);
    expect(columns.filter(Boolean).length).toBe(3);
    expect([12, 13]).toContain(columns.indexOf(true));
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
    const whole = readFileSync(await file('whole.png', 0, 'dark on light'));
    await expect(readDigit(bad('cut.png', whole.subarray(0, whole.length >> 1)))).rejects.toThrow('is not an image that can be read');
    const clear = join(folder, 'clear.png');
    await sharp({ create: { width: 50, height: 50, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } }).toFile(clear);
    await expect(readDigit(clear)).rejects.toThrow('shows nothing');
  });

  it('answers in the terminal and in JSON', async () => {
    const path = await file('f.png', 3, 'dark on light');
    const said = main('--digit', path);
    expect(said.status).toBe(0);
    expect(said.stdout).toContain('This is a 0.');
    const json = main('--digit', path, '--json');
    const lines = json.stdout.trim().split('\n');
    expect(lines.length).toBe(1);
    const answer = JSON.parse(lines[0] as string) as { label: number; probabilities: number[] };
    expect(answer.label).toBe(0);
    expect(answer.probabilities.length).toBe(CLASSES);
    expect(answer.probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
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
    expect(main('seven.png')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining("'seven.png'") as string });
    const beyond = main('--index', '10000');
    expect(beyond).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('--index must be below 10000') as string });
    expect(beyond.stderr).not.toContain('    at ');
  });

  it('recognises, writes the page, and prints one line of JSON', () => {
    const page = join(folder, 'digits.html');
    const { status, stdout, stderr } = main('--json', '--limit', '600', '--index', '2', '--page', page);
    expect(status).toBe(0);
    const lines = stdout.split('\n');
    expect(lines.length).toBe(2);
    const result = JSON.parse(lines[0] as string) as Record<string, number>;
    expect(Object.keys(result)).toEqual(['accuracy', 'digits', 'imagesPerSecond', 'jsImagesPerSecond', 'ratio']);
    expect(result).toMatchObject({ digits: 600 });
    expect(result.accuracy).toBeGreaterThan(0.98);
    expect(result.ratio).toBeGreaterThan(1);
    expect(stderr).toContain('labelled 1');
    expect(stderr).toContain('600 of 600');
    const html = readFileSync(page, 'utf8');
    const pictures = layers.reduce((sum, { outC }) => sum + 2 * outC, 0);
    const misread = Math.round(600 * (1 - (result.accuracy ?? 0)));
    expect(html.match(/<img /g)?.length).toBe(1 + pictures + misread);
    expect(html.match(/alt="Kernel /g)?.length).toBe(pictures / 2);
    expect(html.match(/alt="Feature map /g)?.length).toBe(pictures / 2);
    expect(html.match(/<img [^>]*src="data:image\/png;base64,/g)?.length).toBe(1 + pictures + misread);
    expect(html).not.toMatch(/(src|href)="(?!data:|#)/);
    // Links of the contents lead to sections, and every column of the confusion matrix is there.
    for (const [, id] of html.matchAll(/href="#([^"]+)"/g)) expect(html).toContain(`id="${id}"`);
    expect(html.match(/<td class="right">/g)?.length).toBe(CLASSES);
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('random numbers', () => {
  it('are uniform, and the same for the same seed', () => {
    const take = (seed: number): number[] => Array.from({ length: 10_000 }, randomNumbers(seed));
    const values = take(1);
    expect(take(1)).toEqual(values);
    expect(take(2)).not.toEqual(values);
    expect(Math.abs(values.reduce((a, b) => a + b, 0) / values.length - 0.5)).toBeLessThan(0.01);
    expect(values.every((v) => v >= 0 && v < 1)).toBe(true);
  });

  it('are normal with deviation 1', () => {
    const random = randomNumbers(1);
    const values = Array.from({ length: 10_000 }, () => normal(random));
    const square = values.reduce((a, b) => a + b * b, 0) / values.length;
    expect(Math.abs(values.reduce((a, b) => a + b, 0) / values.length)).toBeLessThan(0.03);
    expect(Math.abs(square - 1)).toBeLessThan(0.05);
  });
});
