/**
 * The 128-bit multiply + add ceiling of one core: six chains of multiplies and six of adds, nothing but registers.
 * Independent chains, because `c += x * c` would wait for its own latency; six of each, because a multiply takes four
 * cycles on the cores we know and at most 1.5 of each start per cycle there (Intel, three vector ports), and because
 * 12 accumulators and two operands are what fits in V8's 15 registers. Memory at `a` must hold ones, or products decay.
 */
export function ceilingSource(k: number): string {
  const chains = [0, 1, 2, 3, 4, 5];
  return `
export function run(a: usize, rowBytes: usize, b: usize, c: usize, k: i32): void {
  const x = v128.load(a), y = v128.load(b);
  ${chains.map((i) => `let p${i} = v128.load(c, ${32 * i}), s${i} = v128.load(c, ${32 * i + 16});`).join('\n  ')}
  for (let n = ${k}; n != 0; n--) {
    ${chains.map((i) => `p${i} = f32x4.mul(p${i}, x); s${i} = f32x4.add(s${i}, y);`).join('\n    ')}
  }
  ${chains.map((i) => `v128.store(c, p${i}, ${32 * i}); v128.store(c, s${i}, ${32 * i + 16});`).join('\n  ')}
}`;
}

/** Floating-point operations of one call: twelve vector instructions of four lanes per step. */
export const ceilingFlops = (k: number): number => 12 * 4 * k;

/** Steps of one call where nothing else is measured: some 20 µs or more, so that entering it does not show. */
export const ceilingSteps = 20000;
