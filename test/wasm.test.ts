/** What the binaries take and give, read from their bytes: this host need not know their instructions. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Kernels } from '../src/kernels.ts';
import { taskKernels } from '../src/task-kernels.ts';

/** Sections of the format by their numbers, custom ones left out: https://webassembly.github.io/spec/core/binary/modules.html */
const IMPORT = 2;
const MEMORY = 5;
const GLOBAL = 6;
const EXPORT = 7;
const START = 8;
const kinds = ['func', 'table', 'memory', 'global', 'tag'] as const;
type Kind = (typeof kinds)[number];

interface External {
  readonly name: string;
  readonly kind: Kind;
}

class Reader {
  #at = 0;

  constructor(readonly bytes: Uint8Array) {}

  get more(): boolean {
    return this.#at < this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.#at++];
    if (byte === undefined) throw new Error('ends too early');
    return byte;
  }

  /** An unsigned integer, seven bits to a byte. */
  integer(): number {
    for (let [value, scale] = [0, 1]; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  take(length: number): Uint8Array {
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.integer()));
  }

  kind(): Kind {
    return kinds[this.byte()] as Kind;
  }

  list<T>(item: () => T): T[] {
    return Array.from({ length: this.integer() }, item);
  }
}

/** The sections of a file by their numbers. */
function sections(file: string): Map<number, Uint8Array> {
  const reader = new Reader(readFileSync(new URL(`../${file}`, import.meta.url)));
  expect([...reader.take(8)]).toEqual([0, 97, 115, 109, 1, 0, 0, 0]);
  const found = new Map<number, Uint8Array>();
  while (reader.more) {
    const id = reader.byte();
    const body = reader.take(reader.integer());
    if (id !== 0) found.set(id, body);
  }
  return found;
}

function section(all: Map<number, Uint8Array>, id: number): Reader {
  return new Reader(all.get(id) ?? Uint8Array.of(0));
}

function exportsOf(all: Map<number, Uint8Array>): External[] {
  const reader = section(all, EXPORT);
  return reader.list(() => {
    const [name, kind] = [reader.name(), reader.kind()];
    reader.integer();
    return { name, kind };
  });
}

type Import = External & { readonly shared?: boolean; readonly maximum?: number | undefined };

function importsOf(all: Map<number, Uint8Array>): Import[] {
  const reader = section(all, IMPORT);
  return reader.list(() => {
    const [from, field, kind] = [reader.name(), reader.name(), reader.kind()];
    const name = `${from}.${field}`;
    if (kind === 'func') reader.integer();
    if (kind !== 'memory') return { name, kind };
    const flags = reader.byte();
    reader.integer();
    return { name, kind, shared: (flags & 2) !== 0, maximum: (flags & 1) !== 0 ? reader.integer() : undefined };
  });
}

/** As src/kernels.ts names them: the compiler holds this list to be whole and without more. */
const kernels: Readonly<Record<Exclude<keyof Kernels, (typeof taskKernels)[number]>, Kind>> = {
  heapBase: 'global',
  version: 'global',
  relaxed: 'global',
  packWinograd: 'func',
  packPointwise: 'func',
  packRows: 'func',
  packPanels: 'func',
  packTaps: 'func',
  packBias: 'func',
};
const byName = (list: readonly External[]): External[] => [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
const named = byName([
  ...Object.entries(kernels).map(([name, kind]) => ({ name, kind })),
  ...taskKernels.map((name) => ({ name, kind: 'func' as const })),
]);

const own: Import = { name: 'env.memory', kind: 'memory', shared: false, maximum: undefined };
/** A shared memory is imported up to all that a 32-bit address reaches. */
const shared: Import = { ...own, shared: true, maximum: 65536 };

describe.each([
  ['dist/kernels.wasm', [own]],
  ['dist/kernels-relaxed.wasm', [own]],
  ['dist/kernels-threads.wasm', [shared]],
  ['dist/kernels-threads-relaxed.wasm', [shared]],
  ['build/kernels-debug.wasm', [own]],
])('%s', (file, imports) => {
  const all = sections(file);

  it('takes a memory and nothing else', () => {
    expect(byName(importsOf(all))).toEqual(imports);
    expect(all.has(MEMORY)).toBe(false);
  });

  it('gives its kernels and three constants: no memory, no table, nothing that can be set', () => {
    expect(byName(exportsOf(all))).toEqual(named);
    if (file.startsWith('dist/')) {
      const globals = section(all, GLOBAL);
      const mutable = globals.list(() => {
        const [, variable, constant] = [globals.byte(), globals.byte(), globals.byte()];
        // i32.const, an integer, end.
        expect(constant).toBe(0x41);
        globals.integer();
        expect(globals.byte()).toBe(0x0b);
        return variable;
      });
      expect(mutable).toEqual([0, 0, 0]);
    }
  });

  it('runs nothing by itself', () => {
    expect(all.has(START)).toBe(false);
  });
});

it.each(['', '-relaxed'])('the binaries for threads are the others but for their memory: kernels%s.wasm', (build) => {
  const [plain, threads] = [sections(`dist/kernels${build}.wasm`), sections(`dist/kernels-threads${build}.wasm`)];
  expect([...threads.keys()]).toEqual([...plain.keys()]);
  for (const [id, body] of plain) if (id !== IMPORT) expect(threads.get(id), `section ${id}`).toEqual(body);
});
