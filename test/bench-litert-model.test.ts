import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TfliteOperator } from '../bench/litert/tflite-model.ts';

/** What writes the file belongs to bench/, whose packages no test installs. */
const installed = existsSync(new URL('../bench/node_modules/flatbuffers/package.json', import.meta.url));

/** Reads tables of a FlatBuffer by the numbers of their fields. @see https://flatbuffers.dev/internals/ */
class Table {
  constructor(
    private readonly view: DataView,
    private readonly start: number,
  ) {}

  static root(bytes: Uint8Array): Table {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new Table(view, view.getUint32(0, true));
  }

  /** Where a field stands; undefined where it was left out. */
  private place(field: number): number | undefined {
    const list = this.start - this.view.getInt32(this.start, true);
    const entry = 4 + 2 * field;
    const offset = entry < this.view.getUint16(list, true) ? this.view.getUint16(list + entry, true) : 0;
    return offset === 0 ? undefined : this.start + offset;
  }

  private target(field: number): number {
    const at = this.place(field);
    if (at === undefined) throw new RangeError(`no field ${field}`);
    return at + this.view.getUint32(at, true);
  }

  byte(field: number): number {
    const at = this.place(field);
    return at === undefined ? 0 : this.view.getInt8(at);
  }

  integer(field: number): number {
    const at = this.place(field);
    return at === undefined ? 0 : this.view.getInt32(at, true);
  }

  table(field: number): Table {
    return new Table(this.view, this.target(field));
  }

  /** Elements of four bytes. */
  private elements<T>(field: number, read: (at: number) => T): T[] {
    const from = this.target(field);
    return Array.from({ length: this.view.getUint32(from, true) }, (_, i) => read(from + 4 + 4 * i));
  }

  integers(field: number): number[] {
    return this.elements(field, (at) => this.view.getInt32(at, true));
  }

  tables(field: number): Table[] {
    return this.elements(field, (at) => new Table(this.view, at + this.view.getUint32(at, true)));
  }

  /** Bytes, as the floats they are, and where they begin. */
  floats(field: number): { values: number[]; at: number } | undefined {
    if (this.place(field) === undefined) return undefined;
    const from = this.target(field);
    const length = this.view.getUint32(from, true) / 4;
    return { values: Array.from({ length }, (_, i) => this.view.getFloat32(from + 4 + 4 * i, true)), at: from + 4 };
  }
}

describe.skipIf(!installed)('model of TensorFlow Lite (needs the packages of bench/)', () => {
  const weight = { shape: [2, 1, 1, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const bias = { shape: [2], data: Float32Array.of(7, 8) };
  const operator: TfliteOperator = {
    operator: 'CONV_2D',
    version: 6,
    inputs: [{ shape: [1, 4, 5, 3] }, weight, bias],
    outputShape: [1, 4, 3, 2],
    options: [1, 2, 1, 0, 1, 3],
  };

  async function modelOf(of: TfliteOperator): Promise<Uint8Array> {
    const { tfliteModel } = await import('../bench/litert/tflite-model.ts');
    return tfliteModel(of);
  }

  it('can be read back', async () => {
    const bytes = await modelOf(operator);
    expect(new TextDecoder().decode(bytes.subarray(4, 8))).toBe('TFL3');
    const model = Table.root(bytes);
    expect(model.integer(0)).toBe(3);
    expect(model.tables(1).map((code) => [code.byte(0), code.integer(2), code.integer(3)])).toEqual([[3, 6, 3]]);
    const [graph] = model.tables(2) as [Table];
    expect([graph.integers(1), graph.integers(2)]).toEqual([[0], [3]]);
    const tensors = graph.tables(0);
    expect(tensors.map((tensor) => tensor.integers(0))).toEqual([[1, 4, 5, 3], [2, 1, 1, 3], [2], [1, 4, 3, 2]]);
    expect(tensors.map((tensor) => tensor.byte(1))).toEqual([0, 0, 0, 0]);
    const [node] = graph.tables(3) as [Table];
    expect([node.integer(0), node.integers(1), node.integers(2), node.byte(3)]).toEqual([0, [0, 1, 2], [3], 1]);
    const options = node.table(4);
    expect([options.byte(0), options.integer(1), options.integer(2), options.byte(3), options.integer(4), options.integer(5)]).toEqual(
      operator.options,
    );
  });

  it('has its constants aligned, and an empty buffer first', async () => {
    const bytes = await modelOf(operator);
    const model = Table.root(bytes);
    const buffers = model.tables(4).map((buffer) => buffer.floats(0));
    const [graph] = model.tables(2) as [Table];
    const ofTensors = graph.tables(0).map((tensor) => buffers[tensor.integer(2)]);
    expect(ofTensors.map((data) => data?.values)).toEqual([undefined, [...weight.data], [...bias.data], undefined]);
    for (const data of ofTensors) if (data) expect(data.at % 16).toBe(0);
    expect(buffers[0]).toBeUndefined();
  });

  it('is given the one input that has no data', async () => {
    const size = { shape: [4], data: Int32Array.of(1, 8, 8, 2) };
    const bytes = await modelOf({
      operator: 'TRANSPOSE_CONV',
      version: 1,
      inputs: [size, weight, { shape: [1, 4, 4, 3] }],
      outputShape: [1, 8, 8, 2],
      options: [0, 2, 2],
    });
    const [graph] = Table.root(bytes).tables(2) as [Table];
    expect([graph.integers(1), graph.integers(2)]).toEqual([[2], [3]]);
    expect(graph.tables(0).map((tensor) => tensor.byte(1))).toEqual([2, 0, 0, 0]);
    expect(Table.root(bytes).tables(1)[0]?.byte(0)).toBe(67);
  });
});
