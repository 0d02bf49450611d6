/** What was killed when, and how it ended: a line for each run, and a table of all. */
import type { RunResult } from './crash.ts';

export function table(results: readonly RunResult[]): string {
  const rows = Map.groupBy(results, ({ planned, moment, outcome }) =>
    JSON.stringify([planned.service, planned.victim, moment, outcome]),
  );
  const cells = [...rows]
    .map(([key, all]) => {
      const [service, victim, moment, outcome] = JSON.parse(key) as string[];
      const violated = all.filter(({ violations }) => violations.length > 0).length;
      const slowest = Math.max(...all.map(({ settledMs }) => settledMs)) / 1000;
      return [service, victim, moment, outcome, all.length, slowest.toFixed(1), violated].map(String);
    })
    .sort((a, b) => a.slice(0, 4).join().localeCompare(b.slice(0, 4).join()));
  const head = ['service', 'killed', 'journal then', 'ended as', 'runs', 'settled, s', 'violated'];
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  return [head, widths.map((width) => '-'.repeat(width)), ...cells]
    .map((row) =>
      row
        .map((cell, column) => (column < 4 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n');
}

export function line({ number, planned, moment, outcome, why, violations, settledMs, keptIn }: RunResult): string {
  const { service, victim } = planned;
  const ended = why === null ? outcome : `${outcome} (${why})`;
  const seconds = (settledMs / 1000).toFixed(1);
  const head = `${String(number).padStart(4)}  ${service}: ${victim} killed at "${moment}", then ${ended}, settled in ${seconds} s`;
  return violations.length === 0 ? head : [`${head}  VIOLATED, see ${keptIn}`, ...violations].join('\n        ');
}
