import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { SyncContestant } from '../bench/contestant.ts';
import { naiveContestant } from '../bench/naive.ts';
import { flopsOf, productsOf } from '../bench/operations.ts';
import { ourContestants } from '../bench/ours.ts';
import { difference, makeProblem, permute, toleranceOf } from '../bench/problem.ts';
import { progressBar, progressLine } from '../bench/progress.ts';
import { layerReport, type Report } from '../bench/report.ts';
import { runContest } from '../bench/runner.ts';
import { parseLayer, parseShapes } from '../bench/shapes.ts';
import { geometricMean, median, medianRatio, spread } from '../bench/stats.ts';
import { alignedTable, digits3, layerText, markdown, percent, timeText } from '../bench/tables.ts';
import { createEngine } from '../src/index.ts';

const folder = fileURLToPath(new URL('../', import.meta.url));

describe('words of a layer', () => {
  it('reads numbers, infers the width and the defaults', () => {
    const layer = parseLayer('g2ic64ih56oc64oh56kh3ph1n"3x3 64-64"', 'here');
    const axis = { input: 56, output: 56, kernel: 3, stride: 1, dilation: 1, padBegin: 1, padEnd: 1 };
    expect(layer).toEqual({
      name: '3x3 64-64',
      words: 'g2ic64ih56oc64oh56kh3ph1',
      operation: 'conv',
      batch: 1,
      groups: 2,
      inC: 64,
      outC: 64,
      axes: [axis, axis],
    });
    expect(productsOf(layer)).toBe(288);
    expect(flopsOf(layer)).toBe(2 * 64 * 56 * 56 * 288);
  });

  it('takes a width of its own, a batch, strides and skipped cells', () => {
    const layer = parseLayer('mb2ic3ih20iw9oc4oh6ow5kh3kw1sh2sw2ph0dh3dw0', 'here');
    expect(layer.batch).toBe(2);
    expect(layer.name).toBe(layer.words);
    expect(layer.axes[0]).toEqual({ input: 20, output: 6, kernel: 3, stride: 2, dilation: 4, padBegin: 0, padEnd: 0 });
    expect(layer.axes[1]).toEqual({ input: 9, output: 5, kernel: 1, stride: 2, dilation: 1, padBegin: 0, padEnd: 0 });
  });

  it('lets the output size say how much padding stands at the end', () => {
    expect(parseLayer('ic1ih112oc1oh56kh3sh2', 'here').axes[0]).toMatchObject({ padBegin: 0, padEnd: 1, output: 56 });
    expect(parseLayer('ic1ih8oc1oh8kh4ph1', 'here').axes[0]).toMatchObject({ padBegin: 1, padEnd: 2, output: 8 });
  });

  it.each([
    ['ic64 ih56', "here: expected a word and a number as in ic64, got ' ih56'"],
    ['ic64x3', 'here: unknown word \'x\'; known are g mb ic oc id ih iw od oh ow kd kh kw sd sh sw dd dh dw pd ph pw and n"name"'],
    ['ic64ib5', 'here: unknown word \'ib\'; known are g mb ic oc id ih iw od oh ow kd kh kw sd sh sw dd dh dw pd ph pw and n"name"'],
    ['ic64ic64', "here: 'ic' stands twice"],
    ['ic0ih5oc1kh1', 'here: ic must be at least 1, got 0'],
    ['ic4ih5oc1', "here: 'kh' is missing"],
    ['n"a"ic4ih5oc1kh1', "here: the name must end the line, got 'ic4ih5oc1kh1'"],
    ['g3ic4ih5oc3kh1', 'here: g must divide ic = 4, got 3'],
    ['g2ic4ih5oc3kh1', 'here: g must divide oc = 3, got 2'],
    ['ic1ih2oc1kh5ph1', 'here: a kernel of extent 5 does not fit an image of 2 padded by 1 on both sides'],
    ['ic1ih8oc1oh10kh3ph1', 'here: oh is 10, but input 8, extent 3, stride 1, padding 1 give 8'],
    ['ic1ih8oc1oh8ow4kh3ph1', 'here: ow is 4, but input 8, extent 3, stride 1, padding 1 give 8'],
  ])('refuses %s', (line, message) => {
    expect(() => parseLayer(line, 'here')).toThrow(message);
  });

  it('counts lines, skips comments, keeps a # in a name', () => {
    const text = '# head\n\nic1ih4oc1kh1n"a # b" # tail\r\nic1ih5oc1kh1\n';
    expect(parseShapes(text, 'file.txt').map(({ name }) => name)).toEqual(['a # b', 'ic1ih5oc1kh1']);
    expect(() => parseShapes(`${text}ic1`, 'file.txt')).toThrow("file.txt:5: 'ih' is missing");
    expect(() => parseShapes('# nothing', 'file.txt')).toThrow('file.txt: holds no layer');
  });
});

describe('operations', () => {
  const found = (line: string): Float32Array => {
    const naive = naiveContestant(makeProblem(parseLayer(line, 'here')));
    naive.run();
    return naive.result();
  };

  it('reads what the leading word says, in one to three dimensions', () => {
    expect(parseLayer('deconv ic2iw5oc3kw4sw2pw1', 'here')).toMatchObject({ operation: 'deconv', axes: [{ input: 5, output: 10 }] });
    expect(parseLayer('bwd_w ic2id5oc3kd3', 'here').axes).toHaveLength(3);
    expect(() => parseLayer('backward ic2iw5oc3kw4', 'here')).toThrow('here: ');
    expect(() => parseLayer('separable ic2iw5oc3kw3', 'here')).toThrow('separable has two axes, got 1');
    expect(() => parseLayer('gaussian ic2ih5oc3kh3', 'here')).toThrow('gaussian keeps its channels: oc must be 2, got 3');
  });

  it.each([
    'ic3id4ih5oc2kd2kh3ph1',
    'ic3iw9oc4kw3pw1sw2',
    'g2ic4ih5oc6kh3sh2ph1',
    'deconv ic3ih4oc2kh4sh2ph1',
    'deconv g2ic4iw5oc6kw3sw3',
    'deconv ic2id3oc3kd2sd2',
    'bwd_d ic3ih6oc2kh3ph1sh2',
    'bwd_d ic3iw6oc2kw3',
    'bwd_w g2ic4ih6oc2kh3ph1sh2',
    'bwd_w ic3id4oc2kd2pd1',
    'separable ic3ih6oc5kh3ph1',
    'gaussian ic3ih9oc3kh5ph2',
  ])('%s: we find what the naive loops find', async (line) => {
    const engine = await createEngine();
    const problem = makeProblem(parseLayer(line, 'here'));
    const want = found(line);
    for (const contestant of ourContestants(engine, problem, ['nchw', 'nhwc'])) {
      contestant.run();
      if (contestant.computes === undefined) expect(difference(problem, contestant.result(), want), contestant.name).toBeUndefined();
      contestant.dispose();
    }
    engine.dispose();
  });
});

describe('sets of layers', () => {
  it.each([
    ['resnet', '3x3 64-64 56', 2 * 64 * 64 * 9 * 56 * 56],
    ['depthwise', 'dw 5x5 240 28', 2 * 240 * 25 * 28 * 28],
    ['digits', '5x5 1-8 28', 2 * 8 * 25 * 28 * 28],
    ['others', '7x7/2 3-64 224', 2 * 64 * 3 * 49 * 112 * 112],
    ['family', 'separable 3x3 32-64 112', 2 * 32 * 112 * 112 * (9 + 64)],
  ])('%s is readable, its sizes are given and fit', (set, name, flops) => {
    const layers = parseShapes(readFileSync(join(folder, 'bench/shapes', `${set}.txt`), 'utf8'), set);
    expect(new Set(layers.map((layer) => layer.name)).size).toBe(layers.length);
    for (const layer of layers) expect(layer.words).toMatch(/o[hw]\d+/);
    const found = layers.find((layer) => layer.name === name);
    expect(found && flopsOf(found)).toBe(flops);
  });
});

describe('statistics', () => {
  it('takes the middle, the middle half, and ratios round by round', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(spread([1, 2, 3, 4, 5])).toBeCloseTo(2 / 3, 12);
    expect(spread([7])).toBe(0);
    // Both slow down together: the ratio of medians would be 20, theirs is 2 in every round.
    expect(medianRatio([2, 20, 40], [1, 10, 20])).toBe(2);
    expect(geometricMean([1, 4, 16])).toBeCloseTo(4, 12);
  });

  it('refuses what has no answer', () => {
    expect(() => median([])).toThrow(RangeError);
    expect(() => geometricMean([])).toThrow(RangeError);
    expect(() => medianRatio([1], [1, 2])).toThrow('medianRatio: 1 rounds against 2');
  });
});

describe('comparison', () => {
  const problem = makeProblem(parseLayer('mb2ic2ih3oc2kh2', 'here'));
  const tolerance = toleranceOf(problem.shape);

  it('turns dimensions and back', () => {
    const data = Float32Array.from({ length: 24 }, (_, i) => i);
    const turned = permute(data, [2, 3, 4], [2, 0, 1]);
    expect([...turned.slice(0, 7)]).toEqual([0, 4, 8, 12, 16, 20, 1]);
    expect(permute(turned, [4, 2, 3], [1, 2, 0])).toEqual(data);
  });

  it('names the first wrong value, NaN too', () => {
    const want = new Float32Array(16).fill(1);
    const got = want.slice();
    expect(difference(problem, got, want)).toBeUndefined();
    got[15] = 1 + tolerance / 2;
    expect(difference(problem, got, want)).toBeUndefined();
    got[13] = 1 + tolerance * 2;
    expect(difference(problem, got, want)).toMatch(/^at \[1, 1, 0, 1\] got 1\.0000/);
    got[6] = Number.NaN;
    expect(difference(problem, got, want)).toMatch(/^at \[0, 1, 1, 0\] got NaN, expected 1 ± /);
    expect(difference(problem, new Float32Array(3), want)).toBe('3 values, expected 16');
  });
});

describe('text', () => {
  it('writes three digits with their unit', () => {
    expect([0.1234, 1.234, 9.996, 123.4, 999.6, 1234.5].map(digits3)).toEqual(['0.123', '1.23', '10.0', '123', '1000', '1235']);
    expect([0.0137, 0.9, 7.346, 2474.4].map(timeText)).toEqual(['13.7 µs', '900 µs', '7.35 ms', '2474 ms']);
    expect([0, 0.0123, 0.756, 1.02].map(percent)).toEqual(['0.0 %', '1.2 %', '76 %', '102 %']);
  });

  it('aligns columns', () => {
    expect(
      alignedTable([
        ['a', 'time'],
        ['longer', '1'],
      ]),
    ).toBe('  a       time\n  longer     1');
  });

  it('shows progress by a bar on a terminal, by lines elsewhere', () => {
    expect(progressLine(1, 2, 'x')).toBe(`[${'='.repeat(12)}${' '.repeat(12)}] 2/2 x`);
    let written = '';
    const write = (text: string) => (written += text);
    progressBar({ write }, 2).show(0, 'x');
    expect(written).toBe('1/2 x\n');
    written = '';
    const bar = progressBar({ write, isTTY: true }, 2);
    bar.show(1, 'x');
    bar.clear();
    expect(written).toBe(`\r\u001b[K${progressLine(1, 2, 'x')}\r\u001b[K`);
  });

  it('makes figures, ratios and tables from times', () => {
    const shape = parseLayer('ic1ih1oc1000kh1n"tiny"', 'here');
    const times = [
      { name: 'tfjs arrays', rounds: [4, 40, 8] },
      { name: 'nchw arrays', rounds: [1, 10, 2] },
    ];
    // 2000 flops in 1, 10 and 2 ms; the ceiling goes down with the machine.
    const layer = layerReport('set', shape, { times, ceiling: [4e-3, 4e-4, 2e-3] }, new Map([['tfjs tensors', 'at [0, 0, 0, 0] got 1']]));
    expect(layer.figures.map(({ name }) => name)).toEqual(['nchw arrays', 'tfjs arrays']);
    expect(layer.figures[0]).toMatchObject({ best: 1, median: 2, gflops: 1e-3 });
    expect(layer.figures[0]?.ofCeiling).toBeCloseTo(0.5, 12);
    expect(layer.ratios).toEqual([{ faster: 'nchw arrays', than: 'tfjs arrays', times: 4 }]);
    expect(layerText(layer)).toContain('nchw arrays is 4.00 × tfjs arrays');
    expect(layerText(layer)).toContain('tfjs tensors is wrong: at [0, 0, 0, 0] got 1');
    const machine = { node: '20.0.0', v8: '11', cpu: 'a CPU', cores: 2, date: '2026-01-01T00:00Z' };
    const report: Report = { machine, peers: { tfjs: '4.22.0' }, rounds: 3, turn: 20, layers: [layer] };
    const lines = markdown(report, 'the command').split('\n');
    expect(lines).toContain('the command');
    expect(lines).toContain('Node 20.0.0 (V8 11), a CPU, 2 cores, 2026-01-01T00:00Z; 3 rounds, turns of 20 ms; tfjs 4.22.0.');
    expect(lines).toContain('| layer | Mflop | ceiling | nchw arrays | tfjs tensors | tfjs arrays |');
    expect(lines).toContain('| tiny | 0.00200 | 0.00200 | 0.00100 | wrong | 0.000250 |');
    expect(lines).toContain('| tiny | 4.00 |');
    expect(lines).toContain('| **lowest** | 4.00 |');
  });
});

describe('runner', () => {
  const shape = parseLayer('g2ic4ih7iw6oc6oh4ow3kh3sh2ph1n"small"', 'here');
  const ceiling = { flops: 1000, run: () => {} };
  const options = { rounds: 4, turn: 1, warmup: 1, naive: true };

  it('lets everybody compute in every round, and gives up what it made', async () => {
    const engine = await createEngine();
    const problem = makeProblem(shape);
    const disposed: string[] = [];
    const callsSeen: number[] = [];
    let calls = 0;
    const rival: SyncContestant = { ...naiveContestant(problem), name: 'tfjs arrays', dispose: () => void disposed.push('tfjs arrays') };
    const compute = rival.run;
    rival.run = () => {
      calls++;
      compute();
    };
    const counting = { flops: 1000, run: () => void (callsSeen.at(-1) !== calls && callsSeen.push(calls)) };
    const report = await runContest('set', problem, [...ourContestants(engine, problem, ['nchw', 'nhwc']), rival], counting, options);
    expect(report.wrong).toEqual({});
    expect(report.figures.map(({ name }) => name)).toEqual([
      'nchw tensors',
      'nhwc tensors',
      'nchw arrays',
      'nhwc arrays',
      'nchw one-shot',
      'nhwc one-shot',
      'tfjs arrays',
      'naive',
    ]);
    for (const { rounds, best, median: middle } of report.figures) {
      expect(rounds).toHaveLength(4);
      expect(best).toBeGreaterThan(0);
      expect(middle).toBeGreaterThanOrEqual(best);
    }
    expect(report.ratios.map(({ faster, than }) => `${faster}/${than}`)).toEqual([
      'nchw arrays/tfjs arrays',
      'nchw tensors/naive',
      'nchw arrays/naive',
      'nhwc arrays/tfjs arrays',
      'nhwc tensors/naive',
      'nhwc arrays/naive',
    ]);
    // Seen by the ceiling at the head of each round: the rival has computed since the last one.
    expect(callsSeen).toHaveLength(1 + options.rounds);
    expect(disposed).toEqual(['tfjs arrays']);
    engine.dispose();
  });

  it('reports who is wrong, where, and does not time them', async () => {
    const problem = makeProblem(shape);
    const right = naiveContestant(problem);
    let calls = 0;
    const wrong: SyncContestant = {
      ...right,
      name: 'tfjs tensors',
      run: () => {
        calls++;
        right.run();
      },
      result: () => right.result().map((value, i) => (i === 7 ? value + 1 : value)),
    };
    const report = await runContest('set', problem, [wrong], ceiling, options);
    expect(report.wrong['tfjs tensors']).toMatch(/^at \[0, 0, 2, 1\] got /);
    expect(report.figures.map(({ name }) => name)).toEqual(['naive']);
    expect(calls).toBe(1);
  });

  it('disposes of all when one throws', async () => {
    const problem = makeProblem(shape);
    let disposed = 0;
    const contestant = { ...naiveContestant(problem), dispose: () => void disposed++ };
    const failing: SyncContestant = {
      ...contestant,
      run: () => {
        throw new Error('out of order');
      },
    };
    await expect(runContest('set', problem, [contestant, failing], ceiling, options)).rejects.toThrow('out of order');
    expect(disposed).toBe(2);
  });
});

describe('command', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], { cwd: folder, encoding: 'utf8' });

  it('prints help', () => {
    const { status, stdout, stderr } = run('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: /);
  });

  it.each([
    [['--round', '3'], "Unknown option '--round'"],
    [['--rounds', '0'], "--rounds must be a whole number of at least 1, got '0'"],
    [['--layout', 'chwn'], "--layout must be nchw, nhwc or both, got 'chwn'"],
    [['--json', '--markdown'], '--json and --markdown exclude each other'],
    [['resnest'], "'resnest' is neither a set (resnet, depthwise, digits, others, family) nor a file that can be read"],
    [['resnet', '--layers', '9x9'], "no layer holds '9x9'"],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('prints one JSON object and nothing else on standard output', () => {
    const home = mkdtempSync(join(tmpdir(), 'wasm-conv-bench-'));
    try {
      const file = join(home, 'tiny.txt');
      writeFileSync(file, 'ic1ih6oc2kh3ph1n"tiny"\n');
      const { status, stdout, stderr } = run(file, '--rounds', '2', '--turn', '1', '--layout', 'nchw', '--json');
      expect(status, stderr).toBe(0);
      const report = JSON.parse(stdout) as Report;
      expect(report.machine.node).toBe(process.versions.node);
      expect(report.layers.map(({ set, name, figures }) => [set, name, figures.length])).toEqual([['tiny', 'tiny', 3]]);
      expect(stderr).toContain('1/1 tiny: tiny');
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it('fails on a file that holds a mistake, and says where', () => {
    const home = mkdtempSync(join(tmpdir(), 'wasm-conv-bench-'));
    try {
      const file = join(home, 'bad.txt');
      writeFileSync(file, '# one\nic1ih6\n');
      const { status, stdout, stderr } = run(file);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toContain("SyntaxError: bad.txt:2: 'oc' is missing");
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});
