/** The step "your PIN": the pad takes the digits and answers with a block only the bank can open. */
import { assign, fromCallback, setup } from 'xstate';
import type { Money } from '../../src-contract/primitives.ts';
import type { Screen } from '../../src-contract/screen.ts';
import type { PinEntryCompletion } from '../devices/pin-pad.ts';
import { guide } from './guide-light.ts';
import type { StepPorts } from './ports.ts';
import { type IntentEvent, reached, type StepMeta, shows } from './step.ts';

type PinScreen = Extract<Screen, { name: 'pin' }>;

export interface PinInput {
  readonly purpose: PinScreen['purpose'];
  /** Transaction or person the block is good for. */
  readonly boundTo: string;
  readonly problem: PinScreen['problem'];
  readonly attemptsLeft: number | null;
  readonly amount: Money | null;
}

export type PinStep =
  | { readonly outcome: 'entered'; readonly pinBlock: string }
  | { readonly outcome: 'cancelled' }
  | { readonly outcome: 'unavailable' };

interface Context extends PinInput {
  readonly digits: number;
  readonly output: PinStep | null;
}

type Events =
  | IntentEvent
  | { type: 'digits'; count: number }
  | { type: 'completed'; completion: PinEntryCompletion }
  | { type: 'pad-failed' };

/** The whole entry, ms; above the screen's own patience, which warns first and can be extended. */
const PIN_ENTRY_MS_MAX = 180_000;

export function pinMachine(ports: StepPorts) {
  const entry = fromCallback<Events, { boundTo: string }>(({ sendBack, input }) => {
    const controller = new AbortController();
    const { digitsMin, digitsMax } = ports.policy().pin;
    const pad = ports.devices.pinPad;
    if (!pad) {
      sendBack({ type: 'pad-failed' });
      return undefined;
    }
    const stopGuiding = guide(ports, 'pinPad');
    pad
      .enterPin(
        { digitsMin, digitsMax, encryptFor: ports.pinKey, boundTo: input.boundTo, timeoutMs: PIN_ENTRY_MS_MAX },
        (count) => sendBack({ type: 'digits', count }),
        controller.signal,
      )
      .then(
        (completion) => sendBack({ type: 'completed', completion }),
        () => controller.signal.aborted || sendBack({ type: 'pad-failed' }),
      );
    return () => {
      controller.abort(new DOMException('PIN entry was left', 'AbortError'));
      stopGuiding();
    };
  });

  return setup({
    types: {
      context: {} as Context,
      events: {} as Events,
      input: {} as PinInput,
      output: {} as PinStep,
      meta: {} as StepMeta<Context>,
    },
    actors: { entry },
  }).createMachine({
    id: 'pin',
    context: ({ input }) => ({ ...input, digits: 0, output: null }),
    initial: 'entering',
    output: ({ context }) => reached(context.output),
    states: {
      entering: {
        ...shows((context: Context) => {
          const { digitsMin, digitsMax } = ports.policy().pin;
          const { purpose, digits, problem, attemptsLeft, amount } = context;
          return {
            screen: { name: 'pin', purpose, digits, digitsMin, digitsMax, problem, attemptsLeft, amount },
            offers: ['cancel'],
            patience: 'answer',
          };
        }),
        invoke: { src: 'entry', input: ({ context }) => ({ boundTo: context.boundTo }) },
        on: {
          digits: { actions: assign({ digits: ({ event }) => event.count }) },
          completed: {
            target: 'over',
            actions: assign({
              output: ({ event }): PinStep =>
                event.completion.outcome === 'entered'
                  ? { outcome: 'entered', pinBlock: event.completion.pinBlock }
                  : { outcome: 'cancelled' },
            }),
          },
          'pad-failed': { target: 'over', actions: assign({ output: { outcome: 'unavailable' } as const }) },
          cancel: { target: 'over', actions: assign({ output: { outcome: 'cancelled' } as const }) },
        },
      },
      over: { type: 'final' },
    },
  });
}
