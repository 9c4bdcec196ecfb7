/** `npm run release:check`: its steps see what they look for. That all of them pass is for the command to say. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { changelogFaults } from '../scripts/release/changelog.ts';
import { bundledFiles, bundledPackages, licenceFaults } from '../scripts/release/licences.ts';
import { versionRepeats } from '../scripts/release/version-repeats.ts';
import { root } from './packed-package.ts';

describe('changelog', () => {
  const changelog = (head: string, body = '### Added\n\n- something') =>
    `# Changelog\n\n## [Unreleased]\n\n- a\n\n## ${head}\n\n${body}\n\n## [0.9.0] - 2026-01-01\n\n- b\n`;

  it('has an entry', () => expect(changelogFaults(changelog('[1.0.0] - 2026-11-25'), '1.0.0')).toEqual([]));
  it.each([
    ['[1.0.1] - 2026-11-25', "CHANGELOG.md has no entry '## [1.0.0] - YYYY-MM-DD'"],
    ['[1.0.0]', "CHANGELOG.md: the entry of 1.0.0 has no date YYYY-MM-DD: '## [1.0.0]'"],
    ['[1.0.0] - soon', "CHANGELOG.md: the entry of 1.0.0 has no date YYYY-MM-DD: '## [1.0.0] - soon'"],
    ['[1.0.0] - 2026-13-01', "CHANGELOG.md: the entry of 1.0.0 has no date YYYY-MM-DD: '## [1.0.0] - 2026-13-01'"],
    ['[1.0.0] - 2026-02-30', "CHANGELOG.md: the entry of 1.0.0 has no date YYYY-MM-DD: '## [1.0.0] - 2026-02-30'"],
  ])('%s', (head, fault) => expect(changelogFaults(changelog(head), '1.0.0')).toEqual([fault]));
  it('says something', () =>
    expect(changelogFaults(changelog('[1.0.0] - 2026-11-25', '### Added'), '1.0.0')).toEqual([
      'CHANGELOG.md: the entry of 1.0.0 says nothing',
    ]));
});

describe('licences', () => {
  const script = (notice: string) =>
    `${notice}\n//#region src/a.ts\n//#region node_modules/b/c.js\n//#region node_modules/@d/e/f.js\n//#region node_modules/b/g.js\n`;
  const mit = () => 'MIT';
  const notices = '/*! Contains b, MIT, Copyright (c) 2020 B */\n/*! Contains @d/e, MIT, Copyright (c) 2021 E */';

  it('are of packages, each once', () => expect(bundledPackages(bundledFiles(script('')))).toEqual(['b', '@d/e']));
  it('are found by a map where a script has no regions', () => {
    const map = JSON.stringify({ sources: ['../src/a.ts', '../node_modules/b/c.js'] });
    expect(licenceFaults('f.js', 'let a;', () => 'GPL-3.0', map)).toEqual(['f.js holds b, whose licence is GPL-3.0']);
    expect(licenceFaults('f.js', 'let a;', mit)).toEqual(['nothing says what f.js was made of']);
  });
  it('may be passed on where they are named', () => expect(licenceFaults('f.js', script(notices), mit)).toEqual([]));
  it.each(['GPL-3.0', undefined])('%s may not', (licence) =>
    expect(licenceFaults('f.js', script(notices), (name) => (name === 'b' ? licence : 'MIT'))).toEqual([
      `f.js holds b, whose licence is ${licence ?? 'unknown'}`,
    ]),
  );
  it('are named', () =>
    expect(licenceFaults('f.js', script(notices.split('\n')[0] as string), mit)).toEqual([
      'f.js holds @d/e, and no notice /*! with its name, MIT and the copyright',
    ]));
});

describe('version', () => {
  it.each([
    ['a 1.2.3', ['f:1']],
    ['a\n"1.2.3",', ['f:2']],
    ['^1.2.3', ['f:1']],
    ['1.2.3.', ['f:1']],
    ['11.2.3', []],
    ['1.2.30', []],
    ['1.2.3.4', []],
    ['1x2y3', []],
  ])('%j', (text, places) => expect(versionRepeats('f', text, '1.2.3')).toEqual(places));
});

describe('release:check', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'scripts/release-check.ts', ...args], { cwd: root, encoding: 'utf8' });

  it('prints help, which names every step', () => {
    const { status, stdout, stderr } = run('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: npm run release:check /);
    const { stderr: refusal } = run('--only', 'none');
    const names = refusal.match(/^--only must be one of (.*), got 'none'/)?.[1]?.split(', ') ?? [];
    expect(names).toHaveLength(12);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  it.each([
    [['--only', 'none'], "got 'none'"],
    [['--onl', 'sizes'], "Unknown option '--onl'"],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('ticks what is right', () => {
    const { status, stdout } = run(...['sizes', 'publint', 'licences', 'version'].flatMap((name) => ['--only', name]));
    expect(stdout).toMatch(
      /^✓ pack: \d+ files, \d+ kB\n✓ sizes\n[\s\S]*page with conv2d +\d+ bytes +of 90000[\s\S]*\n✓ publint\n✓ licences\n✓ version: \d+\.\d+\.\d+\n$/,
    );
    expect(status).toBe(0);
  });
});
