/** Reads handwritten digits with the trained network of examples/digits: the same file in every host. `fixture.js` is written by ../packed.ts. */
import { digits, layers } from './fixture.js';

function floats(text) {
  return new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/** (module (func (result v128) (f32x4.relaxed_madd …))), f32x4 zeros: valid where the host has relaxed SIMD. */
const relaxed = '0061736d010000000105016000017b030201000a130111004100fd0f4100fd0f4100fd0ffd85020b';
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));

/** [digits, 10]. The exported functions promise what an engine's give at once. */
async function logits({ conv2d }) {
  let map = { data: floats(digits.data), shape: digits.shape };
  for (const { weight, shape, bias, ...options } of layers) {
    map = await conv2d(map, { data: floats(weight), shape }, { ...options, bias: floats(bias) });
  }
  return [...map.data];
}

async function answer(createEngine, options) {
  const engine = await createEngine(options);
  const result = { logits: await logits(engine), info: engine.info };
  engine.dispose();
  return result;
}

/** What every host is asked: first the exported functions, so that nothing is compiled yet. */
export async function answers({ createEngine, conv2d, defaultEngine }) {
  return {
    exported: await logits({ conv2d }),
    shared: await answer(defaultEngine),
    plain: await answer(createEngine, { relaxedSimd: false }),
    usual: await answer(createEngine),
    threaded: await answer(createEngine, { threads: 2, relaxedSimd: false }),
    isolated: globalThis.crossOriginIsolated,
    hasRelaxed: WebAssembly.validate(bytesOf(relaxed)),
  };
}
