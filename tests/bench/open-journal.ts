/** Opens a journal as a terminal does at its start and says how long it took and what it weighs. Run by journal.ts, alone in its process. */
import { systemChance, systemClock } from '../../src-main/clock.ts';
import { fakeSigner } from '../../src-main/journal/journal.fixture.ts';
import { openJournal } from '../../src-main/journal/journal.ts';
import { BENCH_TERMINAL } from './big-journal.ts';

const residentMiB = () => process.memoryUsage().rss / 2 ** 20;
const before = residentMiB();
const start = performance.now();
const journal = openJournal({
  path: process.argv[2]!,
  clock: systemClock,
  chance: systemChance,
  signer: fakeSigner(BENCH_TERMINAL),
  onAlarm: () => {},
  // As for a journal of years, at both sizes.
  readWholeUpTo: 0,
});
const open = journal.openTransactions().length;
const head = journal.head()?.sequence ?? 0;
journal.outboxSize();
journal.dayCloses.last();
const ms = performance.now() - start;
const newestStart = performance.now();
journal.transactions({ limit: 50 });
const newestMs = performance.now() - newestStart;
console.log(JSON.stringify({ ms, newestMs, memoryMiB: residentMiB() - before, open, head }));
journal.close();
