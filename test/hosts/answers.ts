/** What the app answers in every host, and what is right. */
import { expect, inject } from 'vitest';
import type { EngineInfo } from '../../src/index.ts';

export interface Answer {
  /** [kind, 10] */
  readonly logits: readonly number[];
  readonly info: EngineInfo;
}

export interface Answers {
  /** By the exported conv2d, before anything else. */
  readonly exported: readonly number[];
  /** By defaultEngine. */
  readonly shared: Answer;
  /** By the build whose bits are the same everywhere. */
  readonly plain: Answer;
  /** Without options. */
  readonly usual: Answer;
  /** Two threads were asked for. */
  readonly threaded: Answer;
  /** A page's or a worker's crossOriginIsolated. */
  readonly isolated?: boolean;
  /** Relaxed SIMD, as the host says itself. */
  readonly hasRelaxed: boolean;
}

export interface Expected {
  /** Undefined: what the host says that it has. */
  readonly simd?: EngineInfo['simd'];
  /** Why there are no two threads; undefined where there are. */
  readonly whyAlone?: string;
}

const CLASSES = 10;
/** Of the largest logit. Float32 sums of up to 2352 products, five layers in a row: 6·10⁻⁷ on this machine's Node, ten units of 2⁻²⁴. */
const TOLERANCE = 3e-6;

function digitsRead(logits: readonly number[]): number[] {
  return Array.from({ length: logits.length / CLASSES }, (_, i) => {
    const ten = logits.slice(i * CLASSES, (i + 1) * CLASSES);
    return ten.indexOf(Math.max(...ten));
  });
}

export function expectDigits({ exported, shared, plain, usual, threaded, hasRelaxed }: Answers, { simd, whyAlone }: Expected): void {
  const { reference, bits } = inject('truth');
  const bound = TOLERANCE * Math.max(...reference.map(Math.abs));
  for (const logits of [exported, plain.logits, usual.logits, threaded.logits]) {
    expect(digitsRead(logits)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const error = Math.max(...logits.map((logit, i) => Math.abs(logit - (reference[i] as number))));
    expect(error).toBeLessThan(bound);
  }
  expect(plain.logits).toEqual(bits);
  expect(threaded.logits).toEqual(bits);
  expect(plain.info).toMatchObject({ simd: 'simd128', threads: 1 });
  expect(usual.info).toMatchObject({ simd: simd ?? (hasRelaxed ? 'relaxed' : 'simd128'), threads: 1 });
  // One build, whoever compiled it.
  expect(exported).toEqual(usual.logits);
  expect(shared.logits).toEqual(usual.logits);
  expect(shared.info).toMatchObject({ simd: usual.info.simd, threads: 1 });
  expect(usual.info.threadsReason).toBeUndefined();
  expect(threaded.info).toMatchObject({ simd: 'simd128', threads: whyAlone === undefined ? 2 : 1 });
  expect(threaded.info.threadsReason).toBe(whyAlone);
}
