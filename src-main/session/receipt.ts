/** The step "a receipt?": asks where the printer works, prints, and never holds up the visit. */
import { assign, fromPromise, setup } from 'xstate';
import type { Money, Uuid } from '../../src-contract/primitives.ts';
import type { BasketLine, Screen } from '../../src-contract/screen.ts';
import { deadline } from '../clock.ts';
import { guide } from './guide-light.ts';
import type { StepPorts } from './ports.ts';
import { type IntentEvent, reached, type StepMeta, shows, waiting } from './step.ts';

export interface ReceiptInput {
  readonly service: 'withdraw' | 'deposit' | 'transfer' | 'purchase';
  readonly transactionId: Uuid;
  readonly amount: Money;
  /** What the paper may tell of the account; no balance where only a face was shown. */
  readonly account: { readonly accountEnding: string; readonly available: Money | null } | null;
  /** Last digits of the account that a transfer went to. */
  readonly payeeEnding?: string | null;
  readonly lines: readonly BasketLine[];
  readonly standIn: boolean;
}

type ReceiptStep = Extract<Screen, { name: 'done' }>['receipt'];

interface Context extends ReceiptInput {
  readonly output: ReceiptStep | null;
}

/** A receipt takes two or three seconds; after this, ms, the customer goes without. */
const PRINT_MS_MAX = 15_000;

export function receiptMachine(ports: StepPorts) {
  const print = fromPromise<ReceiptStep, Context>(async ({ input, signal }) => {
    using limit = deadline(ports.clock, PRINT_MS_MAX, signal);
    const stopGuiding = guide(ports, 'receipt');
    const completion = await ports
      .print(
        {
          service: input.service,
          transactionId: input.transactionId,
          at: ports.clock.now(),
          language: ports.language(),
          lines: input.lines.map(({ lineId: _, ...line }) => line),
          amount: input.amount,
          balance: input.account?.available ?? null,
          accountEnding: input.account?.accountEnding ?? null,
          payeeEnding: input.payeeEnding ?? null,
          standIn: input.standIn,
        },
        limit.signal,
      )
      .finally(stopGuiding);
    return completion.outcome === 'printed' ? 'printed' : 'unavailable';
  });

  return setup({
    types: {
      context: {} as Context,
      events: {} as IntentEvent,
      input: {} as ReceiptInput,
      output: {} as ReceiptStep,
      meta: {} as StepMeta<Context>,
    },
    actors: { print },
  }).createMachine({
    id: 'receipt',
    context: ({ input }) => ({ ...input, output: null }),
    initial: 'asking',
    output: ({ context }) => reached(context.output),
    states: {
      asking: {
        ...shows((context: Context) => ({
          screen: {
            name: 'receipt',
            service: context.service,
            amount: context.amount,
            balance: context.account?.available ?? null,
          },
          offers: ['choose-receipt'],
          patience: 'answer',
        })),
        always: {
          guard: () => ports.devices.receiptPrinter?.health().state !== 'online',
          target: 'over',
          actions: assign({ output: 'unavailable' as const }),
        },
        on: {
          'choose-receipt': [
            { guard: ({ event }) => event.print, target: 'printing' },
            { target: 'over', actions: assign({ output: 'declined' as const }) },
          ],
          // Nobody answered: the money is settled, and a receipt left in the slot tells the next customer about this one.
          cancel: { target: 'over', actions: assign({ output: 'declined' as const }) },
        },
      },
      printing: {
        ...waiting<Context>('printing'),
        invoke: {
          src: 'print',
          input: ({ context }) => context,
          onDone: { target: 'over', actions: assign({ output: ({ event }) => event.output }) },
          onError: { target: 'over', actions: assign({ output: 'unavailable' as const }) },
        },
      },
      over: { type: 'final' },
    },
  });
}
