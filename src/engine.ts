/** Engines: an instance of the module, its memory, and the operations bound to them. */

import type { Context } from './call.ts';
import { checkFields, checkInteger, checkOneOf, conflict, disposed, wrongType, wrongValue } from './check.ts';
import { contextOf, type Instance, MOST_PAGES, ownInstance, sharedContext } from './core.ts';
import { AllocatedTensor } from './engine-tensor.ts';
import { extras } from './extras.ts';
import { checkVersion } from './given-module.ts';
import { Holds } from './holds.ts';
import { hostThreads, whyAlone } from './host.ts';
import { instantiate } from './kernels.ts';
import { makeDisposable } from './lifetime.ts';
import { PAGE_BYTES, viewIn } from './memory.ts';
import { operationsOf } from './operations.ts';
import { isAtHand } from './own-binary.ts';
import { hasRelaxed, ownModule, ownModuleLater } from './own-module.ts';
import { Pool } from './pool.ts';
import { SecondMemory } from './second-memory.ts';
import { soloTeam } from './team.ts';
import { checkShape, copiedShape, elements } from './tensor.ts';
import type { Engine, EngineInfo, EngineOptions, EngineSyncOptions } from './types.ts';
import { soonerIn } from './unshared.ts';
import { version } from './wasm-binary.ts';
import { moduleOf, moduleSync } from './wasm-source.ts';

interface Settings {
  readonly threads: number | 'auto';
  readonly maximumPages: number;
  /** Fused multiply-add, where nothing else is given. */
  readonly relaxed: boolean;
  /** The same bits on every machine were asked for: no build that rounds less often will do. */
  readonly exact: boolean;
}

/** More threads than any host has. */
const MOST_THREADS = 256;

function engineSettings(op: string, options: EngineOptions): Settings {
  checkFields(op, options, ['threads', 'relaxedSimd', 'wasm', 'worker', 'maxMemory']);
  const { threads = 1, relaxedSimd = 'auto', worker, maxMemory = MOST_PAGES * PAGE_BYTES } = options;
  if (typeof threads === 'string') checkOneOf(op, 'threads', threads, ['auto']);
  else if (checkInteger(op, 'threads', threads, 1) > MOST_THREADS) throw wrongValue(op, 'threads', `at most ${MOST_THREADS}`, threads);
  if (typeof relaxedSimd !== 'boolean' && relaxedSimd !== 'auto') {
    const wrong = typeof relaxedSimd === 'string' ? wrongValue : wrongType;
    throw wrong(op, 'relaxedSimd', "true, false or 'auto'", relaxedSimd);
  }
  if (worker !== undefined && typeof worker !== 'function' && !(worker instanceof URL))
    throw wrongType(op, 'worker', 'a URL or a function', worker);
  checkInteger(op, 'maxMemory', maxMemory, PAGE_BYTES);
  return {
    threads,
    maximumPages: Math.min(MOST_PAGES, Math.floor(maxMemory / PAGE_BYTES)),
    relaxed: relaxedSimd !== false && hasRelaxed(),
    exact: relaxedSimd === false,
  };
}

/** Shared memory is reserved as large as it may become: by halves, until the host has so much. */
function sharedMemory(maximumPages: number): { readonly memory: WebAssembly.Memory; readonly maximumPages: number } {
  for (let pages = maximumPages; ; pages = Math.floor(pages / 2)) {
    try {
      return { memory: new WebAssembly.Memory({ initial: 1, maximum: pages, shared: true }), maximumPages: pages };
    } catch (error) {
      if (pages <= LEAST_SHARED_PAGES) throw error;
    }
  }
}

/** Half of 16 MiB are no memory to compute in. */
const LEAST_SHARED_PAGES = 256;

function checked(op: string, instance: Instance): Instance {
  checkVersion(op, instance.kernels);
  return instance;
}

function sharedInstance(op: string, module: WebAssembly.Module, most: number): Instance {
  const { memory, maximumPages } = sharedMemory(most);
  return checked(op, { module, memory, kernels: instantiate(op, module, memory), maximumPages });
}

/** Threads, or why these are not all that were asked for. */
interface Crew {
  readonly pool?: Pool;
  readonly second?: SecondMemory | undefined;
  readonly reason?: string;
}

/** The face of what computes. */
function engineOf(given: Context, { pool, second, reason }: Crew): Engine {
  const context: Context = { ...given, extras, sooner: second && soonerIn(second.contextFor) };
  const { heap, kernels } = context;
  const engine: Omit<Engine, typeof Symbol.dispose> = {
    ...operationsOf(context),
    get info(): EngineInfo {
      const why = reason ?? pool?.whyFewer;
      const threadsReason = why === undefined ? {} : { threadsReason: why };
      const simd = Number(kernels.relaxed.value) === 1 ? 'relaxed' : 'simd128';
      const memoryBytes = heap.bytes + (second?.bytes ?? 0);
      return { simd, threads: pool?.present ?? 1, ...threadsReason, memoryBytes, version };
    },
    alloc: (shape) => {
      if (heap.closed) throw disposed('alloc', 'the engine');
      // Read once: what was checked is what is used.
      const sizes = copiedShape(shape);
      checkShape('alloc', 'shape', sizes);
      const length = elements(sizes);
      const pointer = heap.take('alloc', length * 4);
      viewIn(heap, pointer, length).fill(0);
      return new AllocatedTensor(heap, pointer, sizes);
    },
    dispose: () => {
      heap.close();
      second?.close();
      pool?.close();
    },
  };
  makeDisposable(engine);
  return engine as Engine;
}

function makeEngine(op: string, instance: Instance, { exact }: Settings, crew: Crew): Engine {
  const relaxed = Number(instance.kernels.relaxed.value) === 1;
  if (relaxed && exact) throw conflict(op, 'wasm is the build for relaxed SIMD, which relaxedSimd: false forbids');
  const { pool, second } = crew;
  const context = contextOf(instance, pool ?? soloTeam(instance.kernels), second);
  second?.beside(context.heap);
  if (pool) {
    const holds = new Holds(context.heap);
    context.heap.keeper = holds;
    pool.onLost = (isGone) => holds.hold(isGone);
  }
  return engineOf(context, crew);
}

/** An engine on the calling thread alone. A binary for threads serves it too, on a memory that is shared with nobody. */
function aloneEngine(op: string, module: WebAssembly.Module, settings: Settings, reason?: string): Engine {
  let instance: Instance;
  try {
    instance = checked(op, ownInstance(op, module, settings.maximumPages));
  } catch (error) {
    try {
      instance = sharedInstance(op, module, settings.maximumPages);
    } catch {
      throw error;
    }
  }
  return makeEngine(op, instance, settings, reason === undefined ? {} : { reason });
}

/** An engine with a pool of threads, or why there is none. */
async function threadedEngine(
  op: string,
  module: WebAssembly.Module,
  settings: Settings,
  threads: number,
  { wasm, worker }: EngineOptions,
): Promise<Engine | string> {
  let instance: Instance;
  try {
    instance = sharedInstance(op, module, settings.maximumPages);
  } catch (error) {
    return `the binary does not run on shared memory: ${(error as Error).message}`;
  }
  let pool: Pool;
  try {
    pool = await Pool.start(instance.kernels, threads, module, instance.memory, worker);
  } catch (error) {
    return `no thread could be started: ${(error as Error).message}`;
  }
  try {
    const relaxed = Number(instance.kernels.relaxed.value) === 1;
    // A call that wants it would hold up a page; one that is sooner makes it.
    if (wasm === undefined && !isAtHand()) void ownModuleLater(op, relaxed).catch(() => undefined);
    // A binary that is given is of one kind.
    const second =
      wasm === undefined ? new SecondMemory(pool, () => ownModule(op, relaxed), instance.maximumPages * PAGE_BYTES) : undefined;
    return makeEngine(op, instance, settings, { pool, second });
  } catch (error) {
    pool.close();
    throw error;
  }
}

/**
 * An engine with its own memory. Without options it works in Node, browsers, Deno, Bun and workerd.
 *
 * @throws Error `ERR_HOST` where the host has no 128-bit SIMD or refuses to compile; TypeError, RangeError for options
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const op = 'createEngine';
  const settings = engineSettings(op, options);
  const { wasm } = options;
  const { relaxed } = settings;
  if (settings.threads === 1) return aloneEngine(op, await moduleOf(op, wasm, { relaxed, shared: false }), settings);
  const threads = settings.threads === 'auto' ? Math.min(MOST_THREADS, await hostThreads()) : settings.threads;
  const reason = threads === 1 ? 'this host runs one thread at a time' : await whyAlone();
  if (reason !== undefined) return aloneEngine(op, await moduleOf(op, wasm, { relaxed, shared: false }), settings, reason);
  const module = await moduleOf(op, wasm, { relaxed, shared: true });
  const made = await threadedEngine(op, module, settings, threads, options);
  if (typeof made !== 'string') return made;
  // What was given is used up, if it was a response, and may serve one thread as well; what comes with the package is made for it.
  const own = wasm === undefined ? await moduleOf(op, wasm, { relaxed, shared: false }) : module;
  return aloneEngine(op, own, settings, made);
}

/** As `createEngine`, at once: from a module, bytes or the inlined build. Threads take time to start: there is one. */
export function createEngineSync(options: EngineSyncOptions = {}): Engine {
  const op = 'createEngineSync';
  const settings = engineSettings(op, options as EngineOptions);
  const module = moduleSync(op, options.wasm, settings.relaxed);
  return aloneEngine(
    op,
    module,
    settings,
    settings.threads === 1 ? undefined : 'threads cannot be started at once: createEngine starts them',
  );
}

let shared: Engine | undefined;

/** The engine behind the exported functions: one for all, never disposed (its `dispose` does nothing). */
export async function defaultEngine(): Promise<Engine> {
  const context = await sharedContext('defaultEngine');
  shared ??= Object.defineProperty(engineOf(context, {}), 'dispose', { value: () => {} });
  return shared;
}
