/** A function on Vercel's edge that reads digits. It compiles nothing: the binary is imported as a module. */
import { createEngineSync } from 'wasm-conv';
import { answer } from '../../digit-reader/answer.js';
import { digitReader } from '../../digit-reader/reader.js';

export const config = { runtime: 'edge' };

// Once in an isolate, not for each request.
const read = digitReader(createEngineSync());

/** @param {Request} request */
export default function handler(request) {
  return answer(request, read);
}
