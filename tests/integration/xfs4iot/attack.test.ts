/**
 * The attack that end-to-end security is for: a program with full control of the terminal's process. It has the device's socket,
 * the terminal's own keys for the bank, and time; it has no key of dispenser or bank. It gets no note out that a customer did not
 * ask for, it wipes no evidence of the last payout, and it has no money released that it then takes (docs/threat-model.md).
 *
 * The dispenser is the simulated one over its real protocol; its keys are in the test's hand only to show that better forgeries
 * than the attacker's fail too.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Bank } from '../../../src-bank/bank.ts';
import { money } from '../../../src-contract/primitives.ts';
import { type Atm, openAtm } from '../../../src-devices/atm.ts';
import { type Message, TestClient } from '../../../src-devices/test-client.ts';
import { VirtualClock } from '../../../src-devices/virtual-clock.ts';
import { emptyBank } from '../../support/bank-database.ts';
import { makeToken } from '../../support/test-dispenser.ts';
import { type Admin, adminOf, id, injectInto, TestTerminal } from '../../support/test-terminal.ts';
import { ADMIN_TOKEN, openBank, TestClock } from '../bank/banks.ts';

const PIN = '4682';
const NONCE_TIMEOUT_S = 60;
/** What the attacker asks the dispenser with, to compare its evidence before and after. */
const OWN_NONCE = '0123456789ABCDEF0123456789ABCDEF';

let stateDir: string;
let bank: Bank;
let admin: Admin;
let terminal: TestTerminal;
let personId: string;
let keys: { host: Buffer; device: Buffer };
let clock: VirtualClock;
let atm: Atm<null>;
let socket: TestClient;

const time = new TestClock();
beforeAll(async () => {
  bank = await openBank(await emptyBank(), time);
});
afterAll(() => bank.close());
beforeEach(async () => {
  const send = injectInto(bank.app);
  admin = adminOf(send, ADMIN_TOKEN);
  terminal = await TestTerminal.activate(send, admin, { now: () => time.now() });
  keys = { host: randomBytes(32), device: randomBytes(32) };
  const set = await admin.post(`/admin/terminals/${terminal.terminalId}/dispenser-keys`, {
    hostKey: keys.host.toString('hex'),
    deviceKey: keys.device.toString('hex'),
    proofsCover: 'whole-token',
  });
  expect(set.status).toBe(200);
  personId = await terminal.enrol(PIN, { yen: 500_000 });
  stateDir = mkdtempSync(join(tmpdir(), 'kaopass-attack-'));
  await switchOn();
});
afterEach(async () => {
  await socket.close();
  await atm.close();
  rmSync(stateDir, { recursive: true });
});

async function switchOn(): Promise<void> {
  clock = new VirtualClock();
  atm = await openAtm<null>({
    stateDir,
    clock,
    profile: 'atm',
    speed: Number.POSITIVE_INFINITY,
    ports: [0],
    flush: false,
    security: {
      mode: 'always',
      nonceTimeoutS: NONCE_TIMEOUT_S,
      keys: { host: keys.host.toString('hex'), device: keys.device.toString('hex') },
    },
  });
  socket = await TestClient.connect(atm.serviceUrl(atm.services[0]!.name));
}

interface Grant {
  readonly authorisationKey: string;
  readonly token: string;
  readonly responseNonce: string;
}

const nonce = async (): Promise<string> => (await socket.command('Common.GetCommandNonce')).payload.commandNonce;
/** A customer has asked for this much, with face and PIN: the most that an attacker can wait for. */
async function granted(yen: number): Promise<Grant> {
  const request = await terminal.authoriseRequest('withdraw', personId, { yen, pin: PIN });
  const { body } = await terminal.post<{ dispense: Omit<Grant, 'authorisationKey'> }>('/v1/authorisations', {
    ...request,
    commandNonce: await nonce(),
  });
  return { ...body.dispense, authorisationKey: request.idempotencyKey };
}
const order = (amount: number, token?: string, currency = 'JPY') => ({
  denomination: { denomination: { service: { currencies: { [currency]: amount }, mix: 'mix1' } } },
  ...(token === undefined ? {} : { token }),
});
const codeOf = ({ header, payload }: Message) =>
  header.completionCode === 'commandErrorCode' ? payload.errorCode : header.completionCode;
const dispense = async (amount: number, token?: string) =>
  codeOf(await socket.command('CashDispenser.Dispense', order(amount, token)));
/** Into a hand. */
async function handsOver(): Promise<void> {
  expect(codeOf(await socket.command('CashDispenser.Present'))).toBe('success');
  await atm.hands!.takeNotes();
}
const proof = async (responseNonce: string): Promise<string> =>
  (await socket.command('CashDispenser.GetPresentStatus', { nonce: responseNonce })).payload.token;
const capture = async ({ authorisationKey }: Grant, yen: number, token: string, priorProof: string | null = null) =>
  await terminal.post('/v1/captures', {
    idempotencyKey: id(),
    authorisationKey,
    amount: money(yen),
    proof: token,
    priorProof,
  });
/** A payout as it should be. */
async function paysOut(yen: number): Promise<Grant> {
  const grant = await granted(yen);
  const prior = await proof(grant.responseNonce);
  expect(await dispense(yen, grant.token)).toBe('success');
  await handsOver();
  const settled = await capture(grant, yen, await proof(grant.responseNonce), prior);
  expect(settled.body).toMatchObject({ outcome: 'posted' });
  return grant;
}
const out = () => {
  const { inReach, withCustomers } = atm.hands!.where().worth;
  return inReach + withCustomers;
};
const account = async () => {
  const { body } = await admin.get<{ accounts: { ownerId: string; ledgerMinor: number; heldMinor: number }[] }>(
    '/admin/accounts',
  );
  const found = body.accounts.find(({ ownerId }) => ownerId === personId);
  return { ledger: found?.ledgerMinor, held: found?.heldMinor };
};
/** Everything about the machine that an attack must leave as it is. */
async function machine() {
  const status = await socket.command('CashDispenser.GetPresentStatus', { nonce: OWN_NONCE });
  const { storage } = (await socket.command('Storage.GetStorage')).payload;
  return { notes: atm.hands!.where(), counts: storage, evidence: status.payload };
}
/** Runs the attack after a payout of ¥20,000, of which the evidence must stay. */
async function harmless(attack: (lastPayout: Grant) => Promise<void>): Promise<void> {
  const lastPayout = await paysOut(20_000);
  const before = await machine();
  expect(before.evidence.token).toContain(`DISPENSEID=${lastPayout.token.slice(-64)},DISPENSED1=20000JPY`);
  await attack(lastPayout);
  expect(await machine()).toEqual(before);
  expect(out()).toBe(20_000);
}
const altered = (token: string, from: string | RegExp, to: string) => {
  const text = token.replace(from, to);
  expect(text).not.toBe(token);
  return text;
};

describe('at the dispenser, no note comes out', () => {
  test('without a token', async () => {
    await harmless(async () => {
      expect(await dispense(30_000)).toBe('invalidToken');
      await nonce();
      expect(await dispense(30_000)).toBe('invalidToken');
      expect(await dispense(30_000, '')).toBe('invalidToken');
    });
  });

  test('for the token of an earlier payout', async () => {
    await harmless(async ({ token }) => {
      expect(await dispense(20_000, token)).toBe('noCommandNonce');
      await nonce();
      expect(await dispense(20_000, token)).toBe('invalidTokenNonce');
    });
  });

  test('for a token altered anywhere', async () => {
    await harmless(async () => {
      const { token } = await granted(30_000);
      expect(await dispense(90_000, altered(token, 'DISPENSE1=30000JPY', 'DISPENSE1=90000JPY'))).toBe(
        'invalidTokenHMAC',
      );
      const otherNonce = altered(token, /NONCE=./, token.startsWith('NONCE=0') ? 'NONCE=1' : 'NONCE=0');
      expect(await dispense(30_000, otherNonce)).toBe('invalidTokenHMAC');
      expect(await dispense(30_000, token.slice(0, -1) + (token.endsWith('0') ? '1' : '0'))).toBe('invalidTokenHMAC');
      expect(await dispense(30_000, altered(token, 'TOKENLENGTH=0164', 'TOKENLENGTH=0165'))).toBe('invalidTokenFormat');
      expect(await dispense(30_000, altered(token, 'TOKENFORMAT=1', 'TOKENFORMAT=2'))).toBe('invalidTokenFormat');
      expect(
        await dispense(30_000, altered(token, 'DISPENSE1=30000JPY', 'DISPENSE1=30000JPY,DISPENSE1=90000JPY')),
      ).toBe('invalidTokenFormat');
      expect(await dispense(60_000, token + token)).toBe('invalidTokenFormat');
    });
  });

  test('for any mutilation of a good token', async () => {
    await harmless(async () => {
      const { token } = await granted(30_000);
      const position = fc.nat(token.length - 1);
      const character = fc.stringMatching(/^[!-~]$/);
      await fc.assert(
        fc.asyncProperty(position, position, character, async (from, length, instead) => {
          const text = token.slice(0, from) + instead + token.slice(from + (length % 5));
          fc.pre(text !== token);
          expect(await dispense(30_000, text)).toMatch(/^invalidToken(Format|HMAC|Nonce)?$/);
        }),
        { numRuns: 150 },
      );
    });
  });

  test('for a token made with any key but the bank’s, the dispenser’s own included', async () => {
    await harmless(async () => {
      const fresh = await nonce();
      const grants = ['DISPENSE1=30000JPY'];
      for (const key of [Buffer.alloc(32), randomBytes(32), Buffer.from(terminal.terminalId), keys.device]) {
        expect(await dispense(30_000, makeToken(key, fresh, grants))).toBe('invalidTokenHMAC');
      }
      // The dispenser signs whatever nonce it is asked with: its answer, sent back to it, is no command.
      expect(await dispense(20_000, await proof(fresh))).toBe('invalidTokenHMAC');
    });
  });

  test('for more than the token allows, or for other money', async () => {
    await harmless(async () => {
      const { token } = await granted(30_000);
      expect(await dispense(31_000, token)).toBe('invalidToken');
      expect(await dispense(300_000, token)).toBe('invalidToken');
      const euros = await socket.command('CashDispenser.Dispense', order(30_000, token, 'EUR'));
      expect(codeOf(euros)).toBe('invalidCurrency');
      // Not even the bank's own key makes yen of a token for euros.
      expect(await dispense(30_000, makeToken(keys.host, await nonce(), ['DISPENSE1=300.00EUR']))).toBe('invalidToken');
    });
  });

  test('for a token whose nonce was replaced, cleared, timed out, or lost with the power', async () => {
    await harmless(async () => {
      const replaced = await granted(30_000);
      await nonce();
      expect(await dispense(30_000, replaced.token)).toBe('invalidTokenNonce');
      const cleared = await granted(30_000);
      await socket.command('Common.ClearCommandNonce');
      expect(await dispense(30_000, cleared.token)).toBe('noCommandNonce');
      const late = await granted(30_000);
      await clock.advance(NONCE_TIMEOUT_S * 1000 + 1);
      expect(await dispense(30_000, late.token)).toBe('noCommandNonce');
      const restarted = await granted(30_000);
      await socket.close();
      await atm.powerCut();
      await switchOn();
      expect(await dispense(30_000, restarted.token)).toBe('noCommandNonce');
    });
  });

  test('for a second token, however genuine, beside the one in use', async () => {
    const { token } = await granted(30_000);
    const [, commandNonce = ''] = /^NONCE=([0-9A-F]+)/.exec(token) ?? [];
    expect(await dispense(10_000, token)).toBe('success');
    await handsOver();
    const before = await machine();
    const second = makeToken(keys.host, commandNonce, ['DISPENSE1=200000JPY']);
    expect(await dispense(30_000, second)).toBe('invalidToken');
    expect(await machine()).toEqual(before);
    // The bank would not have made it in the first place.
    const request = await terminal.authoriseRequest('withdraw', personId, { yen: 200_000, pin: PIN });
    const asked = await terminal.post('/v1/authorisations', { ...request, commandNonce });
    expect(asked.body).toMatchObject({ outcome: 'declined' });
    expect(out()).toBe(10_000);
  });

  test('beyond the token’s amount, in however many commands, one after the other or all at once', async () => {
    const { token } = await granted(30_000);
    const rivals = await Promise.all([1, 2, 3].map(() => TestClient.connect(atm.serviceUrl(atm.services[0]!.name))));
    const answers = await Promise.all(
      rivals.map(async (rival) => codeOf(await rival.command('CashDispenser.Dispense', order(20_000, token)))),
    );
    expect(answers.filter((code) => code === 'success')).toHaveLength(1);
    await handsOver();
    expect(await dispense(20_000, token)).toBe('invalidToken');
    expect(await dispense(10_000, token)).toBe('success');
    await handsOver();
    expect(await dispense(1_000, token)).toBe('noCommandNonce');
    expect(out()).toBe(30_000);
    for (const rival of rivals) await rival.close();
  });
});

describe('at the bank, nothing is released that can still be taken, or was', () => {
  test('after a reversal before the dispense', async () => {
    await paysOut(20_000);
    const grant = await granted(30_000);
    const unused = await proof(grant.responseNonce);
    const reversal = {
      authorisationKey: grant.authorisationKey,
      reason: 'not-dispensed',
      proof: unused,
      priorProof: null,
    };
    const answer = await terminal.post('/v1/reversals', { idempotencyKey: id(), ...reversal });
    expect(answer.body).toMatchObject({ outcome: 'held', reason: 'unconfirmed' });
    expect(await dispense(30_000, grant.token)).toBe('success');
    await handsOver();
    expect(await account()).toEqual({ ledger: 480_000, held: 30_000 });
    await paysOut(10_000);
    expect(await account()).toEqual({ ledger: 500_000 - out(), held: 0 });
  });

  test('after a report of nothing, with the notes still on their way', async () => {
    await paysOut(20_000);
    const grant = await granted(30_000);
    expect(await dispense(30_000, grant.token)).toBe('success');
    const early = await proof(grant.responseNonce);
    const reversal = {
      authorisationKey: grant.authorisationKey,
      reason: 'not-presented',
      proof: early,
      priorProof: null,
    };
    const answer = await terminal.post('/v1/reversals', { idempotencyKey: id(), ...reversal });
    expect(answer.body).toMatchObject({ outcome: 'held', reason: 'unconfirmed' });
    await handsOver();
    await paysOut(10_000);
    expect(await account()).toEqual({ ledger: 500_000 - out(), held: 0 });
  });

  test('after a first part that was reported, with the rest taken later', async () => {
    const grant = await granted(30_000);
    expect(await dispense(10_000, grant.token)).toBe('success');
    await handsOver();
    const told = await capture(grant, 10_000, await proof(grant.responseNonce));
    expect(told.body).toMatchObject({ outcome: 'held', reason: 'unconfirmed' });
    expect(await dispense(20_000, grant.token)).toBe('success');
    await handsOver();
    expect(await account()).toEqual({ ledger: 500_000, held: 30_000 });
    await paysOut(10_000);
    expect(await account()).toEqual({ ledger: 500_000 - out(), held: 0 });
  });

  test('after a payout in two parts of which only the second is shown', async () => {
    const grant = await granted(30_000);
    expect(await dispense(20_000, grant.token)).toBe('success');
    await handsOver();
    expect(await dispense(10_000, grant.token)).toBe('success');
    await handsOver();
    const told = await capture(grant, 10_000, await proof(grant.responseNonce));
    expect(told.body).toMatchObject({ outcome: 'held', reason: 'proof-contradicts' });
    expect((await capture(grant, 30_000, await proof(grant.responseNonce))).body).toMatchObject({ outcome: 'posted' });
    expect(await account()).toEqual({ ledger: 500_000 - out(), held: 0 });
  });

  test('for a proof that the attacker makes, changes, or kept from before', async () => {
    const last = await paysOut(20_000);
    const kept = await proof(last.responseNonce);
    const grant = await granted(30_000);
    const unused = await proof(grant.responseNonce);
    expect(await dispense(30_000, grant.token)).toBe('success');
    await handsOver();
    const honest = await proof(grant.responseNonce);
    const relabelled = altered(kept, /NONCE=[0-9A-F]+/, `NONCE=${grant.responseNonce}`);
    const shrunk = altered(honest, 'PRESENTEDAMOUNT1=30000JPY', 'PRESENTEDAMOUNT1=10000JPY');
    const resigned =
      shrunk.slice(0, -64) + createHmac('sha256', randomBytes(32)).update(shrunk).digest('hex').toUpperCase();
    for (const forged of [kept, relabelled, shrunk, resigned]) {
      const answer = await terminal.post('/v1/reversals', {
        idempotencyKey: id(),
        authorisationKey: grant.authorisationKey,
        reason: 'not-dispensed',
        proof: forged,
        priorProof: null,
      });
      expect(answer.body).toMatchObject({ outcome: 'held', reason: 'proof-invalid' });
    }
    expect(await account()).toEqual({ ledger: 480_000, held: 30_000 });
    // The one that is genuine and outdated is no forgery, and helps as little.
    await terminal.post('/v1/reversals', {
      idempotencyKey: id(),
      authorisationKey: grant.authorisationKey,
      reason: 'not-dispensed',
      proof: unused,
      priorProof: null,
    });
    expect(await account()).toEqual({ ledger: 480_000, held: 30_000 });
    expect((await capture(grant, 30_000, honest)).body).toMatchObject({ outcome: 'posted' });
    expect(await account()).toEqual({ ledger: 500_000 - out(), held: 0 });
  });
});
