/** How far it is: a bar on a terminal, else a line now and then. */

export interface Progress {
  /** Some of this stage is done; `note` says it in numbers. */
  at(stage: string, share: number, note?: string): void;
  /** The stage is over. */
  done(stage: string, note: string): void;
}

const BAR = 30;
/** Between two lines where there is no terminal, and between two drawings of the bar, ms. */
const LINE_MS = 10_000;
const DRAW_MS = 100;

export function progressOn(out: NodeJS.WriteStream, monotonicMs: () => number): Progress {
  let saidMs = monotonicMs();
  let begunMs = saidMs;
  let current = '';
  const enter = (stage: string) => {
    if (stage !== current) begunMs = monotonicMs();
    current = stage;
  };
  return {
    at: (stage, share, note = '') => {
      enter(stage);
      const nowMs = monotonicMs();
      if (nowMs - saidMs < (out.isTTY ? DRAW_MS : LINE_MS)) return;
      saidMs = nowMs;
      const left = share > 0.01 ? `, ${timeOf(((nowMs - begunMs) * (1 - share)) / share)} left` : '';
      const text = `${stage} ${(100 * share).toFixed(0)} %${note ? ` (${note})` : ''}${left}`;
      if (!out.isTTY) out.write(`${text}\n`);
      else {
        const full = Math.round(BAR * share);
        out.write(`\r\x1b[2K[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${text}`.slice(0, (out.columns || 80) + 5));
      }
    },
    done: (stage, note) => {
      enter(stage);
      out.write(`${out.isTTY ? '\r\x1b[2K' : ''}${stage}: ${note} (${timeOf(monotonicMs() - begunMs)})\n`);
    },
  };
}

function timeOf(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
