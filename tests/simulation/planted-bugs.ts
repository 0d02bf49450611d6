/**
 * Bugs planted at the ports, as a programmer could have made them, to prove that the checkers see: each wraps what the terminal works
 * with, so that it behaves as with the bug. None is in the product.
 */
import type { MatchResult } from '../../src-contract/match-result.ts';
import type { CashAcceptor } from '../../src-main/devices/cash-acceptor.ts';
import type { CashDispenser, PresentStatus } from '../../src-main/devices/cash-dispenser.ts';
import type { Devices } from '../../src-main/devices/devices.ts';
import { TerminalError } from '../../src-main/errors.ts';
import type { Identity } from '../../src-main/identity/identity.ts';
import type { Journal, ResultSigner } from '../../src-main/journal/journal.ts';
import type { OutboxMessage } from '../../src-main/journal/outbox.ts';
import type { BankClient } from '../../src-main/sync/bank-client.ts';
import { uuidOf } from './generator.ts';

export interface PlantedBug {
  readonly name: string;
  /** The first seed whose run was seen to catch it: where the test begins. */
  readonly seenBy: number;
  readonly journal?: (journal: Journal) => Journal;
  readonly bank?: (bank: BankClient) => BankClient;
  readonly devices?: (devices: Devices) => Devices;
  readonly signer?: (identity: Identity) => ResultSigner;
}

/** Every method of a device goes on as it was, but for those given. */
function instead<Port extends object>(port: Port, change: Partial<Port>): Port {
  return new Proxy(port, {
    get: (target, key) => {
      if (key in change) return change[key as keyof Port];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const dispenser = (change: (real: CashDispenser) => Partial<CashDispenser>) => (devices: Devices) =>
  devices.cashDispenser
    ? { ...devices, cashDispenser: instead(devices.cashDispenser, change(devices.cashDispenser)) }
    : devices;
const acceptor = (change: (real: CashAcceptor) => Partial<CashAcceptor>) => (devices: Devices) =>
  devices.cashAcceptor
    ? { ...devices, cashAcceptor: instead(devices.cashAcceptor, change(devices.cashAcceptor)) }
    : devices;
const reported = (change: (status: PresentStatus, real: CashDispenser) => PresentStatus) =>
  dispenser((real) => ({
    presentStatus: async (signal, nonce) => change(await real.presentStatus(signal, nonce), real),
  }));

const recording =
  (change: (messages: readonly OutboxMessage[], state: string) => readonly OutboxMessage[]) =>
  (journal: Journal): Journal => ({
    ...journal,
    record: (transactionId, event, messages = []) =>
      journal.record(transactionId, event, change(messages, event.state)),
  });

let keys = 0;
/** A key of nobody's choosing, the same in every replay of one process. */
function anotherKey() {
  keys += 1;
  return uuidOf(1_795_334_400_000, Buffer.from(String(keys).padStart(10, '0')));
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'a deposit is begun in the journal after its notes are stored, not before',
    seenBy: 10,
    journal: (journal) => {
      const late = new Map<string, (() => void)[]>();
      return {
        ...journal,
        begin: (transaction, messages) => {
          if (transaction.service !== 'deposit') return journal.begin(transaction, messages);
          late.set(transaction.transactionId, [() => journal.begin(transaction, messages)]);
        },
        record: (transactionId, event, messages) => {
          const waiting = late.get(transactionId);
          const record = () => journal.record(transactionId, event, messages);
          if (!waiting) return record();
          waiting.push(record);
          if (!event.final && event.state !== 'suspect') return;
          late.delete(transactionId);
          for (const one of waiting) one();
        },
      };
    },
  },
  {
    name: 'a restart settles nothing',
    seenBy: 1,
    journal: (journal) => ({ ...journal, openTransactions: () => [] }),
  },
  {
    name: 'each attempt to tell the bank has a new idempotency key',
    seenBy: 48,
    bank: (bank) => ({
      ...bank,
      capture: (request, signal) => bank.capture({ ...request, idempotencyKey: anotherKey() }, signal),
      deposit: (request, signal) => bank.deposit({ ...request, idempotencyKey: anotherKey() }, signal),
      standIn: (request, signal) => bank.standIn({ ...request, idempotencyKey: anotherKey() }, signal),
    }),
  },
  {
    name: 'what was given back is credited',
    seenBy: 30,
    devices: acceptor((real) => ({
      cashInStatus: async (signal) => {
        const status = await real.cashInStatus(signal);
        return status.state === 'rollback' ? { ...status, state: 'ok' } : status;
      },
    })),
  },
  {
    name: 'a capture without asking the device whether the notes were taken',
    seenBy: 1,
    devices: reported((status) => ({
      ...status,
      retracted: [],
      remaining: status.state === 'presented' ? 'none' : status.remaining,
    })),
  },
  {
    name: 'notes that were taken are reversed',
    seenBy: 1,
    devices: reported((status) => ({ ...status, retracted: status.presented })),
  },
  {
    name: 'what nobody knows is guessed as not paid',
    seenBy: 142,
    devices: reported((status) =>
      status.state === 'unknown' || status.remaining === 'unknown'
        ? { ...status, state: 'notPresented', presented: [], remaining: 'none' }
        : status,
    ),
  },
  {
    name: 'stored notes of a broken-off deposit are guessed as given back',
    seenBy: 66,
    devices: acceptor((real) => ({
      cashInStatus: async (signal) => {
        const status = await real.cashInStatus(signal);
        return status.state === 'unknown' ? { ...status, state: 'rollback', notes: [] } : status;
      },
    })),
  },
  {
    name: 'an authorisation without an answer is not reversed',
    seenBy: 22,
    journal: recording((messages, state) => (state === 'unanswered' ? [] : messages)),
  },
  {
    name: 'what is to be told to the bank is queued after the outcome, and not with it',
    seenBy: 1,
    journal: (journal) => {
      const waiting: (readonly OutboxMessage[])[] = [];
      return {
        ...journal,
        record: (transactionId, event, messages = []) => {
          if (event.final && messages.length > 0) {
            journal.record(transactionId, event);
            waiting.push(messages);
          } else journal.record(transactionId, event, messages);
        },
        // In the commit of whatever is begun next: lost when the power goes before.
        begin: (transaction, messages = []) => journal.begin(transaction, [...waiting.splice(0).flat(), ...messages]),
      };
    },
  },
  {
    name: 'what the bank did not take is taken for told',
    seenBy: 60,
    bank: (bank) => {
      const swallowing =
        <Request, Answer>(send: (request: Request, signal: AbortSignal) => Promise<Answer>) =>
        (request: Request, signal: AbortSignal): Promise<Answer> =>
          send(request, signal).catch((error: unknown) => {
            if (error instanceof TerminalError && error.code === 'BANK_UNREACHABLE') {
              return { outcome: 'posted', account: null } as Answer;
            }
            throw error;
          });
      return {
        ...bank,
        capture: swallowing(bank.capture),
        deposit: swallowing(bank.deposit),
        standIn: swallowing(bank.standIn),
      };
    },
  },
  {
    name: 'the chain of results begins anew with each start',
    seenBy: 1,
    signer: (identity) => {
      let first: number | null = null;
      return {
        ...identity,
        signResult: (result: MatchResult) => {
          first ??= result.sequence;
          const sequence = result.sequence - first + 1;
          return identity.signResult({
            ...result,
            sequence,
            previousHash: sequence === 1 ? null : result.previousHash,
          });
        },
      };
    },
  },
  {
    name: 'stand-in totals are forgotten with the power',
    seenBy: 7,
    journal: (journal) => {
      const spent = new Map<string, number>();
      const add = (messages: readonly OutboxMessage[]) => {
        for (const { kind, body } of messages) {
          if (kind === 'stand-in') spent.set(body.personId, (spent.get(body.personId) ?? 0) + body.amount.amountMinor);
        }
      };
      return {
        ...journal,
        standIn: {
          ...journal.standIn,
          // Only what was let through since this start counts.
          totals: (_, personId) => ({
            person: { amountMinor: spent.get(personId) ?? 0, count: 0 },
            terminal: { amountMinor: [...spent.values()].reduce((sum, one) => sum + one, 0), count: 0 },
            recent: () => 0,
          }),
        },
        record: (transactionId, event, messages = []) => {
          journal.record(transactionId, event, messages);
          add(messages);
        },
      };
    },
  },
  {
    name: 'an order is carried out twice',
    seenBy: 1,
    devices: dispenser((real) => {
      let last: Parameters<CashDispenser['dispense']>[0] | null = null;
      return {
        dispense: (order, signal) => {
          last = order;
          return real.dispense(order, signal);
        },
        itemsTaken: async (timeoutMs, signal) => {
          const how = await real.itemsTaken(timeoutMs, signal);
          if (how === 'timeout' || !last) return how;
          await real.dispense({ ...last, transactionId: `${last.transactionId} again` }, signal);
          await real.present(signal);
          return await real.itemsTaken(timeoutMs, signal);
        },
      };
    }),
  },
];
