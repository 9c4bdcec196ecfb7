/**
 * What fresh processes of Node run: each computes the same small convolution by another library, ends with 1 where the result is wrong, and prints when it was there:
 * milliseconds since the process began, by its own clock.
 */
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { tensor } from '../../src/tensor.ts';
import { onnxModel } from '../onnx.ts';
import { resolvePeer } from '../peer.ts';

const library = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

const [inputShape, weightShape, outputShape] = [
  [1, 3, 32, 32],
  [8, 3, 3, 3],
  [1, 8, 30, 30],
];
/** Of ones by ones: a sum of 3·3·3 products. */
export const rightValue = 27;

const ones = (shape: readonly number[]): string => `new Float32Array(${shape.reduce((a, b) => a * b)}).fill(1), ${JSON.stringify(shape)}`;
const quoted = (text: string): string => JSON.stringify(text);
const done = 'const milliseconds = performance.now();\n';
const told = 'console.log(milliseconds);\n';
const check = (value: string): string => `${done}if (${value} !== ${rightValue}) process.exitCode = 1;\n${told}`;

/** A call of conv2d in a module that has imported it. */
export const firstCall = `await conv2d(tensor(${ones(inputShape)}), tensor(${ones(weightShape)}))`;

const from = ` from ${quoted(pathToFileURL(library).href)};\n`;

/** Of ours, but for the first. */
export const ourPrograms = {
  empty: `${done}${told}`,
  importing: `import { conv2d }${from}${done}if (!conv2d) process.exitCode = 1;\n${told}`,
  first: `import { conv2d, tensor }${from}const { data } = ${firstCall};\n${check('data[0]')}`,
} as const;

/** Prints milliseconds of createEngine after the import, and what its memory takes. */
export const engineProgram = `import { createEngine }${from}
const begin = performance.now();
const engine = await createEngine();
const milliseconds = performance.now() - begin;
console.log(JSON.stringify({ milliseconds, memoryBytes: engine.info.memoryBytes }));
`;

const requiring = `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n`;

function tfjsProgram(): string {
  const main = resolvePeer('@tensorflow/tfjs-backend-wasm');
  const [, ...inner] = inputShape as [number, number, number, number];
  const last = [1, inner[1], inner[2], inner[0]];
  return `${requiring}const core = require(${quoted(resolvePeer('@tensorflow/tfjs-core'))});
const wasm = require(${quoted(main)});
wasm.setWasmPaths(${quoted(join(dirname(main), sep))});
core.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
await core.setBackend('wasm');
const y = core.conv2d(core.tensor(${ones(last)}), core.tensor(${ones([3, 3, 3, 8])}), 1, 'valid');
${check('y.dataSync()[0]')}
`;
}

function ortProgram(): string {
  const weight = tensor(new Float32Array(8 * 3 * 3 * 3).fill(1), weightShape);
  const attributes = { kernel_shape: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1 };
  const model = onnxModel([{ type: 'Conv', weight, attributes }], inputShape, outputShape);
  return `${requiring}const ort = require(${quoted(resolvePeer('onnxruntime-web'))});
ort.env.wasm.numThreads = 1;
const model = Buffer.from('${Buffer.from(model).toString('base64')}', 'base64');
const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] });
const { y } = await session.run({ x: new ort.Tensor('float32', ${ones(inputShape)}) });
${check('y.data[0]')}
`;
}

/** From the import to the first result, by package. @throws Error when one is not installed */
export function peerPrograms(): Readonly<Record<string, string>> {
  return { '@tensorflow/tfjs-backend-wasm': tfjsProgram(), 'onnxruntime-web': ortProgram() };
}
