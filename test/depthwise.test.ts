import { describe, expect, it } from 'vitest';
import { BAND_BYTES, CHANNELS } from '../assembly/blocks.ts';
import { type ConvOptions, depthwiseConv2d as sharedDepthwiseConv2d } from '../src/index.ts';
import * as reference from '../src/reference/index.ts';
import { fractions, guarded, integers, operands, problem } from './cases.ts';
import { exact, expectClose } from './close.ts';
import { testEngine } from './engines.ts';

const engine = testEngine();
const layouts = ['nchw', 'nhwc'] as const;

/** `name` gives ic as channels and oc as channels · multiplier. */
function check(name: string, extra: ConvOptions = {}): void {
  const p = problem(name);
  const { input, weight, options } = operands({ ...p, g: p.ic }, extra);
  const { groups, ...depthwise } = options;
  const want = reference.depthwiseConv2d(input, weight, depthwise);
  expectClose(want, reference.conv2d(input, weight, options), exact, name);
  const { out, intact } = guarded(want.data.length);
  const got = engine.depthwiseConv2d(input, weight, { ...depthwise, out });
  expectClose(got, want, exact, `${name} ${JSON.stringify(extra)}`);
  expect(intact()).toBe(true);
}

const around = (block: number): number[] => [...new Set([1, block - 1, block, block + 1, 2 * block + 1])];

it('a grouped convolution with one channel and one filter to a group is no GEMM, whatever its kernel', () => {
  for (const inputLayout of ['nchw', 'nhwc'] as const)
    for (const k of [3, 5, 7]) {
      const { input, weight, options } = operands(problem(`g48ic48ih28oc48kh${k}ph1`), { inputLayout });
      const layer = engine.conv2d.prepare(weight, options);
      expect(layer.plan(input.shape).algorithm).toBe('direct');
      layer.dispose();
    }
});

it.each([
  [1, 28, 'in place'],
  [3, 28, 'in place'],
  [6, 33, 'in place'],
  [13, 65, 'in place'],
  [4, 256, 'in place'],
  [4, 28, 'in place', 3],
  [3, 28, 'in place', 1],
  // Its rows share sets of L1.
  [3, 256, 'copied'],
  // Too short.
  [3, 8, 'copied'],
  // More than a tap's distance.
  [3, 28, 'copied', 4],
])('channels first, 3×3 with a dilation of %i on %i columns is summed %s', (dilation, columns, how, padding = dilation) => {
  const layer = engine.depthwiseConv2d.prepare({ data: integers(18), shape: [2, 1, 3, 3] }, { dilation, padding });
  expect(layer.plan([1, 2, 40, columns]).variant).toContain(how);
  layer.dispose();
});

describe.each(layouts)('depthwiseConv2d %s', (inputLayout) => {
  // Of 128 and 256 a line lies between the weights of two taps.
  it.each([...around(CHANNELS), 128, 256])('%i channels', (c) => {
    check(`ic${c}ih6oc${c}kh3ph1`, { inputLayout, bias: integers(c, 3) });
    check(`ic${c}ih6oc${c}kh2`, { inputLayout });
  });
  it.each(Array.from({ length: 20 }, (_, i) => i + 1))('%i columns', (iw) => {
    check(`ic3ih4iw${iw}oc3kh3ph1`, { inputLayout });
    check(`ic3ih4iw${iw}oc3kh5ph2`, { inputLayout });
    check(`ic4ih4iw${iw}oc4kh3ph1sh2`, { inputLayout });
    check(`ic4ih4iw${iw}oc4kh1kw2pw1sw3`, { inputLayout });
  });
  it.each([1, 2, 3, 4, 5, 7, 8])('multiplier %i', (m) => {
    check(`ic3ih6oc${3 * m}kh3ph1`, { inputLayout, bias: integers(3 * m) });
    check(`ic20ih3oc${20 * m}kh3ph1sh2`, { inputLayout });
    check(`ic64ih3oc${64 * m}kh2`, { inputLayout, shuffle: 2 });
  });
  it('more rows than a band holds', () => {
    const rows = Math.ceil(BAND_BYTES / (40 * 4)) + 5;
    check(`ic1ih${rows}iw40oc1kh3ph1`, { inputLayout });
    check(`ic2ih${rows}iw40oc4kh3ph1sh2`, { inputLayout });
    check(`ic5ih${rows}iw9oc5kh5ph2`, { inputLayout });
    for (const dilation of [2, 3, 4]) {
      // In place a last band has any number of rows.
      for (let more = 0; more < 2 * dilation; more++)
        check(`ic1ih${rows + more}iw40oc1kh3ph${dilation}`, { inputLayout, dilation, bias: integers(1) });
      check(`ic1ih${rows}iw40oc1kh5ph${2 * dilation}`, { inputLayout, dilation });
    }
  });
  it('a row longer than a band', () => check(`ic1ih3iw${BAND_BYTES / 4 + 3}oc1kh3ph1`, { inputLayout }));
  it.each([
    'ic3ih9iw8oc3kh3dh2ph2',
    'ic3ih12iw14oc6kh2kw3dh3dw2sh2sw3ph1',
    'ic3ih5oc3kh5ph4',
    'ic3ih9oc3kh1sh3',
    'ic5ih9oc5kh3sh4sw5ph1',
    'ic3ih9oc3kh9',
    'mb3ic4ih5oc8kh3ph2',
    'ic6ih20oc6kh7ph3',
    'ic4ih6oc4kh3ph3sh2',
  ])('%s', (name) => check(name, { inputLayout }));
  it('paddings, borders, filter layouts, shuffles, activations', () => {
    for (const padding of [
      'valid',
      'same',
      'same-lower',
      [
        [0, 2],
        [3, 1],
      ],
    ] as const)
      check('ic3ih7iw8oc6kh4kw3sh2', { inputLayout, padding });
    for (const paddingMode of ['reflect', 'replicate', 'circular'] as const)
      check('ic3ih5iw6oc6kh3', {
        inputLayout,
        paddingMode,
        padding: [
          [1, 3],
          [4, 2],
        ],
      });
    for (const filterLayout of ['oihw', 'ohwi', 'iohw', 'ihwo', 'hwio', 'hwoi'] as const)
      check('ic4ih6oc8kh3kw2', { inputLayout, filterLayout });
    for (const shuffle of [2, 3, 6]) check('ic6ih6oc12kh3ph1', { inputLayout, shuffle, bias: integers(12) });
    for (const activation of ['relu', 'relu6', { leakyRelu: 0.5 }] as const)
      check('ic6ih6oc12kh3ph1', { inputLayout, activation, bias: integers(12) });
  });
  // In place the border is cut off or shifted in: every width of it, on either side, at both strides, and sizes around a vector and a pair of rows.
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 18])('%i rows and columns under the borders of 3×3, 5×5 and 7×7', (size) => {
    for (const stride of [1, 2, 3])
      for (const [kernel, pads] of [
        [3, [0, 1, 2]],
        [5, [0, 2, 3]],
        [7, [0, 3]],
      ] as const)
        for (const begin of pads)
          for (const end of pads) {
            if (size + begin + end < kernel) continue;
            const padding = [
              [begin, end],
              [end, begin],
            ] as const;
            check(`ic5ih${size}oc5kh${kernel}sh${stride}`, { inputLayout, padding });
            check(`ic4ih${size}iw${size + 3}oc4kh${kernel}sh1sw${stride}`, { inputLayout, padding, bias: integers(4), activation: 'relu' });
          }
  });
  // Copied where taps lie outside in part, and in rows that are too short.
  it.each([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22])(
    '%i columns under the borders of 3×3 with a dilation',
    (iw) => {
      for (const dilation of [2, 3, 4])
        for (const begin of [0, 1, dilation])
          for (const end of [0, 1, dilation, dilation + 1]) {
            const rows = 1 + ((iw + begin + end) % 11);
            const padding = [
              [4, 4],
              [begin, end],
            ] as const;
            if (iw + begin + end < 2 * dilation + 1) continue;
            check(`ic4ih${rows}iw${iw}oc4kh3`, { inputLayout, padding, dilation, bias: integers(4) });
            check(`ic2ih${rows + 6}iw${iw}oc4kh3`, { inputLayout, padding, dilation, activation: 'relu', bias: integers(4) });
            check(`ic2ih${rows + 3}iw${iw}oc2kh3`, { inputLayout, padding, dilation: [dilation === 2 ? 4 : 2, dilation] });
          }
    },
  );
  // Whole eights of channels: interleaved rows of ones and twos, threes, and fours of pixels, some longer than others, of which either end, both or none is cut.
  it.each(Array.from({ length: 30 }, (_, i) => i + 1))('%i columns of eights of channels under 3×3', (iw) => {
    for (const dilation of [1, 2, 3, 7])
      for (const begin of [-1, 0, 1, dilation, dilation + 2])
        for (const end of [0, 1, dilation, dilation + 1]) {
          if (iw + begin + end < 2 * dilation + 1) continue;
          const padding = [
            [dilation, 1],
            [Math.max(0, begin), end],
          ] as const;
          const rows = dilation + 2 + ((iw + end) % 3);
          const options = { inputLayout, padding, dilation, bias: integers(8) } as const;
          check(`ic8ih${rows}iw${iw}oc8kh3`, begin > 0 ? options : { ...options, activation: begin < 0 ? 'relu' : { leakyRelu: 0.5 } });
        }
    // Vectors of channels that overlap, copied rows, and one kernel row.
    for (const c of [10, 12])
      for (const pad of [1, 2])
        check(`ic${c}ih5iw${iw + 4}oc${c}kh3`, { inputLayout, padding: [[2, 3], pad], dilation: [1, 2], bias: integers(c) });
    check(`ic12ih5iw${iw + 4}oc24kh3ph2`, { inputLayout, dilation: 2 });
    check(`ic16ih2iw${iw}oc16kh1kw3pw3`, { inputLayout, dilation: [1, 3] });
  });
  // Channels last, eight channels or more go down the columns: all rows of a phase at once and in parts, some of one row; narrow and wide pixels, and lines that share sets of L1, in pairs of rows.
  it.each([
    [8, 9],
    [10, 9],
    [16, 11],
    [136, 7],
    [137, 7],
    [16, 32],
    [256, 9],
    [8, 64],
    [256, 8],
  ])('%i channels of %i columns, many rows', (c, iw) => {
    for (const dilation of iw > 9 ? [1, 2, 3] : [1, 3])
      for (const rows of c > 16 ? [5, 10] : [4, 7, 16, 17, 35])
        for (const more of [0, 1]) {
          const ih = rows * dilation + more;
          check(`ic${c}ih${ih}iw${iw}oc${c}kh3ph${dilation}`, { inputLayout, dilation, bias: integers(c) });
          if (c > 12) continue;
          const padding = [
            [0, more],
            [dilation, 1],
          ] as const;
          check(`ic${c}ih${ih + 2 * dilation}iw${iw}oc${c}kh3`, { inputLayout, padding, dilation, activation: 'relu6', shuffle: 2 });
          check(`ic${c}ih${ih}iw${iw}oc${c}kh3ph${dilation}`, { inputLayout, dilation, activation: { leakyRelu: 0.5 } });
        }
  });
  // Channels last, pixels of whole 2 KB are copied: parts of up to eight rows, rows as wide as the workspace holds, wider ones.
  it.each([
    [9, 7, 1],
    [8, 5, 2],
    [4, 33, 1],
    [4, 34, 1],
  ])('512 channels of %i rows of %i columns, dilation %i', (rows, iw, dilation) => {
    const ih = rows * dilation + dilation - 1;
    check(`ic512ih${ih}iw${iw}oc512kh3ph${dilation}`, { inputLayout, dilation, bias: integers(512), activation: 'relu', shuffle: 2 });
    check(`ic512ih${ih}iw${iw}oc512kh3ph${dilation}`, { inputLayout, dilation, activation: { leakyRelu: 0.5 } });
  });
  // Vectors that overlap, and too few channels for two of them.
  it.each([4, 5, 7, 9, 11, 12, 15, 20, 23])('%i channels under three, five and seven columns', (c) => {
    for (const kernel of [3, 5, 7])
      for (const iw of [kernel + 3, kernel + 6]) {
        check(`ic${c}ih6iw${iw}oc${c}kh${kernel}ph${kernel >> 1}`, { inputLayout, bias: integers(c) });
        check(`ic${c}ih6iw${2 * iw}oc${c}kh${kernel}ph${kernel - 1}`, { inputLayout, dilation: 2, activation: 'relu' });
      }
  });
  // In place with any dilation: vectors that the border cuts, or that lie behind it, phases of unlike numbers of rows, and rows that are too short or too few.
  it.each([2, 3, 4, 5, 6, 7, 8, 13])('3×3 with a dilation of %i', (dilation) => {
    for (const columns of [2 * dilation + 1, 2 * dilation + 2, 2 * dilation + 3, 3 * dilation + 2, 4 * dilation, 5 * dilation + 3])
      for (const padding of [
        [dilation, dilation],
        [
          [dilation, 0],
          [0, dilation],
        ],
        [
          [0, dilation],
          [dilation, 0],
        ],
        // Of some taps a part lies outside.
        [
          [1, dilation - 1],
          [dilation, 1],
        ],
        [
          [dilation - 1, dilation],
          [dilation >> 1, dilation - 1],
        ],
        [0, 0],
      ] as const)
        for (const rows of [2 * dilation, 3 * dilation - 1, 4 * dilation + 1]) {
          if (rows === 2 * dilation && padding[0] === 0) continue;
          check(`ic2ih${rows}iw${columns}oc2kh3`, { inputLayout, padding, dilation, bias: integers(2) });
          check(`ic1ih${rows}iw${columns}oc3kh3`, { inputLayout, padding, dilation, activation: { clamp: [-9, 30] } });
        }
    for (const rows of [30 * dilation + 1, 31 * dilation, 48 * dilation - 1])
      check(`ic1ih${rows}iw${2 * dilation + 5}oc1kh3ph${dilation}`, { inputLayout, dilation, bias: integers(1) });
  });
  it.each([2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 17])('%i rows under 4×4, 5×5 and 7×7 with a dilation', (rows) => {
    for (const columns of [11, 12, 13, 14, 16, 17, 20, 24, 28, 29, 33, 38])
      for (const dilation of [2, 3, 4])
        for (const [kernel, pad] of [
          [4, 2 * dilation],
          [5, 2 * dilation],
          [7, 3 * dilation],
        ]) {
          check(`ic2ih${rows}iw${columns}oc2kh${kernel}ph${pad}`, { inputLayout, dilation, bias: integers(2) });
          check(`ic1ih${rows}iw${columns}oc1kh${kernel}ph${pad}`, { inputLayout, dilation: [1, dilation] });
          check(`ic1ih${rows}iw${columns}oc1kh${kernel}ph${pad}`, { inputLayout, dilation: [dilation, 1] });
        }
  });
  // Vectors of a row are fours and threes, rows are taken by four, by two and singly.
  it.each([4, 5, 6, 7, 9])('%i rows of 8 to 33 columns, and some of more, under 4×4, 5×5 and 7×7', (rows) => {
    // 38 and 51: twice and three times four vectors, and threes. 42, 58: as many fours and one or two threes.
    for (const columns of [...Array.from({ length: 26 }, (_, i) => 8 + i), 38, 42, 51, 58])
      for (const kernel of ['kh4ph2', 'kh5ph2', 'kh7ph3']) {
        check(`ic2ih${rows}iw${columns}oc2${kernel}`, { inputLayout, bias: integers(2) });
        check(`ic1ih${2 * rows}iw${2 * columns}oc1${kernel}sh2`, { inputLayout, activation: 'relu' });
      }
  });
  // Down the columns of a plane in place: rows at a time, vectors that end with the row, two pixels that share one with rows further down, and fewer rows where they are wide.
  it.each([2, 3, 4, 5, 6, 7, 30, 31, 32, 47])('%i rows of 5 to 14 columns, and some of more, under 3×3', (rows) => {
    for (const columns of [5, 6, 7, 8, 9, 10, 11, 14, ...(rows === 5 || rows > 31 ? [118, 119, 120, 122, 512] : [])])
      for (const padding of [
        [1, 1],
        [
          [1, 0],
          [0, 1],
        ],
        [
          [0, 1],
          [1, 0],
        ],
        [[2, 3], 1],
      ] as const) {
        check(`ic1ih${rows}iw${columns}oc2kh3`, { inputLayout, padding, bias: integers(2), activation: { clamp: [-9, 30] } });
        check(`ic2ih${rows + 2}iw${columns + 2}oc2kh3`, { inputLayout, padding });
      }
  });
  // Channels last, rows of eight channels or more are summed with their border: fours of pixels, and threes.
  it.each([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 19])('%i columns under every border of three columns', (columns) => {
    for (const channels of [8, 11, 64, 72])
      for (const kernel of [1, 2, 3])
        for (const begin of [0, 1, 2])
          for (const end of [0, 1, 2]) {
            if (columns + begin + end < 3) continue;
            const padding = [
              [end, begin],
              [begin, end],
            ] as const;
            const name = `ic${channels}ih4iw${columns}oc${channels}kh${kernel}kw3`;
            check(name, { inputLayout, padding });
            check(name, { inputLayout, padding, bias: integers(channels), activation: 'relu6' });
          }
  });
  it.each([4, 5, 7, 8, 16, 17, 19, 20, 33])('%i channels in place', (c) => {
    for (const name of [
      'ih5kh3ph1',
      'ih6kh3ph1sh2',
      'ih7kh5ph2',
      'ih8kh5ph2sh2',
      'ih6kh2',
      'ih9kh3dh2ph2',
      'ih9iw14kh5dh2dw3ph4pw5',
      'ih4kh7ph3',
      'mb2ih5kh3kw5ph1pw2',
    ])
      check(`ic${c}oc${c}${name}`, { inputLayout, bias: integers(c), activation: { clamp: [-9, 30] } });
  });
  // Channels last: tiles of twelve floats and three rows, columns dealt into phases.
  it.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [1, 2],
    [1, 3],
  ])('%i channels, %i results: less than a vector', (c, oc) => {
    const wide = { inputLayout, bias: integers(oc, 3) };
    for (let iw = 1; iw <= 14; iw++)
      for (const ih of [1, 2, 3, 4, 6, 7]) {
        check(`ic${c}ih${ih}iw${iw}oc${oc}kh3ph1`, wide);
        if (iw > 2) check(`mb2ic${c}ih${ih}iw${3 * iw}oc${oc}kh1kw5pw2sw2`, { ...wide, activation: { leakyRelu: 0.5 } });
      }
    for (const stride of [1, 2, 3, 4, 7, 12])
      for (const kernel of [1, 2, 3, 5])
        for (const dilation of [1, 2, 4]) {
          check(`ic${c}ih17iw31oc${oc}kh${kernel}ph0dh${dilation}sh${stride}`, wide);
          check(`ic${c}ih18iw30oc${oc}kh${kernel}ph5pw7dh${dilation}sh1sw${stride}`, { ...wide, activation: 'relu6' });
        }
    check(`ic${c}ih9iw9oc${oc}kh3`, {
      ...wide,
      padding: [
        [20, 3],
        [0, 30],
      ],
    });
    for (const shuffle of oc > 1 ? [oc] : [])
      for (const activation of ['relu', { elu: 0 }] as const) check(`ic${c}ih9iw13oc${oc}kh3ph1`, { ...wide, shuffle, activation });
  });
  it('a step that is never taken is no size', () => {
    check('ic3ih9oc3kh3', { inputLayout, stride: 2 ** 31 });
    check('ic3ih9oc3kh1', { inputLayout, dilation: 2 ** 31 });
    const layer = engine.depthwiseConv2d.prepare({ data: integers(27), shape: [3, 1, 3, 3] }, { inputLayout, stride: 2 ** 31 });
    expect(layer.plan(inputLayout === 'nchw' ? [1, 3, 9, 9] : [1, 9, 9, 3]).workspaceBytes).toBeLessThan(20_000);
    layer.dispose();
  });
  it('prepared, of any channel count that fits the weight', () => {
    const weight = { data: integers(12 * 9), shape: [12, 1, 3, 3] };
    const layer = engine.depthwiseConv2d.prepare(weight, { inputLayout, padding: 1 });
    for (const c of [1, 2, 3, 4, 6, 12]) {
      const { input } = operands(problem(`mb2ic${c}ih5oc12kh3`), { inputLayout });
      expectClose(layer.run(input), reference.depthwiseConv2d(input, weight, { inputLayout, padding: 1 }));
    }
    layer.dispose();
  });
});

// A part of the image by the whole and alone: copied where it has more than a row of zeros above, else in place, six rows at a time where it is wide.
it.each([
  [62, 130],
  [33, 121],
  [47, 78],
  [14, 14],
])('3×3 of %i rows and %i columns: bits do not tell how they were computed', (rows, columns) => {
  const weight = { data: fractions(3 * 9, 2), shape: [3, 1, 3, 3] };
  const bias = fractions(3, 3);
  const data = fractions(3 * rows * columns, 4);
  const whole = engine.depthwiseConv2d({ data, shape: [1, 3, rows, columns] }, weight, { padding: 1, bias });
  for (const [top, left, h, w] of [
    [0, 0, rows, columns],
    [0, 0, rows, columns - 12],
    [2, 8, rows - 2, columns - 8],
    [3, 1, rows - 5, columns - 3],
  ] as const)
    for (const above of [1, 2]) {
      const part = new Float32Array(3 * h * w);
      for (let line = 0; line < 3 * h; line++) {
        const from = (Math.floor(line / h) * rows + top + (line % h)) * columns + left;
        part.set(data.subarray(from, from + w), line * w);
      }
      const got = engine.depthwiseConv2d({ data: part, shape: [1, 3, h, w] }, weight, { padding: [[above, 1], 1], bias });
      // All but the border, where the part has zeros.
      for (let c = 0; c < 3; c++)
        for (let r = 1; r < h - 1; r++) {
          const [a, b] = [(c * (h + above - 1) + r + above - 1) * w + 1, (c * rows + top + r) * columns + left + 1];
          expect(got.data.subarray(a, a + w - 2)).toEqual(whole.data.subarray(b, b + w - 2));
        }
    }
});

it('as a function of the module', async () => {
  const { input, weight } = operands({ ...problem('ic4ih5oc4kh3'), g: 4 });
  expectClose(await sharedDepthwiseConv2d(input, weight), reference.depthwiseConv2d(input, weight));
});
