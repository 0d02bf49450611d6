/** A customer's visit: invite, choose, run one service, say how it ended, and back to the start. */
import { assign, fromCallback, setup } from 'xstate';
import type { Service } from '../../src-contract/primitives.ts';
import { MinorUnits } from '../../src-contract/primitives.ts';
import type { SorryCode } from '../../src-contract/screen.ts';
import { unavailable } from './availability.ts';
import { balanceMachine } from './balance.ts';
import { depositMachine } from './deposit.ts';
import { enrolMachine } from './enrol.ts';
import { optOutMachine } from './opt-out.ts';
import type { SessionPorts } from './ports.ts';
import { purchaseMachine } from './purchase.ts';
import { blockUnsettled } from './recovery-table.ts';
import { type IntentEvent, type Outcome, type StepMeta, shows, sorry } from './step.ts';
import { transferMachine } from './transfer.ts';
import { withdrawMachine } from './withdraw.ts';

interface Context {
  readonly service: Service | null;
  /** The scan that began a visit at a checkout. */
  readonly barcode: string | null;
  readonly outcome: Outcome | null;
}

type Events = IntentEvent | { type: 'scanned'; barcode: string } | { type: 'surroundings-changed' };

/** What trying again can't change: the sentence for each sends the customer to somebody else. */
const FINAL_SORRY: ReadonlySet<SorryCode> = new Set([
  'pin-locked',
  'suspect',
  'notes-kept',
  'account-closed',
  'already-enrolled',
  'too-many-tries',
  'payee-limit',
  'transfer-open',
]);

export function visitMachine(ports: SessionPorts) {
  const { services } = ports.terminal;
  // Whoever touches a checkout wants to pay. Withdrawing consent has a button of its own there, on the same screen.
  const [only, ...others] = services.filter((service) => service !== 'opt-out');
  const single = others.length === 0 ? (only ?? null) : null;
  const optsOutAtOnce = single !== null && services.includes('opt-out');
  const reason = (service: Service) => unavailable(service, ports.devices, ports.sync.online, ports.blocked);
  const canRetry = ({ service, outcome }: Context) =>
    service !== null && reason(service) === null && !(outcome?.kind === 'sorry' && FINAL_SORRY.has(outcome.code));

  return setup({
    types: { context: {} as Context, events: {} as Events, meta: {} as StepMeta<Context> },
    actors: {
      scanning: fromCallback<Events>(({ sendBack }) =>
        ports.devices.barcodeScanner?.onBarcode(({ text }) => sendBack({ type: 'scanned', barcode: text })),
      ),
      /** Tells the invitation when this terminal may serve nobody, and when it may again. */
      standing: fromCallback<Events>(({ sendBack }) =>
        ports.standing.onChange(() => sendBack({ type: 'surroundings-changed' })),
      ),
      /** Tells the menu when a device or the bank comes or goes. */
      surroundings: fromCallback<Events>(({ sendBack }) => {
        const changed = () => sendBack({ type: 'surroundings-changed' });
        const stops = [
          ports.sync.onOnline(changed),
          ...Object.values(ports.devices).flatMap((device) => (device ? [device.onHealth(changed)] : [])),
        ];
        return () => {
          for (const stop of stops) stop();
        };
      }),
      enrol: enrolMachine(ports),
      deposit: depositMachine(ports),
      withdraw: withdrawMachine(ports),
      transfer: transferMachine(ports),
      balance: balanceMachine(ports),
      purchase: purchaseMachine(ports),
      optOut: optOutMachine(ports),
    },
    actions: {
      end: assign({ outcome: (_, outcome: Outcome) => outcome }),
      fail: assign({
        outcome: ({ context }): Outcome => (context.service ? sorry(context.service, 'failed') : { kind: 'cancelled' }),
      }),
    },
    guards: {
      isUnavailable: ({ context }) => context.service !== null && reason(context.service) !== null,
    },
  }).createMachine({
    id: 'visit',
    context: { service: null, barcode: null, outcome: null },
    initial: 'attracting',
    states: {
      attracting: {
        ...shows(() => {
          const outOfService = ports.standing.reason();
          if (outOfService !== null) {
            return { screen: { name: 'out-of-service', reason: outOfService }, offers: [], patience: 'none' };
          }
          const offers = optsOutAtOnce ? (['begin', 'choose-service'] as const) : (['begin'] as const);
          return { screen: { name: 'attract' }, offers, patience: 'none' };
        }),
        entry: assign({ service: null, barcode: null, outcome: null }),
        invoke: [{ src: 'scanning' }, { src: 'standing' }],
        on: {
          'surroundings-changed': {},
          begin: [
            { guard: () => ports.standing.reason() !== null },
            { guard: () => single !== null, target: 'starting', actions: assign({ service: single }) },
            { target: 'choosing' },
          ],
          'choose-service': {
            guard: ({ event }) => optsOutAtOnce && event.service === 'opt-out' && ports.standing.reason() === null,
            target: 'starting',
            actions: assign({ service: 'opt-out' as const }),
          },
          scanned: {
            guard: () => services.includes('purchase') && ports.standing.reason() === null,
            target: 'starting',
            actions: assign({ service: 'purchase' as const, barcode: ({ event }) => event.barcode }),
          },
        },
      },
      choosing: {
        ...shows(() => ({
          screen: {
            name: 'menu',
            services: services.map((service) => ({
              service,
              available: reason(service) === null,
              reason: reason(service),
            })),
          },
          offers: ['choose-service', 'cancel'],
          patience: 'answer',
        })),
        invoke: { src: 'surroundings' },
        on: {
          'surroundings-changed': {},
          'choose-service': {
            guard: ({ event }) => services.includes(event.service),
            target: 'starting',
            actions: assign({ service: ({ event }) => event.service }),
          },
          cancel: 'attracting',
        },
      },
      starting: {
        always: [
          // What expired while the menu stood: the first screen says so.
          { guard: () => ports.standing.reason() !== null, target: 'attracting' },
          {
            guard: 'isUnavailable',
            target: 'ending',
            actions: assign({
              outcome: ({ context }): Outcome =>
                context.service ? sorry(context.service, reason(context.service) ?? 'failed') : { kind: 'cancelled' },
            }),
          },
          { guard: ({ context }) => context.service === 'enrol', target: 'enrol' },
          { guard: ({ context }) => context.service === 'deposit', target: 'deposit' },
          { guard: ({ context }) => context.service === 'withdraw', target: 'withdraw' },
          { guard: ({ context }) => context.service === 'transfer', target: 'transfer' },
          { guard: ({ context }) => context.service === 'balance', target: 'balance' },
          { guard: ({ context }) => context.service === 'purchase', target: 'purchase' },
          { guard: ({ context }) => context.service === 'opt-out', target: 'optOut' },
          { target: 'attracting' },
        ],
      },
      enrol: {
        invoke: {
          src: 'enrol',
          onDone: { target: 'ending', actions: { type: 'end', params: ({ event }) => event.output } },
          onError: { target: 'ending', actions: 'fail' },
        },
      },
      deposit: {
        invoke: {
          src: 'deposit',
          onDone: { target: 'ending', actions: { type: 'end', params: ({ event }) => event.output } },
          onError: { target: 'ending', actions: 'fail' },
        },
      },
      withdraw: {
        invoke: {
          src: 'withdraw',
          onDone: { target: 'ending', actions: { type: 'end', params: ({ event }) => event.output } },
          onError: { target: 'ending', actions: 'fail' },
        },
      },
      transfer: {
        invoke: {
          src: 'transfer',
          onDone: { target: 'ending', actions: { type: 'end', params: ({ event }) => event.output } },
          onError: { target: 'ending', actions: 'fail' },
        },
      },
      balance: {
        invoke: {
          src: 'balance',
          onDone: { target: 'ending', actions: { type: 'end', params: ({ event }) => event.output } },
          onError: { target: 'ending', actions: 'fail' },
        },
      },
      purchase: {
        invoke: {
          src: 'purchase',
          input: ({ context }) => ({ barcode: context.barcode }),
          onDone: { target: 'ending', actions: { type: 'end', params: ({ event }) => event.output } },
          onError: { target: 'ending', actions: 'fail' },
        },
      },
      optOut: {
        invoke: {
          src: 'optOut',
          onDone: { target: 'ending', actions: { type: 'end', params: ({ event }) => event.output } },
          onError: { target: 'ending', actions: 'fail' },
        },
      },
      ending: {
        entry: () => blockUnsettled(ports),
        always: [
          { guard: ({ context }) => context.outcome?.kind === 'done', target: 'saying' },
          { guard: ({ context }) => context.outcome?.kind === 'sorry', target: 'apologising' },
          { target: 'attracting' },
        ],
      },
      saying: {
        ...shows((context: Context) => ({
          screen: context.outcome?.kind === 'done' ? doneScreen(context.outcome) : { name: 'attract' },
          offers: ['confirm'],
          // Somebody who is told a number writes it down.
          patience: context.outcome?.kind === 'done' && context.outcome.accountNumber ? 'answer' : 'farewell',
        })),
        on: { confirm: 'attracting', cancel: 'attracting' },
      },
      apologising: {
        ...shows((context: Context) => ({
          screen: context.outcome?.kind === 'sorry' ? sorryScreen(context.outcome) : { name: 'attract' },
          offers: canRetry(context) ? ['retry', 'cancel'] : ['cancel'],
          patience: 'answer',
        })),
        on: {
          retry: {
            guard: ({ context }) => canRetry(context),
            target: 'starting',
            actions: assign({ outcome: null, barcode: null }),
          },
          cancel: 'attracting',
        },
      },
    },
  });
}

function doneScreen({ kind: _, ...outcome }: Extract<Outcome, { kind: 'done' }>) {
  return { name: 'done' as const, ...outcome };
}

function sorryScreen({ kind: _, possibleMinor, ...outcome }: Extract<Outcome, { kind: 'sorry' }>) {
  return { name: 'sorry' as const, ...outcome, possibleMinor: possibleMinor.map((one) => MinorUnits.parse(one)) };
}
