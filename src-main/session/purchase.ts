/** Purchase: scan, look, paid. Above the policy's limit with the PIN; without the bank within its stand-in limits. */
import { assign, fromCallback, fromPromise, setup } from 'xstate';
import type { AccountView } from '../../src-contract/bank-api.ts';
import { type Money, money, type Uuid } from '../../src-contract/primitives.ts';
import type { BasketLine, Screen } from '../../src-contract/screen.ts';
import { type Authorised, authorise, capture } from './authorise.ts';
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
import { pinMachine } from './pin.ts';
import type { PortsOf } from './ports.ts';
import { receiptMachine } from './receipt.ts';
import { beginStandIn, standInMessage } from './stand-in.ts';
import { type IntentEvent, type Outcome, reached, type StepMeta, shows, sorry, waiting } from './step.ts';

export interface PurchaseInput {
  /** The code whose scan began the visit; null when a touch did. */
  readonly barcode: string | null;
}

interface Context {
  readonly transactionId: Uuid;
  readonly begun: boolean;
  readonly lines: readonly BasketLine[];
  readonly problem: Extract<Screen, { name: 'basket' }>['problem'];
  readonly person: Person | null;
  readonly pinBlock: string | null;
  readonly attemptsLeft: number | null;
  readonly account: AccountView | null;
  readonly standIn: boolean;
  readonly output: Outcome | null;
}

type Events = IntentEvent | { type: 'scanned'; barcode: string };
type Paid =
  | Exclude<Authorised, { outcome: 'unreachable' }>
  | { readonly outcome: 'stood-in' }
  | { readonly outcome: 'offline-limit' };

const LINES_MAX = 100;
const QUANTITY_MAX = 99;

export function purchaseMachine(ports: PortsOf<'purchase'>) {
  const service = 'purchase' as const;

  return setup({
    types: {
      context: {} as Context,
      events: {} as Events,
      input: {} as PurchaseInput,
      output: {} as Outcome,
      meta: {} as StepMeta<Context>,
    },
    actors: {
      scanning: fromCallback<Events>(({ sendBack }) =>
        ports.devices.barcodeScanner?.onBarcode(({ text }) => sendBack({ type: 'scanned', barcode: text })),
      ),
      identify: identifyMachine(ports),
      pin: pinMachine(ports),
      pay: fromPromise<Paid, Context>(({ input, signal }) => pay(ports, input, signal)),
      abandon: fromPromise<void, Context>(async ({ input }) => {
        if (input.begun) ports.journal.record(input.transactionId, { state: 'cancelled', final: true });
      }),
      receipt: receiptMachine(ports),
    },
    guards: {
      payable: ({ context }) =>
        context.lines.length > 0 &&
        total(context.lines).amountMinor <= (ports.policy().services.purchase.maxAmountMinor ?? 0),
    },
  }).createMachine({
    id: service,
    context: ({ input }) => ({
      transactionId: ports.chance.id(),
      begun: false,
      lines: [],
      problem: null,
      person: null,
      pinBlock: null,
      attemptsLeft: null,
      account: null,
      standIn: false,
      output: null,
      ...(input.barcode === null ? {} : scan(ports, [], input.barcode)),
    }),
    initial: 'scanning',
    output: ({ context }) => reached(context.output),
    states: {
      scanning: {
        ...shows((context: Context) => ({
          screen: { name: 'basket', lines: [...context.lines], total: total(context.lines), problem: context.problem },
          offers: context.lines.length > 0 ? ['pay', 'remove-line', 'cancel'] : ['cancel'],
          patience: 'answer',
        })),
        invoke: { src: 'scanning' },
        on: {
          scanned: { actions: assign(({ context, event }) => scan(ports, context.lines, event.barcode)) },
          'remove-line': {
            actions: assign({
              lines: ({ context, event }) => context.lines.filter((line) => line.lineId !== event.lineId),
              problem: null,
            }),
          },
          pay: [
            { guard: 'payable', target: 'identifying' },
            { target: 'over', actions: assign({ output: sorry(service, 'over-limit') }) },
          ],
          cancel: { target: 'over', actions: assign({ output: { kind: 'cancelled' } as const }) },
        },
      },
      identifying: {
        invoke: {
          src: 'identify',
          input: ({ context }) => ({ service, transactionId: context.transactionId, amount: total(context.lines) }),
          onDone: [
            {
              guard: ({ event }) => wantsPin(event.output),
              target: 'enteringPin',
              actions: assign({ person: ({ event }) => accepted(event.output) }),
            },
            {
              guard: ({ event }) => event.output.outcome === 'accepted',
              target: 'paying',
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
            amount: total(context.lines),
          }),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'entered',
              target: 'paying',
              actions: assign({ pinBlock: ({ event }) => entered(event.output) }),
            },
            {
              target: 'abandoning',
              actions: assign({ output: ({ event }) => withoutPin(service, event.output) }),
            },
          ],
        },
      },
      abandoning: {
        ...waiting<Context>('asking-bank'),
        invoke: { src: 'abandon', input: ({ context }) => context, onDone: 'over' },
      },
      paying: {
        ...waiting<Context>('asking-bank'),
        invoke: {
          src: 'pay',
          input: ({ context }) => context,
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'approved' || event.output.outcome === 'stood-in',
              target: 'receipting',
              actions: assign(({ event: { output } }) => ({
                pinBlock: null,
                account: output.outcome === 'approved' ? output.account : null,
                standIn: output.outcome === 'stood-in',
              })),
            },
            {
              guard: ({ event: { output } }) => output.outcome === 'declined' && wrongPinWithMoreTries(output),
              target: 'enteringPin',
              actions: assign({
                begun: true,
                pinBlock: null,
                attemptsLeft: ({ event }) => (event.output.outcome === 'declined' ? event.output.attemptsLeft : null),
              }),
            },
            {
              target: 'over',
              actions: assign({
                output: ({ event: { output } }) =>
                  output.outcome === 'declined' ? notAuthorised(service, output) : sorry(service, 'offline-limit'),
              }),
            },
          ],
          onError: { target: 'over', actions: assign({ output: sorry(service, 'failed') }) },
        },
      },
      receipting: {
        invoke: {
          src: 'receipt',
          input: ({ context }) => ({
            service,
            transactionId: context.transactionId,
            amount: total(context.lines),
            account: context.account && { accountEnding: context.account.accountEnding, available: null },
            lines: context.lines,
            standIn: context.standIn,
          }),
          onDone: {
            target: 'over',
            actions: assign({
              output: ({ context, event }): Outcome => ({
                kind: 'done',
                service,
                amount: total(context.lines),
                // Face only and in a shop: the balance is nobody's business here.
                balance: null,
                receipt: event.output,
                standIn: context.standIn,
              }),
            }),
          },
        },
      },
      over: { type: 'final' },
    },
  });
}

/** Asks the bank, or stands in for it. The money is settled, one way or the other, when this returns. */
async function pay(ports: PortsOf<'purchase'>, context: Context, signal: AbortSignal): Promise<Paid> {
  const { transactionId, pinBlock } = context;
  const person = reached(context.person);
  const { personId, resultId, secondFactor, evidence } = person;
  const amount = total(context.lines);
  if (!context.begun) ports.journal.begin({ transactionId, service: 'purchase', personId, amount });
  const order = {
    transactionId,
    service: 'purchase' as const,
    personId,
    amount,
    resultId,
    pinBlock,
    commandNonce: null,
  };
  const authorised = await authorise(ports, order, signal, { standIn: true });
  if (authorised.outcome === 'approved') {
    ports.journal.record(transactionId, { state: 'paid', final: true }, [
      capture(ports, authorised.authorisationKey, amount),
    ]);
    if (pinBlock !== null) moveOver(ports, person, transactionId);
    return authorised;
  }
  if (authorised.outcome === 'declined') return authorised;
  if (ports.gallery.isErased(personId)) {
    // Told to forget them between the look and now. The bank refuses by itself; nobody stands in for it.
    ports.journal.record(transactionId, { state: 'consent-withdrawn', final: true });
    return { outcome: 'declined', reason: 'unknown-person', attemptsLeft: null };
  }
  if (
    secondFactor === 'pin' ||
    !beginStandIn(ports, { transactionId, service: 'purchase', personId, amount, evidence })
  ) {
    ports.journal.record(transactionId, { state: 'stand-in-refused', final: true });
    return { outcome: 'offline-limit' };
  }
  ports.journal.record(transactionId, { state: 'stood-in', final: true }, [
    standInMessage(ports, { transactionId, personId, amount, resultId }),
  ]);
  return { outcome: 'stood-in' };
}

/** The basket after one more scan. */
function scan(
  ports: PortsOf<'purchase'>,
  lines: readonly BasketLine[],
  barcode: string,
): Pick<Context, 'lines' | 'problem'> {
  const goods = ports.goods.get(barcode);
  if (!goods) return { lines, problem: 'unknown-barcode' };
  const known = lines.find(
    (line) => line.names.ja === goods.names.ja && line.unitPrice.amountMinor === goods.price.amountMinor,
  );
  if (known) {
    if (known.quantity >= QUANTITY_MAX) return { lines, problem: 'basket-full' };
    return {
      lines: lines.map((line) => (line === known ? { ...line, quantity: line.quantity + 1 } : line)),
      problem: null,
    };
  }
  if (lines.length >= LINES_MAX) return { lines, problem: 'basket-full' };
  return {
    lines: [...lines, { lineId: ports.chance.id(), names: goods.names, unitPrice: goods.price, quantity: 1 }],
    problem: null,
  };
}

function total(lines: readonly BasketLine[]): Money {
  return money(lines.reduce((sum, line) => sum + line.unitPrice.amountMinor * line.quantity, 0));
}
