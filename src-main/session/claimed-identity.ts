/**
 * The step "say who you are": for somebody whom the look did not tell from everybody. They key in the number of their account and are
 * compared with that one person, by the embedding of the look that was just made; the PIN is asked for in any case. It ends with the look
 * it belongs to: neither the embedding nor a template that the bank sent is kept.
 *
 * A number that is nobody's, one whose person has withdrawn consent, and a face that is not that person's are one answer to who stands
 * there, and take equally long.
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate';
import type { ChallengeEvidence } from '../../src-contract/challenge.ts';
import { CLAIMED_SERVICES, type ClaimedIdentityAnswer, NUMBERS_PER_LOOK } from '../../src-contract/claimed-identity.ts';
import type { ClaimedIdentity, Comparison, LivenessEvidence, RefusalReason } from '../../src-contract/match-result.ts';
import type { Money, Service, Uuid } from '../../src-contract/primitives.ts';
import type { Screen, SorryCode } from '../../src-contract/screen.ts';
import { deadline } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { AUTHORISE_MS_MAX, bankHasHeard } from './authorise.ts';
import { works } from './availability.ts';
import type { Identified } from './identify.ts';
import type { StepPorts } from './ports.ts';
import { type IntentEvent, reached, type StepMeta, shows, waiting } from './step.ts';

/** How long a look is good for, ms, for somebody who looks up their number and asks for more time. Below what the bank takes
 *  (src-bank/accounts/transfer-rules.ts): longer, and somebody else may stand there. */
const LOOK_VALID_MS = 5 * 60 * 1000;
/** What is not confirmed is said no sooner than this, ms, so that it does not show whether there was anybody to compare with. */
const UNCONFIRMED_MS_MIN = 2_000;

/** A look at somebody living whom it did not tell from everybody. */
export interface UntoldLook {
  readonly service: Service;
  readonly transactionId: Uuid | null;
  readonly amount: Money | null;
  readonly reason: Extract<RefusalReason, 'nobody' | 'look-alikes'>;
  readonly resultId: Uuid;
  /** Fused of the look's best frames. */
  readonly probe: Float32Array;
  /** The same under the embedder before; null where there is none. */
  readonly before: Float32Array | null;
  readonly liveness: LivenessEvidence;
  readonly challenge: ChallengeEvidence | null;
}

export type Claimed =
  | Identified
  /** Another look is wanted. */
  | { readonly outcome: 'again' };

interface Context extends UntoldLook {
  readonly validUntilMs: number;
  readonly entered: string;
  readonly numbers: number;
  readonly problem: Extract<Screen, { name: 'claim' }>['problem'];
  readonly output: Claimed | null;
}

type Events = IntentEvent | { type: 'time-is-up' };
type Ports = StepPorts;

/** Whether somebody may say who they are at this service now. Where the bank is away they may not: it checks the PIN. */
export function mayClaim(ports: Ports, service: Service): boolean {
  return (
    CLAIMED_SERVICES.has(service) &&
    ports.policy().services[service].claimed !== null &&
    ports.sync.online &&
    works('pinPad', ports)
  );
}

export function claimedIdentityMachine(ports: Ports) {
  return setup({
    types: {
      context: {} as Context,
      events: {} as Events,
      input: {} as UntoldLook,
      output: {} as Claimed,
      meta: {} as StepMeta<Context>,
    },
    actors: {
      validity: fromCallback<Events, Context>(({ sendBack, input }) =>
        ports.clock.after(Math.max(0, input.validUntilMs - ports.clock.monotonicMs()), () =>
          sendBack({ type: 'time-is-up' }),
        ),
      ),
      confirm: fromPromise<Identified, Context>(({ input, signal }) => confirm(ports, input, input.entered, signal)),
    },
    actions: {
      cancel: assign({ output: { outcome: 'cancelled' } as const }),
      /** As after a look that nobody could go on from. */
      giveUp: assign({ output: ({ context }) => ({ outcome: 'refused', reason: context.reason }) as const }),
    },
  }).createMachine({
    id: 'claimed-identity',
    context: ({ input }) => ({
      ...input,
      validUntilMs: ports.clock.monotonicMs() + LOOK_VALID_MS,
      entered: '',
      numbers: 0,
      problem: null,
      output: null,
    }),
    initial: 'offering',
    output: ({ context }) => reached(context.output),
    states: {
      offering: {
        ...shows(({ service, reason }: Context) => ({
          screen: { name: 'sorry', service, code: reason, possibleMinor: [], madeWhole: null, reference: null },
          offers: ['claim-identity', 'retry', 'cancel'],
          patience: 'answer',
        })),
        invoke: { src: 'validity', input: ({ context }) => context },
        on: {
          'claim-identity': 'keying',
          retry: { target: 'over', actions: assign({ output: { outcome: 'again' } as const }) },
          cancel: { target: 'over', actions: 'cancel' },
          'time-is-up': { target: 'over', actions: 'giveUp' },
        },
      },
      keying: {
        ...shows(({ service, amount, entered, problem }: Context) => ({
          screen: { name: 'claim', service, amount, entered, problem },
          offers: ['enter-claim', 'cancel'],
          patience: 'answer',
        })),
        invoke: { src: 'validity', input: ({ context }) => context },
        on: {
          'enter-claim': {
            target: 'confirming',
            actions: assign(({ context, event }) => ({
              entered: event.accountNumber,
              numbers: context.numbers + 1,
              problem: null,
            })),
          },
          cancel: { target: 'over', actions: 'cancel' },
          'time-is-up': { target: 'over', actions: 'giveUp' },
        },
      },
      confirming: {
        ...waiting<Context>('asking-bank'),
        invoke: {
          src: 'confirm',
          input: ({ context }) => context,
          onDone: [
            {
              guard: ({ context, event: { output } }) =>
                output.outcome === 'refused' &&
                output.reason === 'claim-unconfirmed' &&
                context.numbers < NUMBERS_PER_LOOK,
              target: 'keying',
              actions: assign({ problem: 'unconfirmed' as const }),
            },
            { target: 'over', actions: assign({ output: ({ event }) => event.output }) },
          ],
          onError: { target: 'over', actions: assign({ output: unavailable('claim-unavailable') }) },
        },
      },
      over: { type: 'final' },
    },
  });
}

function unavailable(code: SorryCode): Extract<Identified, { outcome: 'unavailable' }> {
  return { outcome: 'unavailable', code };
}

/** One number: whose it is, whether this is their face, and the signed result that says so or not. */
async function confirm(
  ports: Ports,
  look: UntoldLook,
  accountNumber: string,
  signal: AbortSignal,
): Promise<Identified> {
  const { service, probe, liveness } = look;
  const policy = ports.policy();
  const rule = policy.services[service].claimed;
  if (rule === null) return unavailable('claim-unavailable');
  const { attempts } = policy;
  const began = ports.clock.monotonicMs();
  if (ports.gallery.tries(probe, ports.clock.now(), attempts).pausedUntil > ports.clock.now()) {
    return await decided(ports, look, { reason: 'too-many-tries', comparison: null, claimed: null });
  }
  const named = whoHere(ports, look, accountNumber) ?? (await whoAtBank(ports, { look, accountNumber }, signal));
  if (named.outcome === 'unavailable') return named;
  if (named.outcome === 'refused') {
    if (named.reason !== 'face-limit') return unavailable('claim-unavailable');
    return await decided(ports, look, { reason: 'too-many-tries', comparison: null, claimed: null });
  }
  const { personId, found, questionId } = named;
  const claimed: ClaimedIdentity = { by: 'account-number', template: found?.template ?? null, questionId };
  const fmr = found?.comparison.estimatedFmr ?? 1;
  if (personId && found && fmr <= rule.maxFmr) {
    const { comparison } = found;
    if (questionId) ports.gallery.keepNumber(accountNumber, personId);
    const resultId = await record(ports, look, { personId, reason: null, comparison, claimed });
    const evidence = { ...liveness, estimatedFmr: comparison.estimatedFmr };
    return { outcome: 'accepted', personId, resultId, secondFactor: 'pin', moves: null, evidence };
  }
  const refused = await decided(ports, look, {
    reason: 'claim-unconfirmed',
    comparison: found?.comparison ?? null,
    claimed,
  });
  await ports.clock.sleep(Math.max(0, began + UNCONFIRMED_MS_MIN - ports.clock.monotonicMs()), signal);
  return refused;
}

/** Whose number it is, and the comparison with them; null where there is nobody, or nothing to compare with. */
interface Named {
  readonly outcome: 'named';
  readonly personId: Uuid | null;
  readonly found: ReturnType<Ports['gallery']['verify']>;
  /** Null where the bank was not asked. */
  readonly questionId: Uuid | null;
}

/** Somebody held here who said so before. */
function whoHere({ gallery }: Ports, { probe, before }: UntoldLook, accountNumber: string): Named | null {
  const personId = gallery.personWithNumber(accountNumber);
  const found = personId && gallery.verify(probe, personId, null, before);
  return personId && found ? { outcome: 'named', personId, found, questionId: null } : null;
}

async function whoAtBank(
  ports: Ports,
  { look, accountNumber }: { look: UntoldLook; accountNumber: string },
  signal: AbortSignal,
): Promise<Named | Exclude<Asked, { outcome: 'known' | 'not-known' }>> {
  const questionId = ports.chance.id();
  const answer = await ask(ports, { look, questionId, accountNumber }, signal);
  if (answer.outcome === 'unavailable' || answer.outcome === 'refused') return answer;
  // Whoever withdrew consent at this terminal is nobody here before the bank has heard of it.
  const known = answer.outcome === 'known' && !ports.gallery.isErased(answer.personId) ? answer : null;
  const found = known && ports.gallery.verify(look.probe, known.personId, known.template, look.before);
  return { outcome: 'named', personId: known?.personId ?? null, found, questionId };
}

type Asked = ClaimedIdentityAnswer | Extract<Identified, { outcome: 'unavailable' }>;

/** The bank must have heard of the look first: it answers no question about one it does not know. */
async function ask(
  ports: Ports,
  { look, questionId, accountNumber }: { look: UntoldLook; questionId: Uuid; accountNumber: string },
  signal: AbortSignal,
): Promise<Asked> {
  using limit = deadline(ports.clock, AUTHORISE_MS_MAX, signal);
  if (!(await bankHasHeard(ports, limit.signal))) return unavailable('offline-service');
  // Under what templates are made here now.
  const { modelSha256, protectionVersion } = ports.gallery.protectedTemplate(look.probe);
  // Who was not moved yet is known under the embedder before.
  const modelBefore = ports.gallery.templateBefore(look.before)?.modelSha256;
  const request = {
    ...{ questionId, accountNumber, resultId: look.resultId, modelSha256, protectionVersion },
    ...(modelBefore ? { modelBefore } : {}),
  };
  try {
    return await ports.bank.claimedIdentity(request, limit.signal);
  } catch (error) {
    if (signal.aborted) throw error;
    const understood = error instanceof TerminalError && error.code !== 'BANK_UNREACHABLE';
    return unavailable(understood ? 'claim-unavailable' : 'offline-service');
  }
}

interface Decision {
  readonly reason: RefusalReason | null;
  readonly comparison: Comparison | null;
  readonly claimed: ClaimedIdentity | null;
}

async function decided(
  ports: Ports,
  look: UntoldLook,
  decision: Decision & { reason: RefusalReason },
): Promise<Identified> {
  await record(ports, look, { ...decision, personId: null });
  return { outcome: 'refused', reason: decision.reason };
}

async function record(
  ports: Ports,
  { service, transactionId, amount, probe, liveness, challenge }: UntoldLook,
  { personId, reason, comparison, claimed }: Decision & { personId: Uuid | null },
): Promise<Uuid> {
  const { attempts, version } = ports.policy();
  const at = ports.clock.now();
  const presentedFace = () => {
    if (personId) {
      const match = { personId, score: comparison?.score ?? null, model: comparison?.model ?? null };
      return ports.gallery.matchedFace(probe, match, at, attempts);
    }
    // A number that is not confirmed counts like a look that led to nobody.
    if (reason === 'claim-unconfirmed') return ports.gallery.refusedFace(probe, 'live', at, attempts);
    return ports.gallery.tries(probe, at, attempts).face;
  };
  const { resultId } = await ports.journal.recordResult({
    service,
    transactionId: personId ? transactionId : null,
    amount: personId ? amount : null,
    outcome: personId ? 'accepted' : 'refused',
    reason,
    personId,
    comparison: comparison ?? { score: null, runnerUpScore: null, gallerySize: 0, estimatedFmr: null, model: null },
    liveness,
    challenge,
    claimed,
    secondFactor: 'pin',
    presentedFace: presentedFace(),
    mode: ports.sync.online ? 'online' : 'stand-in',
    models: [...ports.models],
    policyVersion: version,
  });
  return resultId;
}
