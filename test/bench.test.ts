import { describe, expect, it } from 'vitest';
import { type AsyncContestant, contestantNames, type SyncContestant } from '../bench/contestant.ts';
import { copiedBytes, copiesOf } from '../bench/copies.ts';
import { growths } from '../bench/growth.ts';
import { naiveContestant } from '../bench/naive.ts';
import { ourContestants } from '../bench/ours.ts';
import { difference, makeProblem, permute, toleranceOf } from '../bench/problem.ts';
import { progressBar, progressLine } from '../bench/progress.ts';
import { layerReport, overall, type Report } from '../bench/report.ts';
import { runContest } from '../bench/runner.ts';
import { parseLayer } from '../bench/shapes.ts';
import { geometricMean, median, medianRatio, spread } from '../bench/stats.ts';
import { alignedTable, bytesText, digits3, growthText, layerText, markdown, overallText, percent, timeText } from '../bench/tables.ts';
import { createEngine } from '../src/index.ts';

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
    expect(() => medianRatio([1], [1, 2])).toThrow('ratiosOf: 1 rounds against 2');
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

  it('writes bytes in thousands', () => {
    expect([0, 999, 1000, 999_400, 999_500, 737_536, 12_345_678].map(bytesText)).toEqual([
      '0 bytes',
      '999 bytes',
      '1.00 kB',
      '999 kB',
      '1.00 MB',
      '738 kB',
      '12.3 MB',
    ]);
  });

  it('holds everybody against the JavaScript loops in columns, against others in lines', () => {
    const times = [
      { name: 'naive', rounds: [60, 120] },
      { name: 'optimised js', rounds: [6, 12] },
      { name: 'nchw tensors', rounds: [1, 2] },
      { name: 'tfjs tensors', rounds: [2, 4] },
    ];
    const layer = layerReport('set', parseLayer('ic1ih1oc1000kh1', 'here'), { times, ceiling: [1, 1] }, new Map());
    const [, heads = '', ours = '', ...rest] = layerText(layer).split('\n');
    expect(heads).toMatch(/ {2}× optimised js {2}× naive$/);
    expect(ours).toMatch(/^ {2}nchw tensors .* 6\.00 +60\.0$/);
    expect(rest.filter((line) => line.includes(' × '))).toEqual(['  nchw tensors is 2.00 × tfjs tensors']);
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
    expect(layer.ratios).toEqual([
      { faster: 'nchw arrays', than: 'tfjs arrays', times: 4 },
      { faster: 'nchw arrays', than: 'best WASM peer', times: 4 },
    ]);
    expect(layerText(layer)).toContain('nchw arrays is 4.00 × tfjs arrays');
    expect(layerText(layer)).toContain('tfjs tensors is wrong: at [0, 0, 0, 0] got 1');
    const machine = { node: '20.0.0', v8: '11', cpu: 'a CPU', cores: 2, date: '2026-01-01T00:00Z' };
    const report: Report = { machine, peers: { tfjs: '4.22.0' }, rounds: 3, turn: 20, layers: [layer] };
    const lines = markdown(report, 'the command').split('\n');
    expect(lines).toContain('the command');
    expect(lines).toContain('Node 20.0.0 (V8 11), a CPU, 2 cores, 2026-01-01T00:00Z; 3 rounds, turns of 20 ms; tfjs 4.22.0.');
    expect(lines).toContain('| layer | Mflop | ceiling | nchw arrays | tfjs tensors | tfjs arrays |');
    expect(lines).toContain('| tiny | 0.00200 | 0.00200 | 0.00100 | wrong | 0.000250 |');
    expect(lines).toContain('| tiny | 4.00 | 4.00 |');
    expect(lines).toContain('| **lowest** | 4.00 | 4.00 |');
  });

  it('counts what a call is given and gives back', () => {
    const bytes = (words: string): number => copiedBytes(parseLayer(words, 'here'));
    expect(bytes('ic2ih3oc4kh3ph1')).toBe(4 * (2 * 9 + 4 * 9));
    expect(bytes('separable ic2ih3oc4kh3ph1')).toBe(4 * (2 * 9 + 4 * 9));
    expect(bytes('deconv ic2ih3oc4kh2sh2')).toBe(4 * (2 * 9 + 4 * 36));
    // Gradients of the image, from the result's and the weights; of the weights, from image and result's.
    expect(bytes('bwd_d ic2ih3oc4kh3ph1')).toBe(4 * (4 * 9 + 4 * 2 * 9 + 2 * 9));
    expect(bytes('bwd_w ic2ih3oc4kh3ph1')).toBe(4 * (2 * 9 + 4 * 9 + 4 * 2 * 9));
  });

  it('tells the speed of copies from arrays and tensors of the same rounds, or that it cannot be told', () => {
    const shape = parseLayer('ic1ih1000iw500oc1kh1', 'here');
    const times = [
      { name: 'nchw tensors', rounds: [10, 20, 10, 30] },
      { name: 'nchw arrays', rounds: [12, 22, 12, 29] },
      { name: 'nhwc tensors', rounds: [10, 10, 10, 10] },
      { name: 'nhwc arrays', rounds: [12, 9, 9, 12] },
    ];
    const bytes = 4_000_000;
    expect(copiesOf(shape, times)).toEqual([
      { layout: 'nchw', bytes, milliseconds: 2, gigabytesPerSecond: 2 },
      { layout: 'nhwc', bytes, milliseconds: 0.5 },
    ]);
    expect(copiesOf(shape, times.slice(1))).toMatchObject([{ layout: 'nhwc' }]);
    const layer = layerReport('set', shape, { times, ceiling: [1, 1, 1, 1] }, new Map());
    expect(layerText(layer).split('\n').slice(-2)).toEqual([
      '  copies of nchw arrays: 4.00 MB in 2.00 ms, 2.00 GB/s',
      '  copies of nhwc arrays: 4.00 MB in less time than rounds differ by',
    ]);
    const machine = { node: '20.0.0', v8: '11', cpu: 'a CPU', cores: 2, date: '2026-01-01T00:00Z' };
    const text = markdown({ machine, peers: {}, rounds: 4, turn: 20, layers: [layer] }, 'the command');
    expect(text).toContain('| copies, GB/s | MB | nchw | nhwc |\n| --- | --: | --: | --: |\n| ic1ih1000iw500oc1kh1 | 4.00 | 2.00 | – |');
  });

  it('says what a flop costs as the image grows, for who computed all of a row', () => {
    // A flop costs 4, 1, 2 and 1.5 ps: milliseconds for 2 flops a pixel of 9 taps.
    const costs = new Map([
      [14, 4],
      [56, 1],
      [112, 2],
      [224, 1.5],
    ]);
    const layers = [...costs].map(([side, cost]) => {
      const milliseconds = (18 * side * side * cost) / 1e9;
      const times = [{ name: 'nhwc tensors', rounds: [milliseconds] }, ...(side === 14 ? [] : [{ name: 'naive', rounds: [milliseconds] }])];
      return layerReport('sizes', parseLayer(`ic1ih${side}oc1oh${side}kh3ph1`, 'here'), { times, ceiling: [1] }, new Map());
    });
    const other = layerReport(
      'sizes',
      parseLayer('ic1ih14oc1kh1', 'here'),
      { times: [{ name: 'nhwc tensors', rounds: [1] }], ceiling: [1] },
      new Map(),
    );
    const all = growths([...layers, other]);
    expect(all).toEqual([
      {
        set: 'sizes',
        words: 'ic1oc1kh3ph1',
        contestant: 'nhwc tensors',
        costs: [...costs].map(([side, cost]) => ({ side, picosecondsPerFlop: expect.closeTo(cost, 9) })),
        all: { dearest: 14, cheapest: 56, ratio: expect.closeTo(4, 9) },
        wide: { dearest: 112, cheapest: 56, ratio: expect.closeTo(2, 9) },
      },
    ]);
    expect(growthText(all)).toBe(
      'sizes: ic1oc1kh3ph1, nhwc tensors: a flop costs 4.00 times as much at 14 as at 56; from 56 on 2.00 times (112, 56)',
    );
    const machine = { node: '20.0.0', v8: '11', cpu: 'a CPU', cores: 2, date: '2026-01-01T00:00Z' };
    const lines = markdown({ machine, peers: {}, rounds: 1, turn: 20, layers }, 'the command').split('\n');
    expect(lines).toContain('| ic1oc1kh3ph1: cost of a flop ÷ cheapest | 14 | 56 | 112 | 224 | dearest | dearest from 56 on |');
    expect(lines).toContain('| nhwc tensors | 4.00 | 1.00 | 2.00 | 1.50 | 4.00 | 2.00 |');
    expect(growths(layers.slice(0, 2))).toEqual([]);
  });

  it('takes a ratio over all layers that have it, and names the lowest', () => {
    const shape = parseLayer('ic1ih1oc1kh1', 'here');
    const layer = (name: string, theirs: number) =>
      layerReport(
        'set',
        { ...shape, name },
        {
          times: [
            { name: 'nhwc tensors', rounds: [1] },
            { name: 'litert tensors', rounds: [theirs] },
          ],
          ceiling: [1],
        },
        new Map(),
      );
    const alone = layerReport('set', shape, { times: [{ name: 'nhwc tensors', rounds: [1] }], ceiling: [1] }, new Map());
    const all = overall([layer('a', 8), layer('b', 2), alone]);
    expect(all).toEqual([
      { faster: 'nhwc tensors', than: 'litert tensors', layers: 2, geometricMean: expect.closeTo(4, 12), lowest: { times: 2, layer: 'b' } },
    ]);
    expect(overallText(all)).toBe('nhwc tensors over litert tensors, 2 layers: geometric mean 4.00, lowest 2.00 (b)');
    expect(overall([alone])).toEqual([]);
  });

  it('holds like against like, and each layer against what it is measured by', () => {
    const times = contestantNames.map((name) => ({ name, rounds: [1] }));
    const { ratios } = layerReport('set', parseLayer('ic1ih1oc1kh1', 'here'), { times, ceiling: [1] }, new Map());
    const of = (layout: string): string[] =>
      ratios.filter(({ faster }) => faster.startsWith(layout)).map(({ faster, than }) => `${faster}/${than}`);
    const expected = (layout: string): string[] => [
      `${layout} tensors/tfjs tensors`,
      `${layout} arrays/tfjs arrays`,
      `${layout} arrays/ort arrays`,
      `${layout} arrays/best WASM peer`,
      `${layout} out/best WASM peer`,
      `${layout} tensors/ort native`,
      `${layout} tensors/litert tensors`,
      `${layout} tensors/opencv tensors`,
      `${layout} arrays/opencv arrays`,
      `${layout} tensors/opencv filter2D`,
      `${layout} tensors/${layout} two calls`,
      `${layout} tensors/${layout} unfactored`,
      `${layout} tensors/${layout} forward`,
      `${layout} tensors/optimised js`,
      `${layout} arrays/optimised js`,
      `${layout} tensors/naive`,
      `${layout} arrays/naive`,
    ];
    expect(of('nchw')).toEqual(expected('nchw'));
    expect(of('nhwc')).toEqual(expected('nhwc'));
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
      'nchw out',
      'nhwc out',
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
      'nchw arrays/best WASM peer',
      'nchw out/best WASM peer',
      'nchw tensors/naive',
      'nchw arrays/naive',
      'nhwc arrays/tfjs arrays',
      'nhwc arrays/best WASM peer',
      'nhwc out/best WASM peer',
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

  it('waits for a contestant that has only a promise, and times it until that is kept', async () => {
    const problem = makeProblem(shape);
    const { run, result } = naiveContestant(problem);
    let [begun, ended, disposed, overlaps] = [0, 0, 0, 0];
    const slow: AsyncContestant = {
      name: 'ort arrays',
      runAsync: async () => {
        begun++;
        await new Promise((resolve) => setTimeout(resolve, 5));
        run();
        ended++;
      },
      result,
      dispose: async () => void disposed++,
    };
    const watching = { flops: 1000, run: () => void (begun !== ended && overlaps++) };
    const report = await runContest('set', problem, [slow], watching, { ...options, rounds: 2, naive: false });
    expect(report.wrong).toEqual({});
    expect(report.figures.map(({ name, rounds }) => [name, rounds.length])).toEqual([['ort arrays', 2]]);
    // A timer of 5 ms may fire a little early; a promise that is not awaited returns within microseconds.
    expect(report.figures[0]?.best).toBeGreaterThan(3);
    expect([overlaps, begun - ended, disposed]).toEqual([0, 0, 1]);
  });

  it('holds a contestant that computes another problem against that one', async () => {
    const problem = makeProblem(shape);
    const other = makeProblem(parseLayer('ic2ih5oc3kh3', 'here'));
    const forward: SyncContestant = { ...naiveContestant(other), name: 'nchw forward', computes: other };
    const lost: SyncContestant = { ...naiveContestant(other), name: 'nhwc forward' };
    const report = await runContest('set', problem, [forward, lost], ceiling, { ...options, naive: false });
    expect(report.wrong).toEqual({ 'nhwc forward': '27 values, expected 72' });
    expect(report.figures.map(({ name }) => name)).toEqual(['nchw forward']);
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
