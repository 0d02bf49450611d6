/**
 * A process that writes to the journal is killed (SIGKILL) at an arbitrary moment, many times over. What it had been told
 * was recorded must be there, nothing may be there by halves, and events and outbox must agree.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemChance, systemClock } from '../../src-main/clock.ts';
import { fakeSigner } from '../../src-main/journal/journal.fixture.ts';
import { openJournal } from '../../src-main/journal/journal.ts';
import { resultHash } from '../../src-main/journal/result-chain.ts';

const WRITER = new URL('./journal-crash-writer.ts', import.meta.url).pathname;
const ROUNDS = 6;
const terminalId = systemChance.id();
let directory: string;
let path: string;
let child: ChildProcess | null = null;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kaopass-crash-'));
  path = join(directory, 'journal.sqlite');
});
afterAll(() => {
  child?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

test('a journal whose writer is killed loses nothing that was acknowledged and holds nothing by halves', async () => {
  const acknowledged = { finals: new Set<string>(), results: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    await writeUntilKilled(acknowledged, 20 + round * 17);
    const journal = openJournal({
      path,
      clock: systemClock,
      chance: systemChance,
      signer: fakeSigner(terminalId),
      onAlarm: (alarm) => expect.fail(alarm.message),
    });
    const transactions = journal.transactions({ limit: 100_000 });
    const known = new Map(transactions.map((transaction) => [transaction.transactionId as string, transaction]));
    for (const transactionId of acknowledged.finals) expect(known.get(transactionId)?.final).toBe(true);

    // Each final event was committed with one reversal that names its transaction, and no other event with any.
    const reversals = journal.outbox
      .messages(100_000)
      .map(({ kind, body }) => (kind === 'reversal' ? body.reason : kind));
    const finals = transactions.filter(({ final }) => final).map(({ transactionId }) => transactionId as string);
    expect(reversals.toSorted()).toEqual(finals.toSorted());
    expect(journal.openTransactions().length).toBe(transactions.length - finals.length);
    for (const { events } of transactions)
      expect(events.map(({ number }) => number)).toEqual(events.map((_, n) => n + 1));

    const results = journal.outbox.results(100_000).map(({ body }) => body);
    expect(results.length).toBeGreaterThanOrEqual(acknowledged.results);
    expect(results.length).toBe(journal.head()?.sequence ?? 0);
    for (const [index, { sequence, jws }] of results.entries()) {
      const { previousHash } = JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString());
      expect(sequence).toBe(index + 1);
      expect(previousHash).toBe(index === 0 ? null : resultHash(results[index - 1]!.jws));
    }
    journal.close();
  }
  expect(acknowledged.finals.size).toBeGreaterThan(ROUNDS * 5);
  expect(acknowledged.results).toBeGreaterThan(ROUNDS * 5);
});

/** Lets the writer work, and kills it a little after its given acknowledgement. */
async function writeUntilKilled(
  acknowledged: { finals: Set<string>; results: number },
  acknowledgements: number,
): Promise<void> {
  const process = spawn('node', [WRITER, path, terminalId], { stdio: ['ignore', 'pipe', 'inherit'] });
  child = process;
  const closed = once(process, 'close');
  let left = acknowledgements;
  for await (const line of createInterface({ input: process.stdout })) {
    const [what, value] = line.split(' ');
    if (what === 'final') acknowledged.finals.add(value!);
    if (what === 'result') acknowledged.results = Number(value);
    if (--left === 0) setTimeout(() => process.kill('SIGKILL'), systemChance.fraction() * 8);
  }
  await closed;
  expect(process.signalCode).toBe('SIGKILL');
}
