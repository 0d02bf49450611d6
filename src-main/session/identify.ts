/**
 * The step "look here": from frames to a person or a refusal, and to one signed match result either way. The result is
 * durable before anything else happens with it. Whom the look does not tell may say who they are (claimed-identity.ts).
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate';
import { type ChallengeEvidence, wantsChallenge } from '../../src-contract/challenge.ts';
import type { Comparison, LivenessEvidence, RefusalReason } from '../../src-contract/match-result.ts';
import type { Money, Service, Uuid } from '../../src-contract/primitives.ts';
import type { SorryCode } from '../../src-contract/screen.ts';
import { fuse, fuseAny } from '../gallery/fusion.ts';
import type { Observation } from '../vision/observation.ts';
import { type Challenged, challengeMachine } from './challenge.ts';
import { claimedIdentityMachine, mayClaim, type UntoldLook } from './claimed-identity.ts';
import { type Gathered, GOOD_FRAMES_FUSED, gather, type Judgement, judge, NOTHING_GATHERED } from './gather.ts';
import { guide } from './guide-light.ts';
import { lookScreen } from './look-screen.ts';
import type { StepPorts } from './ports.ts';
import { onCameraLost } from './standing.ts';
import { type IntentEvent, reached, type StepMeta, shows, waiting } from './step.ts';

export interface IdentifyInput {
  readonly service: Service;
  readonly transactionId: Uuid | null;
  readonly amount: Money | null;
}

export type Identified =
  | {
      readonly outcome: 'accepted';
      readonly personId: Uuid;
      readonly resultId: Uuid;
      readonly secondFactor: 'none' | 'pin';
      /** The look's embedding, where the person is to be moved to the newest embedder by it; gone with the visit. */
      readonly moves: Float32Array | null;
      /** Of this very match. */
      readonly evidence: Pick<Comparison, 'estimatedFmr'> & LivenessEvidence;
    }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason }
  /** Nothing was decided: the bank could not be asked, or answers no numbers now. */
  | { readonly outcome: 'unavailable'; readonly code: SorryCode }
  | { readonly outcome: 'cancelled' };

interface Decided {
  readonly identified: Identified;
  /** Where somebody living was looked at and not told from everybody. */
  readonly untold: UntoldLook | null;
}

interface Context extends IdentifyInput {
  readonly gathered: Gathered;
  readonly latest: Observation | null;
  readonly judgement: Judgement | null;
  readonly challenge: Exclude<Challenged, { outcome: 'cancelled' }> | null;
  readonly untold: UntoldLook | null;
  readonly output: Identified | null;
}

type Events = IntentEvent | { type: 'observed'; observation: Observation } | { type: 'time-is-up' };

/** Watches through the terminal's camera, with its guide light on; stops both when the state is left. */
export function watching(ports: StepPorts) {
  return fromCallback<Events>(({ sendBack }) => {
    const stopGuiding = guide(ports, 'camera');
    const stop = ports.watch((observation) => sendBack({ type: 'observed', observation }));
    const timeIsUp = () => sendBack({ type: 'time-is-up' });
    const callOff = ports.clock.after(ports.patience.lookMs, timeIsUp);
    const stopStanding = onCameraLost(ports, timeIsUp);
    return () => {
      stop();
      callOff();
      stopStanding();
      stopGuiding();
    };
  });
}

/** The last good frames of the face that was looked at, fused; null when none was good. */
function bestOf({ frames }: Gathered): Float32Array | null {
  const embeddings = frames.flatMap((frame) => {
    const face = frame.chosen === null ? undefined : frame.faces[frame.chosen];
    return face?.embedding ? [face.embedding] : [];
  });
  return fuseAny(embeddings.slice(-GOOD_FRAMES_FUSED));
}

/** Why nobody is looked for; null where the face is to be compared. */
function refusalOf({ judgement, challenge }: Context): RefusalReason | null {
  if (judgement?.kind === 'refused') return judgement.reason;
  if (challenge?.outcome === 'attack') return 'presentation-attack';
  return challenge?.outcome === 'failed' ? 'challenge-failed' : null;
}

export function identifyMachine(ports: StepPorts) {
  /** Compares, decides and records. Runs once per look. */
  const decide = fromPromise<Decided, { context: Context; refusal: RefusalReason | null }>(async ({ input }) => {
    const { context, refusal } = input;
    const policy = ports.policy();
    const rule = policy.services[context.service];
    const judgement = context.judgement;
    const challenge: ChallengeEvidence | null = context.challenge?.evidence ?? null;
    const seen = context.challenge?.outcome === 'attack' ? context.challenge.liveness : judgement?.liveness;
    const liveness: LivenessEvidence = seen ?? {
      frames: 0,
      passive: null,
      cues: [],
      decision: 'undecided',
    };
    const nothing: Comparison = {
      score: null,
      runnerUpScore: null,
      gallerySize: ports.gallery.size,
      estimatedFmr: null,
      model: null,
    };

    const { attempts } = policy;
    const at = ports.clock.now();
    const probe = judgement?.kind === 'ready' ? fuse(judgement.embeddings) : bestOf(context.gathered);
    const before = judgement?.kind === 'ready' ? fuseAny(judgement.before) : null;
    const tries = probe ? ports.gallery.tries(probe, at, attempts) : null;
    const wanted = wantsChallenge(rule.challenge, context.amount?.amountMinor ?? null);
    const resting = refusal === null && tries !== null && (tries.pausedUntil > at || (wanted && tries.pinUntil > at));
    const found =
      refusal === null && !resting && probe && judgement?.kind === 'ready'
        ? ports.gallery.identify(probe, { maxFmr: rule.maxFmr, lookAlikeFmr: policy.lookAlikeFmr }, before)
        : null;
    const match = found?.outcome === 'match' ? found : null;
    const reason: RefusalReason | null =
      refusal ?? (resting ? 'too-many-tries' : found && found.outcome !== 'match' ? found.outcome : null);
    const personId = match?.personId ?? null;
    const presentedFace = (): string | null => {
      if (!probe) return null;
      if (match)
        return ports.gallery.matchedFace(probe, { ...match.comparison, personId: match.personId }, at, attempts);
      // Who does not do what was asked for may hold up somebody's recording: that person's own face must not rest for it.
      if (reason === 'presentation-attack' || reason === 'challenge-failed')
        return ports.gallery.refusedFace(probe, 'attack', at, attempts);
      if (reason === 'nobody' || reason === 'look-alikes')
        return ports.gallery.refusedFace(probe, 'live', at, attempts);
      return tries?.face ?? null;
    };
    const wantsPin =
      match?.pinAlways ||
      // Somebody goes on holding up this person's picture: the face alone is not enough for a while.
      (tries !== null && tries.pinUntil > at) ||
      rule.secondFactor.kind === 'always' ||
      (rule.secondFactor.kind === 'above' && (context.amount?.amountMinor ?? 0) > rule.secondFactor.amountMinor);
    const secondFactor = wantsPin ? 'pin' : 'none';

    const { resultId } = await ports.journal.recordResult({
      service: context.service,
      transactionId: personId ? context.transactionId : null,
      amount: personId ? context.amount : null,
      outcome: personId ? 'accepted' : 'refused',
      reason,
      personId,
      comparison: found?.comparison ?? nothing,
      liveness,
      challenge,
      claimed: null,
      secondFactor,
      presentedFace: presentedFace(),
      mode: ports.sync.online ? 'online' : 'stand-in',
      models: [...ports.models],
      policyVersion: policy.version,
    });
    if (personId) {
      const evidence = { ...liveness, estimatedFmr: found?.comparison.estimatedFmr ?? null };
      const moves = found && probe && ports.gallery.movesOver(probe, found, policy.lookAlikeFmr) ? probe : null;
      return { identified: { outcome: 'accepted', personId, resultId, secondFactor, moves, evidence }, untold: null };
    }
    const { service, transactionId, amount } = context;
    const untold: UntoldLook | null =
      probe && (reason === 'nobody' || reason === 'look-alikes')
        ? { service, transactionId, amount, reason, resultId, probe, before, liveness, challenge }
        : null;
    return { identified: { outcome: 'refused', reason: reason ?? 'poor-quality' }, untold };
  });

  return setup({
    types: {
      context: {} as Context,
      events: {} as Events,
      input: {} as IdentifyInput,
      output: {} as Identified,
      meta: {} as StepMeta<Context>,
    },
    actors: {
      watching: watching(ports),
      challenge: challengeMachine(ports),
      claimedIdentity: claimedIdentityMachine(ports),
      decide,
    },
    guards: {
      enough: ({ context }) => context.judgement?.kind === 'ready' || context.judgement?.kind === 'refused',
      challenged: ({ context: { judgement, service, amount } }) =>
        judgement?.kind === 'ready' &&
        wantsChallenge(ports.policy().services[service].challenge, amount?.amountMinor ?? null) &&
        // Somebody goes on failing with this person's face: it rests where a challenge is wanted, and nothing more is asked for.
        ports.gallery.tries(fuse(judgement.embeddings), ports.clock.now(), ports.policy().attempts).pinUntil <=
          ports.clock.now(),
    },
  }).createMachine({
    id: 'identify',
    context: ({ input }) => ({
      ...input,
      gathered: NOTHING_GATHERED,
      latest: null,
      judgement: null,
      challenge: null,
      untold: null,
      output: null,
    }),
    initial: 'looking',
    output: ({ context }) => reached(context.output),
    states: {
      looking: {
        ...shows((context: Context) => ({
          screen: lookScreen(context.service, context.amount, context.judgement, context.latest),
          offers: ['cancel'],
          patience: 'none',
        })),
        invoke: { src: 'watching' },
        always: [
          { guard: 'challenged', target: 'challenging' },
          { guard: 'enough', target: 'deciding' },
        ],
        on: {
          observed: {
            actions: assign(({ context, event }) => {
              const gathered = gather(context.gathered, event.observation, ports);
              return { gathered, latest: event.observation, judgement: judge(gathered, event.observation, ports) };
            }),
          },
          'time-is-up': 'givingUp',
          cancel: { target: 'over', actions: assign({ output: { outcome: 'cancelled' } as const }) },
        },
      },
      challenging: {
        invoke: {
          src: 'challenge',
          input: ({ context: { service, amount, judgement } }) => ({
            service,
            amount,
            reference: fuse(judgement?.kind === 'ready' ? judgement.embeddings : []),
          }),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'cancelled',
              target: 'over',
              actions: assign({ output: { outcome: 'cancelled' } as const }),
            },
            {
              target: 'deciding',
              actions: assign({
                challenge: ({ event: { output } }) => (output.outcome === 'cancelled' ? null : output),
              }),
            },
          ],
        },
      },
      deciding: {
        ...waiting<Context>('asking-bank'),
        invoke: {
          src: 'decide',
          input: ({ context }) => ({ context, refusal: refusalOf(context) }),
          onDone: [
            {
              guard: ({ context, event }) => event.output.untold !== null && mayClaim(ports, context.service),
              target: 'claiming',
              actions: assign({ untold: ({ event }) => event.output.untold }),
            },
            {
              target: 'over',
              actions: assign({
                output: ({ context: { challenge }, event }): Identified =>
                  challenge?.outcome === 'failed' && challenge.left
                    ? { outcome: 'cancelled' }
                    : event.output.identified,
              }),
            },
          ],
        },
      },
      claiming: {
        invoke: {
          src: 'claimedIdentity',
          input: ({ context }) => reached(context.untold),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'again',
              target: 'looking',
              actions: assign({
                gathered: NOTHING_GATHERED,
                latest: null,
                judgement: null,
                challenge: null,
                untold: null,
              }),
            },
            {
              target: 'over',
              actions: assign({
                output: ({ event }) => (event.output.outcome === 'again' ? null : event.output),
              }),
            },
          ],
        },
      },
      givingUp: {
        ...waiting<Context>('asking-bank'),
        invoke: {
          src: 'decide',
          input: ({ context }) => ({ context, refusal: context.gathered.lastProblem }),
          onDone: { target: 'over', actions: assign({ output: ({ event }) => event.output.identified }) },
        },
      },
      over: { type: 'final' },
    },
  });
}
