/**
 * The step "please do this": asks what the policy wants until it is passed or the tries are used up (src-main/challenge/run.ts decides).
 * It knows nothing of people; who asked records how it ended.
 */
import { assign, fromCallback, setup } from 'xstate';
import type { ChallengeEvidence, StepOutcome } from '../../src-contract/challenge.ts';
import type { LivenessEvidence } from '../../src-contract/match-result.ts';
import type { Money, Service } from '../../src-contract/primitives.ts';
import type { Screen } from '../../src-contract/screen.ts';
import { SCREEN_COLOURS } from '../challenge/light.ts';
import {
  beginRun,
  decline,
  demanded,
  evidenceOf,
  gaveUp,
  left,
  observed,
  progressOf,
  type Run,
  remainingOf,
  screenColour,
} from '../challenge/run.ts';
import type { Observation } from '../vision/observation.ts';
import { guide } from './guide-light.ts';
import { faceIn } from './look-screen.ts';
import type { StepPorts } from './ports.ts';
import { onCameraLost } from './standing.ts';
import { type IntentEvent, type StepMeta, shows } from './step.ts';

export interface ChallengeInput {
  readonly service: Service;
  readonly amount: Money | null;
  /** Of the look that came before. */
  readonly reference: Float32Array;
}

export type Challenged =
  | { readonly outcome: 'passed' | 'failed'; readonly evidence: ChallengeEvidence; readonly left: boolean }
  /** What was seen meanwhile speaks against a living face. */
  | { readonly outcome: 'attack'; readonly evidence: ChallengeEvidence; readonly liveness: LivenessEvidence }
  /** Before anything was asked for. */
  | { readonly outcome: 'cancelled' };

/** Longest it may take altogether, ms: two tries of two steps at their slowest, and somebody who reads. */
const CHALLENGE_MS_MAX = 90_000;
/** A camera that sends nothing for so long, ms, ends it: the customer is not left standing before a picture. */
const SILENT_MS_MAX = 6_000;

interface Context extends ChallengeInput {
  readonly run: Run;
  readonly latest: Observation | null;
  /** Set when the frames at rest speak against life. */
  readonly attack: LivenessEvidence | null;
  readonly cancelled: boolean;
}

type Events = IntentEvent | { type: 'observed'; observation: Observation } | { type: 'time-is-up' };

export function challengeMachine(ports: StepPorts) {
  const rules = { samePerson: ports.samePerson, fraction: () => ports.chance.fraction() };

  return setup({
    types: {
      context: {} as Context,
      events: {} as Events,
      input: {} as ChallengeInput,
      output: {} as Challenged,
      meta: {} as StepMeta<Context>,
    },
    actors: {
      watching: fromCallback<Events>(({ sendBack }) => {
        const timeIsUp = () => sendBack({ type: 'time-is-up' });
        let callOffSilence = ports.clock.after(SILENT_MS_MAX, timeIsUp);
        const callOff = ports.clock.after(CHALLENGE_MS_MAX, timeIsUp);
        const stopGuiding = guide(ports, 'camera');
        const stopStanding = onCameraLost(ports, timeIsUp);
        const stop = ports.watch((observation) => {
          callOffSilence();
          callOffSilence = ports.clock.after(SILENT_MS_MAX, timeIsUp);
          sendBack({ type: 'observed', observation });
        });
        return () => {
          stop();
          callOff();
          callOffSilence();
          stopGuiding();
          stopStanding();
        };
      }),
    },
  }).createMachine({
    id: 'challenge',
    context: ({ input }) => ({
      ...input,
      run: beginRun(ports.policy().challenges, input.reference, rules),
      latest: null,
      attack: null,
      cancelled: false,
    }),
    initial: 'asking',
    output: ({ context }) => endOf(context),
    states: {
      asking: {
        ...shows((context: Context) => ({
          screen: challengeScreen(context),
          offers: demanded(context.run) === null ? ['cancel'] : ['decline-challenge', 'cancel'],
          patience: 'none',
        })),
        invoke: { src: 'watching' },
        always: { guard: ({ context }) => context.run.outcome !== null || context.attack !== null, target: 'over' },
        on: {
          observed: {
            actions: assign(({ context, event }) => {
              const run = observed(context.run, event.observation, rules);
              const weighed = run.restFrames === context.run.restFrames ? null : ports.weighLiveness(run.restFrames);
              return {
                run,
                latest: event.observation,
                attack: weighed?.decision === 'attack' ? weighed : context.attack,
              };
            }),
          },
          'decline-challenge': {
            guard: ({ context, event }) => demanded(context.run) === event.demand,
            actions: assign({ run: ({ context, event }) => decline(context.run, event.demand, rules) }),
          },
          'time-is-up': { actions: assign({ run: ({ context }) => gaveUp(context.run) }) },
          cancel: {
            target: 'over',
            actions: assign(({ context }) => ({ cancelled: true, run: left(context.run) ?? context.run })),
          },
        },
      },
      over: { type: 'final' },
    },
  });
}

function endOf({ run, attack, cancelled }: Context): Challenged {
  if (cancelled && run.outcome === null) return { outcome: 'cancelled' };
  const evidence = evidenceOf(run);
  if (attack) return { outcome: 'attack', evidence: { ...evidence, outcome: 'failed' }, liveness: attack };
  return { outcome: evidence.outcome, evidence, left: cancelled };
}

/** What a customer hears of how a step ended. */
const PROBLEMS: Readonly<Record<StepOutcome, Extract<Screen, { name: 'challenge' }>['problem']>> = {
  passed: null,
  declined: null,
  left: null,
  wrong: 'wrong',
  late: 'late',
  lost: 'lost',
  'other-face': 'lost',
};

/** So that views follow each other no faster than anybody can see. */
const inTwentieths = (rate: number | null) => (rate === null ? null : Math.round(rate * 20) / 20);

function challengeScreen({ service, amount, run, latest }: Context): Extract<Screen, { name: 'challenge' }> {
  const demand = demanded(run);
  const colour = screenColour(run);
  const before = run.steps.at(-1);
  const settling = demand === null;
  return {
    name: 'challenge',
    service,
    amount,
    demand,
    hint: settling ? (latest?.hint ?? null) : null,
    progress: inTwentieths(progressOf(run)) ?? 0,
    remaining: inTwentieths(remainingOf(run)),
    step: { number: Math.min(run.step + 1, run.plan.length), of: run.plan.length },
    // Said while the next one is waited for: what was asked for then is not asked for now.
    problem: settling && before ? PROBLEMS[before.outcome] : null,
    colour: colour && SCREEN_COLOURS[colour],
    face: latest ? faceIn(latest) : null,
  };
}
