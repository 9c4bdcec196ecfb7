/** Convolutions of one tap, channels first, whose planes fill panels: right around every block, to the bit as channels last, and chosen where they gain. */
import { describe, expect, it } from 'vitest';
import { FORESEEN, MR, NR, PACKING_FROM, PACKING_TO, PANEL_BYTES, PARTS, ROWS } from '../assembly/blocks.ts';
import type { ConvOptions, Plan, Tensor } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, guarded, integers, type Operands, operands, problem } from './cases.ts';
import { expectClose } from './close.ts';
import { testEngine } from './engines.ts';
import { around } from './family.ts';

const engine = testEngine();
const byPanels = /^pointwise, panels of pixels/;

function planOf({ input, weight, options }: Operands): Plan {
  const layer = engine.conv2d.prepare(weight, options);
  const plan = layer.plan(input.shape);
  layer.dispose();
  return plan;
}

/** Small integers, through an output that was NaN and whose neighbours still are. */
function check(name: string, extra: ConvOptions = {}): void {
  const p = problem(name);
  const given = operands(p, { bias: integers(p.oc, 3), ...extra });
  const { input, weight, options } = given;
  const title = `${name} ${JSON.stringify(extra)}`;
  expect(planOf(given).variant, title).toMatch(byPanels);
  const want = reference.conv2d(input, weight, options);
  const { out, intact } = guarded(want.data.length);
  const bound =
    typeof options.activation === 'string' && options.activation !== 'relu' ? (x: number, y: number) => Math.abs(x - y) <= 1e-4 : undefined;
  expectClose(engine.conv2d(input, weight, { ...options, out }), want, bound, title);
  expect(intact()).toBe(true);
}

/** Pixels of planes that are full enough at every remainder. */
const planes = Array.from({ length: 2 * NR + 1 }, (_pixel, i) => 160 + i);

describe('sizes around every block', () => {
  it.each(planes)('%i pixels', (pixels) => {
    check(`ic5ih1iw${pixels}oc7kh1`);
    check(`mb2g2ic6ih${pixels}iw1oc8kh1`);
  });

  it.each(around(MR, NR, PACKING_FROM, PACKING_TO, ROWS, 2 * ROWS))('%i results', (oc) => {
    check(`ic3ih13oc${oc}kh1`);
    check(`mb2g2ic4ih8oc${2 * oc}kh1`);
  });

  it.each(Array.from({ length: PARTS }, (_part, i) => (i + 1) * FORESEEN).flatMap((c) => [c - 2, c - 1, c, c + 1]))(
    '%i channels against parts of a sum',
    (c) => {
      check(`ic${c}ih8iw9oc6kh1`);
      check(`g2ic${2 * c}ih13oc6kh1`);
    },
  );

  it.each([PANEL_BYTES / (4 * NR) / 2, PANEL_BYTES / (4 * NR), 2])('blocks of panels, %i channels', (c) => {
    for (const pixels of c > 2 ? [64, 72, 103, 104, 105] : [10_000, 10_001, PANEL_BYTES / 8, PANEL_BYTES / 8 + 3])
      for (const channels of [c - 2, c - 1, c, c + 1]) if (channels > 1) check(`ic${channels}ih1iw${pixels}oc5kh1`);
  });
});

describe('options', () => {
  it('groups, and shuffles of their results', () => {
    for (const shuffle of [1, 2, 3, 4, 6, 8, 12, 24]) {
      check('mb2g4ic8ih13oc24kh1', { shuffle });
      check('ic8ih13oc24kh1', { shuffle });
      check('g2ic6ih13oc24kh1', { shuffle });
    }
    check(`g2ic4ih8oc${6 * ROWS}kh1`, { shuffle: 3 });
    check(`g3ic6ih8oc${6 * ROWS}kh1`, { shuffle: 2 * ROWS });
  });

  it.each(['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'] as const)('filter layout %s', (filterLayout) => {
    check('mb2g3ic9ih10iw13oc15kh1', { filterLayout });
  });

  it('activations, with a bias and without', () => {
    for (const activation of ['relu', 'relu6', 'sigmoid', 'tanh', 'silu', 'hardSwish', { leakyRelu: 0.5 }, { clamp: [-5, 3] }] as const)
      for (const bias of [integers(11, 3), undefined]) check('ic4ih13oc11kh1', { activation, bias });
  });

  it('strides that lead nowhere, paddings of no cell, borders of every mode', () => {
    check('ic4ih1iw64oc6kh1', { stride: [5, 1] });
    for (const padding of ['same', 'same-lower', 'valid'] as const) check('ic4ih8oc6kh1', { padding });
    for (const paddingMode of ['reflect', 'replicate', 'circular'] as const) check('ic4ih8oc6kh1', { paddingMode });
  });

  it('one and three dimensions', () => {
    const weight = { data: integers(7 * 6, 2), shape: [7, 6, 1] };
    const line = { data: integers(2 * 6 * 99), shape: [2, 6, 99] };
    expectClose(engine.conv1d(line, weight), reference.conv1d(line, weight));
    const deep = { data: weight.data, shape: [7, 6, 1, 1, 1] };
    const box = { data: integers(2 * 6 * 99), shape: [2, 6, 3, 3, 11] };
    expectClose(engine.conv3d(box, deep), reference.conv3d(box, deep));
  });
});

describe('bits', () => {
  const bits = ({ data }: Tensor): Int32Array => new Int32Array(data.slice().buffer);

  it.each(['ic40ih13oc21kh1', 'g3ic96ih14oc48kh1', 'mb2ic200ih9iw8oc10kh1', 'ic31ih1iw1001oc9kh1'])('%s: as channels last', (name) => {
    for (const activation of ['relu', { leakyRelu: 0.1 }] as const) {
      const p = problem(name);
      const given = operands(p, { bias: fractions(p.oc, 3), activation }, fractions);
      const { input, weight, options } = given;
      expect(planOf(given).variant).toMatch(byPanels);
      const got = engine.conv2d(input, weight, options);
      const pixels = p.ih * p.iw;
      const data = input.data.map((_, i) => {
        const [pixel, c] = [Math.floor(i / p.ic), i % p.ic];
        return input.data[(Math.floor(pixel / pixels) * p.ic + c) * pixels + (pixel % pixels)] as number;
      });
      const last = engine.conv2d({ data, shape: [p.mb, p.ih, p.iw, p.ic] }, weight, { ...options, inputLayout: 'nhwc' });
      const back = got.data.map((_, i) => {
        const [plane, pixel] = [Math.floor(i / pixels), i % pixels];
        return last.data[(Math.floor(plane / p.oc) * pixels + pixel) * p.oc + (plane % p.oc)] as number;
      });
      expect(bits(got)).toEqual(bits({ data: back, shape: got.shape }));
    }
  });

  it('zeros keep their sign', () => {
    for (const bias of [0, -0]) {
      const given = operands(problem('ic34ih8oc6kh1'), { bias: new Float32Array(6).fill(bias) });
      given.input.data.fill(0);
      given.weight.data.fill(-1);
      const { data } = engine.conv2d(given.input, given.weight, given.options);
      expect(data.every((x) => Object.is(x, bias))).toBe(true);
    }
  });

  it('NaN and infinities reach the pixels that hold them, and no others', () => {
    const { input, weight, options } = operands(problem('ic34ih13oc9kh1'));
    for (const [i, at] of [0, 169 * 17 + 100, 169 * 34 - 1].entries()) input.data[at] = [NaN, Infinity, -Infinity][i] as number;
    expectClose(engine.conv2d(input, weight, options), reference.conv2d(input, weight, options));
    weight.data[40] = NaN;
    expectClose(engine.conv2d(input, weight, options), reference.conv2d(input, weight, options));
  });
});

describe('the planner', () => {
  const planFor = (name: string, extra: ConvOptions = {}): Plan => planOf(operands(problem(name), extra));

  it('says what it takes and why', () => {
    for (const algorithm of ['auto', 'gemm'] as const) {
      const plan = planFor('g3ic240ih28oc240oh28kh1'.replace('oh28', ''), { algorithm });
      expect(plan).toMatchObject({ algorithm: 'gemm', variant: `pointwise, panels of pixels, tiles of ${MR}×${NR}` });
      expect(plan.reason).toContain('planes of 784 pixels fill panels of 8: no layout changes');
      expect(plan.weightBytes).toBeGreaterThan(2 * 240 * 80 * 4);
    }
  });

  it('takes another layout where planes are small, or leave panels half empty', () => {
    for (const name of [
      'ic64ih7oc64kh1',
      'ic64ih1oc64kh1',
      'ic64ih4oc64kh1',
      'ic64ih9oc64kh1sh2',
      'ic64ih14oc64kh1ph1',
      'ic64ih1iw65oc64kh1',
    ])
      expect(planFor(name).variant).not.toMatch(byPanels);
    expect(planFor('ic64ih14oc64kh1', { inputLayout: 'nhwc' }).variant).not.toMatch(byPanels);
  });

  it('a layer serves all of these, whatever comes first', () => {
    const { weight, options } = operands(problem('g2ic6ih14oc10kh1'), { bias: integers(10, 3), shuffle: 5 });
    for (const sizes of [
      [14, 7, 14, 1, 9],
      [7, 14, 3, 64],
    ]) {
      const layer = engine.conv2d.prepare(weight, options);
      for (const size of sizes) {
        const input = { data: integers(6 * size * size), shape: [1, 6, size, size] };
        expectClose(layer.run(input), reference.conv2d(input, weight, options));
      }
      layer.dispose();
    }
  });
});
