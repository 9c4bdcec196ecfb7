/** Sends what a page has found, or what went wrong there, to the server that it came from. */
function send(found) {
  return fetch('/answer', { method: 'POST', body: JSON.stringify(found) });
}

addEventListener('error', ({ message }) => send({ error: message }));
addEventListener('unhandledrejection', ({ reason }) => send({ error: String(reason) }));
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  send({ error: `${violatedDirective} forbids ${blockedURI}` }),
);

export function report(promise) {
  promise.then(send, (error) => send({ error: String(error) }));
}
