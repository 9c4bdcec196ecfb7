/** Reads handwritten digits with the trained network of examples/digits: the same file in every host. `fixture.js` is written by ../packed.ts. */
import { digits, layers } from './fixture.js';

function floats(text) {
  return new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/** [digits, 10] */
function logits({ conv2d }) {
  let map = { data: floats(digits.data), shape: digits.shape };
  for (const { weight, shape, bias, ...options } of layers) {
    map = conv2d(map, { data: floats(weight), shape }, { ...options, bias: floats(bias) });
  }
  return [...map.data];
}

async function answer(createEngine, options) {
  const engine = await createEngine(options);
  const result = { logits: logits(engine), info: engine.info };
  engine.dispose();
  return result;
}

/** What every host is asked. */
export async function answers(createEngine) {
  return {
    plain: await answer(createEngine, { relaxedSimd: false }),
    usual: await answer(createEngine),
    threaded: await answer(createEngine, { threads: 2, relaxedSimd: false }),
    isolated: globalThis.crossOriginIsolated,
  };
}
