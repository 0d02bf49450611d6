import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { money, type Service, type Uuid } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../clock.ts';
import { fakeSigner } from '../journal/journal.fixture.ts';
import { type Journal, openJournal } from '../journal/journal.ts';
import { dataPlaces } from '../places.ts';
import { runCli } from './cli.ts';

let dir: string;
let journal: Journal;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kaopass-status-'));
  const signer = fakeSigner(systemChance.id());
  const path = dataPlaces(dir).journal;
  journal = openJournal({ path, clock: systemClock, chance: systemChance, signer, onAlarm: () => {} });
});
afterEach(() => {
  journal.close();
  rmSync(dir, { recursive: true });
});

const begin = (service: Service, state: string, detail = {}): Uuid => {
  const transactionId = systemChance.id();
  journal.begin({ transactionId, service, personId: systemChance.id(), amount: money(10_000) });
  journal.record(transactionId, { state, detail });
  return transactionId;
};
/** What the program prints, its padding taken out. */
const status = async (...flags: string[]) => {
  let out = '';
  const code = await runCli(['status', '--data', dir, ...flags], {
    fetch: () => Promise.reject(new Error('there is no bank')),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      out += text;
    },
    signal: AbortSignal.timeout(20_000),
  });
  return { code, out: out.replaceAll(/ +/g, ' ') };
};

test('a suspect is shown with its reason and the device that serves nobody for it', async () => {
  const paidOut = begin('withdraw', 'suspect', { why: 'the cash dispenser cannot say what happened' });
  // A technician began to look: the reason stays what it was.
  journal.record(paidOut, { state: 'suspect', detail: { clearing: true } });
  const paidIn = begin('deposit', 'suspect', { why: 'the cash acceptor did not answer' });
  const waits = begin('transfer', 'asking-bank');
  const { code, out } = await status();
  expect(code).toBe(0);
  const counted = 'serves nobody until a technician has counted';
  expect(out).toContain(
    `suspect ${paidOut} withdraw: the cash-dispenser ${counted}; the cash dispenser cannot say what happened\n`,
  );
  expect(out).toContain(`suspect ${paidIn} deposit: the cash-acceptor ${counted}; the cash acceptor did not answer\n`);
  expect(out).toContain('open 3 transactions');
  expect(out).not.toContain(`suspect ${waits}`);
  const { suspects } = JSON.parse((await status('--json')).out);
  expect(suspects).toMatchObject([
    { transactionId: paidOut, blocks: 'cash-dispenser', why: 'the cash dispenser cannot say what happened' },
    { transactionId: paidIn, blocks: 'cash-acceptor' },
  ]);
});

test('one whose count has ended it is shown no more', async () => {
  const transactionId = begin('withdraw', 'suspect', { why: 'it went away' });
  expect((await status()).out).toContain('it went away');
  journal.record(transactionId, { state: 'settled-by-count', final: true });
  const { out } = await status();
  expect(out).toContain('open no transaction');
  expect(out).not.toContain('suspect');
});
