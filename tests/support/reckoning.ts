/** The checker: counts money in machine, journal and bank by means of its own, and knows nothing of how it got there. */
import { expect } from 'vitest';
import { z } from 'zod';
import { NoteCount } from '../../src-contract/screen.ts';
import { never, type TestedTerminal } from './terminal-world.ts';

export interface Reckoning {
  /** Transactions whose outcome nobody could find out. */
  readonly suspects: number;
  /** What the bank noticed at this terminal, by code; nothing when not given. */
  readonly incidents?: readonly string[];
}

/** Codes of what the bank noticed at the terminal and a person has to look at. */
export async function incidentsAt({ world, run }: TestedTerminal): Promise<string[]> {
  const { body } = await world.admin.get<{ incidents: { terminalId: string; code: string }[] }>('/admin/incidents');
  return body.incidents.filter(({ terminalId }) => terminalId === run.terminalId).map(({ code }) => code);
}

/**
 * Brings everything to the bank and asserts that machine, journal and bank agree to the yen: no note made or lost, the
 * bank's cash account of this terminal is what really came and went, books balanced, chain verified, nothing set aside, no
 * transaction open and no money held, but for suspects.
 */
export async function reckon(tested: TestedTerminal, expected: Reckoning = { suspects: 0 }): Promise<void> {
  const { world, run } = tested;
  world.mend();
  for (let tries = 0; run.journal.outboxSize() > 0 || tries === 0; tries += 1) {
    expect(tries, 'the outbox does not empty').toBeLessThan(20);
    if (tries > 0) await world.clock.sleep(400_000, never);
    await run.sync.flush(never);
  }
  expect(run.journal.outbox.deadLetters()).toEqual([]);
  expect(tested.failures).toEqual([]);
  const open = run.journal.openTransactions();
  expect(open.map(({ state }) => state)).toEqual(Array(expected.suspects).fill('suspect'));
  for (const { service } of open) {
    expect([...run.blocked]).toContain(service === 'withdraw' ? 'cash-dispenser' : 'cash-acceptor');
  }

  const { body: balance } = await world.admin.get<{ balanced: boolean }>('/admin/trial-balance');
  expect(balance.balanced).toBe(true);
  const { body: chain } = await world.admin.get<object>(`/admin/chains/${run.terminalId}`);
  expect(chain).toMatchObject({ verified: true, results: run.journal.head()?.sequence ?? 0 });
  expect(await incidentsAt(tested)).toEqual(expected.incidents ?? []);
  const held = (await world.holds()).filter(
    ({ terminalId, state }) => terminalId === run.terminalId && state === 'held',
  );
  const suspects = new Set<string>(open.map(({ transactionId }) => transactionId));
  expect(held.filter(({ transactionId }) => !suspects.has(transactionId))).toEqual([]);

  const till = run.till();
  if (!till) return;
  expect(till.conserved).toBe(true);
  if (expected.suspects > 0) return;
  expect(till.presentedMinor, 'nothing lies at the output any more').toBe(0);
  // Notes given back that nobody took are in the machine, and in nobody's account.
  const keptMinor = run.journal
    .transactions({ limit: 10_000 })
    .filter(({ service, state }) => service === 'deposit' && state === 'retracted')
    .flatMap(({ events }) => z.array(NoteCount).parse(events.at(-1)?.detail['retracted']))
    .reduce((sum, { denominationMinor, count }) => sum + denominationMinor * count, 0);
  const atBank = (await world.accounts()).find(({ kind, ownerId }) => kind === 'cash' && ownerId === run.terminalId);
  expect(atBank?.ledgerMinor ?? 0, 'what the bank thinks left the machine').toBe(till.netOutMinor + keptMinor);
}
