/** webpack, from the packages of test/runtimes. */
import { webpackBundler } from './hosts.ts';
import { requireRuntime } from './runtime-package.ts';

interface Remark {
  readonly message: string;
}

type Webpack = (
  options: object,
  done: (error: Error | null, stats?: { toJson(): { errors: readonly Remark[]; warnings: readonly Remark[] } }) => void,
) => void;

/** Bundles for production. @returns what it has to remark */
export function runWebpack(options: object): Promise<readonly string[]> {
  const webpack = requireRuntime<Webpack>(webpackBundler.module);
  return new Promise((resolve, reject) => {
    webpack({ mode: 'production', ...options }, (error, stats) => {
      if (error || !stats) return reject(error);
      const { errors, warnings } = stats.toJson();
      resolve([...errors, ...warnings].map(({ message }) => message));
    });
  });
}
