/** Claimed identities at the bank: for which looks it names whom, how often, and what such a match is worth afterwards. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bank } from '../../../src-bank/bank.ts';
import type { AuthoriseAnswer, GalleryAnswer } from '../../../src-contract/bank-api.ts';
import { type ClaimedIdentityAnswer, NUMBERS_PER_LOOK } from '../../../src-contract/claimed-identity.ts';
import { money } from '../../../src-contract/primitives.ts';
import { emptyBank } from '../../support/bank-database.ts';
import { type Admin, adminOf, id, injectInto, type Send, TestTerminal } from '../../support/test-terminal.ts';
import { ADMIN_TOKEN, openBank, TestClock } from './banks.ts';

const PIN = '2749';
const MODEL = 'ab'.repeat(32);
const face = () => id().replaceAll('-', '').slice(0, 22);
const number = (n: number) => String(n).padStart(10, '0');

const clock = new TestClock();
let bank: Bank;
let send: Send;
let admin: Admin;
beforeAll(async () => {
  bank = await openBank(await emptyBank(), clock);
  send = injectInto(bank.app);
  admin = adminOf(send, ADMIN_TOKEN);
});
afterAll(() => bank.close());

const started = () => TestTerminal.activate(send, admin, { now: () => clock.now() });
const somebody = async (yen = 0) => {
  const home = await started();
  const personId = await home.enrol(PIN, { yen });
  const { body } = await admin.get<{ accounts: { accountId: string; ownerId: string }[] }>('/admin/accounts');
  const { accountId } = body.accounts.find(({ ownerId }) => ownerId === personId)!;
  const account = await admin.get<{ accountNumber: string }>(`/admin/accounts/${accountId}`);
  return { personId, accountNumber: account.body.accountNumber };
};
/** A look that led to nobody, delivered. */
const look = async (terminal: TestTerminal, change: object = {}) => {
  const { resultId, jws } = await terminal.nextResult({
    outcome: 'refused',
    reason: 'nobody',
    presentedFace: face(),
    ...change,
  });
  expect((await terminal.post('/v1/results', { results: [jws] })).status).toBe(200);
  return resultId;
};
const question = (terminal: TestTerminal, accountNumber: string, resultId: string, change: object = {}) => ({
  questionId: id(),
  accountNumber,
  resultId,
  modelSha256: MODEL,
  protectionVersion: terminal.activation.protectionVersion,
  ...change,
});
const ask = (terminal: TestTerminal, asked: object) =>
  terminal.post<ClaimedIdentityAnswer>('/v1/claimed-identities', asked);
const incidents = async (terminal: TestTerminal) => {
  const { body } = await admin.get<{ incidents: { terminalId: string; code: string }[] }>('/admin/incidents');
  return body.incidents.filter(({ terminalId }) => terminalId === terminal.terminalId).map(({ code }) => code);
};

describe('whom a number belongs to', () => {
  it('is answered with the one template, as the feed has it, after a look that led to nobody', async () => {
    const { personId, accountNumber } = await somebody();
    const terminal = await started();
    const { body: feed } = await terminal.get<GalleryAnswer>('/v1/gallery?after=0');
    const entry = feed.entries.find((one) => one.personId === personId)!;
    const asked = question(terminal, accountNumber, await look(terminal));
    const answer = await ask(terminal, asked);
    expect(answer.body).toEqual({
      outcome: 'known',
      personId,
      template: (entry as Extract<typeof entry, { kind: 'put' }>).template,
    });
    // A repeat is the same question.
    for (let n = 0; n < NUMBERS_PER_LOOK; n += 1) expect(await ask(terminal, asked)).toEqual(answer);
    const other = await ask(terminal, { ...asked, accountNumber: number(1) });
    expect(other).toMatchObject({ status: 409, body: { code: 'idempotency-key-reused' } });
  });

  it('is not said where there is nobody to compare with, and not why', async () => {
    const gone = await somebody();
    const { personId, accountNumber } = await somebody();
    const terminal = await started();
    const asked = question(terminal, gone.accountNumber, await look(terminal));
    expect((await ask(terminal, asked)).body).toMatchObject({ outcome: 'known' });
    expect((await admin.delete(`/admin/people/${gone.personId}/template`)).status).toBe(200);
    const nobody = { status: 200, body: { outcome: 'not-known' } };
    // A question from before the consent was withdrawn, too.
    expect(await ask(terminal, asked)).toEqual(nobody);
    const resultId = await look(terminal);
    expect(await ask(terminal, question(terminal, gone.accountNumber, resultId))).toEqual(nobody);
    expect(await ask(terminal, question(terminal, number(0), resultId))).toEqual(nobody);
    const ofModel = { modelSha256: 'ef'.repeat(32) };
    expect(await ask(terminal, question(terminal, accountNumber, resultId, ofModel))).toEqual(nobody);
    expect(JSON.stringify(nobody)).not.toContain(personId);
  });

  it('is refused without such a look: of another reason, service, terminal, or of some time ago', async () => {
    const { personId, accountNumber } = await somebody();
    const terminal = await started();
    const other = await started();
    const isRefused = async (resultId: string) =>
      expect((await ask(terminal, question(terminal, accountNumber, resultId))).body).toEqual({
        outcome: 'refused',
        reason: 'result-not-accepted',
      });
    await isRefused(await look(terminal, { reason: 'too-many-tries' }));
    await isRefused(await look(terminal, { liveness: { frames: 3, passive: 0.9, cues: [], decision: 'undecided' } }));
    await isRefused(await look(terminal, { service: 'deposit' }));
    await isRefused(await look(terminal, { outcome: 'accepted', reason: null, personId }));
    await isRefused(await look(other));
    const late = await look(terminal);
    clock.ms += 10 * 60_000;
    await isRefused(late);
    const unheard = await ask(terminal, question(terminal, accountNumber, id()));
    expect(unheard).toMatchObject({ body: { code: 'result-missing' } });
  });

  it('is asked so often for one look and by one face, and the person’s own number any number of times', async () => {
    const { accountNumber } = await somebody();
    const terminal = await started();
    const presentedFace = face();
    const looks = () => look(terminal, { presentedFace });
    const outcome = async (asked: string, resultId: string) => {
      const { body } = await ask(terminal, question(terminal, asked, resultId));
      return body.outcome === 'refused' ? body.reason : body.outcome;
    };
    let resultId = await looks();
    for (let n = 0; n < NUMBERS_PER_LOOK; n += 1) expect(await outcome(number(n), resultId)).toBe('not-known');
    expect(await outcome(accountNumber, resultId)).toBe('face-limit');
    for (let n = NUMBERS_PER_LOOK; n < 9; n += 1) expect(await outcome(number(n), await looks())).toBe('not-known');
    for (let n = 0; n < 4; n += 1) expect(await outcome(accountNumber, await looks())).toBe('known');
    resultId = await looks();
    expect(await outcome(number(99), resultId)).toBe('face-limit');
    expect(await incidents(terminal)).toEqual(['claim-limit']);
    // Nobody else there is stopped by it.
    expect(await outcome(accountNumber, await look(terminal))).toBe('known');
  });

  it('is asked so often at one terminal, however many faces it says it saw; another terminal is asked as before', async () => {
    const { accountNumber } = await somebody();
    const [terminal, other] = [await started(), await started()];
    const jws: string[] = [];
    const resultIds: string[] = [];
    for (let n = 0; n < 40; n += 1) {
      const made = await terminal.nextResult({ outcome: 'refused', reason: 'nobody', presentedFace: face() });
      jws.push(made.jws);
      resultIds.push(made.resultId);
    }
    await terminal.post('/v1/results', { results: jws });
    for (const resultId of resultIds)
      for (let n = 0; n < NUMBERS_PER_LOOK; n += 1) await ask(terminal, question(terminal, number(n), resultId));
    const refused = await ask(terminal, question(terminal, accountNumber, await look(terminal)));
    expect(refused.body).toEqual({ outcome: 'refused', reason: 'terminal-limit' });
    expect(await incidents(terminal)).toEqual(['claim-limit']);
    const elsewhere = await ask(other, question(other, accountNumber, await look(other)));
    expect(elsewhere.body).toMatchObject({ outcome: 'known' });
  });
});

describe('a match with whom somebody claimed to be', () => {
  const withdraws = async (change: { fmr?: number; pin?: string | null; questionId?: string | null } = {}) => {
    const { personId, accountNumber } = await somebody(10_000);
    const terminal = await started();
    const asked = question(terminal, accountNumber, await look(terminal));
    expect((await ask(terminal, asked)).body).toMatchObject({ personId });
    const transactionId = id();
    const { fmr = 5e-5, pin = PIN, questionId = asked.questionId } = change;
    const { resultId, jws } = await terminal.nextResult({
      personId,
      transactionId,
      amount: money(1_000),
      secondFactor: 'pin',
      comparison: { score: 0.5, runnerUpScore: null, gallerySize: 1, estimatedFmr: fmr },
      claimed: { by: 'account-number', template: 'bank', questionId },
    });
    expect((await terminal.post('/v1/results', { results: [jws] })).status).toBe(200);
    const request = {
      idempotencyKey: id(),
      transactionId,
      service: 'withdraw',
      personId,
      amount: money(1_000),
      resultId,
      pinBlock: pin === null ? null : await terminal.pinBlock(pin, { boundTo: transactionId }),
    };
    return (await terminal.post<AuthoriseAnswer>('/v1/authorisations', request)).body;
  };

  it('is believed with the PIN, for a question that this terminal asked about this person', async () => {
    expect(await withdraws()).toMatchObject({ outcome: 'approved' });
    expect(await withdraws({ pin: null })).toMatchObject({ outcome: 'declined', reason: 'pin-required' });
    const notAccepted = { outcome: 'declined', reason: 'result-not-accepted' };
    expect(await withdraws({ questionId: id() })).toMatchObject(notAccepted);
    expect(await withdraws({ questionId: null })).toMatchObject(notAccepted);
    expect(await withdraws({ fmr: 2e-4 })).toMatchObject(notAccepted);
  });

  it('stands in for nothing: goods that were given for one are not charged to the person', async () => {
    const { personId } = await somebody(10_000);
    const terminal = await started();
    const request = await terminal.standInRequest(personId, 800);
    const { resultId, jws } = await terminal.nextResult({
      service: 'purchase',
      personId,
      transactionId: request.transactionId,
      amount: money(800),
      mode: 'stand-in',
      claimed: { by: 'account-number', template: 'gallery', questionId: null },
    });
    expect((await terminal.post('/v1/results', { results: [jws] })).status).toBe(200);
    const answer = await terminal.post('/v1/stand-ins', { ...request, resultId });
    expect(answer.body).toEqual({ outcome: 'posted', account: null });
    expect(await incidents(terminal)).toContain('stand-in-without-evidence');
  });
});
