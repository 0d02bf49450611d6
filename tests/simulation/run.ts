/** One run of a story: things go wrong for its length, then everything heals and has to settle within a bound. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PowerCut } from '../support/world-clock.ts';
import type { BankRoom } from './bank-room.ts';
import { Checkers } from './checkers.ts';
import { chanceFrom } from './generator.ts';
import { randomFrom } from './on-the-spot.ts';
import { come } from './person.ts';
import type { PlantedBug } from './planted-bugs.ts';
import type { Item, Story, Trouble } from './story.ts';
import { SimulatedTerminal } from './terminal.ts';
import { type Counts, type Violation, World } from './world.ts';

export interface RunReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly counts: Counts;
  /** Of everything that happened, in order. */
  readonly trace: { readonly lines: number; readonly sha256: string };
  readonly virtualMs: number;
}

export interface RunOptions {
  readonly bug?: PlantedBug | null;
  /** Hears every line of the trace. */
  readonly tell?: (line: string) => void;
}

/** Longest that anything may take to settle once nothing goes wrong any more, virtual ms; and rounds with the bank beside. */
const SETTLES_MS_MAX = 60 * 60_000;
const SETTLES_ROUNDS_MAX = 3;
/** Between two looks at whether it has settled: a minute at first, and then a twentieth of what has passed. */
const LOOK_SHARE = 20;
const MINUTE = 60_000;
/** Who has the accounts that people pay to; of one the bank knows no name. */
const HOLDERS: readonly (string | null)[] = ['山田 太郎', null];

/** Memory where there is such a place: nothing of a run is worth a disk. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export async function runStory(story: Story, bank: BankRoom, options: RunOptions = {}): Promise<RunReport> {
  const dir = mkdtempSync(join(SCRATCH, 'kaopass-simulation-'));
  const world = new World({ story, bank, dir, ...options });
  const stray = (error: unknown) => {
    // Whatever still runs of a program without power comes to nothing.
    if (error instanceof PowerCut) return;
    world.violation('program', `rejected and nobody listened: ${String(error)}`);
  };
  process.on('unhandledRejection', stray);
  try {
    await play(world);
  } catch (error) {
    if (world.violations.length === 0) world.violation('program', `the run broke down: ${(error as Error).stack}`);
  } finally {
    process.off('unhandledRejection', stray);
    world.time.close();
    rmSync(dir, { recursive: true, force: true });
  }
  return {
    seed: story.seed,
    violations: world.violations,
    counts: world.counts,
    trace: world.hash(),
    virtualMs: world.time.monotonicMs(),
  };
}

async function play(world: World): Promise<void> {
  const { time, story, bank } = world;
  const everywhere = world.stream('cryptography');
  randomFrom((length) => everywhere.bytes(length));
  const bankChance = chanceFrom(world.stream('bank'), () => time.now());
  await bank.empty({ now: () => time.now(), sleep: async () => {} }, bankChance as never);

  for (const holderName of HOLDERS) {
    const { accountNumber } = await bank.staff<{ accountNumber: string }>('POST', '/admin/accounts', { holderName });
    world.payees = [...world.payees, accountNumber];
  }
  const terminals = story.terminals.map((setup) => new SimulatedTerminal(world, setup));
  for (const terminal of terminals) await terminal.activate();
  const checkers = new Checkers(world, terminals);
  const alive = terminals.map((terminal) => terminal.live());
  const over = world.over.signal;

  const cast = story.items.map((item) => happens(world, terminals, checkers, item));
  await Promise.race([Promise.all(cast), aborted(over)]);
  if (!over.aborted) await time.until(Math.max(story.lengthMs, time.monotonicMs()));
  if (!over.aborted) await settle(world, terminals, checkers);
  world.over.abort();
  for (const terminal of terminals) await terminal.end();
  await Promise.all(alive);
}

/** The item at its time. Never rejects but for a bug of the simulation. */
async function happens(
  world: World,
  terminals: readonly SimulatedTerminal[],
  checkers: Checkers,
  item: Item,
): Promise<void> {
  await world.time.until(item.at);
  if (world.over.signal.aborted) return;
  if (item.kind !== 'visit') return strike(world, terminals, item);
  const terminal = terminals.find(({ name }) => name === item.terminal);
  await terminal?.turn(async () => {
    try {
      await come(world, terminal, item);
      await checkers.after(terminal);
    } catch (error) {
      if (!world.over.signal.aborted) throw error;
    }
  });
}

function strike(world: World, terminals: readonly SimulatedTerminal[], item: Trouble): void {
  if (!world.troubled) return;
  if (item.kind === 'bank down') {
    world.count('trouble', 'bank down');
    world.note('bank', `down for ${item.forMs} ms`);
    world.bankDownUntil = Math.max(world.bankDownUntil, world.time.monotonicMs() + item.forMs);
    return;
  }
  const terminal = terminals.find(({ name }) => name === item.terminal);
  if (!terminal) return;
  switch (item.kind) {
    case 'power cut':
      terminal.cutAfter(item.effects, item.offMs);
      return;
    case 'line': {
      const { trouble, after, times, delayMs } = item;
      terminal.line.arm({ trouble, after, times, delayMs });
      return;
    }
    case 'device':
      terminal.arm(item.device, item.fault, item.forMs);
      return;
    case 'clock step':
      world.count('trouble', 'clock step');
      world.note(terminal.name, `the clock jumps by ${item.byMs} ms`);
      terminal.clockOffMs += item.byMs;
      return;
    case 'disk full':
      world.count('trouble', 'disk full');
      terminal.disk.fill(item.reservePages);
      world.time.after(item.forMs, () => terminal.disk.free());
      return;
    case 'day close':
      void terminal.closeDay();
      return;
    case 'restart':
      void terminal.restart();
      return;
  }
}

/** Nothing goes wrong any more. */
async function settle(world: World, terminals: readonly SimulatedTerminal[], checkers: Checkers): Promise<void> {
  const { time, bank } = world;
  world.note('world', 'everything heals');
  world.troubled = false;
  world.bankDownUntil = 0;
  for (const terminal of terminals) terminal.heal();
  const from = world.time.monotonicMs();
  const slowest = Math.max(...terminals.map(({ setup }) => setup.roundMs));
  const settlesMsMax = SETTLES_MS_MAX + SETTLES_ROUNDS_MAX * slowest;
  const wait = (ms: number) => world.time.sleep(ms, world.over.signal);
  await wait(2 * MINUTE);
  for (const terminal of terminals) {
    if (terminal.wantsRestart) await terminal.restart();
  }
  await wait(MINUTE);
  const technician = world.stream('technician');
  for (const terminal of terminals) {
    await terminal.clear();
    if (!terminal.hasSuspects || !technician.chance(0.5)) continue;
    world.count('visit', 'a technician who counts');
    await terminal.countSuspects();
  }
  for (;;) {
    const left = world.ghosts > 0 ? `${world.ghosts} late requests` : await checkers.unsettled();
    if (left === null) break;
    if (world.time.monotonicMs() - from > settlesMsMax) {
      world.violation('progress', `not settled after ${settlesMsMax / MINUTE} minutes: ${left}`);
      return;
    }
    await wait(Math.max(MINUTE, (world.time.monotonicMs() - from) / LOOK_SHARE));
  }
  await time.during(staffSettles(bank));
  for (const terminal of terminals) {
    terminal.resolveCounts();
    await checkers.after(terminal);
    terminal.open(null);
  }
  await checkers.end();
}

/** Counts under a code that had expired when they came are settled by the bank's staff. */
async function staffSettles(bank: BankRoom): Promise<void> {
  const { counts } = await bank.staff<{ counts: { countId: string; countedMinor: number; state: string }[] }>(
    'GET',
    '/admin/counts?limit=100',
  );
  for (const { countId, countedMinor, state } of counts) {
    if (state === 'held') await bank.staff('POST', `/admin/counts/${countId}/settlement`, { countedMinor });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
