/** The training command: what it refuses, what it says, and that its weights are those of the same training in this process. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTestDigits, loadTrainingDigits, part } from '../examples/digits/data.ts';
import { weightsText } from '../examples/digits/network.ts';
import { accuracyOf, train } from '../examples/digits/training.ts';
import { testEngine } from './engines.ts';

const engine = testEngine({ relaxedSimd: false });
const digits = loadTestDigits();

describe('npm run train', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'train-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const command = (...flags: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'examples/digits/train.ts', ...flags], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      encoding: 'utf8',
    });

  it('helps, and refuses what it does not know before it trains', () => {
    expect(command('--help')).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('--epochs <n>') as string });
    const refused = [
      [['--epoch', '3'], "'--epoch'"],
      [['--epochs', '0'], '--epochs must be a whole number of at least 1'],
      [['--limit', '55001'], "--limit must be at most 55000, got '55001'"],
      [['--limit', '9', '--batch', '10', '--out', join(folder, 'none.json')], '--batch must be at most 9'],
      [['--out', folder], 'is a folder'],
      [['--out', join(folder, 'none', 'weights.json')], 'the weights cannot be written'],
    ] as const;
    for (const [flags, words] of refused) {
      const { status, stdout, stderr } = command(...flags);
      expect({ status, stdout }, stderr).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain(words);
      expect(stderr).not.toContain('    at ');
    }
  });

  it('writes the weights, shows its progress and prints one line of JSON', () => {
    const out = join(folder, 'weights.json');
    const { status, stdout, stderr } = command('--limit', '200', '--epochs', '2', '--batch', '20', '--json', '--out', out);
    expect(status, stderr).toBe(0);
    expect(stderr.match(/epoch [12] of 2 .* 10 of 10, loss \d\.\d{4}, +\d+\.\d\d % read right/g)?.length).toBe(2);
    const lines = stdout.split('\n');
    expect(lines.length).toBe(2);
    const said = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(said).toMatchObject({ digits: 200, epochs: 2, batch: 20, seed: 1 });
    const layers = train(engine, part(loadTrainingDigits(), 0, 200), { seed: 1, epochs: 2, batch: 20 }, () => {});
    const accuracy = accuracyOf(engine, layers, digits);
    expect(said.accuracy).toBe(accuracy);
    expect(readFileSync(out, 'utf8')).toBe(weightsText({ seed: 1, epochs: 2, accuracy, layers }));
  });
});
