/**
 * End-to-end security at the bank (XFS4IoT 2024-3; docs/threat-model.md): what a terminal says of cash counts for nothing
 * without the dispenser's own proof, and a terminal that turned against the bank gets no hold released and no second token.
 */

import { expect, it } from 'vitest';
import { createLogger } from '../../../src-bank/logger.ts';
import { money } from '../../../src-contract/primitives.ts';
import { emptyBank } from '../../support/bank-database.ts';
import { makeToken, TestDispenser } from '../../support/test-dispenser.ts';
import { adminOf, id, injectInto, TestTerminal } from '../../support/test-terminal.ts';
import { ADMIN_TOKEN, onPostgres, openBank } from './banks.ts';

const PIN = '4682';
interface Granted {
  readonly outcome: string;
  readonly reason?: string;
  readonly dispense: { readonly token: string; readonly responseNonce: string } | null;
}
interface Dispense {
  readonly authorisationKey: string;
  readonly transactionId: string;
  readonly state: string;
  readonly authorisationId: string;
  readonly provenMinor: number | null;
}

onPostgres((opened) => {
  /** A terminal whose dispenser shares keys with the bank, and a customer with ¥200,000. */
  async function secured(dispenser = new TestDispenser()) {
    const { admin } = opened();
    const terminal = await opened().terminal();
    const keys = await admin.post(`/admin/terminals/${terminal.terminalId}/dispenser-keys`, dispenser.keysHex);
    expect(keys).toMatchObject({ status: 200, body: { version: 1 } });
    const personId = await terminal.enrol(PIN, { yen: 200_000 });

    const ask = async (yen: number, change: object = {}) => {
      const request = await terminal.authoriseRequest('withdraw', personId, { yen, pin: PIN });
      return { ...request, commandNonce: dispenser.nonce(), ...change };
    };
    /** Approved: what a terminal then has in hand. */
    const granted = async (yen: number, change: object = {}) => {
      const request = await ask(yen, change);
      const { body } = await terminal.post<Granted>('/v1/authorisations', request);
      expect(body).toMatchObject({ outcome: 'approved', dispense: { token: expect.any(String) } });
      const { token, responseNonce } = body.dispense as NonNullable<Granted['dispense']>;
      return { request, token, responseNonce, authorisationKey: request.idempotencyKey, yen };
    };
    type Grant = Awaited<ReturnType<typeof granted>>;
    const capture = async (grant: Grant, yen: number, proof: string | null, priorProof: string | null = null) =>
      await terminal.post('/v1/captures', {
        idempotencyKey: id(),
        authorisationKey: grant.authorisationKey,
        amount: money(yen),
        proof,
        priorProof,
      });
    const reverse = async (
      grant: Grant,
      proof: string | null,
      reason = 'not-dispensed',
      priorProof: string | null = null,
    ) =>
      await terminal.post('/v1/reversals', {
        idempotencyKey: id(),
        authorisationKey: grant.authorisationKey,
        reason,
        proof,
        priorProof,
      });
    /** A withdrawal as it should be. */
    const withdraws = async (yen: number) => {
      const grant = await granted(yen);
      const prior = dispenser.proof(grant.responseNonce);
      expect(dispenser.dispense(grant.token, yen)).toBe('dispensed');
      dispenser.present();
      const answer = await capture(grant, yen, dispenser.proof(grant.responseNonce), prior);
      expect(answer.body).toMatchObject({ outcome: 'posted' });
      return grant;
    };
    const account = async () => {
      const { body } = await admin.get<{ accounts: { ownerId: string; ledgerMinor: number; heldMinor: number }[] }>(
        '/admin/accounts',
      );
      const found = body.accounts.find(({ ownerId }) => ownerId === personId);
      return { ledger: found?.ledgerMinor, held: found?.heldMinor };
    };
    const incidents = async () => {
      const { body } = await admin.get<{ incidents: { terminalId: string; code: string }[] }>('/admin/incidents');
      return body.incidents.filter(({ terminalId }) => terminalId === terminal.terminalId).map(({ code }) => code);
    };
    const dispenseOf = async (grant: Grant) => {
      const { body } = await admin.get<{ dispenses: Dispense[] }>('/admin/dispenses');
      return body.dispenses.find(({ authorisationKey }) => authorisationKey === grant.authorisationKey) as Dispense;
    };
    return {
      terminal,
      dispenser,
      personId,
      ask,
      granted,
      capture,
      reverse,
      withdraws,
      account,
      incidents,
      dispenseOf,
      admin,
    };
  }
  const held = (reason: string) => ({ status: 200, body: { outcome: 'held', reason } });

  it('grants a token for exactly the amount, over the dispenser’s nonce, that the dispenser takes', async () => {
    const { dispenser, ask, terminal } = await secured();
    const request = await ask(30_000);
    const { body } = await terminal.post<Granted>('/v1/authorisations', request);
    const token = body.dispense?.token ?? '';
    expect(token).toBe(makeToken(dispenser.hostKey, request.commandNonce, ['DISPENSE1=30000JPY']));
    expect(body.dispense?.responseNonce).toMatch(/^[0-9A-F]{32}$/);
    expect(dispenser.dispense(token, 30_001)).toBe('refused');
    expect(dispenser.dispense(token, 30_000)).toBe('dispensed');
  });

  it('answers a repeat with the same token, and never makes a second one for a nonce', async () => {
    const { ask, terminal, incidents, account } = await secured();
    const request = await ask(30_000);
    const first = await terminal.post<Granted>('/v1/authorisations', request);
    expect((await terminal.post<Granted>('/v1/authorisations', request)).body).toEqual(first.body);
    const second = await ask(50_000, { commandNonce: request.commandNonce });
    expect((await terminal.post('/v1/authorisations', second)).body).toMatchObject({
      outcome: 'declined',
      reason: 'dispense-not-secured',
    });
    expect(await incidents()).toEqual(['dispense-nonce-reused']);
    expect(await account()).toEqual({ ledger: 200_000, held: 30_000 });
  });

  it('declines a withdrawal without a nonce once there are keys, and one with a nonce where there are none', async () => {
    const { ask, terminal } = await secured();
    const declined = { outcome: 'declined', reason: 'dispense-not-secured' };
    expect((await terminal.post('/v1/authorisations', await ask(10_000, { commandNonce: null }))).body).toMatchObject(
      declined,
    );
    const plain = await opened().terminal();
    const personId = await plain.enrol(PIN, { yen: 50_000 });
    const request = await plain.authoriseRequest('withdraw', personId, { yen: 10_000, pin: PIN });
    const asked = { ...request, commandNonce: new TestDispenser().nonce() };
    expect((await plain.post('/v1/authorisations', asked)).body).toMatchObject(declined);
    const { pinBlock: _, ...again } = await plain.authoriseRequest('withdraw', personId, { yen: 10_000, pin: PIN });
    const pinBlock = await plain.pinBlock(PIN, { boundTo: again.transactionId });
    expect((await plain.post('/v1/authorisations', { ...again, pinBlock })).body).toMatchObject({
      outcome: 'approved',
      dispense: null,
    });
  });

  it('posts what the dispenser proves was taken', async () => {
    const { withdraws, account, incidents, dispenseOf } = await secured();
    const grant = await withdraws(30_000);
    expect(await account()).toEqual({ ledger: 170_000, held: 0 });
    expect(await incidents()).toEqual([]);
    expect(await dispenseOf(grant)).toMatchObject({ state: 'settled', provenMinor: 30_000 });
  });

  it('releases at once what came back and was counted', async () => {
    const { dispenser, granted, reverse, capture, account } = await secured();
    const all = await granted(30_000);
    dispenser.dispense(all.token, 30_000);
    dispenser.present();
    dispenser.retract(30_000);
    expect(await reverse(all, dispenser.proof(all.responseNonce), 'not-taken')).toMatchObject({
      body: { outcome: 'posted' },
    });
    expect(await account()).toEqual({ ledger: 200_000, held: 0 });
    const some = await granted(30_000);
    dispenser.dispense(some.token, 30_000);
    dispenser.present();
    dispenser.retract(10_000);
    expect((await capture(some, 20_000, dispenser.proof(some.responseNonce))).body).toMatchObject({
      outcome: 'posted',
    });
    expect(await account()).toEqual({ ledger: 180_000, held: 0 });
  });

  it('keeps the hold, and tells staff, when notes came back uncounted; staff settle it', async () => {
    const { dispenser, granted, reverse, account, incidents, dispenseOf, admin } = await secured();
    const grant = await granted(30_000);
    dispenser.dispense(grant.token, 30_000);
    dispenser.present();
    dispenser.retract(30_000, false);
    expect(await reverse(grant, dispenser.proof(grant.responseNonce))).toMatchObject(held('proof-uncounted'));
    expect(await account()).toEqual({ ledger: 200_000, held: 30_000 });
    expect(await incidents()).toEqual(['dispense-uncounted']);
    const { authorisationId, state } = await dispenseOf(grant);
    expect(state).toBe('suspect');
    const settlement = `/admin/dispenses/${authorisationId}/settlement`;
    expect((await admin.post(settlement, { paidMinor: 30_001 })).status).toBe(400);
    expect((await admin.post(settlement, { paidMinor: 10_000 })).body).toEqual({ settled: true });
    expect((await admin.post(settlement, { paidMinor: 10_000 })).status).toBe(409);
    expect(await account()).toEqual({ ledger: 190_000, held: 0 });
  });

  it('books and releases nothing without a valid proof, whatever the terminal says', async () => {
    const { dispenser, granted, capture, reverse, account, incidents } = await secured();
    const grant = await granted(30_000);
    const other = await granted(10_000);
    dispenser.dispense(other.token, 10_000);
    dispenser.present();
    const fields = (dispenseId: string) => [
      `DISPENSEID=${dispenseId}`,
      'DISPENSED1=30000JPY',
      'PRESENTED1=YES',
      'PRESENTEDAMOUNT1=30000JPY',
      'RETRACTED1=YES',
      'RETRACTEDAMOUNT1=30000JPY',
    ];
    const used = fields(grant.token.slice(-64));
    const good = makeToken(dispenser.deviceKey, grant.responseNonce, used);
    expect(await capture(grant, 30_000, null)).toMatchObject(held('proof-missing'));
    expect(await reverse(grant, null)).toMatchObject(held('proof-missing'));
    for (const proof of [
      'nonsense',
      makeToken(dispenser.hostKey, grant.responseNonce, used),
      makeToken(dispenser.deviceKey, other.responseNonce, used),
      makeToken(dispenser.deviceKey, grant.responseNonce.toLowerCase(), used),
      makeToken(dispenser.deviceKey, grant.responseNonce, used, (text) => text.replace(/LENGTH=\d{4}/, 'LENGTH=0999')),
      makeToken(dispenser.deviceKey, grant.responseNonce, [...used, 'DISPENSED2=1.00EUR']),
      good.replace('RETRACTEDAMOUNT1=30000JPY', 'RETRACTEDAMOUNT1=20000JPY'),
      good.slice(0, -1) + (good.endsWith('0') ? '1' : '0'),
    ]) {
      expect(await reverse(grant, proof)).toMatchObject(held('proof-invalid'));
    }
    expect(await account()).toEqual({ ledger: 200_000, held: 40_000 });
    expect(new Set(await incidents())).toEqual(new Set(['dispense-unproven']));
    expect((await reverse(grant, good)).body).toMatchObject({ outcome: 'posted' });
  });

  it('goes by the dispenser where the terminal says less or more', async () => {
    const { dispenser, granted, capture, reverse, account, incidents, dispenseOf } = await secured();
    const grant = await granted(30_000);
    dispenser.dispense(grant.token, 30_000);
    dispenser.present();
    const proof = dispenser.proof(grant.responseNonce);
    expect(await reverse(grant, proof)).toMatchObject(held('proof-contradicts'));
    expect(await capture(grant, 10_000, proof)).toMatchObject(held('proof-contradicts'));
    expect(await account()).toEqual({ ledger: 200_000, held: 30_000 });
    expect(await incidents()).toEqual(['dispense-contradicted']);
    expect(await dispenseOf(grant)).toMatchObject({ state: 'suspect' });
  });

  it('has an answer for everything that the terminal keeps, so that nothing is sent for ever', async () => {
    const { granted, terminal } = await secured();
    const grant = await granted(30_000);
    const message = {
      idempotencyKey: id(),
      authorisationKey: grant.authorisationKey,
      amount: money(30_000),
      proof: 'nonsense',
      priorProof: null,
    };
    const first = await terminal.post('/v1/captures', message);
    expect(first).toMatchObject(held('proof-invalid'));
    expect(await terminal.post('/v1/captures', message)).toEqual(first);
  });

  it('keeps what was not dispensed on hold until the next withdrawal proves the token dead, and then releases it', async () => {
    const { dispenser, granted, reverse, withdraws, account, incidents, dispenseOf } = await secured();
    await withdraws(10_000);
    const jammed = await granted(30_000);
    expect(await reverse(jammed, dispenser.proof(jammed.responseNonce))).toMatchObject(held('unconfirmed'));
    expect(await account()).toEqual({ ledger: 190_000, held: 30_000 });
    const partly = await granted(20_000);
    const prior = dispenser.proof(partly.responseNonce);
    dispenser.dispense(partly.token, 15_000);
    dispenser.reject();
    dispenser.clear();
    const part = await reverse(partly, dispenser.proof(partly.responseNonce), 'not-presented', prior);
    expect(part).toMatchObject(held('unconfirmed'));
    expect(await account(), 'the first is settled, the second waits').toEqual({ ledger: 190_000, held: 20_000 });
    await withdraws(10_000);
    expect(await account()).toEqual({ ledger: 180_000, held: 0 });
    expect(await dispenseOf(jammed)).toMatchObject({ state: 'settled', provenMinor: 0 });
    expect(await incidents()).toEqual([]);
  });

  it('does the same on a dispenser’s very first day', async () => {
    const { dispenser, granted, reverse, withdraws, account } = await secured();
    const grant = await granted(30_000);
    expect(await reverse(grant, dispenser.proof(grant.responseNonce))).toMatchObject(held('unconfirmed'));
    await withdraws(10_000);
    expect(await account()).toEqual({ ledger: 190_000, held: 0 });
  });

  it('settles alike a withdrawal whose grant or report was lost', async () => {
    const { granted, reverse, withdraws, account, incidents, dispenser } = await secured();
    const lost = await granted(30_000);
    expect(await reverse(lost, null, 'no-answer')).toMatchObject(held('unconfirmed'));
    await withdraws(10_000);
    expect(await account()).toEqual({ ledger: 190_000, held: 0 });
    const unreported = await granted(20_000);
    dispenser.dispense(unreported.token, 20_000);
    dispenser.present();
    expect(await account()).toEqual({ ledger: 190_000, held: 20_000 });
    await withdraws(10_000);
    expect(await account()).toEqual({ ledger: 160_000, held: 0 });
    expect(await incidents()).toEqual([]);
  });

  it('is not deceived by a reversal before the dispense', async () => {
    const { dispenser, granted, reverse, withdraws, account, incidents } = await secured();
    const grant = await granted(30_000);
    expect(await reverse(grant, dispenser.proof(grant.responseNonce))).toMatchObject(held('unconfirmed'));
    dispenser.dispense(grant.token, 30_000);
    dispenser.present();
    expect(await account(), 'the money is still held').toEqual({ ledger: 200_000, held: 30_000 });
    await withdraws(10_000);
    expect(await account(), 'and the dispenser tells').toEqual({ ledger: 160_000, held: 0 });
    expect(await incidents()).toEqual(['dispense-contradicted']);
  });

  it('is not deceived by a report of the first part before the rest', async () => {
    const { dispenser, granted, capture, withdraws, account, incidents } = await secured();
    const grant = await granted(30_000);
    dispenser.dispense(grant.token, 10_000);
    dispenser.present();
    expect(await capture(grant, 10_000, dispenser.proof(grant.responseNonce))).toMatchObject(held('unconfirmed'));
    dispenser.dispense(grant.token, 20_000);
    dispenser.present();
    await withdraws(10_000);
    expect(dispenser.paid).toBe(40_000);
    expect(await account()).toEqual({ ledger: 160_000, held: 0 });
    expect(await incidents()).toEqual(['dispense-contradicted']);
  });

  it('leaves to staff what a dispenser whose proofs forget earlier stacks says of a part', async () => {
    const { dispenser, granted, capture, withdraws, account, incidents, dispenseOf } = await secured(
      new TestDispenser({ perStack: true }),
    );
    const grant = await granted(30_000);
    dispenser.dispense(grant.token, 10_000);
    dispenser.present();
    dispenser.dispense(grant.token, 20_000);
    dispenser.present();
    expect(await capture(grant, 20_000, dispenser.proof(grant.responseNonce))).toMatchObject(held('proof-partial'));
    await withdraws(10_000);
    expect(await account()).toEqual({ ledger: 190_000, held: 30_000 });
    expect(await dispenseOf(grant)).toMatchObject({ state: 'suspect' });
    expect(await incidents()).toEqual(['dispense-partial']);
  });

  it('is not deceived by evidence that was let to be overwritten', async () => {
    const { dispenser, granted, reverse, capture, account, incidents, dispenseOf } = await secured();
    const grant = await granted(30_000);
    const early = dispenser.proof(grant.responseNonce);
    dispenser.dispense(grant.token, 30_000);
    dispenser.present();
    expect(await reverse(grant, early)).toMatchObject(held('unconfirmed'));
    const next = await granted(10_000);
    dispenser.dispense(next.token, 10_000);
    dispenser.present();
    // Asked too late: it shows the later dispense, and nothing of the one before.
    const proof = dispenser.proof(next.responseNonce);
    expect((await capture(next, 10_000, proof, proof)).body).toMatchObject({ outcome: 'posted' });
    expect(await account()).toEqual({ ledger: 190_000, held: 30_000 });
    expect(await dispenseOf(grant)).toMatchObject({ state: 'suspect' });
    expect(await incidents()).toEqual(['dispense-evidence-lost']);
  });

  it.each([
    ['no proof from before', () => null],
    ['a proof from before that answers another question', (early: string) => early],
  ])('confirms nothing by %s', async (_, prior) => {
    const { dispenser, granted, reverse, capture, account, incidents } = await secured();
    const grant = await granted(30_000);
    const early = dispenser.proof(grant.responseNonce);
    await reverse(grant, early);
    const next = await granted(10_000);
    dispenser.dispense(next.token, 10_000);
    dispenser.present();
    await capture(next, 10_000, dispenser.proof(next.responseNonce), prior(early));
    expect(await account()).toEqual({ ledger: 190_000, held: 30_000 });
    expect(await incidents()).toEqual(['dispense-evidence-lost']);
  });

  it('confirms nothing by a dispense that brought out more than its token allows', async () => {
    const { dispenser, granted, reverse, capture, account, incidents } = await secured();
    const stacked = await granted(30_000);
    dispenser.dispense(stacked.token, 30_000);
    expect(await reverse(stacked, dispenser.proof(stacked.responseNonce))).toMatchObject(held('unconfirmed'));
    const next = await granted(10_000);
    const prior = dispenser.proof(next.responseNonce);
    dispenser.dispense(next.token, 10_000);
    dispenser.present();
    expect(dispenser.paid).toBe(40_000);
    const proof = makeToken(dispenser.deviceKey, next.responseNonce, [
      `DISPENSEID=${next.token.slice(-64)}`,
      'DISPENSED1=40000JPY',
      'PRESENTED1=YES',
      'PRESENTEDAMOUNT1=40000JPY',
      'RETRACTED1=NO',
    ]);
    expect(await capture(next, 10_000, proof, prior)).toMatchObject(held('proof-contradicts'));
    expect(await account()).toEqual({ ledger: 200_000, held: 40_000 });
    expect((await incidents()).sort()).toEqual(['dispense-contradicted', 'dispense-evidence-lost']);
  });

  it('confirms nothing by nonces that a terminal can foresee', async () => {
    const { dispenser, granted, reverse, withdraws, account, dispenseOf } = await secured(
      new TestDispenser({ counter: true }),
    );
    const grant = await granted(30_000);
    await reverse(grant, dispenser.proof(grant.responseNonce));
    await withdraws(10_000);
    expect(await account()).toEqual({ ledger: 190_000, held: 30_000 });
    expect(await dispenseOf(grant)).toMatchObject({ state: 'suspect' });
  });

  it('does not take the word of a dispenser that lost its memory, or used a stranger’s token', async () => {
    const { dispenser, granted, reverse, withdraws, account, incidents } = await secured();
    await withdraws(10_000);
    const first = await granted(30_000);
    dispenser.forget();
    expect(await reverse(first, dispenser.proof(first.responseNonce))).toMatchObject(held('proof-contradicts'));
    const second = await granted(20_000);
    const foreign = makeToken(dispenser.hostKey, dispenser.nonce(), ['DISPENSE1=50000JPY']);
    expect(dispenser.dispense(foreign, 50_000)).toBe('dispensed');
    expect(await reverse(second, dispenser.proof(second.responseNonce))).toMatchObject(held('proof-contradicts'));
    expect(await account()).toEqual({ ledger: 190_000, held: 50_000 });
    expect(await incidents()).toEqual(['dispense-foreign-token', 'dispense-foreign-token']);
  });

  it('takes proofs over a change of keys, and none under keys from before the grant', async () => {
    const { dispenser, granted, capture, terminal, admin } = await secured();
    const grant = await granted(10_000);
    dispenser.dispense(grant.token, 10_000);
    dispenser.present();
    const old = dispenser.proof(grant.responseNonce);
    const renewed = new TestDispenser();
    const path = `/admin/terminals/${terminal.terminalId}/dispenser-keys`;
    expect((await admin.post(path, renewed.keysHex)).body).toEqual({ version: 2 });
    expect((await capture(grant, 10_000, old)).body).toMatchObject({ outcome: 'posted' });
    const request = await terminal.authoriseRequest('withdraw', grant.request.personId, { yen: 10_000, pin: PIN });
    const asked = { ...request, commandNonce: renewed.nonce() };
    const { body } = await terminal.post<Granted>('/v1/authorisations', asked);
    const next = { request: asked, authorisationKey: request.idempotencyKey, ...body.dispense!, yen: 10_000 };
    expect(renewed.dispense(next.token, 10_000)).toBe('dispensed');
    renewed.present();
    const { deviceKey } = dispenser;
    const forged = makeToken(deviceKey, next.responseNonce, [
      `DISPENSEID=${next.token.slice(-64)}`,
      'DISPENSED1=10000JPY',
      'PRESENTED1=NO',
      'RETRACTED1=NO',
    ]);
    expect(await capture(next, 10_000, forged)).toMatchObject(held('proof-invalid'));
    expect((await capture(next, 10_000, renewed.proof(next.responseNonce))).body).toMatchObject({ outcome: 'posted' });
  });

  it('refuses keys that are none, and changes nothing', async () => {
    const { admin } = opened();
    const { terminalId } = await opened().terminal();
    const path = `/admin/terminals/${terminalId}/dispenser-keys`;
    const { hostKey, deviceKey } = new TestDispenser().keysHex;
    const refused = async (body: object, field: string) =>
      expect(await admin.post(path, body)).toMatchObject({ status: 400, body: { code: 'invalid-request', field } });
    await refused({ hostKey: hostKey.slice(2), deviceKey }, 'hostKey');
    await refused({ hostKey, deviceKey: hostKey.toUpperCase() }, 'deviceKey');
    await refused({ hostKey, deviceKey, more: 1 }, 'more');
    const unknown = await admin.post(`/admin/terminals/${id()}/dispenser-keys`, { hostKey, deviceKey });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(
      (await opened().send({ method: 'POST', url: path, headers: { 'content-type': 'application/json' }, body: '{}' }))
        .status,
    ).toBe(401);
  });
});

it('tells no key and no token to anybody but the dispenser: not in an answer, not in a log', async () => {
  const lines: string[] = [];
  const bank = await openBank(
    await emptyBank(),
    { now: () => 1_795_305_600_000 as never, sleep: async () => {} },
    {
      logger: createLogger('trace', { write: (line: string) => void lines.push(line) }),
    },
  );
  const said: string[] = [];
  const send: ReturnType<typeof injectInto> = async (request) => {
    const answer = await injectInto(bank.app)(request);
    said.push(JSON.stringify(answer));
    return answer;
  };
  const admin = adminOf(send, ADMIN_TOKEN);
  const terminal = await TestTerminal.activate(send, admin, { now: () => 1_795_305_600_000 });
  const dispenser = new TestDispenser();
  const { hostKey, deviceKey } = dispenser.keysHex;
  const path = `/admin/terminals/${terminal.terminalId}/dispenser-keys`;
  await admin.post(path, dispenser.keysHex);
  await admin.post(path, { hostKey, deviceKey: hostKey });
  await admin.post(path, { hostKey: `${hostKey}00`, deviceKey });
  const personId = await terminal.enrol(PIN, { yen: 50_000 });
  const request = await terminal.authoriseRequest('withdraw', personId, { yen: 10_000, pin: PIN });
  const { body } = await terminal.post<Granted>('/v1/authorisations', { ...request, commandNonce: dispenser.nonce() });
  const { token, responseNonce } = body.dispense!;
  const settle = {
    idempotencyKey: id(),
    authorisationKey: request.idempotencyKey,
    amount: money(10_000),
    priorProof: null,
  };
  dispenser.dispense(token, 10_000);
  dispenser.present();
  await terminal.post('/v1/captures', { ...settle, idempotencyKey: id(), proof: 'nonsense' });
  await terminal.post('/v1/captures', { ...settle, proof: dispenser.proof(responseNonce) });
  for (const list of ['terminals', 'dispenses', 'holds', 'incidents', 'entries']) await admin.get(`/admin/${list}`);
  await bank.close();
  const secrets = [dispenser.hostKey, dispenser.deviceKey].flatMap((key) => {
    const bytes = Buffer.from(key);
    return [
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      bytes.toString('base64'),
      bytes.toString('base64url'),
    ];
  });
  expect(lines.length).toBeGreaterThan(5);
  for (const secret of secrets) {
    for (const text of [...said, ...lines]) expect(text).not.toContain(secret);
  }
  for (const line of lines) expect(line).not.toContain('TOKENFORMAT');
  expect(
    said.filter((text) => text.includes(token)),
    'only in the answer to the one who asked',
  ).toHaveLength(1);
});
