/**
 * Transfer: amount, payee's number, face, PIN, the payee as the bank knows them, the customer's yes. What can be keyed in is keyed
 * before anybody proves who they are, so that the proof is fresh; the name comes after it, so that nobody learns one without. A
 * number or an amount can be corrected from then on without the PIN; another amount wants another look, since it is in the signed
 * match result.
 */
import { assign, fromPromise, setup } from 'xstate';
import type { AccountView, DeclineReason } from '../../src-contract/bank-api.ts';
import { MinorUnits, type Money, money, type Uuid } from '../../src-contract/primitives.ts';
import type { Screen, SorryCode } from '../../src-contract/screen.ts';
import { shortReference } from '../devices/receipt-words.ts';
import { DECLINE_SORRY } from './authorise.ts';
import { identifyMachine } from './identify.ts';
import { moveOver } from './move-over.ts';
import { accepted, entered, type Person, unidentified, withoutPin } from './outcomes.ts';
import { pinMachine } from './pin.ts';
import type { PortsOf } from './ports.ts';
import { receiptMachine } from './receipt.ts';
import { type Asked, askPayee, type Sent, sendTransfer, type TransferOrder } from './send-transfer.ts';
import { type IntentEvent, type Outcome, reached, type StepMeta, shows, sorry, waiting } from './step.ts';

/** Amounts people transfer most, yen. */
const USUAL_AMOUNTS_MINOR = [1_000, 3_000, 5_000, 10_000, 30_000, 50_000, 100_000];
/** Nearest amounts offered instead of one that cannot be paid. */
const POSSIBLE_MAX = 4;

type PayeeProblem = Extract<Screen, { name: 'payee' }>['problem'];
/** What the customer can put right by keying the number again. */
const PAYEE_PROBLEMS: Readonly<Partial<Record<DeclineReason, NonNullable<PayeeProblem>>>> = {
  'payee-unknown': 'unknown',
  'payee-closed': 'closed',
  'same-account': 'own-account',
};

interface Context {
  readonly transactionId: Uuid;
  readonly amount: Money;
  readonly refused: Extract<Screen, { name: 'amount' }>['refused'];
  readonly payeeNumber: string | null;
  readonly payeeProblem: PayeeProblem;
  /** Seen for this very amount; null until then. */
  readonly person: Person | null;
  /** Whose PIN was right in this transaction. */
  readonly proven: Uuid | null;
  readonly pinBlock: string | null;
  readonly attemptsLeft: number | null;
  readonly payee: { readonly accountEnding: string; readonly name: string | null } | null;
  readonly account: AccountView | null;
  readonly output: Outcome | null;
}

export function transferMachine(ports: PortsOf<'transfer'>) {
  const service = 'transfer' as const;
  const limitMinor = () => ports.policy().services.transfer.maxAmountMinor ?? Number.MAX_SAFE_INTEGER;
  const order = (context: Context): TransferOrder => {
    const { personId, resultId } = reached(context.person);
    const { transactionId, amount } = context;
    return { transactionId, personId, payeeAccountNumber: reached(context.payeeNumber), amount, resultId };
  };
  const refusedAmount = (askedMinor: number, mostMinor: number, reason: SorryCode) => ({
    askedMinor: MinorUnits.parse(askedMinor),
    possibleMinor: USUAL_AMOUNTS_MINOR.filter((one) => one <= mostMinor)
      .slice(-POSSIBLE_MAX)
      .map((one) => MinorUnits.parse(one)),
    reason,
  });

  return setup({
    types: { context: {} as Context, events: {} as IntentEvent, output: {} as Outcome, meta: {} as StepMeta<Context> },
    actors: {
      identify: identifyMachine(ports),
      pin: pinMachine(ports),
      ask: fromPromise<Asked, Context>(({ input, signal }) =>
        askPayee(ports, { ...order(input), pinBlock: input.pinBlock }, signal),
      ),
      send: fromPromise<Sent, Context>(async ({ input, signal }) => {
        const sent = await sendTransfer(ports, order(input), signal);
        // The payee was told after the right PIN only.
        if (sent.outcome === 'posted') moveOver(ports, reached(input.person), input.transactionId);
        return sent;
      }),
      receipt: receiptMachine(ports),
    },
    guards: {
      isPossible: ({ event }) =>
        event.type === 'choose-amount' && event.amountMinor > 0 && event.amountMinor <= limitMinor(),
      wasProven: ({ context }) => context.person !== null && context.person.personId === context.proven,
    },
    actions: {
      cancel: assign({ output: { kind: 'cancelled' } as const }),
    },
  }).createMachine({
    id: service,
    context: () => ({
      transactionId: ports.chance.id(),
      amount: money(0),
      refused: null,
      payeeNumber: null,
      payeeProblem: null,
      person: null,
      proven: null,
      pinBlock: null,
      attemptsLeft: null,
      payee: null,
      account: null,
      output: null,
    }),
    initial: 'choosing',
    output: ({ context }) => reached(context.output),
    states: {
      choosing: {
        ...shows((context: Context) => ({
          screen: {
            name: 'amount',
            choices: USUAL_AMOUNTS_MINOR.filter((one) => one <= limitMinor()).map((one) => MinorUnits.parse(one)),
            stepMinor: MinorUnits.parse(1),
            maxMinor: MinorUnits.parse(limitMinor()),
            refused: context.refused,
          },
          offers: ['choose-amount', 'cancel'],
          patience: 'answer',
        })),
        on: {
          'choose-amount': [
            {
              guard: 'isPossible',
              target: 'continuing',
              actions: assign({
                amount: ({ event }) => money(event.amountMinor),
                refused: null,
                person: ({ context, event }) =>
                  event.amountMinor === context.amount.amountMinor ? context.person : null,
              }),
            },
            {
              actions: assign({
                refused: ({ event }) => refusedAmount(event.amountMinor, limitMinor(), 'over-limit'),
              }),
            },
          ],
          cancel: { target: 'over', actions: 'cancel' },
        },
        // A policy that forbids the service lets no amount pass.
        always: {
          guard: () => limitMinor() === 0,
          target: 'over',
          actions: assign({ output: sorry(service, 'over-limit') }),
        },
      },
      /** To whatever is still missing. */
      continuing: {
        always: [
          { guard: ({ context }) => context.payeeNumber === null, target: 'keyingPayee' },
          { guard: ({ context }) => context.payeeProblem !== null, target: 'keyingPayee' },
          { guard: ({ context }) => context.person === null, target: 'identifying' },
          { guard: 'wasProven', target: 'asking' },
          { target: 'enteringPin' },
        ],
      },
      keyingPayee: {
        ...shows((context: Context) => ({
          screen: {
            name: 'payee',
            amount: context.amount,
            entered: context.payeeNumber ?? '',
            problem: context.payeeProblem,
          },
          offers: ['enter-payee', 'correct', 'cancel'],
          patience: 'answer',
        })),
        on: {
          'enter-payee': {
            target: 'continuing',
            actions: assign({ payeeNumber: ({ event }) => event.accountNumber, payeeProblem: null }),
          },
          correct: { guard: ({ event }) => event.what === 'amount', target: 'choosing' },
          cancel: { target: 'over', actions: 'cancel' },
        },
      },
      identifying: {
        invoke: {
          src: 'identify',
          input: ({ context }) => ({ service, transactionId: context.transactionId, amount: context.amount }),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'accepted',
              target: 'continuing',
              actions: assign({ person: ({ event }) => accepted(event.output) }),
            },
            { target: 'over', actions: assign({ output: ({ event }) => unidentified(service, event.output) }) },
          ],
        },
      },
      enteringPin: {
        invoke: {
          src: 'pin',
          input: ({ context }) => ({
            purpose: 'verify' as const,
            boundTo: context.transactionId,
            problem: context.attemptsLeft === null ? null : ('wrong' as const),
            attemptsLeft: context.attemptsLeft,
            amount: context.amount,
          }),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'entered',
              target: 'asking',
              actions: assign({ pinBlock: ({ event }) => entered(event.output) }),
            },
            { target: 'over', actions: assign({ output: ({ event }) => withoutPin(service, event.output) }) },
          ],
        },
      },
      asking: {
        ...waiting<Context>('asking-bank'),
        // A block is good for one question. Whatever is answered but a wrong PIN, the PIN was right.
        exit: assign({ pinBlock: null }),
        invoke: {
          src: 'ask',
          input: ({ context }) => context,
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'found',
              target: 'confirming',
              actions: assign(({ context, event }) => {
                const { accountEnding, name, account } = event.output as Extract<Asked, { outcome: 'found' }>;
                return { payee: { accountEnding, name }, account, proven: reached(context.person).personId };
              }),
            },
            {
              guard: ({ event: { output } }) =>
                output.outcome === 'declined' && output.reason === 'pin-wrong' && (output.attemptsLeft ?? 0) > 0,
              target: 'enteringPin',
              actions: assign({
                attemptsLeft: ({ event }) => (event.output.outcome === 'declined' ? event.output.attemptsLeft : null),
              }),
            },
            {
              // They took longer than the proof lasts.
              guard: ({ event }) => reasonOf(event.output) === 'pin-required',
              target: 'enteringPin',
              actions: assign({ proven: null, attemptsLeft: null }),
            },
            {
              guard: ({ event }) => payeeProblemOf(event.output) !== null,
              target: 'keyingPayee',
              actions: assign({
                payeeProblem: ({ event }) => payeeProblemOf(event.output),
                proven: ({ context }) => reached(context.person).personId,
              }),
            },
            {
              guard: ({ event }) => reasonOf(event.output) === 'insufficient-funds',
              target: 'choosing',
              actions: assign({
                refused: ({ context, event }) => {
                  const mostMinor = event.output.outcome === 'declined' ? event.output.available?.amountMinor : null;
                  return refusedAmount(context.amount.amountMinor, mostMinor ?? 0, 'insufficient-funds');
                },
                proven: ({ context }) => reached(context.person).personId,
              }),
            },
            {
              target: 'over',
              actions: assign({
                output: ({ event }) => {
                  const reason = reasonOf(event.output);
                  return sorry(service, reason ? DECLINE_SORRY[reason] : 'offline-service');
                },
              }),
            },
          ],
          onError: { target: 'over', actions: assign({ output: sorry(service, 'failed') }) },
        },
      },
      confirming: {
        ...shows((context: Context) => {
          const { amount } = context;
          const availableMinor = reached(context.account).available.amountMinor;
          return {
            screen: {
              name: 'confirm-transfer',
              payee: { accountNumber: reached(context.payeeNumber), name: reached(context.payee).name },
              amount,
              remains: money(availableMinor - amount.amountMinor, amount.currency),
            },
            offers: ['confirm', 'correct', 'cancel'],
            patience: 'answer',
          };
        }),
        on: {
          confirm: 'sending',
          correct: [{ guard: ({ event }) => event.what === 'payee', target: 'keyingPayee' }, { target: 'choosing' }],
          cancel: { target: 'over', actions: 'cancel' },
        },
      },
      sending: {
        ...waiting<Context>('transferring'),
        invoke: {
          src: 'send',
          input: ({ context }) => context,
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'posted',
              target: 'receipting',
              actions: assign({
                account: ({ event }) => (event.output.outcome === 'posted' ? event.output.account : null),
              }),
            },
            {
              target: 'over',
              actions: assign({ output: ({ context, event }) => notPosted(context, event.output) }),
            },
          ],
          // Something of ours broke, after or before it was sent: no word about the money but what is certain.
          onError: { target: 'over', actions: assign({ output: ({ context }) => open(context) }) },
        },
      },
      receipting: {
        invoke: {
          src: 'receipt',
          input: ({ context }) => ({
            service,
            transactionId: context.transactionId,
            amount: context.amount,
            account: context.account,
            payeeEnding: context.payee?.accountEnding ?? null,
            lines: [],
            standIn: false,
          }),
          onDone: {
            target: 'over',
            actions: assign({
              output: ({ context, event }): Outcome => ({
                kind: 'done',
                service,
                amount: context.amount,
                balance: context.account?.available ?? null,
                receipt: event.output,
                standIn: false,
              }),
            }),
          },
        },
      },
      over: { type: 'final' },
    },
  });
}

function reasonOf(asked: Asked): DeclineReason | null {
  return asked.outcome === 'declined' ? asked.reason : null;
}

function payeeProblemOf(asked: Asked): PayeeProblem {
  const reason = reasonOf(asked);
  return reason === null ? null : (PAYEE_PROBLEMS[reason] ?? null);
}

function open({ transactionId }: Context): Outcome {
  return sorry('transfer', 'transfer-open', { reference: shortReference(transactionId) });
}

function notPosted(context: Context, sent: Sent): Outcome {
  switch (sent.outcome) {
    case 'declined':
      return sorry('transfer', DECLINE_SORRY[sent.reason]);
    case 'open':
      return open(context);
    default:
      return sorry('transfer', 'offline-service');
  }
}
