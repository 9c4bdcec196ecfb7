/** Verdicts as text: for a terminal, and as a table in Markdown. */

import type { Machine } from '../machine.ts';
import { machineLine } from '../machine.ts';
import { digits3, markdownTable, timeText } from '../tables.ts';
import { type Judgement, type Measured, summary, type Verdict } from './verdict.ts';
import { algorithms } from './ways.ts';

const plannedText = ({ algorithm, planned }: Measured): string => (planned ? `${planned.algorithm}, ${planned.variant}` : algorithm);

/** The time of `'auto'` over the best of all, itself included. */
function lagText({ lag }: Verdict): string {
  return lag ? Math.max(1, lag.median).toFixed(2) : '–';
}

const marks: Readonly<Record<Judgement, string>> = {
  alone: '  (nothing to choose)',
  within: '',
  perhaps: '  more than 5 % behind, perhaps: rounds differ',
  behind: '  MORE THAN 5 % BEHIND',
};

/** One line. */
export function verdictText(verdict: Verdict): string {
  const [auto, ...others] = verdict.ways;
  const times = others.map(({ algorithm, median = 0 }) => `, ${algorithm} ${timeText(median)}`).join('');
  const own = auto?.median === undefined ? '' : ` ${timeText(auto.median)}`;
  const ratio = verdict.lag ? `, auto ÷ best ${lagText(verdict)}` : '';
  const chosen = auto ? plannedText(auto) : '';
  return `${verdict.set}: ${verdict.name} (${verdict.words}), ${verdict.layout}: auto${own} [${chosen}]${times}${ratio}${marks[verdict.judgement]}`;
}

export function summaryText(verdicts: readonly Verdict[]): string {
  const { checked, alone, behind, perhaps, worst } = summary(verdicts);
  const last = worst
    ? `; worst: ${worst.set}: ${worst.name}, ${worst.layout}, auto ÷ ${worst.lag.behind} ${digits3(worst.lag.median)}`
    : '';
  return `${checked} layers and layouts checked, ${alone} of them with nothing to choose; auto more than 5 % behind on ${behind}, perhaps on ${perhaps} more${last}`;
}

/** @param what accuracy, rounds and turns in words */
export function markdown(machine: Machine, what: string, verdicts: readonly Verdict[], command: string): string {
  const cell = (measured: Measured | undefined): string => (measured?.median === undefined ? '–' : timeText(measured.median));
  const row = (verdict: Verdict): string[] => {
    const [auto, ...others] = verdict.ways;
    const ratio = lagText(verdict);
    return [
      `${verdict.set}: ${verdict.name}`,
      verdict.layout,
      auto ? plannedText(auto) : '–',
      cell(auto),
      ...algorithms.map((name) => cell(others.find(({ algorithm }) => algorithm === name))),
      verdict.judgement === 'behind' ? `**${ratio}**` : verdict.judgement === 'perhaps' ? `${ratio}?` : ratio,
    ];
  };
  return [
    `\`\`\`\n${command}\n\`\`\``,
    `${machineLine(machine)}; ${what}.`,
    markdownTable(['layer', 'layout', 'auto chose', 'auto', ...algorithms, 'auto ÷ best'], verdicts.map(row)),
    `${summaryText(verdicts)}.`,
  ].join('\n\n');
}
