/** `wasm-conv plan`: how a layer would be computed. */
import { callsOf } from '../bench/calls.ts';
import { makeProblem } from '../bench/problem.ts';
import { type LayerShape, parseLayer } from '../bench/shapes.ts';
import { alignedTable, bytesText, work } from '../bench/tables.ts';
import type { Plan } from '../src/types.ts';
import { oneOf, readArgs, UsageError } from './usage.ts';

export const planHelp = `Usage: wasm-conv plan --conv <words> [options]

Prepares a layer and says how it would be computed: algorithm, result, work, memory, and why.

  --conv <words>       the layer in the words of oneDNN's benchdnn, as in g2ic64ih56oc64oh56kh3ph1. A word in front says what is computed where
                       it is no convolution, as in "deconv ic256ih16oc128oh32kh4sh2ph1": deconv, separable, spatial, flattened or gaussian.
                         g groups   mb batch   ic oc channels   id ih iw image   od oh ow result   kd kh kw kernel
                         sd sh sw stride   dd dh dw cells skipped between taps (dilation − 1)   pd ph pw padding at the beginning
                       What is left out is as in the axis before, or 1; padding and skipped cells 0
  --layout <which>     nchw or nhwc (default nchw)
  --algorithm <name>   auto, gemm, winograd, direct or factored (default auto)
  --accuracy <name>    exact, normal or fast (default normal)
  --json               one JSON object on standard output
  --help               this text

Exit code: 0, 1 when the layer cannot be computed so, 2 for a wrong option.
`;

function readOptions(args: readonly string[]) {
  return readArgs({
    args: [...args],
    options: {
      conv: { type: 'string' },
      layout: { type: 'string', default: 'nchw' },
      algorithm: { type: 'string', default: 'auto' },
      accuracy: { type: 'string', default: 'normal' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

function readLayer(words: string | undefined): LayerShape {
  if (words === undefined) throw new UsageError('--conv is missing: which layer?');
  let shape: LayerShape;
  try {
    shape = parseLayer(words.trim(), '--conv');
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause));
  }
  if (shape.operation.includes('bwd'))
    throw new UsageError(`--conv: ${shape.operation} is a gradient: those prepare no weights and have no plan`);
  return shape;
}

function planText({ words, operation }: LayerShape, plan: Plan): string {
  const { algorithm, variant, outputShape, flops, workspaceBytes, weightBytes, reason } = plan;
  const rows = [
    ['algorithm', algorithm],
    ['variant', variant],
    ['result', `[${outputShape.join(', ')}]`],
    ['work', `${work(flops)}, as a direct sum`],
    ['workspace', `${bytesText(workspaceBytes)}, copies of array operands included`],
    ['weights', `${bytesText(weightBytes)}, as they are packed`],
    ['reason', reason],
  ];
  return [operation === 'conv' ? `conv ${words}` : words, alignedTable(rows, 'left')].join('\n');
}

/** @returns the exit code */
export async function plan(args: readonly string[]): Promise<number> {
  const values = readOptions(args);
  if (values.help) {
    process.stdout.write(planHelp);
    return 0;
  }
  const shape = readLayer(values.conv);
  const layout = oneOf('layout', values.layout, ['nchw', 'nhwc']);
  const algorithm = oneOf('algorithm', values.algorithm, ['auto', 'gemm', 'winograd', 'direct', 'factored']);
  const accuracy = oneOf('accuracy', values.accuracy, ['exact', 'normal', 'fast']);

  // Only now: help and wrong options need no engine.
  const { createEngine } = await import('../src/index.ts');
  const engine = await createEngine();
  const found = callsOf(engine, makeProblem(shape), layout, { algorithm, accuracy }).plan?.();
  engine.dispose();
  if (!found) throw new Error(`${shape.operation} has no plan`);
  const { words, operation } = shape;
  process.stdout.write(values.json ? `${JSON.stringify({ words, operation, layout, ...found })}\n` : `${planText(shape, found)}\n`);
  return 0;
}
