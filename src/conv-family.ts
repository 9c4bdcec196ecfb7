/** What the operations on an image and one weight have in common. */
import type { Context } from './call.ts';
import { convCalls, packings, RECORD_BYTES } from './conv-program.ts';
import { operation } from './operation.ts';
import { type ConvSettings, callFields, layerFields } from './options.ts';
import { packedBytes } from './plan.ts';
import { type Planning, planner } from './planner.ts';
import type { Program } from './program.ts';
import type { ConvShape, FilterShape } from './shape.ts';
import type { ConvOptions, Tensor } from './types.ts';

/** The program that sums over all taps, or computes tiles of F(m, r). */
export function summedProgram(
  op: string,
  planning: Planning,
  shapeOf: (op: string, inputShape: readonly number[], filter: FilterShape, settings: ConvSettings) => ConvShape,
  weight: Tensor,
  filter: FilterShape,
  settings: ConvSettings,
  calling: boolean,
): Program {
  const { pack, plan } = planner(op, planning, weight, filter, settings, calling);
  // What a layer keeps must not keep the tensors that were packed.
  const kept: ConvSettings = { ...settings, bias: undefined };
  const { isBack } = planning;
  return {
    op,
    recordBytes: RECORD_BYTES,
    packedBytes: packedBytes(pack),
    packings: packings(weight, filter, settings, pack, isBack ? filter.groupInC * filter.groups : filter.outC),
    ...convCalls((inputShape) => shapeOf(op, inputShape, filter, kept), plan, kept, isBack),
  };
}

/**
 * @param known     options that it takes
 * @param settingsOf options, of which a layer takes fewer
 * @param program   made of the weight, as it was given, and the checked options
 */
export function convFamily(
  context: Context,
  op: string,
  known: readonly string[],
  settingsOf: (options: ConvOptions | undefined, fields: readonly string[]) => ConvSettings,
  program: (weight: unknown, settings: ConvSettings, calling: boolean) => Program,
): unknown {
  const fields = { call: callFields(known), layer: layerFields(known) };
  return operation(op, context, 1, ([weight], options, calling) =>
    program(weight, settingsOf(options, calling ? fields.call : fields.layer), calling),
  );
}
