/**
 * Whatever a terminal in the wrong hands does with grants, tokens and proofs, in whatever order: what the bank has charged and
 * what it holds are never less than what the dispenser paid (docs/threat-model.md). A failure prints seed and path.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Bank } from '../../../src-bank/bank.ts';
import { money } from '../../../src-contract/primitives.ts';
import { emptyBank } from '../../support/bank-database.ts';
import { TestDispenser } from '../../support/test-dispenser.ts';
import { type Admin, adminOf, id, injectInto, type Send, TestTerminal } from '../../support/test-terminal.ts';
import { ADMIN_TOKEN, openBank, TestClock } from './banks.ts';

const PIN = '4682';
const YEN_AT_FIRST = 500_000;

let bank: Bank;
let send: Send;
let admin: Admin;
const time = new TestClock();
beforeAll(async () => {
  bank = await openBank(await emptyBank(), time);
  send = injectInto(bank.app);
  admin = adminOf(send, ADMIN_TOKEN);
});
afterAll(() => bank.close());

interface Grant {
  readonly authorisationKey: string;
  readonly token: string;
  readonly responseNonce: string;
  readonly yen: number;
}

/** A program that holds a terminal's keys and its dispenser's socket, and a customer who plays along. */
class Attacker {
  readonly dispenser: TestDispenser;
  readonly #terminal: TestTerminal;
  readonly #personId: string;
  readonly #grants: Grant[] = [];
  readonly #proofs: string[] = [];

  private constructor(dispenser: TestDispenser, terminal: TestTerminal, personId: string) {
    this.dispenser = dispenser;
    this.#terminal = terminal;
    this.#personId = personId;
  }

  static async begin(perStack: boolean): Promise<Attacker> {
    const terminal = await TestTerminal.activate(send, admin, { now: () => time.now() });
    const dispenser = new TestDispenser({ perStack });
    await admin.post(`/admin/terminals/${terminal.terminalId}/dispenser-keys`, dispenser.keysHex);
    return new Attacker(dispenser, terminal, await terminal.enrol(PIN, { yen: YEN_AT_FIRST }));
  }

  async asks(yen: number): Promise<void> {
    const request = await this.#terminal.authoriseRequest('withdraw', this.#personId, { yen, pin: PIN });
    const { body } = await this.#terminal.post<{ dispense?: Omit<Grant, 'yen' | 'authorisationKey'> }>(
      '/v1/authorisations',
      { ...request, commandNonce: this.dispenser.nonce() },
    );
    if (body.dispense) this.#grants.push({ ...body.dispense, authorisationKey: request.idempotencyKey, yen });
  }

  pays(which: number, share: number, after: 'present' | 'reject'): void {
    const grant = this.#pick(this.#grants, which);
    if (!grant || this.dispenser.dispense(grant.token, Math.ceil(grant.yen / share)) === 'refused') return;
    if (after === 'present') this.dispenser.present();
    else this.dispenser.reject();
  }

  collects(which: number): void {
    const grant = this.#pick(this.#grants, which);
    if (grant) this.#proofs.push(this.dispenser.proof(grant.responseNonce));
  }

  /** A proof of this moment, reported at once. */
  async tells(which: number, share: number): Promise<void> {
    this.collects(which);
    await this.reports(which, share, this.#proofs.length - 1, -1);
  }

  /** @param proof, prior: which of the proofs collected; −1 for none. */
  async reports(which: number, share: number, proof: number, prior: number): Promise<void> {
    const grant = this.#pick(this.#grants, which);
    if (!grant) return;
    const report = {
      idempotencyKey: id(),
      authorisationKey: grant.authorisationKey,
      proof: proof < 0 ? null : (this.#pick(this.#proofs, proof) ?? null),
      priorProof: prior < 0 ? null : (this.#pick(this.#proofs, prior) ?? null),
    };
    const paid = share === 0 ? 0 : Math.ceil(grant.yen / share);
    const answer =
      paid === 0
        ? await this.#terminal.post('/v1/reversals', { ...report, reason: which % 2 ? 'no-answer' : 'not-dispensed' })
        : await this.#terminal.post('/v1/captures', { ...report, amount: money(paid) });
    expect(answer.status, 'every report gets a final answer').toBe(200);
  }

  /** Everything as it should be, which is what settles the rest. */
  async behaves(yen: number): Promise<void> {
    const before = this.#grants.length;
    await this.asks(yen);
    const grant = this.#grants[before];
    if (!grant) return;
    const priorProof = this.dispenser.proof(grant.responseNonce);
    this.pays(before, 1, 'present');
    const proof = this.dispenser.proof(grant.responseNonce);
    this.#proofs.push(priorProof, proof);
    await this.reports(before, 1, this.#proofs.length - 1, this.#proofs.length - 2);
  }

  async chargedOrHeld(): Promise<number> {
    const { body } = await admin.get<{ accounts: { ownerId: string; ledgerMinor: number; heldMinor: number }[] }>(
      '/admin/accounts',
    );
    const account = body.accounts.find(({ ownerId }) => ownerId === this.#personId);
    return YEN_AT_FIRST - (account?.ledgerMinor ?? 0) + (account?.heldMinor ?? 0);
  }

  #pick<One>(list: readonly One[], which: number): One | undefined {
    return list[which % Math.max(list.length, 1)];
  }
}

const which = fc.nat(5);
const share = fc.integer({ min: 1, max: 3 });
const yen = fc.constantFrom(3_000, 6_000, 12_000);
const deed = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('asks' as const), yen }) },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('pays' as const),
      which,
      share,
      after: fc.constantFrom('present' as const, 'present' as const, 'reject' as const),
    }),
  },
  { weight: 5, arbitrary: fc.record({ does: fc.constant('collects' as const), which }) },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('reports' as const),
      which,
      share: fc.nat(3),
      proof: fc.integer({ min: -1, max: 8 }),
      prior: fc.integer({ min: -1, max: 8 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ does: fc.constant('tells' as const), which, share: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('behaves' as const), yen }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('nonce' as const, 'clear' as const) }) },
);
type Deed = typeof deed extends fc.Arbitrary<infer One> ? One : never;

async function does(attacker: Attacker, one: Deed): Promise<void> {
  switch (one.does) {
    case 'asks':
      return await attacker.asks(one.yen);
    case 'pays':
      return attacker.pays(one.which, one.share, one.after);
    case 'collects':
      return attacker.collects(one.which);
    case 'reports':
      return await attacker.reports(one.which, one.share, one.proof, one.prior);
    case 'tells':
      return await attacker.tells(one.which, one.share);
    case 'behaves':
      return await attacker.behaves(one.yen);
    case 'nonce':
      return void attacker.dispenser.nonce();
    case 'clear':
      return attacker.dispenser.clear();
  }
}

/** A night's run sets KAOPASS_RUNS to some thousands. */
const RUNS = Number(process.env['KAOPASS_RUNS'] ?? 20);

test.each([
  ['all of a token', false],
  ['its last stack', true],
])(
  'no order of deeds takes more than is charged or held, at a dispenser that proves %s',
  {
    timeout: 120_000 + RUNS * 3_000,
  },
  async (_, perStack) => {
    let paid = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 4, maxLength: 18 }), async (deeds) => {
        const attacker = await Attacker.begin(perStack);
        for (const one of deeds) {
          await does(attacker, one);
          expect(await attacker.chargedOrHeld()).toBeGreaterThanOrEqual(attacker.dispenser.paid);
        }
        await attacker.behaves(3_000);
        expect(await attacker.chargedOrHeld()).toBeGreaterThanOrEqual(attacker.dispenser.paid);
        paid += attacker.dispenser.paid;
      }),
      { numRuns: RUNS },
    );
    expect(paid, 'the attacker was busy').toBeGreaterThan(RUNS * 3_000);
  },
);
