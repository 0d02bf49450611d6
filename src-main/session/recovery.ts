/**
 * After a restart every transaction that the journal left open is settled before anybody is served, by the rule that
 * recovery-table.ts has for its state: the device is asked, or the bank. What neither can say is left suspect, with its device
 * blocked. What only the bank can say while it is away is asked again when it is back, while customers are served.
 */
import { z } from 'zod';
import { assertNever, Uuid } from '../../src-contract/primitives.ts';
import { TerminalError } from '../errors.ts';
import type { JournaledTransaction } from '../journal/journal.ts';
import type { OutboxMessage } from '../journal/outbox.ts';
import { isNotBelieved } from '../sync/retry-rules.ts';
import { reversal } from './authorise.ts';
import { dispenseSecurityOf, forgetNonce } from './dispense-security.ts';
import { finishForgetting } from './opt-out.ts';
import { settle } from './pay-out.ts';
import type { SessionPorts } from './ports.ts';
import { type AnyEvent, ASKING_BANK, blockDeviceOf, type Ending, type Rule, ruleFor } from './recovery-table.ts';
import { settleTakeIn } from './take-in.ts';

const Authorised = z.object({ authorisationKey: Uuid });
const DepositBegun = z.object({ resultId: Uuid });
const Asking = z.object({ inquiryKey: Uuid });
const Outcome = z.object({ outcome: z.string() });

type AskBank = Extract<Rule<AnyEvent['state']>, { rule: 'ask-bank' }>;

export interface Recovered {
  readonly transactionId: Uuid;
  readonly service: JournaledTransaction['service'];
  readonly from: string;
  readonly to: string;
}

/** Settles what was left open; to be called once, before anybody is served. Throws only when the signal aborts or the journal
 *  cannot be written. */
export async function recover(ports: SessionPorts, signal: AbortSignal): Promise<readonly Recovered[]> {
  const recovered: Recovered[] = [];
  const bank = { away: false };
  for (const transaction of ports.journal.openTransactions()) {
    const before = transaction.events.length;
    await applyRule(ports, transaction, bank, signal);
    const after = ports.journal.transaction(transaction.transactionId);
    if (after && after.events.length > before) recovered.push(stepOf(transaction, after.state));
  }
  return recovered;
}

/** Between two looks for what waits for the bank while it seems to be there, ms. */
const ASK_AGAIN_MS = 60_000;

/**
 * Asks the bank about what waits for it, whenever it is back, until everything is settled or this is stopped. Touches only what
 * recover() or a visit left in the state "asking-bank": no visit is at a transaction there, and no device is asked.
 * @returns how to stop.
 */
export function keepAskingBank(
  ports: SessionPorts,
  told: { settled(one: Recovered): void; failed(error: unknown): void },
): () => void {
  const closing = new AbortController();
  let asking: Promise<void> | null = null;
  let callOff = () => {};

  const ask = async () => {
    for (const transaction of waitingForBank(ports)) {
      const rule = ruleFor(transaction.service, transaction.state);
      if (rule.rule !== 'ask-bank') continue;
      const heard = await askBank(ports, transaction, rule, closing.signal);
      if (heard === 'away') return;
      const after = ports.journal.transaction(transaction.transactionId);
      if (after?.final) told.settled(stepOf(transaction, after.state));
      else told.failed(new Error(`the bank's answer about transaction ${transaction.transactionId} settles nothing`));
    }
  };
  const start = () => {
    callOff();
    if (closing.signal.aborted || asking !== null) return;
    asking = ask()
      .catch((error: unknown) => closing.signal.aborted || told.failed(error))
      .then(() => {
        asking = null;
        // A visit may leave something at any time, with the bank seemingly there.
        if (!closing.signal.aborted) callOff = ports.clock.after(ASK_AGAIN_MS, start);
      });
  };
  const stopListening = ports.sync.onOnline((online) => online && start());
  start();
  return () => {
    closing.abort(new DOMException('the terminal is closing', 'AbortError'));
    callOff();
    stopListening();
  };
}

const waitingForBank = (ports: SessionPorts) =>
  ports.journal.openTransactions().filter(({ state }) => state === ASKING_BANK);

const stepOf = ({ transactionId, service, state: from }: JournaledTransaction, to: string): Recovered => ({
  transactionId,
  service,
  from,
  to,
});

async function applyRule(
  ports: SessionPorts,
  transaction: JournaledTransaction,
  bank: { away: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { transactionId, service, state, personId, amount } = transaction;
  const rule = ruleFor(service, state);
  switch (rule.rule) {
    case 'over':
      throw new Error(`transaction ${transactionId} is in state "${state}", and goes on after it`);
    case 'end':
      return end(ports, transaction, rule);
    case 'ask-dispenser': {
      const { authorisationKey } = Authorised.parse(detailWith(transaction, 'authorisationKey'));
      if (amount === null) throw new Error(`withdrawal ${transactionId} has no amount`);
      await settle(ports, { transactionId, authorisationKey, amount }, signal);
      return;
    }
    case 'ask-acceptor': {
      const { resultId } = DepositBegun.parse(transaction.detail);
      if (personId === null) throw new Error(`deposit ${transactionId} names nobody`);
      await settleTakeIn(ports, { transactionId, personId, resultId }, signal, 'gone');
      return;
    }
    case 'ask-bank':
      // The dispenser's nonce is ended now and not when the bank is back: by then it may be another withdrawal's.
      if (dispenseSecurityOf(transaction).nonceGiven) await forgetNonce(ports);
      if (state !== ASKING_BANK) beginToAsk(ports, transaction);
      // One call that finds the bank away is enough for a start.
      if (!bank.away) bank.away = (await askBank(ports, transaction, rule, signal)) === 'away';
      return;
    case 'forget':
      if (personId === null) throw new Error(`withdrawal of consent ${transactionId} names nobody`);
      finishForgetting(ports, { transactionId, personId });
      return;
    case 'suspect':
      blockDeviceOf(service, ports);
      return;
    default:
      return assertNever(rule);
  }
}

function end(ports: SessionPorts, transaction: JournaledTransaction, ending: Ending<AnyEvent['state']>): void {
  const messages: OutboxMessage[] = [];
  if (ending.reverse) {
    const { authorisationKey } = Authorised.parse(detailWith(transaction, 'authorisationKey'));
    messages.push(reversal(ports, authorisationKey, transaction.state === 'authorised' ? 'interrupted' : 'no-answer'));
  }
  // Any state may be the last; the compiler does not look through a union this wide.
  ports.journal.record(transaction.transactionId, { state: ending.as, final: true } as AnyEvent, messages);
}

/** The question's own key is durable before it is asked, so that every repeat is the same question. */
function beginToAsk(ports: SessionPorts, { transactionId }: JournaledTransaction): void {
  ports.journal.record(transactionId, { state: ASKING_BANK, detail: { inquiryKey: ports.chance.id() } });
}

/** What it answers that the rule does not know, or a refusal, leaves the transaction open. */
async function askBank(
  ports: SessionPorts,
  { transactionId }: JournaledTransaction,
  rule: AskBank,
  signal: AbortSignal,
): Promise<'answered' | 'away'> {
  const transaction = ports.journal.transaction(transactionId);
  if (!transaction || transaction.final) return 'answered';
  const { inquiryKey: idempotencyKey } = Asking.parse(detailWith(transaction, 'inquiryKey'));
  const about = Uuid.parse(detailWith(transaction, rule.about)?.[rule.about]);
  try {
    const answer = await ports.bank.inquire({ idempotencyKey, about, bar: true }, signal);
    if (answer.outcome === 'barred') end(ports, transaction, rule.barred);
    else if (answer.outcome === 'done') {
      const first = Outcome.safeParse(answer.answer).data?.outcome ?? '';
      const ending = Object.hasOwn(rule.answers, first) ? rule.answers[first] : undefined;
      if (ending) end(ports, transaction, ending);
    }
    return 'answered';
  } catch (error) {
    if (signal.aborted || !(error instanceof TerminalError)) throw error;
    // Whom the bank does not believe, for its clock is off or its key is not known, it has told nothing about the transaction.
    return error.code === 'BANK_REFUSED' && !isNotBelieved(error) ? 'answered' : 'away';
  }
}

/** Of the last event that carries the field. */
function detailWith({ events }: JournaledTransaction, field: string): Readonly<Record<string, unknown>> | undefined {
  return events.findLast(({ detail }) => Object.hasOwn(detail, field))?.detail;
}
