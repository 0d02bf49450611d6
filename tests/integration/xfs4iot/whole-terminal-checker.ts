/**
 * After a fault: the machine is healed, the terminal restarted once if something is still open, everything sent to the bank. Then
 * either journal, bank and the physical truth agree to the yen, and go on agreeing after the next customers; or there is exactly
 * one suspect, with its evidence, its device blocked over a restart and the money held. Knows what a customer and an auditor know,
 * and nothing of how the terminal came to it.
 */
import { expect } from 'vitest';
import { incidentsAt, reckon } from '../../support/reckoning.ts';
import { never, type TestedTerminal } from '../../support/terminal-world.ts';
import type { Person } from '../../support/visits.ts';
import { type Conduct, isConserved, visits, type WholeTerminal } from './whole-terminal.ts';

/** What a terminal has behind it that owes nobody anything: what left the machine was charged, and nothing is held. */
export interface History {
  readonly outMinor: number;
  readonly lastTransactionId: string | null;
}

export function historyOf({ tested: { run } }: WholeTerminal): History {
  return {
    outMinor: run.till()!.netOutMinor,
    lastTransactionId: run.journal.transactions({ limit: 1 })[0]?.transactionId ?? null,
  };
}

/**
 * Answers how the only transaction since then ended: its last state in the journal, or "none begun"; and what the bank noticed.
 * @param next who come afterwards, and are served.
 */
export async function settles(
  whole: WholeTerminal,
  person: Person,
  { service, yen = 0 }: Conduct,
  before: History,
  next: readonly Conduct[],
): Promise<{ readonly ending: string; readonly incidents: readonly string[] }> {
  const { tested } = whole;
  const open = () => tested.run.journal.openTransactions();
  whole.heal();
  if (open().some(({ state }) => state !== 'suspect')) {
    await tested.stop();
    await tested.start();
  }
  const out = () => tested.run.till()!.netOutMinor;
  expect(isConserved(whole.machine), 'every note is in exactly one place').toBe(true);
  const all = since(tested, before);
  expect(all.length, 'one transaction at most').toBeLessThanOrEqual(1);
  if (service === 'withdraw') expect(out() - before.outMinor, 'nothing is paid twice').toBeLessThanOrEqual(yen);
  if (open().length > 0) {
    await isSuspect(tested, service);
    const books = await booksOf(tested);
    expect(books.charged, 'nothing is booked').toBe(before.outMinor);
    expect(books.held, 'what may be out is held').toBe(yen);
    await tested.stop();
    await tested.start();
    await isSuspect(tested, service);
    await isNotOffered(tested, service);
    return { ending: 'suspect', incidents: [] };
  }
  await flush(tested);
  const books = await booksOf(tested);
  expect(books.charged, 'charged is what left the machine').toBe(out());
  expect([0, yen], 'held is nothing, or what is unconfirmed').toContain(books.held);
  await mend(tested);
  for (const one of next) {
    expect(await visits(whole, person, one), `the next customer's ${one.service}`).toContain('done');
  }
  const incidents = await incidentsAt(tested);
  await reckon(tested, { suspects: 0, incidents });
  const after = await booksOf(tested);
  expect(after).toEqual({ charged: out(), held: 0 });
  return { ending: all[0]?.state ?? 'none begun', incidents };
}

/** Whether nobody has to fill a unit before the next customer. */
export async function isFilled({ machine }: WholeTerminal): Promise<boolean> {
  const { units } = await machine.dispenser.status(never);
  return units.every(({ kind, state }) => state !== 'empty' || (kind !== 'recycle' && kind !== 'cashOut'));
}

/** The newest, back to where the history ends. */
function since({ run: { journal } }: TestedTerminal, { lastTransactionId }: History) {
  const newest = journal.transactions({ limit: 10 });
  const end = newest.findIndex(({ transactionId }) => transactionId === lastTransactionId);
  return end === -1 ? newest : newest.slice(0, end);
}

/** What this terminal's customers were charged, less what they were credited; and what is held of them, yen. */
async function booksOf({ world, run: { terminalId } }: TestedTerminal): Promise<{ charged: number; held: number }> {
  const entries = (await world.entries()).filter((entry) => entry.terminalId === terminalId);
  const ofCustomers = entries.flatMap(({ postings }) =>
    postings.filter(({ accountKind }) => accountKind === 'customer'),
  );
  const holds = (await world.holds()).filter((hold) => hold.terminalId === terminalId && hold.state === 'held');
  return {
    charged: 0 - ofCustomers.reduce((sum, { creditMinor }) => sum + creditMinor, 0),
    held: holds.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
  };
}

/** What a technician does whom the terminal called. */
async function mend({ run }: TestedTerminal): Promise<void> {
  for (const device of [run.devices.cashDispenser!, run.devices.cashAcceptor!]) {
    await device.reset(never).catch(() => undefined);
  }
}

async function flush(tested: TestedTerminal): Promise<void> {
  const { journal, sync } = tested.run;
  for (let tries = 0; journal.outboxSize() > 0 && tries < 20; tries += 1) {
    if (tries > 0) await tested.world.clock.sleep(60_000, never);
    await sync.flush(never);
  }
  expect(journal.outboxSize(), 'the outbox empties').toBe(0);
}

async function isSuspect(tested: TestedTerminal, service: Conduct['service']): Promise<void> {
  await reckon(tested, { suspects: 1 });
  const [suspect] = tested.run.journal.openTransactions();
  expect(suspect?.service).toBe(service);
  expect(suspect?.events.at(-1)?.detail, 'the evidence').toMatchObject({ why: expect.stringMatching(/./) });
}

async function isNotOffered(tested: TestedTerminal, service: Conduct['service']): Promise<void> {
  const { customer } = tested.run;
  await customer.sees('attract');
  await customer.does('begin');
  const { services } = await customer.sees('menu');
  expect(services.find((one) => one.service === service)).toMatchObject({ available: false });
}
