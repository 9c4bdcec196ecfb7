/** An hour's worth of calls, engines and layers, one after another: what is left of them. `--help` says how. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker as NodeWorker } from 'node:worker_threads';
import { progressBar } from '../bench/progress.ts';
import { failure, readArgs, wholeNumber } from '../cli/usage.ts';
import { createEngine, createEngineSync, type Engine, type Layer, type Tensor } from '../src/index.ts';
import { workerSource } from '../src/worker-source.ts';
import { canPrepare } from '../test/any-call.ts';
import { everyCall, splitOptions } from '../test/every-call.ts';
import { filled } from '../test/family.ts';

const help = `Usage: npm run soak -- [options]

Computes, makes and disposes of, and looks at what is left: the linear memory, V8's heap and buffers after a collection, workers, listeners
and all that would keep the process alive. Each phase is run in eight parts; it is flat where two of them, one after the other, add nothing.

  --calls <n>      small calls of every operation, in both layouts, on one engine (default 1000000)
  --shapes <n>     calls of changing shapes on one engine (default 10000)
  --engines <n>    engines made and disposed of (default 1000)
  --threads <n>    engines of two threads made and disposed of, beside them (default 50)
  --layers <n>     layers prepared, run and disposed of, on one engine (default 10000)
  --json           one JSON object on standard output
  --help           this text

Progress goes to standard error. Exit code: 0, 1 when something is left, 2 for a wrong option.
`;

/** Bytes that two parts may add to V8's heap: less than one small object for each of a few thousand calls, more than its own bookkeeping takes. */
const HEAP_SLACK = 16 * 1024;
/**
 * What V8's weak tables keep of each engine until they are next tidied up: 110 bytes measured, over 8000 engines, gone again after 5000 of them. An engine that
 * stays has tens of kilobytes, and its buffers.
 */
const WEAK_BYTES = 256;
/** To its buffers: those of an engine are 64 KiB at least. */
const BUFFER_SLACK = 48 * 1024;
/** In the first ones functions are still being compiled. */
const PARTS = 8;

/** Steps of a phase before it is measured: what is made once is made then. */
const WARM = 8;

interface Phase {
  readonly name: string;
  readonly count: number;
  /** The nth step. The largest of them was run before. */
  readonly step: (n: number) => void | Promise<void>;
  /** Makes an engine in each step. */
  readonly makesEngines?: boolean;
  /** Of its engine; 0 where it has none that stays. */
  readonly memory: () => number;
  readonly end: () => void;
}

/** After a collection. */
interface Measure {
  /** V8's heap, and buffers outside of it. */
  readonly heapBytes: number;
  readonly bufferBytes: number;
  readonly memoryBytes: number;
  readonly resources: number;
  readonly listeners: number;
  readonly workers: number;
}

interface Finding {
  readonly name: string;
  readonly count: number;
  readonly seconds: number;
  readonly before: Measure;
  readonly after: Measure;
  /** What grew, in words. */
  readonly left: readonly string[];
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let workers = 0;

/** As the library's own, but counted. */
function countedWorker(): Worker {
  const worker = new NodeWorker(new URL(`data:text/javascript,${encodeURIComponent(workerSource)}`));
  workers++;
  worker.once('exit', () => workers--);
  return worker as unknown as Worker;
}

/** Memories of modules are given back in later rounds, workers end when the event loop turns. */
async function measure(memory: () => number): Promise<Measure> {
  for (let round = 0; round < 5; round++) {
    collect();
    await turn();
  }
  for (let wait = 0; wait < 200 && workers > 0; wait++) await new Promise((resolve) => setTimeout(resolve, 10));
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    heapBytes: heapUsed,
    bufferBytes: external + arrayBuffers,
    memoryBytes: memory(),
    resources: process.getActiveResourcesInfo().length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    workers,
  };
}

/** What two parts after the first add at least: two, since what one leaves to be collected goes with the next. A leak is in all of them. */
function growth(measures: readonly Measure[], of: (measure: Measure) => number): number {
  return Math.min(...measures.slice(3).map((measure, i) => of(measure) - of(measures[i + 1] as Measure)));
}

function leftBehind({ count, makesEngines = false }: Phase, measures: readonly Measure[]): string[] {
  const [first, last] = [measures[0], measures.at(-1)] as [Measure, Measure];
  const left: string[] = [];
  const heap = growth(measures, ({ heapBytes }) => heapBytes);
  const tables = makesEngines ? (2 * count * WEAK_BYTES) / PARTS : 0;
  if (heap > HEAP_SLACK + tables) left.push(`two parts of eight add ${heap} bytes or more to V8's heap`);
  const buffers = growth(measures, ({ bufferBytes }) => bufferBytes);
  if (buffers > BUFFER_SLACK) left.push(`two parts of eight add ${buffers} bytes or more of buffers`);
  if (last.memoryBytes > first.memoryBytes) left.push(`the linear memory grew from ${first.memoryBytes} to ${last.memoryBytes} bytes`);
  if (last.workers > 0) left.push(`${last.workers} workers`);
  if (last.listeners > first.listeners) left.push(`${last.listeners - first.listeners} listeners`);
  if (last.resources > first.resources) left.push(`${last.resources - first.resources} of ${process.getActiveResourcesInfo().join(', ')}`);
  return left;
}

async function run(phase: Phase, show: (done: number) => void): Promise<Finding> {
  const { name, count, step, memory } = phase;
  for (let n = 0; n < WARM; n++) await step(n);
  const measures = [await measure(memory)];
  const begin = performance.now();
  for (let part = 0; part < PARTS; part++) {
    const [from, to] = [Math.floor((count * part) / PARTS), Math.floor((count * (part + 1)) / PARTS)];
    show(from);
    for (let n = from; n < to; n++) {
      const waits = step(n);
      if (waits) await waits;
    }
    measures.push(await measure(memory));
  }
  const seconds = (performance.now() - begin) / 1000;
  phase.end();
  return { name, count, seconds, before: measures[0] as Measure, after: measures.at(-1) as Measure, left: leftBehind(phase, measures) };
}

type Anything = (...given: readonly unknown[]) => Tensor;

function smallCalls(count: number): Phase {
  const engine = createEngineSync();
  const calls = [false, true]
    .flatMap((last) => everyCall(last, 3))
    .map(
      ([op, given]) =>
        () =>
          (engine[op] as unknown as Anything)(...given),
    );
  for (let n = 0; n < 50 * calls.length; n++) calls[n % calls.length]?.();
  return {
    name: 'small calls',
    count,
    step: (n) => void calls[n % calls.length]?.(),
    memory: () => engine.info.memoryBytes,
    end: () => engine.dispose(),
  };
}

function changingShapes(count: number): Phase {
  const engine = createEngineSync();
  const weight = filled([8, 3, 3, 3], 2);
  const most = 64;
  const call = (height: number, width: number): Tensor => engine.conv2d(filled([1, 3, height, width]), weight, { padding: 1 });
  for (let n = 0; n < 100; n++) call(most, most);
  return {
    name: 'changing shapes',
    count,
    // Steps that share no divisor with the sizes: every pair comes.
    step: (n) => void call(1 + ((n * 37) % most), 1 + ((n * 53 + Math.floor(n / most)) % most)),
    memory: () => engine.info.memoryBytes,
    end: () => engine.dispose(),
  };
}

const image = filled([1, 64, 28, 28]);
const weight = filled([64, 64, 3, 3], 2);

/** Large enough for several threads, prepared and not, from and into engine tensors. */
function use(engine: Engine): void {
  const layer = engine.conv2d.prepare(weight, { padding: 1 });
  const input = engine.alloc(image.shape);
  input.data.set(image.data);
  layer.run(input, { out: engine.alloc([1, 64, 28, 28]) });
  engine.conv2d(image, weight, { padding: 1, accuracy: 'exact' });
}

function engines(count: number): Phase {
  const step = async (n: number): Promise<void> => {
    const engine = n % 2 === 0 ? createEngineSync() : await createEngine();
    use(engine);
    engine.dispose();
  };
  return { name: 'engines', count, makesEngines: true, step, memory: () => 0, end: () => {} };
}

function threadedEngines(count: number): Phase {
  const step = async (n: number): Promise<void> => {
    // Every other one starts its thread as it is wont to.
    const engine = await createEngine({ threads: 2, ...(n % 2 === 0 ? { worker: countedWorker } : {}) });
    if (engine.info.threads !== 2) throw new Error(`two threads were asked for: ${engine.info.threadsReason}`);
    use(engine);
    engine.dispose();
  };
  return { name: 'engines of two threads', count, makesEngines: true, step, memory: () => 0, end: () => {} };
}

function layers(count: number): Phase {
  const engine = createEngineSync();
  const made = [false, true]
    .flatMap((last) => everyCall(last, 5))
    .filter(([op]) => canPrepare(op))
    .map(([op, given]) => {
      const [[input, ...weights], options] = splitOptions(given);
      const { prepare } = engine[op] as unknown as { prepare: (...all: readonly unknown[]) => Layer };
      return { input: input as Tensor, prepare: () => prepare(...weights, options) };
    });
  // A few live at a time, and go in another order than they came.
  const alive: Layer[] = [];
  const step = (n: number): void => {
    const { input, prepare } = made[n % made.length] as (typeof made)[0];
    const layer = prepare();
    layer.run(input);
    alive.push(layer);
    if (alive.length > 4) alive.splice((n * 3) % alive.length, 1)[0]?.dispose();
  };
  for (let n = 0; n < 20 * made.length; n++) step(n);
  return {
    name: 'layers',
    count,
    step,
    memory: () => engine.info.memoryBytes,
    end: () => {
      for (const layer of alive) layer.dispose();
      engine.dispose();
    },
  };
}

/** Bytes, as people read them. */
const bytes = (count: number): string => (count >= 1e6 ? `${(count / 1e6).toFixed(2)} MB` : `${(count / 1e3).toFixed(1)} kB`);

function line({ name, count, seconds, before, after, left }: Finding): string {
  const change = (of: (measure: Measure) => number): string => `${bytes(of(before))} → ${bytes(of(after))}`;
  const sizes = [
    `linear memory ${change(({ memoryBytes }) => memoryBytes)}`,
    `heap ${change(({ heapBytes }) => heapBytes)}`,
    `buffers ${change(({ bufferBytes }) => bufferBytes)}`,
    `workers ${after.workers}, resources ${before.resources} → ${after.resources}`,
  ];
  return `${count} ${name}, ${seconds.toFixed(1)} s: ${sizes.join('; ')}\n${left.map((what) => `  left: ${what}\n`).join('')}`;
}

async function main(): Promise<number> {
  const { values } = readArgs({
    options: {
      calls: { type: 'string', default: '1000000' },
      shapes: { type: 'string', default: '10000' },
      engines: { type: 'string', default: '1000' },
      threads: { type: 'string', default: '50' },
      layers: { type: 'string', default: '10000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const counts = {
    calls: wholeNumber('calls', values.calls),
    shapes: wholeNumber('shapes', values.shapes),
    engines: wholeNumber('engines', values.engines),
    threads: wholeNumber('threads', values.threads),
    layers: wholeNumber('layers', values.layers),
  };
  const phases: readonly (() => Phase)[] = [
    () => smallCalls(counts.calls),
    () => changingShapes(counts.shapes),
    () => engines(counts.engines),
    () => threadedEngines(counts.threads),
    () => layers(counts.layers),
  ];
  const bar = progressBar(process.stderr, phases.length * PARTS);
  const findings: Finding[] = [];
  for (const [i, make] of phases.entries()) {
    const phase = make();
    const show = (done: number): void => bar.show(i * PARTS + Math.round((done * PARTS) / phase.count), `${done} ${phase.name}`);
    const finding = await run(phase, show);
    findings.push(finding);
    bar.clear();
    if (!values.json) process.stdout.write(line(finding));
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ node: process.versions.node, findings })}\n`);
  return findings.some(({ left }) => left.length > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = failure(error, help);
}
