/** Random sequences of what terminals do with money, against a model of one account that fits on this page. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AuthoriseAnswer } from '../../../src-contract/bank-api.ts';
import { money } from '../../../src-contract/primitives.ts';
import type { PayeeAnswer, TransferAnswer } from '../../../src-contract/transfer.ts';
import { type Answer, id, type TestTerminal } from '../../support/test-terminal.ts';
import { onPostgres } from './banks.ts';

type Step =
  | { readonly kind: 'deposit' | 'authorise' | 'transfer' | 'stand-in'; readonly yen: number }
  | { readonly kind: 'capture'; readonly hold: number; readonly part: number }
  | { readonly kind: 'reverse' | 'repeat'; readonly hold: number };

const yen = fc.integer({ min: 1, max: 3_000 });
const hold = fc.nat({ max: 9 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('deposit' as const), yen }),
  fc.record({ kind: fc.constant('authorise' as const), yen }),
  fc.record({ kind: fc.constant('transfer' as const), yen }),
  fc.record({ kind: fc.constant('stand-in' as const), yen: fc.integer({ min: 1, max: 1_000 }) }),
  fc.record({ kind: fc.constant('capture' as const), hold, part: fc.double({ min: 0, max: 1.2, noNaN: true }) }),
  fc.record({ kind: fc.constantFrom('reverse' as const, 'repeat' as const), hold }),
);

interface Held {
  readonly key: string;
  readonly yen: number;
  state: 'held' | 'captured' | 'released';
}

class Model {
  ledger = 0;
  /** Transferred to the other account. */
  given = 0;
  readonly holds: Held[] = [];
  readonly sent: { url: string; request: object; answer: Answer<unknown> }[] = [];
  get available(): number {
    return this.holds.reduce((sum, { state, yen: held }) => (state === 'held' ? sum - held : sum), this.ledger);
  }
}

const PIN = '2749';

interface Parties {
  readonly personId: string;
  /** Account number of whoever is paid. */
  readonly payee: string;
}

async function play(terminal: TestTerminal, { personId, payee }: Parties, model: Model, taken: Step): Promise<void> {
  const send = async <Body>(url: string, request: object) => {
    const answer = await terminal.post<Body>(url, request);
    if (answer.status === 200) model.sent.push({ url, request, answer });
    return answer;
  };
  switch (taken.kind) {
    case 'deposit': {
      const answer = await send('/v1/deposits', await terminal.depositRequest(personId, taken.yen));
      expect(answer.status).toBe(200);
      model.ledger += taken.yen;
      return;
    }
    case 'stand-in': {
      const answer = await send('/v1/stand-ins', await terminal.standInRequest(personId, taken.yen));
      expect(answer.status).toBe(200);
      model.ledger -= taken.yen;
      return;
    }
    case 'transfer': {
      const { pinBlock, ...question } = await terminal.payeeRequest(personId, payee, { yen: taken.yen, pin: PIN });
      const affordable = taken.yen <= model.available;
      const asked = await send<PayeeAnswer>('/v1/payees', { ...question, pinBlock });
      expect(asked.body.outcome).toBe(affordable ? 'found' : 'declined');
      const { body } = await send<TransferAnswer>('/v1/transfers', { ...question, idempotencyKey: id() });
      expect(body.outcome).toBe(affordable ? 'posted' : 'declined');
      if (!affordable) return;
      model.ledger -= taken.yen;
      model.given += taken.yen;
      return;
    }
    case 'authorise': {
      const request = await terminal.authoriseRequest('purchase', personId, { yen: taken.yen, pin: null });
      const { body } = await send<AuthoriseAnswer>('/v1/authorisations', request);
      const affordable = taken.yen <= model.available;
      expect(body.outcome).toBe(affordable ? 'approved' : 'declined');
      if (affordable) model.holds.push({ key: request.idempotencyKey, yen: taken.yen, state: 'held' });
      return;
    }
    case 'capture': {
      const held = model.holds[taken.hold];
      if (!held) return;
      const moved = Math.floor(held.yen * taken.part);
      const request = { idempotencyKey: id(), authorisationKey: held.key, amount: money(moved) };
      const good = held.state === 'held' && moved <= held.yen;
      expect((await send('/v1/captures', request)).status).toBe(good ? 200 : 409);
      if (!good) return;
      held.state = moved === 0 ? 'released' : 'captured';
      model.ledger -= moved;
      return;
    }
    case 'reverse': {
      const held = model.holds[taken.hold];
      if (!held) return;
      const request = { idempotencyKey: id(), authorisationKey: held.key, reason: 'random' };
      expect((await send('/v1/reversals', request)).status).toBe(held.state === 'captured' ? 409 : 200);
      if (held.state === 'held') held.state = 'released';
      return;
    }
    case 'repeat': {
      const earlier = model.sent[taken.hold];
      if (earlier) expect(await terminal.post(earlier.url, earlier.request)).toEqual(earlier.answer);
    }
  }
}

onPostgres((opened) => {
  it('whatever terminals do, the books balance, and only a stand-in can leave less than nothing', async () => {
    const terminal = await opened().terminal();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const personId = await terminal.enrol(PIN);
        const { body: payee } = await opened().admin.post<{ accountId: string; accountNumber: string }>(
          '/admin/accounts',
        );
        const model = new Model();
        for (const taken of steps) {
          const before = model.available;
          // Fewer questions after payees an hour than one person may ask.
          opened().clock.ms += 240_000;
          await play(terminal, { personId, payee: payee.accountNumber }, model, taken);
          if (taken.kind !== 'stand-in') expect(model.available).toBeGreaterThanOrEqual(Math.min(0, before));
        }
        const { body: list } = await opened().admin.get<{
          accounts: { accountId: string; ownerId: string; ledgerMinor: number; availableMinor: number }[];
        }>('/admin/accounts');
        expect(list.accounts.find(({ ownerId }) => ownerId === personId)).toMatchObject({
          ledgerMinor: model.ledger,
          availableMinor: model.available,
        });
        expect(list.accounts.find(({ accountId }) => accountId === payee.accountId)?.ledgerMinor).toBe(model.given);
        const { body: books } = await opened().admin.get('/admin/trial-balance');
        expect(books).toMatchObject({ balanced: true, mismatched: [] });
      }),
      { numRuns: 15 },
    );
    const { body } = await opened().admin.get(`/admin/chains/${terminal.terminalId}`);
    expect(body).toMatchObject({ verified: true });
  });
});
