/**
 * A transfer on its way to the bank: the intention is durable before it is sent, and how it ended before the customer is told. An
 * answer that gets lost is asked for under the request's key, and the request repeated under that key when the bank never saw it,
 * while the customer waits. After that only the bank knows; it is asked when it is back (recovery.ts), and what it never saw is barred.
 */
import type { AccountView, DeclineReason } from '../../src-contract/bank-api.ts';
import type { Money, Uuid } from '../../src-contract/primitives.ts';
import { type PayeeAnswer, TransferAnswer, type TransferRequest } from '../../src-contract/transfer.ts';
import { deadline } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { AUTHORISE_MS_MAX, bankHasHeard } from './authorise.ts';
import type { PortsOf } from './ports.ts';
import { ASKING_BANK } from './recovery-table.ts';

export interface TransferOrder {
  readonly transactionId: Uuid;
  /** The payer. */
  readonly personId: Uuid;
  /** Not in the journal, nor anywhere else on the disk. */
  readonly payeeAccountNumber: string;
  readonly amount: Money;
  readonly resultId: Uuid;
}

export type Asked = PayeeAnswer | { readonly outcome: 'unreachable' };

export type Sent =
  | { readonly outcome: 'posted'; readonly account: AccountView }
  | { readonly outcome: 'declined'; readonly reason: DeclineReason }
  /** The bank was not asked: nothing moved. */
  | { readonly outcome: 'unreachable' }
  /** It was done once, or never will be: the bank is asked again when it is back. */
  | { readonly outcome: 'open' };

/** From the customer's yes to the moment they are told that nobody knows yet, ms. Two answers that never come take 16 s; nobody
 *  stands much longer before a screen that says "please wait". */
const SETTLE_MS_MAX = 30_000;
/** Between two questions, ms. */
const PAUSE_MS = 2_000;
/** A question after a payee whose answer is lost is put again, under the same key: its PIN block is good only once. */
const PAYEE_TRIES = 2;

/** Whom the number belongs to. Moves nothing, so nothing of it is journaled. */
export async function askPayee(
  ports: PortsOf<'transfer'>,
  { pinBlock, ...order }: TransferOrder & { readonly pinBlock: string | null },
  signal: AbortSignal,
): Promise<Asked> {
  using limit = deadline(ports.clock, AUTHORISE_MS_MAX, signal);
  if (!(await bankHasHeard(ports, limit.signal))) return { outcome: 'unreachable' };
  const request = { idempotencyKey: ports.chance.id(), ...order, pinBlock };
  for (let tries = 1; ; tries += 1) {
    try {
      return await ports.bank.payee(request, limit.signal);
    } catch (error) {
      if (signal.aborted || (!(error instanceof TerminalError) && !limit.signal.aborted)) throw error;
      if (isRefusal(error)) {
        return { outcome: 'declined', reason: 'result-not-accepted', attemptsLeft: null, available: null };
      }
      if (tries >= PAYEE_TRIES || limit.signal.aborted) return { outcome: 'unreachable' };
    }
  }
}

/** Rejects only when the signal aborts or the journal cannot be written; a restart then settles it. */
export async function sendTransfer(
  ports: PortsOf<'transfer'>,
  order: TransferOrder,
  signal: AbortSignal,
): Promise<Sent> {
  const { transactionId, personId, amount } = order;
  ports.journal.begin({ transactionId, service: 'transfer', personId, amount });
  using limit = deadline(ports.clock, SETTLE_MS_MAX, signal);
  if (!(await bankHasHeard(ports, limit.signal))) {
    ports.journal.record(transactionId, { state: 'not-asked', final: true });
    return { outcome: 'unreachable' };
  }
  const transferKey = ports.chance.id();
  ports.journal.record(transactionId, { state: 'sending', detail: { transferKey } });
  const answer = await untilAnswered(ports, { idempotencyKey: transferKey, ...order }, limit.signal);
  signal.throwIfAborted();
  switch (answer.outcome) {
    case 'posted':
      ports.journal.record(transactionId, { state: 'posted', final: true });
      return { outcome: 'posted', account: answer.account };
    case 'declined':
      ports.journal.record(transactionId, { state: 'declined', detail: { reason: answer.reason }, final: true });
      return { outcome: 'declined', reason: answer.reason };
    case 'refused':
      ports.journal.record(transactionId, { state: 'refused', detail: { message: answer.message }, final: true });
      return { outcome: 'declined', reason: 'result-not-accepted' };
    case 'lost':
      // From here on it is recovery's alone: this visit touches it no more.
      ports.journal.record(transactionId, { state: ASKING_BANK, detail: { inquiryKey: ports.chance.id() } });
      return { outcome: 'open' };
  }
}

type Answered =
  | TransferAnswer
  | { readonly outcome: 'refused'; readonly message: string }
  | { readonly outcome: 'lost' };

async function untilAnswered(
  ports: PortsOf<'transfer'>,
  request: TransferRequest,
  limit: AbortSignal,
): Promise<Answered> {
  try {
    try {
      return await ports.bank.transfer(request, limit);
    } catch (error) {
      // Nothing was sent before this: what is refused had no effect. Of a repeat that would say nothing of the first.
      if (error instanceof TerminalError && isRefusal(error)) return { outcome: 'refused', message: error.message };
      passing(error);
    }
    for (;;) {
      try {
        const about = request.idempotencyKey;
        const heard = await ports.bank.inquire({ idempotencyKey: ports.chance.id(), about, bar: false }, limit);
        if (heard.outcome === 'done') {
          const first = TransferAnswer.safeParse(heard.answer);
          return first.success ? first.data : { outcome: 'lost' };
        }
        if (heard.outcome === 'unknown') return await ports.bank.transfer(request, limit);
      } catch (error) {
        passing(error);
      }
      await ports.clock.sleep(PAUSE_MS, limit);
    }
  } catch (error) {
    if (!limit.aborted) throw error;
    return { outcome: 'lost' };
  }
}

/** Throws what is not the bank's, or the line's. */
function passing(error: unknown): void {
  if (!(error instanceof TerminalError)) throw error;
}

function isRefusal(error: unknown): boolean {
  return error instanceof TerminalError && error.code === 'BANK_REFUSED';
}
