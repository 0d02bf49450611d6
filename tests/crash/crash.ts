/** Plays visits, kills a process in each, starts it again, waits until all is settled, and has the sums checked. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from '../../scripts/demo/processes.ts';
import { violations } from './check.ts';
import { type CrashService, deed, type Intention, type Visit, visit } from './customer.ts';
import { type Footage, recordFootage } from './footage.ts';
import { type Observed, observe, readCash, readJournal, type Transaction } from './observe.ts';
import { aims, type PlannedRun, runs } from './plan.ts';
import { readLeftBehind, watchJournal } from './watch.ts';
import { copyFolder, type Terminal, type TerminalName, World } from './world.ts';

export interface CrashOptions {
  readonly runs: number;
  readonly seed: number;
  /** Runs in one world before a fresh one. */
  readonly runsPerWorld: number;
  readonly services: readonly CrashService[];
  readonly dir: string;
  /** Hears of each run as it ends. */
  readonly onResult: (result: RunResult) => void;
  readonly signal: AbortSignal;
  /** Takes the place of the seed's own plan. */
  readonly plan?: Iterable<PlannedRun>;
}

export interface RunResult {
  readonly number: number;
  readonly planned: PlannedRun;
  /** What the journal said of the visit's transaction when the process died; "nothing begun" before one was. */
  readonly moment: string;
  /** The same once all had settled. */
  readonly outcome: string;
  /** Why nobody knows how it ended, as the journal has it; null but for suspects. */
  readonly why: string | null;
  readonly violations: readonly string[];
  /** From the restart until all had settled, ms. */
  readonly settledMs: number;
  /** Where the files lie; null where nothing was wrong. */
  readonly keptIn: string | null;
}

/** Longest from a restart until everything is settled, ms: above the longest wait of a terminal for its devices. */
export const SETTLED_MS_MAX = 90_000;
/** Money at the start, so that no withdrawal fails for want of it. */
const START: Intention = {
  service: 'deposit',
  notes: [{ denominationMinor: 10_000, count: 20 }],
  takes: 'all',
  confirms: true,
};
const LAST: Intention = { service: 'withdraw', amountMinor: 1_000, takes: 'all', confirms: true };
const NOTHING_BEGUN = 'nothing begun';
const SPEED = 4;
/** Runs that wait for another world, after which there is one. */
const POSTPONED_MAX = 8;

export async function crash(options: CrashOptions): Promise<void> {
  const { dir, signal } = options;
  mkdirSync(dir, { recursive: true });
  const terminals: TerminalName[] = options.services.includes('purchase') ? ['atm', 'checkout'] : ['atm'];
  const footage = await recordFootage();
  /** A world in which the customer is enrolled and has money. */
  const prepared = async (name: string) => {
    const world = await World.prepare({ dir: join(dir, name), speed: SPEED, terminals }, signal);
    try {
      await enrol(world, footage, signal);
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  };
  // A copy starts sooner than a world from nothing, but later than one that runs already.
  const template = options.runs > options.runsPerWorld ? await prepared('template') : null;
  await template?.stop();
  const fresh = () => template?.copy(join(dir, 'world'), signal) ?? prepared('world');
  const plan = new Postponing(options.plan ?? runs(options.seed, aims(options.services)));
  let world: World | null = null;
  try {
    let inWorld = 0;
    for (let number = 1; number <= options.runs && !signal.aborted; number++) {
      const planned = plan.next();
      if (!planned) break;
      world ??= await fresh();
      const played = { number, planned, ...(await play(world, planned, footage, signal)) };
      if (played.outcome === 'suspect') plan.without.add(planned.service);
      const found = [...played.violations];
      const last = ++inWorld >= options.runsPerWorld || number === options.runs || !plan.finds();
      if (last && found.length === 0) found.push(...(await closing(world, footage, plan.without, signal)));
      const keptIn = found.length > 0 ? join(dir, `run-${number}`) : null;
      if (last || keptIn) await world.stop();
      if (keptIn) copyFolder(world.dir, keptIn);
      options.onResult({ ...played, violations: found, keptIn });
      if (!last && !keptIn) continue;
      rmSync(world.dir, { recursive: true, force: true });
      world = null;
      inWorld = 0;
      plan.without.clear();
    }
  } finally {
    await world?.stop();
  }
}

/** A plan that leaves out, for now, what a world does not offer any more because of a suspect. */
class Postponing {
  readonly #plan: Iterator<PlannedRun>;
  readonly #later: PlannedRun[] = [];
  #found: PlannedRun | undefined;
  readonly without = new Set<string>();

  constructor(plan: Iterable<PlannedRun>) {
    this.#plan = plan[Symbol.iterator]();
  }

  /** Whether this world has a next one: false when too many wait for another world, or the plan is over. */
  finds(): boolean {
    this.#found ??= this.#find();
    return this.#found !== undefined;
  }

  next(): PlannedRun | undefined {
    const found = this.#found ?? this.#find();
    this.#found = undefined;
    return found;
  }

  #find(): PlannedRun | undefined {
    const waiting = this.#later.findIndex(({ service }) => !this.without.has(service));
    if (waiting >= 0) return this.#later.splice(waiting, 1)[0];
    while (this.#later.length < POSTPONED_MAX) {
      const { value, done } = this.#plan.next();
      if (done || !this.without.has(value.service)) return done ? undefined : value;
      this.#later.push(value);
    }
    return undefined;
  }
}

/** The customer agrees, is enrolled on the first day, and pays money in on the second. */
async function enrol(world: World, footage: Footage, signal: AbortSignal): Promise<void> {
  const atm = world.terminal('atm');
  await ready(world, signal);
  world.payee = await world.bank.openAccount('山田 花子');
  atm.screen.camera(footage['cap12_edit.webm']);
  const enrolled = await visit(atm, { service: 'enrol', takes: 'all', confirms: true }, () => undefined, signal);
  if (enrolled.said?.name !== 'done') throw new Error(`nobody was enrolled: ${JSON.stringify(enrolled.said)}`);
  atm.screen.camera(footage['cap13_edit2.webm']);
  const paidIn = await visit(atm, START, () => undefined, signal);
  if (paidIn.said?.name !== 'done') throw new Error(`nothing was paid in: ${JSON.stringify(paidIn.said)}`);
  await ready(world, signal);
}

async function play(
  world: World,
  planned: PlannedRun,
  footage: Footage,
  signal: AbortSignal,
): Promise<Omit<RunResult, 'number' | 'planned' | 'keptIn'>> {
  const terminal = world.terminal(planned.terminal);
  await ready(world, signal);
  const before = await observe(world);
  terminal.screen.camera(footage['cap13_edit2.webm']);
  const { story, moment, killedMs } = await killedVisit(world, terminal, planned, signal);
  signal.throwIfAborted();
  const unsettled = await ready(world, signal);
  const settledMs = performance.now() - killedMs;
  if (unsettled !== null) {
    const sentence = `not settled within ${SETTLED_MS_MAX / 1000} s: ${unsettled}`;
    return { moment, outcome: 'unsettled', why: null, violations: [sentence], settledMs };
  }
  const after = await observe(world);
  const begun = begunIn(before, after, planned.terminal);
  const found = violations(before, after, { ...planned, visit: story });
  if (begun?.state === 'suspect') found.push(...(await blocked(world, terminal, planned, signal)));
  return { moment, outcome: begun?.state ?? NOTHING_BEGUN, why: begun?.why ?? null, violations: found, settledMs };
}

/** The last of a world: the next withdrawal proves what the one before left unconfirmed, and every journal verifies by itself. */
async function closing(
  world: World,
  footage: Footage,
  without: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string[]> {
  const found: string[] = [];
  const atm = world.terminal('atm');
  if (!without.has('withdraw')) {
    found.push((await offeredAgain(world, atm, 'withdraw', signal)) ?? '');
    const before = await observe(world);
    atm.screen.camera(footage['cap13_edit2.webm']);
    const said = await visit(atm, LAST, () => undefined, signal);
    found.push((await ready(world, signal)) ?? '');
    const after = await observe(world);
    if (said.said?.name !== 'done') found.push(`the next customer was told ${JSON.stringify(said.said)}`);
    found.push(...violations(before, after, { terminal: 'atm', victim: 'bank', intention: LAST, visit: said }));
    for (const { amountMinor } of after.books.held)
      found.push(`${amountMinor} is still held after the next withdrawal`);
  }
  for (const { name, dataDir } of world.terminals) {
    const verified = await runProgram('src-main/provisioning/cli.ts', ['journal', 'verify', '--data', dataDir]);
    if (verified.code !== 0) found.push(`the journal of the ${name} does not verify: ${verified.output}`);
  }
  return found.filter((one) => one !== '');
}

/** One visit during which a process ends where it stands and comes back, whatever the visit makes of it. */
async function killedVisit(
  world: World,
  terminal: Terminal,
  planned: PlannedRun,
  signal: AbortSignal,
): Promise<{ story: Visit; moment: string; killedMs: number }> {
  const { victim } = planned;
  const before = newest(terminal);
  const over = new AbortController();
  const aimed = Promise.withResolvers<void>();
  const onMoment = (moment: string) => void (moment === planned.moment && aimed.resolve());
  const stopWatching = watchJournal(terminal.journal, onMoment);
  const intention = { ...planned.intention, payee: world.payee.accountNumber };
  const visiting = visit(terminal, intention, onMoment, AbortSignal.any([signal, over.signal]));
  // A visit that ends without the moment, as where the bank said no, is followed by a kill all the same.
  await Promise.race([aimed.promise, visiting]);
  if (planned.delayMs > 0) await sleep(planned.delayMs);
  await world.kill(victim, terminal);
  stopWatching();
  const killedMs = performance.now();
  if (victim === 'terminal') over.abort();
  const left =
    victim === 'terminal' ? readLeftBehind(terminal.journal) : readJournal(terminal.journal).transactions.at(-1);
  const moment = !left || left.transactionId === before ? NOTHING_BEGUN : left.state;
  if (victim === 'terminal' && planned.grabs) await grab(terminal, planned, signal);
  await sleep(planned.awayMs);
  await world.restart(victim, terminal);
  const story = await visiting;
  return { story, moment, killedMs };
}

/** Notes that lie in reach are taken, though the screen is dark. */
async function grab(terminal: Terminal, { intention }: PlannedRun, signal: AbortSignal): Promise<void> {
  const cash = readCash(terminal);
  if (!cash) return;
  if (cash.exitMinor > 0)
    await deed(terminal, '/api/notes/take', intention.takes === 'one' ? { count: 1 } : {}, signal);
  if (cash.returnMinor > 0) await deed(terminal, '/api/notes/take-returned', {}, signal);
}

function newest({ journal }: Terminal): string | null {
  return readJournal(journal).transactions.at(-1)?.transactionId ?? null;
}

function begunIn(before: Observed, after: Observed, name: TerminalName): Transaction | undefined {
  const of = (observed: Observed) => observed.terminals.find((one) => one.name === name)?.journal.transactions ?? [];
  const known = new Set(of(before).map(({ transactionId }) => transactionId));
  return of(after).find(({ transactionId }) => !known.has(transactionId));
}

/** A suspect blocks its device, before and after a restart. */
async function blocked(world: World, terminal: Terminal, planned: PlannedRun, signal: AbortSignal): Promise<string[]> {
  const { service } = planned.intention;
  const refused = async () => {
    const offered = await isOffered(terminal, service, signal);
    if (offered === null) return 'the menu did not come';
    return offered ? `${service} is offered, though it has a suspect` : null;
  };
  const found = [await refused()];
  await terminal.kill();
  await terminal.start();
  const unsettled = await ready(world, signal);
  found.push(unsettled, await refused());
  return found.filter((one) => one !== null);
}

/** What somebody sees who comes, reads the menu and goes; null when no menu came. */
async function isOffered(
  { screen }: Terminal,
  service: Intention['service'],
  signal: AbortSignal,
): Promise<boolean | null> {
  await screen.does({ kind: 'begin' });
  const menu = await screen.until((view) => view.screen.name === 'menu', 5_000, signal);
  await screen.does({ kind: 'cancel' });
  if (menu?.screen.name !== 'menu') return null;
  return menu.screen.services.some((one) => one.service === service && one.available);
}

/** Devices that were started again are back some time after all is settled: people choose what a menu offers. */
async function offeredAgain(world: World, terminal: Terminal, service: Intention['service'], signal: AbortSignal) {
  const until = performance.now() + SETTLED_MS_MAX;
  for (;;) {
    if (await isOffered(terminal, service, signal)) return await ready(world, signal);
    if (performance.now() > until) return `${service} is not offered again within ${SETTLED_MS_MAX / 1000} s`;
    await ready(world, signal);
    await sleep(500, undefined, { signal });
  }
}

/** Waits until nothing is under way any more. Null when it is so, else what is not within the bound. */
async function ready(world: World, signal: AbortSignal): Promise<string | null> {
  const until = performance.now() + SETTLED_MS_MAX;
  for (;;) {
    const busy = world.terminals.map(underWay).find((one) => one !== null);
    if (busy === undefined) return null;
    if (performance.now() > until) return busy;
    await sleep(100, undefined, { signal });
  }
}

function underWay(terminal: Terminal): string | null {
  const { name, screen, journal } = terminal;
  const { view } = screen;
  if (view === null) return `the ${name} shows nothing`;
  if (view.screen.name !== 'attract') return `the ${name} shows "${view.screen.name}"`;
  if (!view.terminal.online) return `the ${name} cannot reach the bank`;
  const { transactions, waiting } = readJournal(journal);
  const open = transactions.find(({ final, state }) => !final && state !== 'suspect');
  if (open) return `the ${name} has an open ${open.service} in state "${open.state}"`;
  return waiting > 0 ? `the ${name} has ${waiting} messages for the bank` : null;
}
