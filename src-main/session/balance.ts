/** Balance: face, PIN, and what the bank says is there. Moves nothing, so the journal holds only the match result. */
import { assign, fromPromise, setup } from 'xstate';
import type { AccountView, AuthoriseAnswer } from '../../src-contract/bank-api.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import { deadline } from '../clock.ts';
import { AUTHORISE_MS_MAX, bankHasHeard, DECLINE_SORRY } from './authorise.ts';
import { identifyMachine } from './identify.ts';
import { moveOver } from './move-over.ts';
import { accepted, entered, type Person, unidentified, wantsPin, withoutPin } from './outcomes.ts';
import { pinMachine } from './pin.ts';
import type { StepPorts } from './ports.ts';
import { type IntentEvent, type Outcome, reached, type StepMeta, shows, sorry, waiting } from './step.ts';

interface Context {
  /** Binds the PIN block; no transaction of this id is ever begun. */
  readonly transactionId: Uuid;
  readonly person: Person | null;
  readonly pinBlock: string | null;
  readonly attemptsLeft: number | null;
  readonly account: AccountView | null;
  readonly output: Outcome | null;
}

type Answer = AuthoriseAnswer | { readonly outcome: 'unreachable' };

export function balanceMachine(ports: StepPorts) {
  const service = 'balance' as const;
  const ask = fromPromise<Answer, Context>(async ({ input, signal }) => {
    using limit = deadline(ports.clock, AUTHORISE_MS_MAX, signal);
    if (!(await bankHasHeard(ports, limit.signal))) return { outcome: 'unreachable' };
    const person = reached(input.person);
    const answer = await ports.bank.authorise(
      {
        idempotencyKey: ports.chance.id(),
        transactionId: input.transactionId,
        service,
        personId: person.personId,
        amount: null,
        resultId: person.resultId,
        pinBlock: input.pinBlock,
        commandNonce: null,
      },
      limit.signal,
    );
    if (answer.outcome === 'approved' && input.pinBlock !== null) moveOver(ports, person, input.transactionId);
    return answer;
  });

  return setup({
    types: { context: {} as Context, events: {} as IntentEvent, output: {} as Outcome, meta: {} as StepMeta<Context> },
    actors: { identify: identifyMachine(ports), pin: pinMachine(ports), ask },
  }).createMachine({
    id: service,
    context: () => ({
      transactionId: ports.chance.id(),
      person: null,
      pinBlock: null,
      attemptsLeft: null,
      account: null,
      output: null,
    }),
    initial: 'identifying',
    output: ({ context }) => reached(context.output),
    states: {
      identifying: {
        invoke: {
          src: 'identify',
          input: ({ context }) => ({ service, transactionId: context.transactionId, amount: null }),
          onDone: [
            {
              guard: ({ event }) => wantsPin(event.output),
              target: 'enteringPin',
              actions: assign({ person: ({ event }) => accepted(event.output) }),
            },
            {
              guard: ({ event }) => event.output.outcome === 'accepted',
              target: 'asking',
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
            amount: null,
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
        invoke: {
          src: 'ask',
          input: ({ context }) => context,
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'approved',
              target: 'showing',
              actions: assign({
                account: ({ event }) => (event.output.outcome === 'approved' ? event.output.account : null),
                pinBlock: null,
              }),
            },
            {
              guard: ({ event: { output } }) =>
                output.outcome === 'declined' && output.reason === 'pin-wrong' && (output.attemptsLeft ?? 0) > 0,
              target: 'enteringPin',
              actions: assign({
                pinBlock: null,
                attemptsLeft: ({ event }) => (event.output.outcome === 'declined' ? event.output.attemptsLeft : null),
              }),
            },
            {
              target: 'over',
              actions: assign({
                output: ({ event }) =>
                  sorry(
                    service,
                    event.output.outcome === 'declined' ? DECLINE_SORRY[event.output.reason] : 'offline-service',
                  ),
              }),
            },
          ],
          onError: { target: 'over', actions: assign({ output: sorry(service, 'offline-service') }) },
        },
      },
      showing: {
        ...shows((context: Context) => ({
          screen: { name: 'balance', ...reached(context.account) },
          offers: ['confirm', 'cancel'],
          patience: 'answer',
        })),
        on: {
          confirm: { target: 'over', actions: assign({ output: done }) },
          cancel: { target: 'over', actions: assign({ output: done }) },
        },
      },
      over: { type: 'final' },
    },
  });
}

const done: Outcome = {
  kind: 'done',
  service: 'balance',
  amount: null,
  balance: null,
  receipt: 'none',
  standIn: false,
};
