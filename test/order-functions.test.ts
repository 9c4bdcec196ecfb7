/** Functions of a binary in another order: each near its like, and everything as it was. */
import { expect, it } from 'vitest';
import { compileAssembly } from '../scripts/compile-assembly.ts';
import { orderFunctions } from '../scripts/order-functions.ts';

const source = `
// @ts-ignore: decorator
@inline
function scaled(from: usize, by: i32): v128 { return f32x4.mul(v128.load(from), f32x4.splat(<f32>by)); }
export function vectors(from: usize, to: usize): void { v128.store(to, f32x4.add(scaled(from, count(3)), scaled(from, 2))); }
export function count(n: i32): i32 { let sum = 0; for (let i = 0; i < n; i++) sum += (i ^ n) * i; return sum; }
export function tripled(n: i32): i32 { return count(n) * 3; }
export function squares(from: usize): f32 { return f32x4.extract_lane(f32x4.sqrt(f32x4.abs(scaled(from, 1))), 0); }
export function double(n: i32): i32 { return count(n) * 2 + count(n + 1); }
`;

interface Exports {
  vectors(from: number, to: number): void;
  count(n: number): number;
  tripled(n: number): number;
  squares(from: number): number;
  double(n: number): number;
}

function exportsOf(binary: Uint8Array): { exports: Exports; floats: Float32Array } {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary as BufferSource), { env: { memory } });
  return { exports: exports as unknown as Exports, floats: new Float32Array(memory.buffer) };
}

/** Names of exported functions in the order of the binary, whose numbers are what JavaScript calls a function. */
function orderOf(exports: Exports): string[] {
  const numbers = Object.entries(exports).map(([name, { name: number }]) => [name, Number(number)] as const);
  return numbers.sort((a, b) => a[1] - b[1]).map(([name]) => name);
}

it('functions of vectors, which calls keep apart, become neighbours', async () => {
  const { binary } = await compileAssembly({ 'index.ts': source });
  const apart = (order: readonly string[]): number => Math.abs(order.indexOf('vectors') - order.indexOf('squares'));
  const before = orderOf(exportsOf(binary).exports);
  const after = orderOf(exportsOf(orderFunctions(binary)).exports);
  expect(apart(before)).toBeGreaterThan(1);
  expect(apart(after)).toBe(1);
  expect([...after].sort()).toEqual([...before].sort());
});

it('they compute what they did', async () => {
  const { binary } = await compileAssembly({ 'index.ts': source });
  const results = [binary, orderFunctions(binary)].map((bytes) => {
    const { exports, floats } = exportsOf(bytes);
    floats.set([1, -2, 3, 0.5], 256);
    exports.vectors(1024, 2048);
    return [exports.count(7), exports.double(5), exports.squares(1024), ...floats.subarray(512, 516)];
  });
  expect(results[1]).toEqual(results[0]);
  expect(results[0]?.slice(-4)).not.toEqual([0, 0, 0, 0]);
});
