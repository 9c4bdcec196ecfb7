import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { flopsOf, productsOf } from '../bench/operations.ts';
import { readSet, setNames } from '../bench/sets.ts';
import { type LayerShape, parseLayer, parseShapes } from '../bench/shapes.ts';

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

  it('reads the operation in front, in one to three dimensions; a transposed one grows', () => {
    expect(parseLayer('deconv ic2iw5oc3kw4sw2pw1', 'here')).toMatchObject({
      operation: 'deconv',
      words: 'deconv ic2iw5oc3kw4sw2pw1',
      axes: [{ input: 5, output: 10 }],
    });
    expect(parseLayer('deconv_bwd_w ic2ih5oc3kh4sh2ph1', 'here')).toMatchObject({ operation: 'deconv_bwd_w', axes: [{ output: 10 }, {}] });
    expect(parseLayer('bwd_w ic2id5oc3kd3', 'here').axes).toHaveLength(3);
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
    ['backward ic2iw5oc3kw4', "here: unknown operation 'backward'; known are conv deconv bwd_d bwd_w"],
    ['ic2iw5oc3kw4kd2', "here: 'kd' speaks of an axis that the layer has not: 'id' is missing"],
    ['separable ic2iw5oc3kw3', 'here: separable has two axes, got 1'],
    ['spatial ic2id5oc3kd3', 'here: spatial has two axes, got 3'],
    ['flattened ic2iw5oc3kw3', 'here: flattened has two axes, got 1'],
    ['flattened g2ic2ih5oc4kh3', 'here: flattened has no groups, got g2'],
    ['separable g2ic2ih5oc4kh3', 'here: separable has as many groups as channels, got g2'],
    ['gaussian ic2ih5oc3kh3', 'here: gaussian keeps its channels: oc must be 2, got 3'],
    ['deconv ic1ih1oc1kh1ph1', 'here: a padding of 1 on both sides leaves nothing of the result'],
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

describe('sets of layers', () => {
  const layersOf = (name: string): readonly LayerShape[] => readSet(name)?.layers ?? [];

  it('are the files of bench/shapes', () => {
    const files = readdirSync(join(folder, 'bench/shapes')).map((file) => file.replace(/\.txt$/, ''));
    expect(files.sort()).toEqual([...setNames].sort());
    expect(readSet(join(folder, 'bench/shapes/none.txt'))).toBeUndefined();
    expect(readSet(join(folder, 'bench/shapes/core.txt'))).toEqual(readSet('core'));
  });

  /** How many there are, and of one of them what it costs. */
  it.each([
    ['core', 19, '7x7/2 3-64 224', 2 * 64 * 3 * 49 * 112 * 112],
    ['digits', 5, '5x5 1-8 28', 2 * 8 * 25 * 28 * 28],
    ['family', 27, 'separable 3x3 32-64 112', 2 * 32 * 112 * 112 * (9 + 64)],
    ['images', 12, 'dw 5x5/2 3 256', 2 * 3 * 25 * 128 * 128],
    ['resnet50', 23, '1x1/2 1024-2048 14', 2 * 2048 * 1024 * 49],
    ['vgg16', 9, '3x3 512-512 14', 2 * 512 * 512 * 9 * 14 * 14],
    ['mobilenetv2', 30, 'dw 3x3/2 576 14', 2 * 576 * 9 * 49],
    ['efficientnet-b0', 46, 'dw 5x5/2 672 14', 2 * 672 * 25 * 49],
    ['shufflenet', 19, 'g3 1x1 60-216 28', 2 * 60 * 72 * 28 * 28],
    ['deeplab', 15, '3x3 dil 12 512-1024 41', 2 * 512 * 1024 * 9 * 41 * 41],
    ['dcgan', 10, 'transposed 4x4 100-1024 1', 2 * 100 * 1024 * 16],
    ['unet', 23, 'transposed 2x2/2 128-64 196', 2 * 128 * 64 * 4 * 196 * 196],
    ['c3d', 7, '3x3x3 3-64 16x112x112', 2 * 3 * 64 * 27 * 16 * 112 * 112],
    ['sizes', 13, '3x3 16-16 2048', 2 * 16 * 16 * 9 * 2048 * 2048],
  ])('%s is readable, its sizes are given and fit', (set, count, name, flops) => {
    const layers = layersOf(set);
    expect(layers).toHaveLength(count);
    expect(new Set(layers.map((layer) => layer.name)).size).toBe(count);
    expect(new Set(layers.map((layer) => layer.words)).size).toBe(count);
    for (const layer of layers) expect(layer.words).toMatch(/o[hw]\d+/);
    const found = layers.find((layer) => layer.name === name);
    expect(found && flopsOf(found)).toBe(flops);
  });

  it('core is what the targets are measured on', () => {
    expect(layersOf('core').map(({ words }) => words)).toEqual([
      'ic3ih224oc64oh112kh7sh2ph3',
      'ic64ih56oc64oh56kh3ph1',
      'ic128ih28oc128oh28kh3ph1',
      'ic256ih14oc256oh14kh3ph1',
      'ic512ih7oc512oh7kh3ph1',
      'ic128ih56oc128oh28kh3sh2ph1',
      'ic256ih56oc64oh56kh1',
      'ic512ih7oc2048oh7kh1',
      'ic3ih224oc32oh112kh3sh2ph1',
      'g96ic96ih112oc96oh56kh3sh2ph1',
      'g144ic144ih56oc144oh56kh3ph1',
      'g576ic576ih14oc576oh14kh3ph1',
      'g240ic240ih28oc240oh28kh5ph2',
      'g3ic240ih28oc240oh28kh1',
      'g32ic128ih56oc128oh56kh3ph1',
      'ic256ih33oc256oh33kh3dh1ph2',
      'deconv ic256ih16oc128oh32kh4sh2ph1',
      'deconv ic128ih56oc64oh112kh2sh2',
      'ic1ih28oc8oh28kh5ph2',
    ]);
  });

  it('family has every operation, each of at least 1 Mflop', () => {
    const layers = layersOf('family');
    for (const layer of layers) expect(flopsOf(layer), layer.name).toBeGreaterThanOrEqual(1e6);
    const present = new Set(layers.map(({ operation, axes }) => `${operation} ${axes.length}d`));
    const ranked = ['deconv', 'bwd_d', 'bwd_w', 'deconv_bwd_d', 'deconv_bwd_w'].flatMap((name) =>
      [1, 2, 3].map((rank) => `${name} ${rank}d`),
    );
    const flat = ['separable', 'spatial', 'flattened', 'gaussian'].map((name) => `${name} 2d`);
    expect([...present].sort()).toEqual([...ranked, ...flat, 'conv 1d', 'conv 3d'].sort());
  });
});
