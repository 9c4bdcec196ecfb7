/** Every host that the package is tested on: where it is looked for, and what installs it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { howToInstall, usualChromium } from '../../bench/chromium.ts';

export interface Host {
  readonly name: string;
  /** It is there where all of these are. */
  readonly files: readonly string[];
  /** A line of shell, from the root of the project. */
  readonly install: string;
}

const runtimes = new URL('../runtimes/node_modules/', import.meta.url);
const ofRuntimes = 'npm ci --prefix test/runtimes';

export interface Program extends Host {
  readonly program: string;
}

/** From the package.json of test/runtimes. @param path in node_modules there */
function runtime(name: string, path: string): Program {
  const program = fileURLToPath(new URL(path, runtimes));
  return { name, program, files: [program], install: ofRuntimes };
}

/** A library there, to be required by its `name`. */
function library(name: string, module: string): Host & { readonly module: string } {
  return { ...runtime(name, `${module}/package.json`), module };
}

const ofDebian = (packages: string): string => `apt-get install -y --no-install-recommends ${packages} fonts-dejavu-core`;

/** The one that runs the tests. */
export const thisNode: Program = {
  name: `Node ${process.versions.node}`,
  program: process.execPath,
  files: [process.execPath],
  install: ofRuntimes,
};
/** Of them the oldest that is promised, too, whatever runs the tests. */
export const otherNodes: readonly Program[] = [20, 22, 24, 26].map((version) => runtime(`Node ${version}`, `node-${version}/bin/node`));
export const deno = runtime('Deno', '@deno/linux-x64-glibc/deno');
export const bun = runtime('Bun', '@oven/bun-linux-x64/bin/bun');
export const workerd = library('workerd', 'miniflare');
export const edgeRuntime = library('edge-runtime', 'edge-runtime');
export const webpackBundler = library('webpack', 'webpack');
export const rollupBundler = library('Rollup', 'rollup');
/** The first that knows what types are disposed of by. */
export const oldestTypeScript = runtime('TypeScript 5.2', 'typescript-oldest/bin/tsc');

export const chromium: Host = { name: 'Chromium', files: [usualChromium], install: howToInstall };

const puppeteer = library('puppeteer', 'puppeteer-core');
export const firefox = {
  name: 'Firefox',
  program: '/usr/bin/firefox-esr',
  files: ['/usr/bin/firefox-esr', ...puppeteer.files],
  install: `${ofDebian('firefox-esr')} && ${ofRuntimes}`,
  module: puppeteer.module,
};

const miniBrowser = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
export const webkit = {
  name: 'WebKit',
  program: miniBrowser,
  files: [miniBrowser, '/usr/bin/WebKitWebDriver', '/usr/bin/xvfb-run', '/usr/bin/xauth'],
  install: ofDebian('webkit2gtk-driver xvfb xauth'),
};

export const hosts: readonly Host[] = [
  thisNode,
  ...otherNodes,
  deno,
  bun,
  workerd,
  edgeRuntime,
  chromium,
  firefox,
  webkit,
  webpackBundler,
  rollupBundler,
  oldestTypeScript,
];

export function isFound({ files }: Host): boolean {
  return files.every((file) => existsSync(file));
}

/** What was not tested, a line each; nothing where all are there. */
export function missingLines(wanted: readonly Host[]): readonly string[] {
  const missing = wanted.filter((host) => !isFound(host));
  if (missing.length === 0) return [];
  const width = Math.max(...missing.map(({ name }) => name.length));
  return [
    `Not tested, for want of ${missing.length} of ${wanted.length} hosts. What installs them:`,
    ...missing.map(({ name, install }) => `  ${name.padEnd(width)}  ${install}`),
  ];
}
