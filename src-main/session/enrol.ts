/** Enrol: consent, the best frames of one living face, nobody we know yet, a PIN chosen twice, and an account. */
import { assign, fromPromise, setup } from 'xstate';
import type { EnrolAnswer } from '../../src-contract/bank-api.ts';
import { wantsChallenge } from '../../src-contract/challenge.ts';
import type { Comparison, RefusalReason } from '../../src-contract/match-result.ts';
import type { Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import type { Screen } from '../../src-contract/screen.ts';
import { deadline } from '../clock.ts';
import { fuse, fuseAny } from '../gallery/fusion.ts';
import type { Observation } from '../vision/observation.ts';
import { AUTHORISE_MS_MAX, bankHasHeard } from './authorise.ts';
import { type Challenged, challengeMachine } from './challenge.ts';
import { type Gathered, gather, type Judgement, judge, NOTHING_GATHERED } from './gather.ts';
import { watching } from './identify.ts';
import { lookScreen } from './look-screen.ts';
import { withoutPin } from './outcomes.ts';
import { type PinStep, pinMachine } from './pin.ts';
import type { PortsOf } from './ports.ts';
import { type IntentEvent, type Outcome, reached, type StepMeta, shows, sorry, waiting } from './step.ts';

interface Context {
  readonly transactionId: Uuid;
  readonly personId: Uuid;
  readonly agreedAt: WallTimeMs | null;
  readonly consentVersion: string;
  readonly gathered: Gathered;
  readonly latest: Observation | null;
  readonly judgement: Judgement | null;
  readonly challenge: Exclude<Challenged, { outcome: 'cancelled' }> | null;
  /** The fused embedding; gone with the visit. */
  readonly embedding: Float32Array | null;
  /** The same under the embedder before; null where there is none. */
  readonly before: Float32Array | null;
  readonly lookAlikeOf: Uuid | null;
  /** The signed result, for the bank. */
  readonly resultJws: string | null;
  readonly firstPin: string | null;
  readonly secondPin: string | null;
  readonly pinProblem: Extract<Screen, { name: 'pin' }>['problem'];
  readonly output: Outcome | null;
}

type Events = IntentEvent | { type: 'observed'; observation: Observation } | { type: 'time-is-up' };

type Checked =
  | {
      readonly outcome: 'new';
      readonly embedding: Float32Array;
      readonly before: Float32Array | null;
      readonly lookAlikeOf: Uuid | null;
      readonly resultJws: string;
    }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason };

export function enrolMachine(ports: PortsOf<'enrol'>) {
  const service = 'enrol' as const;
  const pinStep = (step: PinStep) => (step.outcome === 'entered' ? step.pinBlock : null);

  return setup({
    types: { context: {} as Context, events: {} as Events, output: {} as Outcome, meta: {} as StepMeta<Context> },
    actors: {
      watching: watching(ports),
      challenge: challengeMachine(ports),
      pin: pinMachine(ports),
      check: fromPromise<Checked, { context: Context; refusal: RefusalReason | null }>(({ input }) =>
        check(ports, input.context, input.refusal),
      ),
      register: fromPromise<EnrolAnswer | { outcome: 'unreachable' }, Context>(({ input, signal }) =>
        register(ports, input, signal),
      ),
    },
    guards: {
      enough: ({ context }) => context.judgement?.kind === 'ready' || context.judgement?.kind === 'refused',
      challenged: ({ context }) =>
        context.judgement?.kind === 'ready' && wantsChallenge(ports.policy().services.enrol.challenge, null),
    },
  }).createMachine({
    id: service,
    context: () => ({
      transactionId: ports.chance.id(),
      personId: ports.chance.id(),
      agreedAt: null,
      consentVersion: ports.policy().consent.version,
      gathered: NOTHING_GATHERED,
      latest: null,
      judgement: null,
      challenge: null,
      embedding: null,
      before: null,
      lookAlikeOf: null,
      resultJws: null,
      firstPin: null,
      secondPin: null,
      pinProblem: null,
      output: null,
    }),
    initial: 'consenting',
    output: ({ context }) => reached(context.output),
    states: {
      consenting: {
        ...shows(() => ({
          screen: { name: 'consent', consent: ports.policy().consent },
          offers: ['answer-consent', 'cancel'],
          patience: 'answer',
        })),
        on: {
          'answer-consent': [
            {
              guard: ({ event }) => event.agreed && event.version === ports.policy().consent.version,
              target: 'looking',
              actions: assign({ agreedAt: () => ports.clock.now(), consentVersion: ({ event }) => event.version }),
            },
            {
              guard: ({ event }) => !event.agreed && event.version === ports.policy().consent.version,
              target: 'over',
              actions: [
                ({ event }) =>
                  ports.journal.recordConsent({
                    version: event.version,
                    language: ports.language(),
                    agreed: false,
                    at: ports.clock.now(),
                    personId: null,
                  }),
                assign({ output: { kind: 'cancelled' } as const }),
              ],
            },
          ],
          cancel: { target: 'over', actions: assign({ output: { kind: 'cancelled' } as const }) },
        },
      },
      looking: {
        ...shows((context: Context) => ({
          screen: lookScreen(service, null, context.judgement, context.latest),
          offers: ['cancel'],
          patience: 'none',
        })),
        invoke: { src: 'watching' },
        always: [
          { guard: 'challenged', target: 'challenging' },
          { guard: 'enough', target: 'checking' },
        ],
        on: {
          observed: {
            actions: assign(({ context, event }) => {
              const gathered = gather(context.gathered, event.observation, ports);
              return { gathered, latest: event.observation, judgement: judge(gathered, event.observation, ports) };
            }),
          },
          'time-is-up': 'checking',
          cancel: { target: 'over', actions: assign({ output: { kind: 'cancelled' } as const }) },
        },
      },
      challenging: {
        invoke: {
          src: 'challenge',
          input: ({ context: { judgement } }) => ({
            service,
            amount: null,
            reference: fuse(judgement?.kind === 'ready' ? judgement.embeddings : []),
          }),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'cancelled',
              target: 'over',
              actions: assign({ output: { kind: 'cancelled' } as const }),
            },
            {
              target: 'checking',
              actions: assign({
                challenge: ({ event: { output } }) => (output.outcome === 'cancelled' ? null : output),
              }),
            },
          ],
        },
      },
      checking: {
        ...waiting<Context>('remembering'),
        invoke: {
          src: 'check',
          input: ({ context }) => ({ context, refusal: refusalOf(context) }),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'new',
              target: 'choosingPin',
              actions: assign(({ event: { output } }) =>
                output.outcome === 'new'
                  ? {
                      embedding: output.embedding,
                      before: output.before,
                      lookAlikeOf: output.lookAlikeOf,
                      resultJws: output.resultJws,
                      gathered: NOTHING_GATHERED,
                      latest: null,
                      judgement: null,
                    }
                  : {},
              ),
            },
            {
              target: 'over',
              actions: assign({
                output: ({ context: { challenge }, event: { output } }): Outcome =>
                  challenge?.outcome === 'failed' && challenge.left
                    ? { kind: 'cancelled' }
                    : sorry(service, output.outcome === 'refused' ? output.reason : 'failed'),
              }),
            },
          ],
        },
      },
      choosingPin: {
        invoke: {
          src: 'pin',
          input: ({ context }) => ({
            purpose: 'choose' as const,
            boundTo: context.personId,
            problem: context.pinProblem,
            attemptsLeft: null,
            amount: null,
          }),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'entered',
              target: 'repeatingPin',
              actions: assign({ firstPin: ({ event }) => pinStep(event.output) }),
            },
            { target: 'over', actions: assign({ output: ({ event }) => withoutPin(service, event.output) }) },
          ],
        },
      },
      repeatingPin: {
        invoke: {
          src: 'pin',
          input: ({ context }) => ({
            purpose: 'repeat' as const,
            boundTo: context.personId,
            problem: null,
            attemptsLeft: null,
            amount: null,
          }),
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'entered',
              target: 'registering',
              actions: assign({ secondPin: ({ event }) => pinStep(event.output) }),
            },
            { target: 'over', actions: assign({ output: ({ event }) => withoutPin(service, event.output) }) },
          ],
        },
      },
      registering: {
        ...waiting<Context>('remembering'),
        invoke: {
          src: 'register',
          input: ({ context }) => context,
          onDone: [
            {
              guard: ({ event }) => event.output.outcome === 'enrolled',
              target: 'over',
              actions: assign({
                output: ({ context, event: { output } }) => {
                  const accountNumber = output.outcome === 'enrolled' ? output.accountNumber : null;
                  return {
                    kind: 'done',
                    service,
                    amount: null,
                    balance: null,
                    receipt: 'none',
                    standIn: false,
                    ...(context.lookAlikeOf ? { lookAlike: true } : {}),
                    ...(accountNumber === null ? {} : { accountNumber }),
                  } as const;
                },
              }),
            },
            {
              guard: ({ event: { output } }) =>
                output.outcome === 'refused' &&
                (output.reason === 'pin-mismatch' || output.reason === 'pin-too-simple'),
              target: 'choosingPin',
              actions: assign({
                firstPin: null,
                secondPin: null,
                pinProblem: ({ event: { output } }) =>
                  output.outcome === 'refused' && output.reason === 'pin-too-simple'
                    ? ('too-simple' as const)
                    : ('mismatch' as const),
              }),
            },
            {
              target: 'over',
              actions: assign({
                output: ({ event: { output } }) =>
                  output.outcome === 'unreachable'
                    ? sorry(service, 'offline-service')
                    : sorry(
                        service,
                        output.outcome === 'refused' && output.reason === 'already-enrolled'
                          ? 'already-enrolled'
                          : 'failed',
                      ),
              }),
            },
          ],
          onError: { target: 'over', actions: assign({ output: sorry(service, 'failed') }) },
        },
      },
      over: { type: 'final' },
    },
  });
}

/** Why the face is not enrolled, as far as the look and the challenge say. */
function refusalOf({ judgement, challenge, gathered }: Context): RefusalReason | null {
  if (judgement?.kind === 'refused') return judgement.reason;
  if (judgement?.kind !== 'ready') return gathered.lastProblem;
  if (challenge?.outcome === 'attack') return 'presentation-attack';
  return challenge?.outcome === 'failed' ? 'challenge-failed' : null;
}

/** Whether this face can be enrolled, and the signed result that says so or not. */
async function check(ports: PortsOf<'enrol'>, context: Context, refusal: RefusalReason | null): Promise<Checked> {
  const { judgement } = context;
  const policy = ports.policy();
  const embedding = judgement?.kind === 'ready' && refusal === null ? fuse(judgement.embeddings) : null;
  const rates = { maxFmr: policy.services.enrol.maxFmr, lookAlikeFmr: policy.lookAlikeFmr };
  const before = judgement?.kind === 'ready' && refusal === null ? fuseAny(judgement.before) : null;
  const known = embedding ? ports.gallery.identify(embedding, rates, before) : null;
  const lookAlike =
    embedding && known?.outcome === 'nobody' ? ports.gallery.lookAlike(embedding, rates.lookAlikeFmr, before) : null;
  const reason: RefusalReason | null =
    refusal ??
    (known?.outcome === 'match' ? 'already-enrolled' : known?.outcome === 'look-alikes' ? 'look-alikes' : null) ??
    // A reference that is like so many people is a poor one, and would be taken for theirs: a better look is asked for.
    (lookAlike?.likeTooMany ? 'poor-quality' : null);
  const nothing: Comparison = {
    score: null,
    runnerUpScore: null,
    gallerySize: ports.gallery.size,
    estimatedFmr: null,
    model: null,
  };
  const { jws } = await ports.journal.recordResult({
    service: 'enrol',
    transactionId: reason ? null : context.transactionId,
    amount: null,
    outcome: reason ? 'refused' : 'enrolled',
    reason,
    personId: reason ? null : context.personId,
    comparison: known?.comparison ?? nothing,
    liveness: (context.challenge?.outcome === 'attack' ? context.challenge.liveness : judgement?.liveness) ?? {
      frames: 0,
      passive: null,
      cues: [],
      decision: 'undecided',
    },
    challenge: context.challenge?.evidence ?? null,
    claimed: null,
    secondFactor: 'pin',
    presentedFace: reason ? null : ports.gallery.ownFace(context.personId),
    mode: ports.sync.online ? 'online' : 'stand-in',
    models: [...ports.models],
    policyVersion: policy.version,
  });
  if (reason || !embedding) return { outcome: 'refused', reason: reason ?? 'poor-quality' };
  return { outcome: 'new', embedding, before, lookAlikeOf: lookAlike?.personId ?? null, resultJws: jws };
}

/** Consent, template and PIN to the bank in one request; known to this terminal's gallery when the bank said yes. */
async function register(
  ports: PortsOf<'enrol'>,
  context: Context,
  signal: AbortSignal,
): Promise<EnrolAnswer | { outcome: 'unreachable' }> {
  const { personId, lookAlikeOf, consentVersion } = context;
  using limit = deadline(ports.clock, AUTHORISE_MS_MAX, signal);
  if (!(await bankHasHeard(ports, limit.signal))) return { outcome: 'unreachable' };
  const transactionId = ports.chance.id();
  const idempotencyKey = ports.chance.id();
  const agreedAt = reached(context.agreedAt);
  const language = ports.language();
  ports.journal.begin({ transactionId, service: 'enrol', personId, amount: null, detail: { idempotencyKey } });
  const template = ports.gallery.protectedTemplate(reached(context.embedding));
  const templateBefore = ports.gallery.templateBefore(context.before);
  let answer: EnrolAnswer;
  try {
    answer = await ports.bank.enrol(
      {
        idempotencyKey,
        personId,
        consent: { version: consentVersion, language, agreedAt },
        template,
        ...(templateBefore ? { templateBefore } : {}),
        lookAlikeOf,
        pinBlocks: [reached(context.firstPin), reached(context.secondPin)],
        result: reached(context.resultJws),
      },
      limit.signal,
    );
  } catch (error) {
    // If the bank did enrol, its gallery feed brings the template; the person can use it from then on.
    ports.journal.record(transactionId, { state: 'unanswered', detail: { error: String(error) }, final: true });
    return { outcome: 'unreachable' };
  }
  ports.journal.record(transactionId, { state: answer.outcome, final: true });
  if (answer.outcome === 'enrolled') {
    ports.journal.recordConsent({ version: consentVersion, language, agreed: true, at: agreedAt, personId });
    // Made anew: the platform's matrix may have changed while the bank was asked.
    ports.gallery.put(personId, ports.gallery.protectedTemplate(reached(context.embedding)), lookAlikeOf);
    const olderNow = templateBefore && ports.gallery.templateBefore(context.before);
    if (olderNow) ports.gallery.put(personId, olderNow, lookAlikeOf);
  }
  return answer;
}
