/**
 * After a restart: every transaction the journal left open is settled before anybody is served, by what the devices say
 * happened. What they cannot say stays open as suspect, with its device blocked.
 *
 * | service  | last state                                    | rule                                                     |
 * |----------|-----------------------------------------------|----------------------------------------------------------|
 * | any      | suspect                                       | stays; its device stays blocked until a technician looked |
 * | withdraw | begun, declined                               | nothing was held: end it                                 |
 * | withdraw | authorising and later                         | ask the dispenser; capture what was taken, or reverse    |
 * | deposit  | begun and later                               | ask the acceptor; credit what was stored, or nothing     |
 * | purchase | authorising, authorised                       | goods were not released: reverse                         |
 * | purchase | begun, declined, not-asked, unanswered        | nothing is held, or its reversal is queued: end it       |
 * | enrol    | begun                                         | the bank's feed says whether it happened: end it         |
 * | opt-out  | begun                                         | the person said yes, and the bank will hear: forget them |
 */
import { z } from 'zod';
import { Uuid } from '../../src-contract/primitives.ts';
import type { JournaledTransaction } from '../journal/journal.ts';
import { reversal } from './authorise.ts';
import { finishForgetting } from './opt-out.ts';
import { settle } from './pay-out.ts';
import type { SessionPorts } from './ports.ts';
import { settleTakeIn } from './take-in.ts';

const DEVICE_OF: Partial<Record<JournaledTransaction['service'], string>> = {
  withdraw: 'cash-dispenser',
  deposit: 'cash-acceptor',
};

const Authorising = z.object({ authorisationKey: Uuid });
const DepositBegun = z.object({ resultId: Uuid });

export interface Recovered {
  readonly transactionId: Uuid;
  readonly service: JournaledTransaction['service'];
  readonly from: string;
  readonly to: string;
}

/** Settles what was left open. Throws only when the signal aborts or the journal cannot be written. */
export async function recover(ports: SessionPorts, signal: AbortSignal): Promise<readonly Recovered[]> {
  const recovered: Recovered[] = [];
  for (const transaction of ports.journal.openTransactions()) {
    if (transaction.state === 'suspect') {
      const device = DEVICE_OF[transaction.service];
      if (device) ports.block(device);
      continue;
    }
    await settleOne(ports, transaction, signal);
    const { transactionId, service, state: from } = transaction;
    recovered.push({ transactionId, service, from, to: ports.journal.transaction(transactionId)?.state ?? 'gone' });
  }
  return recovered;
}

async function settleOne(ports: SessionPorts, transaction: JournaledTransaction, signal: AbortSignal): Promise<void> {
  const { transactionId, service, personId, amount } = transaction;
  const end = (state: string) => ports.journal.record(transactionId, { state, final: true });
  const authorisationKey = openAuthorisation(transaction);
  switch (service) {
    case 'withdraw':
      if (authorisationKey === null || amount === null) return end('interrupted');
      await settle(ports, { transactionId, authorisationKey, amount }, signal);
      return;
    case 'deposit': {
      const { resultId } = DepositBegun.parse(transaction.detail);
      if (personId === null) return end('interrupted');
      await settleTakeIn(ports, { transactionId, personId, resultId }, signal, 'gone');
      return;
    }
    case 'purchase':
      if (authorisationKey === null) return end('interrupted');
      ports.journal.record(transactionId, { state: 'interrupted', final: true }, [
        reversal(ports, authorisationKey, 'interrupted'),
      ]);
      return;
    case 'opt-out':
      if (personId === null) return end('interrupted');
      finishForgetting(ports, { transactionId, personId });
      return;
    case 'enrol':
    case 'balance':
      return end('interrupted');
  }
}

/** The question to the bank whose outcome is still open; null when there is none, or it was answered no, or is reversed. */
function openAuthorisation({ events, state }: JournaledTransaction): Uuid | null {
  if (state === 'declined' || state === 'unanswered' || state === 'not-asked') return null;
  const asked = events.findLast((event) => event.state === 'authorising');
  return asked ? Authorising.parse(asked.detail).authorisationKey : null;
}
