/**
 * The bytes of an ONNX model with one input `x`, one output `y` and a chain of nodes whose weights are initializers: as much of
 * the format as a convolution needs, in protobuf's wire format, so that no exporter has to be installed.
 * Numbers in the calls below are the field numbers of the schema.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 * @see https://protobuf.dev/programming-guides/encoding/
 */
import type { Tensor } from '../src/types.ts';

export interface OnnxNode {
  readonly type: 'Conv' | 'ConvTranspose';
  /** `[outC, inC / groups, …kernel]`, of a ConvTranspose `[inC, outC / groups, …kernel]`. */
  readonly weight: Tensor;
  readonly attributes: Readonly<Record<string, number | readonly number[]>>;
}

/** Base 128, the lowest seven bits first. Sizes and counts: never negative. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

function integer(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(field << 3), ...varint(value)]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A string, raw bytes, or a message given by its fields. */
function block(field: number, content: string | Uint8Array | readonly Uint8Array[]): Uint8Array {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content instanceof Uint8Array ? content : concat(content);
  return concat([Uint8Array.from([...varint((field << 3) | 2), ...varint(bytes.length)]), bytes]);
}

/** A number is an INT (type 2), a list is INTS (type 7). */
function attribute(name: string, value: number | readonly number[]): Uint8Array {
  const content = typeof value === 'number' ? [integer(3, value), integer(20, 2)] : [...value.map((v) => integer(8, v)), integer(20, 7)];
  return block(5, [block(1, name), ...content]);
}

function node({ type, attributes }: OnnxNode, input: string, weight: string, output: string): Uint8Array {
  const fields = Object.entries(attributes).map(([name, value]) => attribute(name, value));
  return block(1, [block(1, input), block(1, weight), block(2, output), block(4, type), ...fields]);
}

/** Raw data is little-endian, as the memory of a Float32Array is wherever WebAssembly runs fast. */
function initializer(name: string, { data, shape }: Tensor): Uint8Array {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return block(5, [...shape.map((size) => integer(1, size)), integer(2, 1), block(8, name), block(9, raw)]);
}

/** An input (field 11) or output (12) of the graph: float32 (element type 1) of that shape. */
function value(field: 11 | 12, name: string, shape: readonly number[]): Uint8Array {
  const dims = block(
    2,
    shape.map((size) => block(1, [integer(1, size)])),
  );
  return block(field, [block(1, name), block(2, [block(1, [integer(1, 1), dims])])]);
}

/** @returns a file of opset 13 (IR version 7): the oldest that every runtime of today reads without converting. */
export function onnxModel(nodes: readonly OnnxNode[], inputShape: readonly number[], outputShape: readonly number[]): Uint8Array {
  const between = (i: number): string => (i === 0 ? 'x' : i === nodes.length ? 'y' : `t${i}`);
  const graph = [
    ...nodes.map((each, i) => node(each, between(i), `w${i}`, between(i + 1))),
    block(2, 'layer'),
    ...nodes.map(({ weight }, i) => initializer(`w${i}`, weight)),
    value(11, 'x', inputShape),
    value(12, 'y', outputShape),
  ];
  return concat([integer(1, 7), block(7, graph), block(8, [integer(2, 13)])]);
}
