import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { servePage } from '../bench/litert/server.ts';
import { asInTensorFlow, paddingOf } from '../bench/litert/tensorflow-padding.ts';
import { isTfliteLayer, operatorOf } from '../bench/litert/tflite-layer.ts';
import { flopsOf } from '../bench/operations.ts';
import { makeProblem } from '../bench/problem.ts';
import { readSet, setNames } from '../bench/sets.ts';
import { parseLayer } from '../bench/shapes.ts';

const folder = fileURLToPath(new URL('../', import.meta.url));

describe('padding as in TensorFlow', () => {
  const layersOf = (set: string) => readSet(set)?.layers ?? [];

  it('is that of the layers without a stride, and moves by a cell at most with one', () => {
    const changed = layersOf('core').flatMap((shape) => {
      const known = asInTensorFlow(shape);
      return known === shape ? [] : [[shape.words, known?.words]];
    });
    expect(changed).toEqual([
      ['ic3ih224oc64oh112kh7sh2ph3', 'ic3ih224oc64oh112kh7sh2ph2'],
      ['ic128ih56oc128oh28kh3sh2ph1', 'ic128ih56oc128oh28kh3sh2'],
      ['ic3ih224oc32oh112kh3sh2ph1', 'ic3ih224oc32oh112kh3sh2'],
      ['g96ic96ih112oc96oh56kh3sh2ph1', 'g96ic96ih112oc96oh56kh3sh2'],
    ]);
  });

  it.each(setNames)('keeps sizes and flops in %s, and is said in words', (set) => {
    for (const shape of layersOf(set).filter(isTfliteLayer)) {
      const known = asInTensorFlow(shape);
      if (!known) continue;
      const read = parseLayer(known.words, shape.name);
      expect({ ...read, name: shape.name }).toEqual(known);
      expect(flopsOf(known)).toBe(flopsOf(shape));
    }
  });

  it.each([
    ['ic1ih8oc1kh3sh2ph1', 'ic1ih8oc1oh4kh3sh2', 'SAME'],
    ['mb2ic1ih8iw9oc1oh4ow9kh3sh2sw1ph1n"named"', 'mb2ic1ih8iw9oc1oh4ow9kh3sh2sw1ph0pw1', 'SAME'],
    ['ic1ih9oc1kh3sh2ph1', 'ic1ih9oc1kh3sh2ph1', 'SAME'],
    ['ic1ih9oc1kh3sh2', 'ic1ih9oc1kh3sh2', 'VALID'],
    ['deconv ic1ih4oc1oh8kh3sh2ph1', 'deconv ic1ih4oc1oh8kh3sh2', 'SAME'],
    ['deconv ic1ih4oc1kh3sh2', 'deconv ic1ih4oc1kh3sh2', 'VALID'],
    // A size that neither gives.
    ['ic1ih8oc1kh3ph2', undefined, undefined],
    ['deconv ic1ih4oc1kh3sh2ph1', undefined, undefined],
    ['deconv ic1ih4oc1kh2sh3', undefined, undefined],
  ])('%s → %s', (words, expected, padding) => {
    const known = asInTensorFlow(parseLayer(words, 'here'));
    expect(known?.words).toBe(expected);
    expect(known && paddingOf(known)).toBe(padding);
  });
});

describe('operator of TensorFlow Lite', () => {
  const of = (words: string) => operatorOf(makeProblem(parseLayer(words, 'here')));
  const shapesOf = (words: string) => of(words).inputs.map(({ shape }) => shape);

  it('has channels last, filters in its own orders, and strides and dilations of the width first', () => {
    expect(of('ic4ih8iw9oc6oh4ow9kh3kw5sh2sw1pw2')).toMatchObject({ operator: 'CONV_2D', version: 1, outputShape: [1, 4, 9, 6] });
    expect(of('ic4ih8iw9oc6oh4ow9kh3kw5sh2sw1pw2').options).toEqual([0, 1, 2, 0, 1, 1]);
    expect(shapesOf('ic4ih8iw9oc6oh4ow9kh3kw5sh2sw1pw2')).toEqual([[1, 8, 9, 4], [6, 3, 5, 4], [6]]);
    expect(of('ic4ih9oc6kh3dh1').options).toEqual([1, 1, 1, 0, 2, 2]);
  });

  it('tells groups by the size of its filters, and one for each channel by its name', () => {
    expect(of('g2ic4ih8oc6kh3ph1')).toMatchObject({ operator: 'CONV_2D', version: 6 });
    expect(shapesOf('g2ic4ih8oc6kh3ph1')[1]).toEqual([6, 3, 3, 2]);
    expect(of('g4ic4ih8oc8kh3ph1')).toMatchObject({ operator: 'DEPTHWISE_CONV_2D', options: [0, 1, 1, 2, 0, 1, 1] });
    expect(shapesOf('g4ic4ih8oc8kh3ph1')[1]).toEqual([1, 3, 3, 8]);
  });

  it('is told the size of a transposed result', () => {
    const { operator, options, inputs } = of('deconv ic4ih4oc6oh8kh3sh2');
    expect([operator, options]).toEqual(['TRANSPOSE_CONV', [0, 2, 2]]);
    expect(inputs.map(({ shape }) => shape)).toEqual([[4], [6, 3, 3, 4], [1, 4, 4, 4]]);
    expect(inputs[0]?.data).toEqual(Int32Array.of(1, 8, 8, 6));
  });

  it('is not there for every layer', () => {
    const known = (words: string) => isTfliteLayer(parseLayer(words, 'here'));
    expect(['ic2ih4oc2kh1', 'g2ic2ih4oc2kh1', 'deconv ic2ih4oc2kh1'].map(known)).toEqual([true, true, true]);
    expect(['ic2iw4oc2kw1', 'deconv g2ic2ih4oc2kh1', 'deconv ic2ih4oc2kh2dh1', 'bwd_d ic2ih4oc2kh1'].map(known)).not.toContain(true);
  });
});

describe('server of the page', () => {
  const home = mkdtempSync(join(tmpdir(), 'wasm-conv-litert-'));
  afterAll(() => rmSync(home, { recursive: true }));

  it('isolates the page, and gives nothing but it and the binaries', async () => {
    writeFileSync(join(home, 'a.wasm'), 'binary');
    const { url, close } = await servePage('script', home);
    try {
      expect(new URL(url).hostname).toBe('127.0.0.1');
      const page = await fetch(url);
      expect([page.headers.get('cross-origin-opener-policy'), page.headers.get('cross-origin-embedder-policy')]).toEqual([
        'same-origin',
        'require-corp',
      ]);
      expect(await page.text()).toContain('src="/page.js"');
      expect(await (await fetch(`${url}page.js`)).text()).toBe('script');
      const binary = await fetch(`${url}litert/a.wasm`);
      expect([binary.headers.get('content-type'), await binary.text()]).toEqual(['application/wasm', 'binary']);
      for (const path of ['litert/b.wasm', 'litert/%2e%2e%2fpackage.json', 'a.wasm'])
        expect((await fetch(url + path)).status, path).toBe(404);
    } finally {
      close();
    }
  });
});

describe('bench:litert', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'bench/litert/main.ts', ...args], { cwd: folder, encoding: 'utf8' });

  it('prints help', () => {
    const { status, stdout, stderr } = run('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: npm run bench:litert /);
  });

  it.each([
    [['--tim', '3'], "Unknown option '--tim'"],
    [['--threads', 'auto'], "--threads must be a whole number of at least 1, got 'auto'"],
    [['--json', '--markdown'], '--json and --markdown exclude each other'],
    [['--layers', '9x9'], "no layer holds '9x9'"],
    [['resnest'], "'resnest' is neither a set (core, digits, family, "],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage: npm run bench:litert');
  });
});
