/** WebNN's validation cases: what shape a call gives, or that it is refused. Its words are translated, its wrong values are not mended. */
import { expect } from 'vitest';
import type { Tensor } from '../src/index.ts';
import { eachCase, type Implementation, operation, read } from './conformance-cases.ts';

interface Blank {
  readonly shape: number[];
  readonly dtype: string;
}

interface ShapeCase {
  readonly name: string;
  readonly op: string;
  readonly input: Blank;
  readonly weight: Blank;
  readonly bias?: Blank;
  readonly webnnOptions: {
    padding?: number[];
    strides?: number[];
    dilations?: number[];
    outputPadding?: number[];
    outputSizes?: number[];
    groups?: number;
    inputLayout?: string;
    filterLayout?: string;
  };
  readonly expected: { shape: number[] } | { error: true; reason: string };
}

function blank({ shape, dtype }: Blank): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  // Other kinds of data stand for other types.
  const data: unknown = dtype === 'float32' ? new Float32Array(size) : new Int32Array(size);
  return { data: data as Float32Array, shape };
}

/** [top, bottom, left, right] in pairs. */
function pairs(flat: readonly number[] | undefined): number[][] | undefined {
  return flat && Array.from({ length: Math.ceil(flat.length / 2) }, (_, i) => flat.slice(2 * i, 2 * i + 2));
}

function runs({ op, input, weight, bias, webnnOptions, expected }: ShapeCase, implementation: Implementation): void {
  const { padding, strides, dilations, outputSizes, outputPadding, ...rest } = webnnOptions;
  const name = op === 'conv' ? 'conv2d' : 'convTranspose2d';
  const options = {
    ...rest,
    stride: strides,
    dilation: dilations,
    bias: bias && blank(bias),
    padding: pairs(padding),
    // WebNN reads its outputPadding only where there are no sizes; here both together are an error.
    ...(op === 'conv' ? {} : { outputSize: outputSizes, outputPadding: outputSizes ? undefined : outputPadding }),
  };
  const call = (): Tensor => operation(implementation, name)(blank(input), blank(weight), options);
  const refused = expect.objectContaining({ message: expect.stringMatching(`^${name}: `) as string, code: 'ERR_ARGUMENT' });
  if ('error' in expected) expect(call).toThrow(refused);
  else expect(call().shape).toEqual(expected.shape);
}

const shapeCases = read<ShapeCase>('webnn-validation.json');
for (const [op, count] of [
  ['conv', 29],
  ['convTranspose', 30],
] as const)
  eachCase(
    `shapes of WebNN's ${op}`,
    count,
    shapeCases.filter((given) => given.op === op),
    runs,
  );
