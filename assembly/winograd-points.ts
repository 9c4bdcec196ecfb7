/**
 * Points of the transforms, shared with TypeScript: nothing here may use a type of AssemblyScript.
 *
 * F(m, 3) makes m results of three taps from m + 2 products: it multiplies polynomials by their values at m + 1 points, 0 and pairs ± p, and at
 * infinity (Lavin and Gray, arXiv 1509.09308). Any points will do; those near 1 lose fewest bits, and powers of two and their sums keep the
 * constants exact in float32. Measured: see bench/EXPERIMENTS.md.
 */

/** F(2, 3): 0, ±P2, ∞. */
export const P2 = 1;

/** F(4, 3): 0, ±P4, ±Q4, ∞. */
export const P4 = 0.625;
export const Q4 = 1.5;

/** F(6, 3): 0, ±P6, ±Q6, ±R6, ∞. */
export const P6 = 0.5;
export const Q6 = 1;
export const R6 = 2;
