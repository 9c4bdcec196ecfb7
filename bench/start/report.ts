/** How large and how quick the start is, beside others: as lines for a terminal, and as the table of README.md. */
import { isTooLarge, type Size } from '../../scripts/sizes.ts';
import { type Machine, machineLine } from '../machine.ts';
import { readmePart } from '../readme-part.ts';
import { alignedTable, digits3 } from '../tables.ts';
import type { ChromiumStart } from './chromium.ts';
import type { Figure } from './figure.ts';
import { type NodeStart, wasDisturbed } from './node.ts';
import type { PeerPage } from './peer-pages.ts';
import type { WorkerdStart } from './workerd.ts';

export interface StartReport {
  readonly machine: Machine;
  readonly command: string;
  /** Of wasm-conv. */
  readonly version: string;
  readonly rounds: number;
  readonly sizes: readonly Size[];
  readonly dependencies: number;
  readonly peers: readonly PeerPage[];
  readonly node: readonly NodeStart[];
  readonly chromium?: ChromiumStart;
  readonly workerd?: WorkerdStart;
}

const part = readmePart('start', 'npm run bench:start');

/** As people know them. */
const peerTitles: Readonly<Record<string, string>> = {
  '@tensorflow/tfjs-backend-wasm': 'TensorFlow.js',
  'onnxruntime-web': 'ONNX Runtime Web',
  '@litertjs/core': 'LiteRT.js',
};

export function bytesText(bytes: number): string {
  return bytes < 999_500 ? `${digits3(bytes / 1e3)} kB` : `${digits3(bytes / 1e6)} MB`;
}

/** A figure of ours, and of the peers that have one. */
interface Row {
  readonly title: string;
  readonly ours: string;
  readonly theirs?: Readonly<Record<string, string>>;
}

function rowsOfSizes({ sizes, peers, dependencies }: StartReport): Row[] {
  const theirs = (text: (peer: PeerPage) => string) => Object.fromEntries(peers.map((peer) => [peer.name, text(peer)]));
  const builds = sizes.filter(({ name }) => name.endsWith('.wasm')).map(({ bytes }) => bytes);
  const others = sizes.filter(({ name }) => !name.endsWith('.wasm'));
  return [
    ...others.map(({ name, bytes }, i) => ({
      title: `${name}, gzip`,
      ours: bytesText(bytes),
      ...(i === 0 ? { theirs: theirs((peer) => bytesText(peer.bytes)) } : {}),
    })),
    { title: 'each build of the kernels, gzip', ours: `at most ${bytesText(Math.max(...builds))}` },
    { title: 'other packages at run time', ours: String(dependencies), theirs: theirs((peer) => String(peer.dependencies)) },
  ];
}

/** A difference may be below nothing where the machine was busy. */
const time = ({ median }: Figure): string => `${digits3(median)} ms`;

function rowsOfTimes({ node, chromium, workerd }: StartReport): Row[] {
  const rows: Row[] = node.flatMap((each) => [
    {
      title: `Node ${each.version}: import to first result, over an empty process`,
      ours: time(each.first),
      theirs: Object.fromEntries(Object.entries(each.peers).map(([name, figure]) => [name, time(figure)])),
    },
    { title: `Node ${each.version}: import alone, over an empty process`, ours: time(each.importing) },
    { title: `Node ${each.version}: \`createEngine\` after the import`, ours: time(each.createEngine) },
  ]);
  if (chromium) {
    rows.push({ title: `${chromium.version}: import to first result`, ours: time(chromium.first) });
    rows.push({ title: `${chromium.version}: \`createEngine\` after the import`, ours: time(chromium.createEngine) });
  }
  if (workerd) rows.push({ title: 'workerd: CPU of the first request in a fresh isolate', ours: time(workerd.firstRequest) });
  const memory = Math.max(...node.map(({ memoryBytes }) => memoryBytes));
  return [...rows, { title: 'linear memory at start', ours: `${memory / 1024} KiB` }];
}

/** Heads, then rows. */
function cellsOf(report: StartReport): string[][] {
  const heads = ['', 'wasm-conv', ...report.peers.map(({ name }) => peerTitles[name] ?? name)];
  const rows = [...rowsOfSizes(report), ...rowsOfTimes(report)];
  return [heads, ...rows.map(({ title, ours, theirs }) => [title, ours, ...report.peers.map(({ name }) => theirs?.[name] ?? '–')])];
}

function provenance({ machine, version, peers, rounds, workerd, node }: StartReport): string {
  const others = [...peers.map((peer) => `${peer.name} ${peer.version}`), ...(workerd ? [`miniflare ${workerd.version}`] : [])];
  const busy = node.some(wasDisturbed) ? ', while others kept the machine busy: the times say little' : '';
  return `${machineLine(machine)}; medians of ${rounds} rounds${busy}; wasm-conv ${version}, ${others.join(', ')}.`;
}

/** Where the middle half of the rounds lies. */
function ranges({ node, chromium, workerd }: StartReport): string[] {
  const range = ({ low, high }: Figure): string => `${digits3(low)}–${digits3(high)} ms`;
  return [
    ...node.map(
      (each) => `Node ${each.version}: empty ${range(each.empty)}, first ${range(each.first)}, createEngine ${range(each.createEngine)}`,
    ),
    ...(chromium ? [`${chromium.version}: first ${range(chromium.first)}, createEngine ${range(chromium.createEngine)}`] : []),
    ...(workerd ? [`workerd: ${range(workerd.firstRequest)}`] : []),
  ];
}

export function startText(report: StartReport): string {
  const tooLarge = report.sizes.filter(isTooLarge).map(({ name, bytes, most = 0 }) => `too large: ${name}, ${bytes} bytes of ${most}`);
  return [alignedTable(cellsOf(report)), '', 'middle half of the rounds:', ...ranges(report), '', provenance(report), ...tooLarge].join(
    '\n',
  );
}

export function startMarkdown(report: StartReport): string {
  const [heads = [], ...rows] = cellsOf(report);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = heads.map((_, i) => (i === 0 ? '---' : '--:'));
  return part.block([...[heads, rule, ...rows].map(line), '', provenance(report), '', '```', report.command, '```']);
}

/** @throws Error where the README has no such part */
export const withStart = part.replace;
