import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { augment } from '../examples/digits/augment.ts';
import { loadTestDigits, PIXELS, part, readIdx } from '../examples/digits/data.ts';
import {
  argmax,
  CLASSES,
  layers,
  loadWeights,
  Network,
  parameterCount,
  softmax,
  weightsFile,
  weightsText,
} from '../examples/digits/network.ts';
import { blockPicture, sideBySide } from '../examples/digits/picture.ts';
import { PlainNetwork } from '../examples/digits/plain-js.ts';
import { randomNumbers, shuffled } from '../examples/digits/random.ts';
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

  it('gives a part of the digits', () => {
    const few = part(digits, 3, 5);
    expect(few).toMatchObject({ count: 2, labels: digits.labels.slice(3, 5) });
    expect(few.images).toEqual(digits.images.slice(3 * PIXELS, 5 * PIXELS));
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
    expect(weightsText(weights)).toBe(readFileSync(weightsFile, 'utf8'));
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

describe('augmentation', () => {
  it('moves a digit and keeps its ink', () => {
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

  it('put things in an order that each has the same chance of', () => {
    const random = randomNumbers(1);
    const found = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffled(3, random).join('');
      found.set(order, (found.get(order) ?? 0) + 1);
    }
    expect([...found.keys()].sort()).toEqual(['012', '021', '102', '120', '201', '210']);
    // A thousand of each, five deviations of 29 around it.
    for (const count of found.values()) expect(Math.abs(count - 1000)).toBeLessThan(145);
  });
});
