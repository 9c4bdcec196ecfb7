/** Engines: an instance of the module, its memory, and the operations bound to them. */
import { checkFields, checkInteger, checkOneOf, conflict, disposed, wrongType, wrongValue } from './check.ts';
import { Heap, PAGE_BYTES } from './memory.ts';
import { operationsOf } from './operations.ts';
import { soloTeam } from './team.ts';
import { checkShape, elements, HeapTensor, makeDisposable } from './tensor.ts';
import type { Engine, EngineInfo, EngineOptions, EngineSyncOptions } from './types.ts';
import { type Build, buildFor, instantiate, moduleOf, moduleSync } from './wasm.ts';
import { version } from './wasm-binary.ts';

/** All that a 32-bit address reaches. */
const MOST_PAGES = 65536;

interface Settings {
  readonly maximumPages: number;
  readonly threadsReason: string | undefined;
  /** What is loaded where nothing else is given. */
  readonly build: Build;
  /** The same bits on every machine were asked for: no build that rounds less often will do. */
  readonly exact: boolean;
}

function engineSettings(op: string, options: EngineOptions): Settings {
  checkFields(op, options, ['threads', 'relaxedSimd', 'wasm', 'worker', 'maxMemory']);
  const { threads = 1, relaxedSimd = 'auto', worker, maxMemory = MOST_PAGES * PAGE_BYTES } = options;
  if (typeof threads === 'string') checkOneOf(op, 'threads', threads, ['auto']);
  else checkInteger(op, 'threads', threads, 1);
  if (typeof relaxedSimd !== 'boolean' && relaxedSimd !== 'auto') {
    const wrong = typeof relaxedSimd === 'string' ? wrongValue : wrongType;
    throw wrong(op, 'relaxedSimd', "true, false or 'auto'", relaxedSimd);
  }
  if (worker !== undefined && typeof worker !== 'function' && !(worker instanceof URL))
    throw wrongType(op, 'worker', 'a URL or a function', worker);
  checkInteger(op, 'maxMemory', maxMemory, PAGE_BYTES);
  return {
    maximumPages: Math.min(MOST_PAGES, Math.floor(maxMemory / PAGE_BYTES)),
    build: buildFor(relaxedSimd !== false),
    exact: relaxedSimd === false,
    threadsReason: threads === 1 ? undefined : 'this version computes on the calling thread alone',
  };
}

function makeEngine(op: string, module: WebAssembly.Module, { maximumPages, threadsReason, exact }: Settings): Engine {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maximumPages });
  const kernels = instantiate(op, module, memory);
  const relaxed = Number(kernels.relaxed.value) === 1;
  if (relaxed && exact) throw conflict(op, 'wasm is the build for relaxed SIMD, which relaxedSimd: false forbids');
  const heap = new Heap(memory, Number(kernels.heapBase.value), maximumPages * PAGE_BYTES);
  const reason = threadsReason === undefined ? {} : { threadsReason };
  const engine: Omit<Engine, typeof Symbol.dispose> = {
    ...operationsOf({ heap, kernels, team: soloTeam(kernels) }),
    get info(): EngineInfo {
      return { simd: relaxed ? 'relaxed' : 'simd128', threads: 1, ...reason, memoryBytes: heap.bytes, version };
    },
    alloc: (shape) => {
      if (heap.closed) throw disposed('alloc', 'the engine');
      checkShape('alloc', 'shape', shape);
      const length = elements(shape);
      const pointer = heap.take('alloc', length * 4);
      heap.view(pointer, length).fill(0);
      return new HeapTensor(heap, pointer, shape);
    },
    dispose: () => heap.close(),
  };
  makeDisposable(engine);
  return engine as Engine;
}

/**
 * An engine with its own memory. Without options it works in Node, browsers, Deno, Bun and workerd.
 *
 * @throws Error `ERR_HOST` where the host has no 128-bit SIMD or refuses to compile; TypeError, RangeError for options
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const op = 'createEngine';
  const settings = engineSettings(op, options);
  return makeEngine(op, await moduleOf(op, options.wasm, settings.build), settings);
}

/** As `createEngine`, at once: from a module, bytes or the inlined build. */
export function createEngineSync(options: EngineSyncOptions = {}): Engine {
  const op = 'createEngineSync';
  const settings = engineSettings(op, options as EngineOptions);
  return makeEngine(op, moduleSync(op, options.wasm, settings.build), settings);
}

let shared: Promise<Engine> | undefined;

/** The engine behind the exported functions: one for all, never disposed (its `dispose` does nothing). */
export function defaultEngine(): Promise<Engine> {
  if (shared === undefined) {
    shared = createEngine().then((engine) => Object.defineProperty(engine, 'dispose', { value: () => {} }));
    // A host that could not compile now may later: the next call tries again.
    shared.catch(() => {
      shared = undefined;
    });
  }
  return shared;
}
