/** Where figures come from: without it they mean nothing. */
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

export function thisMachine(): Machine {
  const cores = cpus();
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    cpu: cores[0]?.model.trim().replace(/\s+/g, ' ') ?? 'unknown',
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
