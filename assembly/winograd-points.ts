/**
 * Points of the transforms, shared with TypeScript: nothing here may use a type of AssemblyScript.
 *
 * F(m, r) makes m results of r taps from m + r − 1 products: it multiplies polynomials by their values at as many points, one of them infinity (Lavin
 * and Gray, arXiv 1509.09308). Any points will do; those near 1 lose fewest bits, and sums of few powers of two keep the constants exact
 * in float32. Measured: see bench/EXPERIMENTS.md.
 */

/** Four points: 0, ±P4, ∞. */
export const P4 = 1;

/** Five: ±P5, ±Q5, ∞. Without 0 they come in pairs, and lose fewer bits than with it. */
export const P5 = 0.375;
export const Q5 = 1.25;

/** Six: 0, ±P6, ±Q6, ∞. */
export const P6 = 0.625;
export const Q6 = 1.5;

/** Eight: 0, ±P8, ±Q8, ±R8, ∞. */
export const P8 = 0.5;
export const Q8 = 1;
export const R8 = 2;
