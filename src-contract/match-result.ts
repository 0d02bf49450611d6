/**
 * A match result: what one terminal decided about one person at one moment, signed with the terminal's key (JWS compact,
 * EdDSA over Ed25519, RFC 8037), numbered without gaps and chained by hash. No image and no template is in it.
 */
import { z } from 'zod';
import { PresentedFace } from './attempts.ts';
import { ChallengeEvidence } from './challenge.ts';
import { Base64Url, Money, Rate, Service, Sha256Hex, Uuid, WallTimeMs } from './primitives.ts';

/** The JWS `typ` header (RFC 7515, section 4.1.9); a JWS of any other type is not a match result. */
export const MATCH_RESULT_TYP = 'kaopass-match+jws';

/** Why a probe was not turned into a person. Each is its own outcome; none is an error. */
export const RefusalReason = z.enum([
  'no-face',
  'several-faces',
  'poor-quality',
  'presentation-attack',
  'nobody',
  'look-alikes',
  'already-enrolled',
  /** This face led to nobody too often, and has to rest: it was not compared. */
  'too-many-tries',
  /** What was asked for before the camera was not done: it was not compared. */
  'challenge-failed',
  /** The account number that was keyed in leads to nobody with a face, or to somebody else's. */
  'claim-unconfirmed',
]);
export type RefusalReason = z.infer<typeof RefusalReason>;

export const Comparison = z.strictObject({
  /** Cosine similarity of probe and best template, −1…1; null when nothing was compared. */
  score: z.number().min(-1).max(1).nullable(),
  /** Score of the second-best person; null when the gallery held fewer than two, or the other's is another embedder's. */
  runnerUpScore: z.number().min(-1).max(1).nullable(),
  /** Templates it was compared with. */
  gallerySize: z.int().nonnegative(),
  /** Probability that a stranger would reach this score against a gallery of this size (ISO/IEC 19795-1: FPIR of an
   *  identification, FMR of a verification); null when nothing was compared. */
  estimatedFmr: Rate.nullable(),
  /** The embedder under which the score was reached, named as in templates; null when nothing was compared, and in results of before
   *  there could be two. Where two were searched the rate is that of both searches together. */
  model: Sha256Hex.nullable().default(null),
});
export type Comparison = z.infer<typeof Comparison>;

export const LivenessEvidence = z.strictObject({
  /** Frames the decision looked at. */
  frames: z.int().nonnegative(),
  /** Mean of the passive model's probability that the face is live, 0…1; null before any frame was scored. */
  passive: Rate.nullable(),
  /** Each cue that spoke against a living face, in the order found, e.g. "frozen-feed". Empty when none did. */
  cues: z.array(z.string().max(40)).max(20),
  decision: z.enum(['live', 'attack', 'undecided']),
});
export type LivenessEvidence = z.infer<typeof LivenessEvidence>;

/** That the person said who they are, and how: the comparison is a verification (1:1), and its rate that of one comparison. */
export const ClaimedIdentity = z.strictObject({
  by: z.literal('account-number'),
  /** Where the template came from that was compared with; null where there was none. */
  template: z.enum(['gallery', 'bank']).nullable(),
  /** The question the bank answered (claimed-identity.ts); null where it was not asked. */
  questionId: Uuid.nullable(),
});
export type ClaimedIdentity = z.infer<typeof ClaimedIdentity>;

export const MatchResult = z.strictObject({
  version: z.literal(1),
  resultId: Uuid,
  terminalId: Uuid,
  /** 1 for a terminal's first result, then one more each time. */
  sequence: z.int().positive(),
  /** SHA-256 of the previous result's compact JWS (ASCII), base64url; null only for sequence 1. */
  previousHash: Base64Url.length(43).nullable(),
  at: WallTimeMs,
  service: Service,
  /** The transaction this decision is for; null where none was begun (a balance, a refusal). */
  transactionId: Uuid.nullable(),
  amount: Money.nullable(),
  outcome: z.enum(['accepted', 'refused', 'enrolled']),
  /** Why, when refused; null otherwise. */
  reason: RefusalReason.nullable(),
  /** Who, when accepted or enrolled; null when refused: a refused probe is nobody. */
  personId: Uuid.nullable(),
  comparison: Comparison,
  liveness: LivenessEvidence,
  /** What was asked for before the camera, and done; null where nothing was, and in results of before there were challenges. */
  challenge: ChallengeEvidence.nullable().default(null),
  /** Null where nobody claimed to be anybody (1:N), and in results of before it could be. */
  claimed: ClaimedIdentity.nullable().default(null),
  secondFactor: z.enum(['none', 'pin']),
  /** The terminal's pseudonym for the face that was presented (attempts.ts); null where none could be told. */
  presentedFace: PresentedFace.nullable().default(null),
  mode: z.enum(['online', 'stand-in']),
  models: z.array(z.strictObject({ role: z.string().max(40), sha256: Sha256Hex })).max(10),
  policyVersion: z.string().max(60),
});
export type MatchResult = z.infer<typeof MatchResult>;
