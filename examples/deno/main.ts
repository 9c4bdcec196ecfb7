/** A server in Deno that reads digits. In a project of your own, `deno add npm:wasm-conv npm:fast-png` comes first. */
import { createEngine } from 'wasm-conv';
import { answer } from '../digit-reader/answer.js';
import { digitReader } from '../digit-reader/reader.js';

// Before the first request, once.
const read = digitReader(await createEngine());

/** `deno serve` calls it. */
export default {
  fetch: (request: Request): Promise<Response> => answer(request, read),
};
