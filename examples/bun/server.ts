/** A server in Bun that reads digits. */
import { createEngine } from 'wasm-conv';
import { answer } from '../digit-reader/answer.js';
import { digitReader } from '../digit-reader/reader.js';

// Before the first request, once.
const read = digitReader(await createEngine());

/** Bun serves what has a `fetch`. */
export default {
  hostname: '127.0.0.1',
  port: Number(process.env.PORT ?? 3000),
  fetch: (request: Request): Promise<Response> => answer(request, read),
};
