/** Where figures come from: without it they mean nothing. */
import { cpus } from 'node:os';

export interface Machine {
  readonly node: string;
  readonly v8: string;
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

export function machineLine({ node, v8, cpu, cores, date }: Machine): string {
  return `Node ${node} (V8 ${v8}), ${cpu}, ${cores} cores, ${date}`;
}
