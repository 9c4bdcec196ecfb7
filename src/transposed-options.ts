/** Options of a transposed convolution and its gradients → settings: those of a convolution, and the size of the result. */
import { conflict, unsupported } from './check.ts';
import { type ConvSettings, convFields, convSettings, eachDimension, gradientFields, perDimension, type Rank } from './options.ts';
import type { ConvOptions, TransposedSizes } from './types.ts';

/** Options of any convolution, transposed convolution or gradient. */
export type GivenOptions = ConvOptions & TransposedSizes;

const sizes = ['outputPadding', 'outputSize'];
export const transposedFields: readonly string[] = /* @__PURE__ */ convFields.concat(sizes);
export const transposedGradientFields: readonly string[] = /* @__PURE__ */ gradientFields.concat(sizes);

/** As `convSettings`. @throws RangeError for two options that both say how large the result is */
export function transposedSettings(op: string, rank: Rank, options: GivenOptions | undefined, fields: readonly string[]): ConvSettings {
  const settings = convSettings(op, rank, options, fields, 'io');
  const { outputPadding: given = 0, outputSize: asked } = options ?? {};
  const { padding, paddingMode } = settings;
  if (paddingMode !== 'zeros') throw unsupported(op, `paddingMode must be 'zeros', got '${paddingMode}': there is nothing to pad with`);
  const outputPadding = perDimension(op, 'outputPadding', given, rank, 0);
  const outputSize = asked === undefined ? undefined : eachDimension(op, 'outputSize', asked, rank, 1);
  const enlarged = outputPadding.some((n) => n > 0);
  if (enlarged && outputSize) throw conflict(op, 'outputPadding and outputSize exclude each other');
  if (enlarged && typeof padding === 'string') throw conflict(op, `outputPadding and padding '${padding}' exclude each other`);
  return { ...settings, outputPadding, outputSize };
}
