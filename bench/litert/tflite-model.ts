/**
 * The bytes of a TensorFlow Lite model of one operator: as much of the format as a convolution needs, so that no exporter has to be installed.
 * Fields of a table are written in the order of the schema, so that their places are its field numbers.
 * @see https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs
 */
import { Builder } from 'flatbuffers';

export interface TfliteTensor {
  readonly shape: readonly number[];
  /** Of a constant; one without is what the model is given. */
  readonly data?: Float32Array | Int32Array;
}

/** Numbers of the schema's BuiltinOperator and BuiltinOptions, and the bits of the options' fields. */
const operators = {
  CONV_2D: { code: 3, optionsType: 1, fields: [8, 32, 32, 8, 32, 32] },
  DEPTHWISE_CONV_2D: { code: 4, optionsType: 2, fields: [8, 32, 32, 32, 8, 32, 32] },
  TRANSPOSE_CONV: { code: 67, optionsType: 49, fields: [8, 32, 32] },
} as const;

export interface TfliteOperator {
  readonly operator: keyof typeof operators;
  /** What its runtime must know of it, as the schema's table OperatorCode counts. */
  readonly version: number;
  readonly inputs: readonly TfliteTensor[];
  /** Of its only output. */
  readonly outputShape: readonly number[];
  /** The fields of its options. */
  readonly options: readonly number[];
}

/** Where something begins that is written already. */
type Offset = number;

/** Writes a field of the table that is open, at its place. */
type Field = (builder: Builder, place: number) => void;

const absent: Field = () => {};

const byte =
  (value: number): Field =>
  (builder, place) =>
    builder.addFieldInt8(place, value, 0);

/** A zero is left out: it is the schema's default, but where that is 1 (versions and dilations), and these are never 0. */
const integer =
  (value: number): Field =>
  (builder, place) =>
    builder.addFieldInt32(place, value, 0);

const at =
  (offset: Offset): Field =>
  (builder, place) =>
    builder.addFieldOffset(place, offset, 0);

function table(builder: Builder, ...fields: readonly Field[]): Offset {
  builder.startObject(fields.length);
  for (const [place, field] of fields.entries()) field(builder, place);
  return builder.endObject();
}

/** Vectors are written from their end, as all of the file is. */
function tables(builder: Builder, ...offsets: readonly Offset[]): Offset {
  builder.startVector(4, offsets.length, 4);
  for (const offset of [...offsets].reverse()) builder.addOffset(offset);
  return builder.endVector();
}

function integers(builder: Builder, values: readonly number[]): Offset {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addInt32(value);
  return builder.endVector();
}

/** A vector of bytes, aligned as the schema asks for, written as the 32-bit words they are. */
function bytes(builder: Builder, { buffer, byteOffset, byteLength, length }: Float32Array | Int32Array): Offset {
  const words = new Int32Array(buffer, byteOffset, length);
  builder.startVector(1, byteLength, 16);
  for (let i = length - 1; i >= 0; i--) builder.addInt32(words[i] as number);
  return builder.endVector();
}

/** FLOAT32 or INT32. */
const typeOf = ({ data }: TfliteTensor): number => (data instanceof Int32Array ? 2 : 0);

/** @returns a file of the schema's version 3 */
export function tfliteModel({ operator, version, inputs, outputShape, options }: TfliteOperator): Uint8Array<ArrayBuffer> {
  const { code, optionsType, fields } = operators[operator];
  const tensors: readonly TfliteTensor[] = [...inputs, { shape: outputShape }];
  const output = inputs.length;
  const given = inputs.findIndex(({ data }) => !data);
  const builder = new Builder(1024);

  // A buffer for each tensor; the first is nobody's and must be empty, those of input and output are.
  const buffers = tensors.map(({ data }) => table(builder, data ? at(bytes(builder, data)) : absent));
  const nobodys = table(builder);
  const tensorTables = tensors.map((tensor, i) =>
    table(builder, ...[at(integers(builder, tensor.shape)), byte(typeOf(tensor)), integer(i + 1), at(builder.createString(`t${i}`))]),
  );
  const settings = table(builder, ...options.map((value, i) => (fields[i] === 8 ? byte(value) : integer(value))));
  const [from, to] = [integers(builder, [...inputs.keys()]), integers(builder, [output])];
  const node = table(builder, integer(0), at(from), at(to), byte(optionsType), at(settings));
  const graph = table(
    builder,
    at(tables(builder, ...tensorTables)),
    at(integers(builder, [given])),
    at(integers(builder, [output])),
    at(tables(builder, node)),
  );
  // The code stands twice: where it always stood, and where codes above 127 have room.
  const used = table(builder, byte(code), absent, integer(version), integer(code));
  const root = table(
    builder,
    integer(3),
    at(tables(builder, used)),
    at(tables(builder, graph)),
    at(builder.createString('layer')),
    at(tables(builder, nobodys, ...buffers)),
  );
  builder.finish(root, 'TFL3');
  return builder.asUint8Array();
}
