/** A Cloudflare Worker that reads digits. It compiles nothing: its bundler finds the binary as a module of its own. */
import { createEngineSync } from 'wasm-conv';
import { answer } from '../digit-reader/answer.js';
import { digitReader } from '../digit-reader/reader.js';

// Once in an isolate, not for each request.
const read = digitReader(createEngineSync());

export default {
  /** @param {Request} request */
  fetch: (request) => answer(request, read),
};
