/** Digits in image files: drawn, scanned, broken. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTestDigits, PIXELS, SIDE } from '../examples/digits/data.ts';
import { ImageError, readDigit } from '../examples/digits/image.ts';
import { argmax, CLASSES, loadWeights, Network } from '../examples/digits/network.ts';
import { testEngine } from './engines.ts';

const digits = loadTestDigits();
const network = new Network(testEngine(), loadWeights());
const root = fileURLToPath(new URL('..', import.meta.url));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'digits-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function main(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', 'tsx', 'examples/digits/main.ts', ...args], { cwd: root, encoding: 'utf8' });
}

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
