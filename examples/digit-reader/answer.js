/** A posted PNG → its digit as JSON, by the Request and Response that all hosts share. */
import { decodePng, MOST_BYTES, PictureError } from './png.js';

/**
 * Keeps no more than is allowed, and reads what comes after: who is still sending would see the connection break, and no answer.
 * @param {Request} request
 */
async function bodyOf(request) {
  const reader = request.body?.getReader();
  const bytes = new Uint8Array(MOST_BYTES);
  let length = 0;
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    bytes.set(part.value.subarray(0, Math.max(0, MOST_BYTES - length)), Math.min(length, MOST_BYTES));
    length += part.value.length;
  }
  if (length > MOST_BYTES) throw new PictureError(413, `at most ${MOST_BYTES} bytes, got ${length}`);
  return bytes.subarray(0, length);
}

/** @param {Request} request @param {ReturnType<typeof import('./reader.js').digitReader>} read */
async function readingOf(request, read) {
  if (request.method !== 'POST') throw new PictureError(405, 'POST a PNG of one digit');
  const reading = read(decodePng(await bodyOf(request)));
  if (!reading) throw new PictureError(422, 'the picture is empty');
  return reading;
}

/**
 * `{ digit, probabilities, milliseconds }`, or `{ error }` with a status that fits.
 * @param {Request} request
 * @param {ReturnType<typeof import('./reader.js').digitReader>} read
 */
export async function answer(request, read) {
  try {
    return Response.json(await readingOf(request, read));
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    const { status, message } = error;
    return Response.json({ error: message }, { status, headers: status === 405 ? { allow: 'POST' } : {} });
  }
}
