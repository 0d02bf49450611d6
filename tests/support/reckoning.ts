/** The checker: counts money in machine, journal and bank by means of its own, and knows nothing of how it got there. */
import { expect } from 'vitest';
import { never, type TestedTerminal } from './terminal-world.ts';

export interface Reckoning {
  /** Transactions whose outcome nobody could find out. */
  readonly suspects: number;
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
  const { body: incidents } = await world.admin.get<{ incidents: { terminalId: string }[] }>('/admin/incidents');
  expect(incidents.incidents.filter(({ terminalId }) => terminalId === run.terminalId)).toEqual([]);
  const held = (await world.holds()).filter(
    ({ terminalId, state }) => terminalId === run.terminalId && state === 'held',
  );
  const suspects = new Set<string>(open.map(({ transactionId }) => transactionId));
  expect(held.filter(({ transactionId }) => !suspects.has(transactionId))).toEqual([]);

  const { cash } = run.simulated.control.state();
  if (!cash) return;
  const { conservation } = cash;
  expect(conservation.holds).toBe(true);
  if (expected.suspects > 0) return;
  const returnedMinor = Object.entries(cash.returned.notes).reduce(
    (sum, [note, count]) => sum + Number(note) * count,
    0,
  );
  const outMinor = conservation.takenMinor;
  const inMinor = conservation.insertedMinor - conservation.takenBackMinor - returnedMinor;
  const atBank = (await world.accounts()).find(({ kind, ownerId }) => kind === 'cash' && ownerId === run.terminalId);
  expect(atBank?.ledgerMinor ?? 0, 'what the bank thinks left the machine').toBe(outMinor - inMinor);
  expect(conservation.insideMinor).toBe(conservation.loadedMinor + inMinor - outMinor);
}
