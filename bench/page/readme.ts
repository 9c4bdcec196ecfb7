/** What README.md and bench/README.md show of the speed: three charts, which are files that are committed, and the tables of all figures. */

import { readmePart } from '../readme-part.ts';
import { markdown } from '../tables.ts';
import type { ReportPage } from './page.ts';
import { type Results, ResultsError } from './results.ts';
import { escaped } from './svg.ts';

/** In the order in which they stand there, from the package's folder. */
export const readmeCharts: readonly string[] = [
  'core-overview-arrays.svg',
  'core-chromium-overview-tensors.svg',
  'sizes-growth-tensors.svg',
];

/** Committed, and not in the npm package. */
export const readmeFolder = 'docs/charts';

export interface ReadmeChart {
  readonly file: string;
  readonly svg: string;
  readonly summary: string;
}

/** @throws ResultsError where the results lack one */
export function pickCharts({ charts }: ReportPage): ReadmeChart[] {
  return readmeCharts.map((file) => {
    const found = charts.find((chart) => chart.file === file);
    if (!found) throw new ResultsError(`these results give no ${file}, which README.md shows`);
    return found;
  });
}

const part = readmePart('charts', 'npm run bench:charts');

/** Figures are in the alternative texts alone, for who does not see the images, and are made anew with them. */
export function readmeBlock(charts: readonly ReadmeChart[], runs: readonly Results[]): string {
  const images = charts.map(({ file, summary }) => `<img src="${readmeFolder}/${file}" width="340" align="top" alt="${escaped(summary)}">`);
  const commands = runs.map(({ command }) => command).filter((command) => command !== undefined);
  return part.block([...images, '', '```', ...commands, '```']);
}

/** @throws Error where the text has no such part */
export const withBlock = part.replace;

/** Of bench/README.md, each with the tables of one run. */
const tables = {
  node: readmePart('figures', 'npm run bench:charts'),
  chromium: readmePart('litert', 'npm run bench:charts'),
} as const;

/** @throws Error where the text lacks a part */
export function checkTables(text: string): void {
  for (const part of Object.values(tables)) part.replace(text, '');
}

/** The text with the tables of these runs: those of one in Chromium in one part, those of one in Node in the other. */
export function withTables(text: string, runs: readonly Results[]): string {
  return runs.reduce((changed, run) => {
    const part = run.machine.browser === undefined ? tables.node : tables.chromium;
    return part.replace(changed, part.block(['', markdown(run, run.command ?? ''), '']));
  }, text);
}
