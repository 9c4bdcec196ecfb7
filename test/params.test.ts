/** The records that cross the border, from both sides: offsets as asc lays them out, and fields as src/params.ts writes them. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compileAssembly } from '../scripts/compile-assembly.ts';
import { wholeBand } from '../src/bands.ts';
import { convSettings } from '../src/options.ts';
import {
  activationKinds,
  borderModes,
  CONV_PARAMS_BYTES,
  kinds,
  PAD_PARAMS_BYTES,
  writeConvParams,
  writePackParams,
  writePadParams,
} from '../src/params.ts';
import { convPlan, packPlan } from '../src/plan.ts';
import { convShape, filterShape } from '../src/shape.ts';

function source(name: string): string {
  return readFileSync(new URL(`../assembly/${name}.ts`, import.meta.url), 'utf8');
}

/** Fields of a record, in order. */
function fieldsOf(name: string, record: string): string[] {
  const body = source(name).split(`class ${record} {`)[1]?.split('\n}')[0] ?? '';
  return [...body.matchAll(/^ {2}(\w+): [if]32;$/gm)].map(([, field]) => field as string);
}

const convFields = fieldsOf('params', 'ConvParams');
const packFields = fieldsOf('params', 'PackParams');
const padFields = fieldsOf('pad', 'PadParams');

async function constants(expressions: Record<string, string>, imports: string): Promise<Record<string, number>> {
  const lines = Object.entries(expressions).map(([name, expression]) => `export const ${name}: i32 = <i32>${expression};`);
  const names = ['params', 'pad', 'activation', 'simd', 'blocks', 'kinds', 'tasks'];
  const files = Object.fromEntries(names.map((name) => [`${name}.ts`, source(name)]));
  const { binary } = await compileAssembly({ ...files, 'index.ts': `${imports}\n${lines.join('\n')}` });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } });
  return Object.fromEntries(Object.entries(instance.exports).map(([name, value]) => [name, (value as WebAssembly.Global).value as number]));
}

it('every field lies where TypeScript writes it', async () => {
  const layout = await constants(
    {
      ...Object.fromEntries(convFields.map((field) => [`conv_${field}`, `offsetof<ConvParams>("${field}")`])),
      ...Object.fromEntries(padFields.map((field) => [`pad_${field}`, `offsetof<PadParams>("${field}")`])),
      ...Object.fromEntries(packFields.map((field) => [`pack_${field}`, `offsetof<PackParams>("${field}")`])),
      convBytes: 'offsetof<ConvParams>()',
      padBytes: 'offsetof<PadParams>()',
      packBytes: 'offsetof<PackParams>()',
    },
    'import { ConvParams, PackParams } from "./params";\nimport { PadParams } from "./pad";',
  );
  expect(layout).toEqual({
    ...Object.fromEntries(convFields.map((field, i) => [`conv_${field}`, 4 * i])),
    ...Object.fromEntries(padFields.map((field, i) => [`pad_${field}`, 4 * i])),
    ...Object.fromEntries(packFields.map((field, i) => [`pack_${field}`, 4 * i])),
    convBytes: CONV_PARAMS_BYTES,
    padBytes: PAD_PARAMS_BYTES,
    packBytes: 4 * packFields.length,
  });
});

it('activations, borders and kinds have the same numbers on both sides', async () => {
  const numbers = await constants(
    {
      clamp: 'CLAMP',
      leakyRelu: 'LEAKY_RELU',
      elu: 'ELU',
      sigmoid: 'SIGMOID',
      tanh: 'TANH',
      silu: 'SILU',
      hardSwish: 'HARD_SWISH',
      reflect: 'REFLECT',
      replicate: 'REPLICATE',
      circular: 'CIRCULAR',
      zeros: 'ZEROS',
      conv: 'CONV',
      depthwise: 'DEPTHWISE',
      transposed: 'TRANSPOSED',
      transposedDepthwise: 'TRANSPOSED_DEPTHWISE',
      scattered: 'SCATTERED',
      factored: 'FACTORED',
      winograd: 'WINOGRAD',
      grouped: 'GROUPED',
      pointwise: 'POINTWISE',
    },
    'import { CLAMP, LEAKY_RELU, ELU, SIGMOID, TANH, SILU, HARD_SWISH } from "./activation";\nimport { REFLECT, REPLICATE, CIRCULAR, ZEROS } from "./pad";\nimport { CONV, DEPTHWISE, TRANSPOSED, TRANSPOSED_DEPTHWISE, SCATTERED, FACTORED, WINOGRAD, GROUPED, POINTWISE } from "./kinds";',
  );
  expect(numbers).toEqual({
    ...Object.fromEntries(activationKinds.map((name, i) => [name, i])),
    ...Object.fromEntries(borderModes.map((name, i) => [name, i])),
    ...Object.fromEntries(kinds.map((name, i) => [name, i])),
  });
});

it('a plan is written field by field', () => {
  const settings = convSettings('conv2d', 2, {
    stride: [2, 3],
    dilation: [4, 1],
    padding: [
      [1, 2],
      [3, 4],
    ],
    groups: 2,
    paddingMode: 'replicate',
    activation: { clamp: [-1, 2] },
  });
  const filter = filterShape('conv2d', 'weight', [10, 3, 2, 5], settings);
  const shape = convShape('conv2d', [7, 6, 20, 30], filter, settings);
  const memory = new Float32Array(80);
  const plan = convPlan(shape, packPlan('conv2d', filter, settings), wholeBand);
  writePadParams(memory, 0, shape, plan);
  const pad = Object.fromEntries(padFields.map((field, i) => [field, new Int32Array(memory.buffer)[i]]));
  expect(pad).toEqual({
    outer: 42,
    inner: 1,
    inD: 1,
    inH: 20,
    inW: 30,
    beginD: 0,
    beginH: 1,
    beginW: 3,
    endD: 0,
    endH: 2,
    endW: 4,
    mode: 1,
  });
  writeConvParams(memory, 64, plan, settings.activation);
  const integers = convFields.indexOf('low');
  const conv = Object.fromEntries(convFields.map((field, i) => [field, (i < integers ? new Int32Array(memory.buffer) : memory)[16 + i]]));
  expect(conv).toEqual({
    batch: 7,
    inC: 6,
    inD: 1,
    inH: 23,
    inW: 37,
    outC: 10,
    outD: 1,
    outH: 10,
    outW: 11,
    kD: 1,
    kH: 2,
    kW: 5,
    strideD: 1,
    strideH: 2,
    strideW: 3,
    dilationD: 1,
    dilationH: 4,
    dilationW: 1,
    padD: 0,
    padH: 0,
    padW: 0,
    groups: 2,
    groupInC: 3,
    groupOutC: 5,
    shuffle: 1,
    weightStride: 240,
    band: 10,
    bandImages: 7,
    bandSlices: 1,
    bandColumns: 11,
    sides: 1,
    inPlace: 0,
    stepW: 1,
    stepH: 11,
    stepD: 110,
    stepB: 110,
    phaseD: 1,
    phaseH: 1,
    phaseW: 1,
    innerBand: 0,
    points: 0,
    factors: 0,
    kind: 0,
    biasBytes: 0,
    packedBytes: 0,
    stripBytes: 0,
    gatheredBytes: 0,
    taskPanels: 0,
    taskRows: 0,
    taskChannels: 0,
    activation: 0,
    low: -1,
    high: 2,
  });
});

it('where weights lie is written field by field', () => {
  const settings = convSettings('conv2d', 2, { groups: 2, filterLayout: 'hwio', shuffle: 5 });
  const filter = filterShape('conv2d', 'weight', [2, 5, 3, 10], settings);
  const memory = new Float32Array(32);
  writePackParams(memory, 0, filter, packPlan('conv2d', filter, settings));
  const pack = Object.fromEntries(packFields.map((field, i) => [field, new Int32Array(memory.buffer)[i]]));
  expect(pack).toEqual({
    groups: 2,
    groupOutC: 5,
    groupInC: 3,
    kD: 1,
    kH: 2,
    kW: 5,
    strideGroup: 5,
    strideOut: 1,
    strideIn: 10,
    strideTap: 30,
    phaseD: 1,
    phaseH: 1,
    phaseW: 1,
    reversed: 0,
    stride: 240,
    // A shuffle of groups is done by the kernel.
    shuffle: 1,
  });
});
