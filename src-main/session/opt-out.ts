/**
 * Opt out: face, what ends and what stays, yes, forgotten. No PIN, and no bank: withdrawing consent is as easy as giving it. The
 * person's yes and the message to the bank are durable before the template goes, so that a restart in between finishes it.
 */
import { assign, fromPromise, setup } from 'xstate';
import type { Uuid } from '../../src-contract/primitives.ts';
import { identifyMachine } from './identify.ts';
import { accepted, type Person, unidentified } from './outcomes.ts';
import type { PortsOf } from './ports.ts';
import { type IntentEvent, type Outcome, reached, type StepMeta, shows, sorry, waiting } from './step.ts';

interface Context {
  readonly transactionId: Uuid;
  readonly person: Person | null;
  readonly output: Outcome | null;
}

export function optOutMachine(ports: PortsOf<'opt-out'>) {
  const service = 'opt-out' as const;
  return setup({
    types: { context: {} as Context, events: {} as IntentEvent, output: {} as Outcome, meta: {} as StepMeta<Context> },
    actors: {
      identify: identifyMachine(ports),
      forget: fromPromise<void, Context>(async ({ input }) => forget(ports, input)),
    },
  }).createMachine({
    id: service,
    context: () => ({ transactionId: ports.chance.id(), person: null, output: null }),
    initial: 'identifying',
    output: ({ context }) => reached(context.output),
    states: {
      identifying: {
        invoke: {
          src: 'identify',
          input: ({ context }) => ({ service, transactionId: context.transactionId, amount: null }),
          onDone: [
            {
              // One who has a look-alike, too: the PIN that tells them apart elsewhere is asked nowhere here.
              guard: ({ event }) => event.output.outcome === 'accepted',
              target: 'explaining',
              actions: assign({ person: ({ event }) => accepted(event.output) }),
            },
            { target: 'over', actions: assign({ output: ({ event }) => unidentified(service, event.output) }) },
          ],
        },
      },
      explaining: {
        ...shows(() => ({ screen: { name: 'opt-out' }, offers: ['confirm', 'cancel'], patience: 'answer' })),
        on: {
          confirm: 'forgetting',
          cancel: { target: 'over', actions: assign({ output: { kind: 'cancelled' } as const }) },
        },
      },
      forgetting: {
        ...waiting<Context>('forgetting'),
        invoke: {
          src: 'forget',
          input: ({ context }) => context,
          onDone: {
            target: 'over',
            actions: assign({
              output: {
                kind: 'done',
                service,
                amount: null,
                balance: null,
                receipt: 'none',
                standIn: false,
              } as const,
            }),
          },
          onError: { target: 'over', actions: assign({ output: sorry(service, 'failed') }) },
        },
      },
      over: { type: 'final' },
    },
  });
}

function forget(ports: PortsOf<'opt-out'>, { transactionId, person }: Context): void {
  const { personId, resultId } = reached(person);
  ports.journal.begin({ transactionId, service: 'opt-out', personId, amount: null }, [
    {
      kind: 'erasure',
      body: { idempotencyKey: ports.chance.id(), transactionId, personId, at: ports.clock.now(), resultId },
    },
  ]);
  finishForgetting(ports, { transactionId, personId });
}

/** From the recorded yes to its end; again after a restart. The receipt follows with the next round (sync/acknowledge.ts). */
export function finishForgetting(
  { gallery, journal, sync }: PortsOf<'opt-out'>,
  { transactionId, personId }: { readonly transactionId: Uuid; readonly personId: Uuid },
): void {
  gallery.erase(personId);
  journal.record(transactionId, { state: 'forgotten', final: true });
  sync.soon();
}
