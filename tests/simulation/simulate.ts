/** Many runs, and what came of them. */
import type { BankRoom } from './bank-room.ts';
import type { PlantedBug } from './planted-bugs.ts';
import { type RunReport, runStory } from './run.ts';
import { shrink } from './shrink.ts';
import { makeStory, type StoryOptions, sentenceOf } from './story.ts';
import type { Counts } from './world.ts';

/** As many runs as `npm test` plays and `npm run simulate` makes where nobody says how many. */
export const RUNS_DEFAULT = 300;

export interface Totals {
  runs: number;
  virtualMs: number;
  readonly counts: Record<keyof Counts, Record<string, number>>;
  readonly violations: { readonly seed: number; readonly promise: string; readonly story: readonly string[] }[];
}

export const NOTHING_RUN = (): Totals => ({
  runs: 0,
  virtualMs: 0,
  counts: { trouble: {}, visit: {}, transaction: {} },
  violations: [],
});

export interface SimulateOptions extends StoryOptions {
  readonly bug?: PlantedBug | null;
  /** Whether a violation ends it. */
  readonly stopAtFirst?: boolean;
  /** Whether a story that ends badly is told as it is. */
  readonly whole?: boolean;
  /** Tells of each run as it ends. */
  readonly onRun?: (report: RunReport) => void;
}

export async function simulate(
  bank: BankRoom,
  seeds: { readonly from: number; readonly runs: number },
  options: SimulateOptions = {},
): Promise<Totals> {
  const totals = NOTHING_RUN();
  const { bug = null } = options;
  for (let seed = seeds.from; seed < seeds.from + seeds.runs; seed += 1) {
    const story = makeStory(seed, options);
    const report = await runStory(story, bank, { bug });
    options.onRun?.(report);
    add(totals, report);
    const [first] = report.violations;
    if (!first) continue;
    const shortest = options.whole ? { story, report } : await shrink(story, report, bank, { bug });
    const [last = first] = shortest.report.violations;
    totals.violations.push({
      seed,
      promise: last.promise,
      story: [...shortest.story.items.map(sentenceOf), `${last.promise}: ${last.what}`],
    });
    if (options.stopAtFirst) break;
  }
  return totals;
}

function add(totals: Totals, { counts, virtualMs }: RunReport): void {
  totals.runs += 1;
  totals.virtualMs += virtualMs;
  for (const what of ['trouble', 'visit', 'transaction'] as const) {
    for (const [name, times] of counts[what]) plus(totals.counts[what], name, times);
  }
}

/** The second's runs counted with the first's. */
export function together(a: Totals, b: Totals): Totals {
  a.runs += b.runs;
  a.virtualMs += b.virtualMs;
  for (const what of ['trouble', 'visit', 'transaction'] as const) {
    for (const [name, times] of Object.entries(b.counts[what])) plus(a.counts[what], name, times);
  }
  a.violations.push(...b.violations);
  return a;
}

function plus(counts: Record<string, number>, name: string, times: number): void {
  counts[name] = (counts[name] ?? 0) + times;
}

/** As a table for people. */
export function tableOf({ runs, virtualMs, counts, violations }: Totals, commit: string): string {
  const rows = (of: Record<string, number>) =>
    Object.entries(of)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, times]) => `  ${name.padEnd(44)}${String(times).padStart(9)}`);
  const suspects = Object.entries(counts.transaction).filter(([name]) => name.endsWith(': suspect'));
  const total = (of: Record<string, number>) => Object.values(of).reduce((sum, one) => sum + one, 0);
  return [
    `${runs} runs, ${Math.round(virtualMs / 3_600_000)} hours of virtual time, commit ${commit}`,
    '',
    `Visits${String(total(counts.visit)).padStart(40 + 9 - 0)}`,
    ...rows(counts.visit),
    `Transactions by outcome${String(total(counts.transaction)).padStart(23 + 9)}`,
    ...rows(counts.transaction),
    `Troubles that struck${String(total(counts.trouble)).padStart(26 + 9)}`,
    ...rows(counts.trouble),
    '',
    `Suspects    ${suspects.reduce((sum, [, times]) => sum + times, 0)}`,
    `Violations  ${violations.length}`,
    ...violations.flatMap(({ seed, promise, story }) => [
      '',
      `Seed ${seed} broke "${promise}" at commit ${commit}. What is left of its story:`,
      ...story.map((sentence) => `  ${sentence}`),
      `  To see it: npm run simulate -- --seed ${seed} --story`,
    ]),
  ].join('\n');
}
