/** How far a long run is: a bar that rewrites itself on a terminal, a line per step elsewhere. */

interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressBar {
  show(done: number, what: string): void;
  /** Makes room for other lines. */
  clear(): void;
}

const width = 24;

export function progressLine(done: number, total: number, what: string): string {
  const full = Math.round((width * done) / total);
  return `[${'='.repeat(full)}${' '.repeat(width - full)}] ${done + 1}/${total} ${what}`;
}

export function progressBar(screen: Screen, total: number): ProgressBar {
  const terminal = screen.isTTY === true;
  return {
    show: (done, what) => screen.write(terminal ? `\r\u001b[K${progressLine(done, total, what)}` : `${done + 1}/${total} ${what}\n`),
    clear: () => {
      if (terminal) screen.write('\r\u001b[K');
    },
  };
}
