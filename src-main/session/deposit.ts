/** Deposit: face, notes into escrow, the customer's yes to the count, notes into the machine, receipt. */
import { assign, fromCallback, fromPromise, setup } from 'xstate';
import { money, type Uuid } from '../../src-contract/primitives.ts';
import type { NoteCount } from '../../src-contract/screen.ts';
import { deadline } from '../clock.ts';
import type { AcceptorStatus, CashInEvent } from '../devices/cash-acceptor.ts';
import type { CashRoom } from '../devices/cash-room.ts';
import { COMMAND_MS_MAX } from './ask.ts';
import { bankHasHeard } from './authorise.ts';
import { guide } from './guide-light.ts';
import { identifyMachine } from './identify.ts';
import { accepted, type Person, unidentified } from './outcomes.ts';
import { valueMinor } from './pay-out.ts';
import type { PortsOf } from './ports.ts';
import { receiptMachine } from './receipt.ts';
import { type IntentEvent, type Outcome, reached, type StepMeta, shows, sorry, waiting } from './step.ts';
import { ANSWER_MS_MAX, giveBack, settleTakeIn, store, type TakenIn, takeBack } from './take-in.ts';

interface Context {
  readonly transactionId: Uuid;
  /** Of the machine, when the visit began; null: it does not say. */
  readonly room: CashRoom | null;
  readonly person: Person | null;
  readonly escrow: readonly NoteCount[];
  readonly refusedNotes: number;
  /** Whether some of those still lie in reach, as the device said when it had counted. */
  readonly slot: AcceptorStatus['inputPosition'];
  /** Reports of the device so far: somebody is there and puts notes in. */
  readonly bunches: number;
  /** Notes are inside of which the device has not said yet what they are. */
  readonly counting: boolean;
  readonly problem: 'refused-notes' | 'no-room' | 'nothing-inserted' | null;
  /** What is said once the notes are back in the customer's hands. */
  readonly afterReturn: Outcome;
  readonly taken: TakenIn | null;
  readonly output: Outcome | null;
}

type Events = IntentEvent | { type: 'cash-in'; event: CashInEvent } | { type: 'acceptor-failed' };

/** An acceptor says at once what is in it, or it is not there; ms. */
const LOOK_MS_MAX = 5_000;
/** How long a customer whose deposit is stored waits for the bank to hear of it, ms. */
const TELL_BANK_MS_MAX = 5_000;

export function depositMachine(ports: PortsOf<'deposit'>) {
  const service = 'deposit' as const;
  const maxMinor = () => ports.policy().services.deposit.maxAmountMinor ?? 0;
  const takeIn = (context: Context) => {
    const person = reached(context.person);
    return { transactionId: context.transactionId, personId: person.personId, resultId: person.resultId };
  };
  const acceptor = () => reached(ports.devices.cashAcceptor);
  const step = <Result>(work: (context: Context, signal: AbortSignal) => Promise<Result>) =>
    fromPromise<Result, Context>(({ input, signal }) => work(input, signal));

  return setup({
    types: { context: {} as Context, events: {} as Events, output: {} as Outcome, meta: {} as StepMeta<Context> },
    actors: {
      look: fromPromise<CashRoom | null>(async ({ signal }) => {
        using limit = deadline(ports.clock, LOOK_MS_MAX, signal);
        await acceptor().status(limit.signal);
        return acceptor().room();
      }),
      identify: identifyMachine(ports),
      /** Opens the input and reports notes until it is left; the notes stay in escrow. */
      accepting: fromCallback<Events, Context>(({ sendBack, input }) => {
        const controller = new AbortController();
        ports.journal.begin({
          transactionId: input.transactionId,
          service,
          personId: reached(input.person).personId,
          amount: null,
          detail: { resultId: reached(input.person).resultId },
        });
        ports.journal.record(input.transactionId, { state: 'accepting' });
        const stopGuiding = guide(ports, 'cashInput');
        acceptor()
          .cashInStart(
            input.transactionId,
            (event) => sendBack({ type: 'cash-in', event }),
            controller.signal,
            input.room?.notesMax ?? null,
          )
          .then(
            (completion) => completion.outcome === 'started' || sendBack({ type: 'acceptor-failed' }),
            () => controller.signal.aborted || sendBack({ type: 'acceptor-failed' }),
          );
        return () => {
          controller.abort(new DOMException('cash-in was left', 'AbortError'));
          stopGuiding();
        };
      }),
      stop: step(async (_, signal) => {
        using limit = deadline(ports.clock, COMMAND_MS_MAX, signal);
        const stopped = await acceptor().cashInStop(limit.signal);
        if (stopped.outcome !== 'counted') return stopped;
        return { ...stopped, slot: (await acceptor().status(limit.signal)).inputPosition };
      }),
      refusedTaken: step(async (_, signal) => {
        const { takeMs } = ports.patience;
        using limit = deadline(ports.clock, takeMs + ANSWER_MS_MAX, signal);
        return await acceptor().returnedTaken(takeMs, limit.signal).finally(guide(ports, 'cashInput'));
      }),
      store: step<TakenIn>(async (context, signal) => {
        const taken = await store(ports, takeIn(context), context.escrow, signal);
        if (taken.outcome === 'stored') {
          // The deposit stands; that the bank hears of it now rather than later is a courtesy.
          using limit = deadline(ports.clock, TELL_BANK_MS_MAX, signal);
          await bankHasHeard(ports, limit.signal).catch(() => false);
        }
        return taken;
      }),
      giveBack: step<TakenIn>((context, signal) => giveBack(ports, takeIn(context), signal)),
      settle: step<TakenIn>((context, signal) => settleTakeIn(ports, takeIn(context), signal)),
      takeBack: step<TakenIn>((context, signal) =>
        takeBack(ports, takeIn(context), signal).finally(guide(ports, 'cashInput')),
      ),
      receipt: receiptMachine(ports),
    },
  }).createMachine({
    id: service,
    context: () => ({
      transactionId: ports.chance.id(),
      room: null,
      person: null,
      escrow: [],
      refusedNotes: 0,
      slot: 'empty',
      bunches: 0,
      counting: false,
      problem: null,
      afterReturn: { kind: 'cancelled' },
      taken: null,
      output: null,
    }),
    initial: 'looking',
    output: ({ context }) => reached(context.output),
    states: {
      looking: {
        ...waiting<Context>('checking-machine'),
        invoke: {
          src: 'look',
          onDone: [
            {
              guard: ({ event }) => event.output?.notesMax === 0,
              target: 'over',
              actions: assign({ output: sorry(service, 'machine-full') }),
            },
            { target: 'identifying', actions: assign({ room: ({ event }) => event.output }) },
          ],
          onError: { target: 'over', actions: assign({ output: sorry(service, 'device-unavailable') }) },
        },
      },
      identifying: {
        invoke: {
          src: 'identify',
          input: ({ context }) => ({ service, transactionId: context.transactionId, amount: null }),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'accepted',
              target: 'accepting',
              actions: assign({ person: ({ event }) => accepted(event.output) }),
            },
            { target: 'over', actions: assign({ output: ({ event }) => unidentified(service, event.output) }) },
          ],
        },
      },
      accepting: {
        ...shows((context: Context) => ({
          screen: {
            name: 'insert-cash',
            maxAmount: money(maxMinor()),
            maxNotes: context.room?.scarce ? context.room.notesMax : null,
            fullFor: [...(context.room?.full ?? [])],
            problem: context.problem,
          },
          offers: ['confirm', 'cancel'],
          patience: 'answer',
          activity: context.bunches,
        })),
        invoke: { src: 'accepting', input: ({ context }) => context },
        on: {
          'cash-in': {
            actions: assign(({ context, event: { event } }) => {
              const bunches = context.bunches + 1;
              switch (event.kind) {
                case 'inserted':
                  return { bunches, counting: true, problem: null };
                case 'counted':
                  return { bunches, counting: false, escrow: event.escrow, problem: null };
                case 'refused':
                  return {
                    bunches,
                    counting: false,
                    refusedNotes: context.refusedNotes + event.notes,
                    problem: 'refused-notes' as const,
                  };
                case 'escrowFull':
                  return { bunches, problem: 'no-room' as const };
              }
            }),
          },
          confirm: [
            { guard: ({ context }) => context.counting || valueMinor(context.escrow) > 0, target: 'stopping' },
            { actions: assign({ problem: 'nothing-inserted' as const }) },
          ],
          cancel: 'givingBack',
          'acceptor-failed': { target: 'settling', actions: assign({ afterReturn: sorry(service, 'deposit-failed') }) },
        },
      },
      stopping: {
        ...waiting<Context>('counting'),
        invoke: {
          src: 'stop',
          input: ({ context }) => context,
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'counted' && valueMinor(event.output.escrow) > maxMinor(),
              target: 'givingBack',
              actions: assign({ afterReturn: sorry(service, 'over-limit') }),
            },
            {
              // Nothing of what was put in was money this machine takes.
              guard: ({ event }) => event.output.outcome === 'counted' && valueMinor(event.output.escrow) === 0,
              target: 'givingBack',
            },
            {
              guard: ({ event }) => event.output.outcome === 'counted',
              target: 'counted',
              actions: assign(({ context, event }) =>
                event.output.outcome === 'counted'
                  ? {
                      escrow: event.output.escrow,
                      refusedNotes: Math.max(context.refusedNotes, event.output.refusedNotes),
                      slot: event.output.slot,
                    }
                  : {},
              ),
            },
            { target: 'settling', actions: assign({ afterReturn: sorry(service, 'deposit-failed') }) },
          ],
          onError: { target: 'settling', actions: assign({ afterReturn: sorry(service, 'deposit-failed') }) },
        },
      },
      counted: {
        always: [{ guard: ({ context }) => context.slot === 'notEmpty', target: 'clearing' }, { target: 'confirming' }],
      },
      /** Notes that were not accepted are taken before the others are stored: afterwards nobody would answer for them, and whoever comes
       *  next would find them. Left lying they go with the others, which ends the deposit. */
      clearing: {
        ...shows((context: Context) => ({
          screen: { name: 'take-returned', which: 'refused', refusedNotes: context.refusedNotes },
          offers: ['cancel'],
          patience: 'none',
        })),
        on: { cancel: 'givingBack' },
        invoke: {
          src: 'refusedTaken',
          input: ({ context }) => context,
          onDone: [{ guard: ({ event }) => event.output === 'taken', target: 'confirming' }, { target: 'givingBack' }],
          onError: { target: 'settling', actions: assign({ afterReturn: sorry(service, 'deposit-failed') }) },
        },
      },
      confirming: {
        ...shows((context: Context) => ({
          screen: {
            name: 'confirm-deposit',
            notes: [...context.escrow],
            amount: money(valueMinor(context.escrow)),
            refusedNotes: context.refusedNotes,
          },
          offers: ['confirm', 'cancel'],
          patience: 'answer',
        })),
        on: { confirm: 'storing', cancel: 'givingBack' },
      },
      storing: {
        ...waiting<Context>('storing'),
        invoke: {
          src: 'store',
          input: ({ context }) => context,
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'stored',
              target: 'receipting',
              // The device's own count is what was deposited.
              actions: assign({
                escrow: ({ context, event }) =>
                  event.output.outcome === 'stored' ? event.output.notes : context.escrow,
              }),
            },
            {
              target: 'returned',
              actions: assign({
                taken: ({ event }) => event.output,
                afterReturn: sorry(service, 'deposit-failed'),
              }),
            },
          ],
          onError: { target: 'over', actions: assign({ output: sorry(service, 'suspect') }) },
        },
      },
      givingBack: {
        ...waiting<Context>('returning'),
        invoke: {
          src: 'giveBack',
          input: ({ context }) => context,
          onDone: { target: 'returned', actions: assign({ taken: ({ event }) => event.output }) },
          onError: { target: 'over', actions: assign({ output: sorry(service, 'suspect') }) },
        },
      },
      settling: {
        ...waiting<Context>('returning'),
        invoke: {
          src: 'settle',
          input: ({ context }) => context,
          onDone: { target: 'returned', actions: assign({ taken: ({ event }) => event.output }) },
          onError: { target: 'over', actions: assign({ output: sorry(service, 'suspect') }) },
        },
      },
      /** What follows once the device says where the notes of a broken-off deposit are. */
      returned: {
        always: [
          {
            guard: ({ context }) => context.taken?.outcome === 'given-back',
            target: 'takingBack',
          },
          {
            guard: ({ context }) => context.taken?.outcome === 'suspect',
            target: 'over',
            actions: assign({ output: sorry(service, 'suspect') }),
          },
          {
            // The device stored them after all: the deposit stands.
            guard: ({ context }) => context.taken?.outcome === 'stored',
            target: 'receipting',
            actions: assign({
              escrow: ({ context }) => (context.taken?.outcome === 'stored' ? context.taken.notes : context.escrow),
            }),
          },
          { target: 'over', actions: assign({ output: ({ context }) => context.afterReturn }) },
        ],
      },
      takingBack: {
        ...shows((context: Context) => ({
          screen: { name: 'take-returned', which: 'all', refusedNotes: context.refusedNotes },
          offers: [],
          patience: 'none',
        })),
        invoke: {
          src: 'takeBack',
          input: ({ context }) => context,
          onDone: {
            target: 'over',
            actions: assign({
              output: ({ context, event }): Outcome => {
                if (event.output.outcome === 'retracted') return sorry(service, 'notes-kept');
                return event.output.outcome === 'suspect' ? sorry(service, 'suspect') : context.afterReturn;
              },
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
            amount: money(valueMinor(context.escrow)),
            account: null,
            lines: [],
            standIn: false,
          }),
          onDone: {
            target: 'over',
            actions: assign({
              output: ({ context, event }): Outcome => ({
                kind: 'done',
                service,
                amount: money(valueMinor(context.escrow)),
                balance: null,
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
