/** An AWS Lambda function for Node that reads digits, behind a function URL or an HTTP API (payload format 2.0). */
import { createEngine } from 'wasm-conv';
import { answer } from '../digit-reader/answer.js';
import { digitReader } from '../digit-reader/reader.js';

// In the start of an instance, which may take longer than a request.
const read = digitReader(await createEngine());

/** @typedef {{ requestContext: { http: { method: string } }, body?: string, isBase64Encoded?: boolean }} LambdaEvent */

/** @param {LambdaEvent} event */
function requestOf({ requestContext, body, isBase64Encoded }) {
  const { method } = requestContext.http;
  const bytes = body === undefined ? undefined : Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  return new Request('http://lambda/', { method, body: method === 'GET' || method === 'HEAD' ? undefined : bytes });
}

/** @param {LambdaEvent} event */
export async function handler(event) {
  const response = await answer(requestOf(event), read);
  return { statusCode: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}
