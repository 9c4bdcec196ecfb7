/** A page that leaves it to a module worker. */
import { report } from './report.js';

const worker = new Worker(new URL('./in-worker.js', import.meta.url), { type: 'module' });
report(
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message ?? 'the worker could not be loaded'));
  }),
);
