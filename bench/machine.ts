/** Where figures come from: without it they mean nothing. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { EngineInfo } from '../src/types.ts';

export interface Machine {
  readonly node: string;
  readonly v8: string;
  /** Name and version, where it computed and Node only asked it to. */
  readonly browser?: string;
  readonly cpu: string;
  readonly cores: number;
  /** ISO 8601, UTC, to the minute. */
  readonly date: string;
}

/** Rented machines often hide which processor of a series they have: "AMD EPYC" alone is any of ten years. Its family and model tell. */
function numbered(name: string): string {
  if (/\d/.test(name) || process.platform !== 'linux') return name;
  try {
    const info = readFileSync('/proc/cpuinfo', 'utf8');
    const field = (title: string): string | undefined => new RegExp(`^${title}\\s*: (\\d+)$`, 'm').exec(info)?.[1];
    const [family, model] = [field('cpu family'), field('model')];
    return family === undefined || model === undefined ? name : `${name} (family ${family}, model ${model})`;
  } catch {
    return name;
  }
}

export function thisMachine(): Machine {
  const cores = cpus();
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    cpu: numbered(cores[0]?.model.trim().replace(/\s+/g, ' ') ?? 'unknown'),
    cores: cores.length,
    date: `${new Date().toISOString().slice(0, 16)}Z`,
  };
}

export function machineLine({ node, v8, browser, cpu, cores, date }: Machine): string {
  return `${browser ?? `Node ${node} (V8 ${v8})`}, ${cpu}, ${cores} cores, ${date}`;
}

export function engineLine({ version, simd, threads, threadsReason }: EngineInfo): string {
  const count = threads === 1 ? 'one thread' : `${threads} threads`;
  const reason = threadsReason === undefined ? '' : `: ${threadsReason}`;
  return `wasm-conv ${version}, ${simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD'}, ${count}${reason}`;
}
