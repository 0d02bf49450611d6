/** Withdraw: amount, face, PIN, the bank's yes, notes, receipt. */
import { assign, fromPromise, setup } from 'xstate';
import type { AccountView } from '../../src-contract/bank-api.ts';
import { MinorUnits, type Money, money, type Uuid } from '../../src-contract/primitives.ts';
import type { NoteCount, SorryCode } from '../../src-contract/screen.ts';
import { deadline } from '../clock.ts';
import type { CashUnit } from '../devices/cash-dispenser.ts';
import { denominate, dispensable, possibleAmounts } from '../devices/denominate.ts';
import type { Authorised } from './authorise.ts';
import { authoriseDispense } from './dispense-security.ts';
import { identifyMachine } from './identify.ts';
import { moveOver } from './move-over.ts';
import {
  accepted,
  entered,
  notAuthorised,
  type Person,
  unidentified,
  wantsPin,
  withoutPin,
  wrongPinWithMoreTries,
} from './outcomes.ts';
import { handOver, present, type Settled, settle, stack } from './pay-out.ts';
import { pinMachine } from './pin.ts';
import type { PortsOf } from './ports.ts';
import { receiptMachine } from './receipt.ts';
import { type IntentEvent, type Outcome, reached, type StepMeta, shows, sorry, waiting } from './step.ts';

/** Amounts people ask for most, yen; only those that can be given now are shown. */
const USUAL_AMOUNTS_MINOR = [10_000, 20_000, 30_000, 50_000, 100_000, 5_000, 3_000, 1_000];
const CHOICES_MAX = 8;
/** A dispenser says at once what is in it, or it is not there; ms. */
const COUNT_MS_MAX = 5_000;

interface Context {
  readonly units: readonly CashUnit[];
  readonly transactionId: Uuid;
  readonly begun: boolean;
  readonly amount: Money;
  readonly mix: readonly NoteCount[];
  readonly refused: { askedMinor: MinorUnits; possibleMinor: MinorUnits[]; reason: SorryCode } | null;
  readonly person: Person | null;
  readonly pinBlock: string | null;
  readonly pinProblem: { problem: 'wrong'; attemptsLeft: number | null } | null;
  readonly authorisationKey: Uuid | null;
  /** The bank's, for the dispenser. */
  readonly token: string | null;
  readonly tokenRefused: boolean;
  readonly account: AccountView | null;
  readonly output: Outcome | null;
}

export function withdrawMachine(ports: PortsOf<'withdraw'>) {
  const service = 'withdraw' as const;
  const yen = (amountMinor: number) => money(amountMinor);
  const limitMinor = (context: Context) =>
    Math.min(dispensable(context.units).maxMinor, ports.policy().services.withdraw.maxAmountMinor ?? 0);
  const payOut = (context: Context) => ({
    transactionId: context.transactionId,
    authorisationKey: reached(context.authorisationKey),
    amount: context.amount,
    mix: context.mix,
    token: context.token,
  });
  const step = <Result>(work: (context: Context, signal: AbortSignal) => Promise<Result>) =>
    fromPromise<Result, Context>(({ input, signal }) => work(input, signal));

  return setup({
    types: {
      context: {} as Context,
      events: {} as IntentEvent,
      output: {} as Outcome,
      meta: {} as StepMeta<Context>,
    },
    actors: {
      count: fromPromise<readonly CashUnit[]>(async ({ signal }) => {
        using limit = deadline(ports.clock, COUNT_MS_MAX, signal);
        return (await reached(ports.devices.cashDispenser).status(limit.signal)).units;
      }),
      identify: identifyMachine(ports),
      pin: pinMachine(ports),
      authorise: step<Awaited<ReturnType<typeof authoriseDispense>>>(async (context, signal) => {
        const person = reached(context.person);
        const { transactionId, amount } = context;
        if (!context.begun) {
          ports.journal.begin({
            transactionId,
            service,
            personId: person.personId,
            amount,
            detail: { mix: context.mix },
          });
        }
        const authorised = await authoriseDispense(
          ports,
          {
            transactionId,
            service,
            personId: person.personId,
            amount,
            resultId: person.resultId,
            pinBlock: context.pinBlock,
          },
          signal,
        );
        if (authorised.outcome === 'approved' && context.pinBlock !== null) moveOver(ports, person, transactionId);
        return authorised;
      }),
      abandon: step(async (context) => {
        if (context.begun) ports.journal.record(context.transactionId, { state: 'cancelled', final: true });
      }),
      stack: step((context, signal) => stack(ports, payOut(context), signal)),
      present: step((context, signal) => present(ports, payOut(context), signal)),
      handOver: step((context, signal) => handOver(ports, payOut(context), signal)),
      settle: step<Settled>((context, signal) => settle(ports, payOut(context), signal)),
      receipt: receiptMachine(ports),
    },
    guards: {
      canBeGiven: ({ context, event }) =>
        event.type === 'choose-amount' &&
        event.amountMinor > 0 &&
        event.amountMinor <= limitMinor(context) &&
        denominate(event.amountMinor, context.units) !== null,
    },
    actions: {
      light: (_, params: { on: boolean }) => {
        ports.devices.lights?.set('cashOutput', params.on ? 'quickFlash' : 'off').catch(() => undefined);
      },
    },
  }).createMachine({
    id: service,
    context: () => ({
      units: [],
      transactionId: ports.chance.id(),
      begun: false,
      amount: yen(0),
      mix: [],
      refused: null,
      person: null,
      pinBlock: null,
      pinProblem: null,
      authorisationKey: null,
      token: null,
      tokenRefused: false,
      account: null,
      output: null,
    }),
    initial: 'counting',
    output: ({ context }) => reached(context.output),
    states: {
      counting: {
        ...waiting<Context>('counting'),
        invoke: {
          src: 'count',
          onDone: { target: 'choosing', actions: assign({ units: ({ event }) => event.output }) },
          onError: { target: 'over', actions: assign({ output: sorry(service, 'device-unavailable') }) },
        },
      },
      choosing: {
        ...shows((context: Context) => {
          const { stepMinor } = dispensable(context.units);
          const maxMinor = limitMinor(context);
          return {
            screen: {
              name: 'amount',
              choices: USUAL_AMOUNTS_MINOR.filter((one) => one <= maxMinor && denominate(one, context.units) !== null)
                .slice(0, CHOICES_MAX)
                .sort((a, b) => a - b)
                .map((one) => MinorUnits.parse(one)),
              stepMinor: MinorUnits.parse(stepMinor),
              maxMinor: MinorUnits.parse(maxMinor),
              refused: context.refused,
            },
            offers: ['choose-amount', 'cancel'],
            patience: 'answer',
          };
        }),
        on: {
          'choose-amount': [
            {
              guard: 'canBeGiven',
              target: 'identifying',
              actions: assign({
                amount: ({ event }) => yen(event.amountMinor),
                mix: ({ context, event }) => denominate(event.amountMinor, context.units) ?? [],
                refused: null,
              }),
            },
            {
              actions: assign({
                refused: ({ context, event }) => ({
                  askedMinor: event.amountMinor,
                  possibleMinor: possibleAmounts(Math.min(event.amountMinor, limitMinor(context)), context.units)
                    .filter((one) => one <= limitMinor(context))
                    .map((one) => MinorUnits.parse(one)),
                  reason:
                    event.amountMinor > limitMinor(context) ? ('over-limit' as const) : ('cannot-make-amount' as const),
                }),
              }),
            },
          ],
          cancel: { target: 'over', actions: assign({ output: { kind: 'cancelled' } as const }) },
        },
      },
      identifying: {
        invoke: {
          src: 'identify',
          input: ({ context }) => ({ service, transactionId: context.transactionId, amount: context.amount }),
          onDone: [
            {
              guard: ({ event }) => wantsPin(event.output),
              target: 'enteringPin',
              actions: assign({ person: ({ event }) => accepted(event.output) }),
            },
            {
              guard: ({ event }) => event.output.outcome === 'accepted',
              target: 'authorising',
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
            problem: context.pinProblem?.problem ?? null,
            attemptsLeft: context.pinProblem?.attemptsLeft ?? null,
            amount: context.amount,
          }),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'entered',
              target: 'authorising',
              actions: assign({ pinBlock: ({ event }) => entered(event.output) }),
            },
            {
              target: 'abandoning',
              actions: assign({
                output: ({ event }) => withoutPin(service, event.output),
              }),
            },
          ],
        },
      },
      abandoning: {
        ...waiting<Context>('asking-bank'),
        invoke: { src: 'abandon', input: ({ context }) => context, onDone: 'over' },
      },
      authorising: {
        ...waiting<Context>('asking-bank'),
        invoke: {
          src: 'authorise',
          input: ({ context }) => context,
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'approved',
              target: 'dispensing',
              actions: assign(({ event }) => {
                const approved = event.output as Extract<Authorised, { outcome: 'approved' }>;
                const { authorisationKey, account, dispense } = approved;
                return { authorisationKey, account, token: dispense?.token ?? null, pinBlock: null };
              }),
            },
            {
              guard: ({ event }) => wrongPinWithMoreTries(event.output),
              target: 'enteringPin',
              actions: assign({
                begun: true,
                pinBlock: null,
                pinProblem: ({ event }) => ({
                  problem: 'wrong' as const,
                  attemptsLeft: event.output.outcome === 'declined' ? event.output.attemptsLeft : null,
                }),
              }),
            },
            { target: 'over', actions: assign({ output: ({ event }) => notAuthorised(service, event.output) }) },
          ],
          onError: { target: 'over', actions: assign({ output: sorry(service, 'failed') }) },
        },
      },
      dispensing: {
        ...waiting<Context>('dispensing'),
        invoke: {
          src: 'stack',
          input: ({ context }) => context,
          onDone: [
            { guard: ({ event }) => event.output === 'stacked', target: 'presenting' },
            {
              target: 'settling',
              actions: assign({ tokenRefused: ({ event }) => event.output === 'refused' }),
            },
          ],
          onError: 'settling',
        },
      },
      presenting: {
        ...waiting<Context>('dispensing'),
        invoke: {
          src: 'present',
          input: ({ context }) => context,
          onDone: [
            { guard: ({ event }) => event.output === 'presented', target: 'handingOver' },
            { target: 'settling' },
          ],
          onError: 'settling',
        },
      },
      handingOver: {
        ...shows((context: Context) => ({
          screen: { name: 'take-cash', amount: context.amount, notes: [...context.mix] },
          offers: [],
          patience: 'none',
        })),
        entry: { type: 'light', params: { on: true } },
        exit: { type: 'light', params: { on: false } },
        invoke: {
          src: 'handOver',
          input: ({ context }) => context,
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'paid',
              target: 'receipting',
            },
            {
              target: 'over',
              actions: assign({
                output: ({ context, event }) => afterSettling(event.output, context.amount, 'cash-not-taken'),
              }),
            },
          ],
          onError: 'settling',
        },
      },
      settling: {
        ...waiting<Context>('returning'),
        invoke: {
          src: 'settle',
          input: ({ context }) => context,
          onDone: {
            target: 'over',
            actions: assign({
              output: ({ context, event }) =>
                afterSettling(
                  event.output,
                  context.amount,
                  context.tokenRefused ? 'device-unavailable' : 'cash-jammed',
                ),
            }),
          },
          onError: { target: 'over', actions: assign({ output: sorry(service, 'suspect') }) },
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

function afterSettling(settled: Settled, amount: Money, notPaid: SorryCode): Outcome {
  switch (settled.outcome) {
    case 'suspect':
      return sorry('withdraw', 'suspect');
    case 'not-paid':
      return sorry('withdraw', notPaid, { madeWhole: amount });
    case 'partly-paid':
      return sorry('withdraw', 'cash-not-taken', { madeWhole: money(amount.amountMinor - settled.amount.amountMinor) });
    case 'paid':
      return {
        kind: 'done',
        service: 'withdraw',
        amount: settled.amount,
        balance: null,
        receipt: 'none',
        standIn: false,
      };
  }
}
