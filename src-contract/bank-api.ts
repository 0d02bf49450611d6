/**
 * The bank's interface for terminals, version 1. JSON over HTTP; every request but activation carries
 * `Authorization: Bearer <JWS>` made by the terminal's own key for that request ({@link RequestAssertion}). Every request
 * that changes something carries an idempotency key; a repeat with the same key and body is answered with the first answer,
 * a repeat with another body is refused (409 `idempotency-key-reused`). Errors are problem details (RFC 9457) with a code.
 */
import { z } from 'zod';
import { SignedPolicy } from './policy.ts';
import {
  AccountNumber,
  Base64Url,
  CompactJwe,
  CompactJws,
  Language,
  Money,
  Profile,
  Sha256Hex,
  Uuid,
  WallTimeMs,
} from './primitives.ts';
import { ProtectionGeneration, ProtectionVersion } from './protection-change.ts';
import { CommandNonce, ResponseNonce, TokenText } from './security-token.ts';
import { OfflinePeriod } from './stand-in.ts';

/** RFC 7517 public keys; only the members of an Ed25519 or P-256 key. */
export const Ed25519PublicJwk = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: Base64Url.length(43),
});
export type Ed25519PublicJwk = z.infer<typeof Ed25519PublicJwk>;
export const P256PublicJwk = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: Base64Url.length(43),
  y: Base64Url.length(43),
});
export type P256PublicJwk = z.infer<typeof P256PublicJwk>;

/** Claims of the JWS that authenticates one request, header `{alg:"EdDSA", typ:"kaopass-request+jws", kid:<terminalId>}`. */
export const RequestAssertion = z.strictObject({
  iss: Uuid,
  aud: z.literal('kaopass-bank'),
  jti: Uuid,
  /** Seconds since 1970, as RFC 7519 wants; accepted for 120 s either way. */
  iat: z.int(),
  htm: z.enum(['GET', 'POST']),
  /** Path and query as sent. */
  htu: z.string().startsWith('/'),
  /** SHA-256 of the body's bytes, base64url; of zero bytes for a GET. */
  bodySha256: Base64Url.length(43),
});
export type RequestAssertion = z.infer<typeof RequestAssertion>;
export const REQUEST_ASSERTION_TYP = 'kaopass-request+jws';

export const ProblemCode = z.enum([
  'invalid-request',
  'unauthenticated',
  'activation-code-unknown',
  'activation-code-used',
  'activation-code-expired',
  'idempotency-key-reused',
  'result-gap',
  'result-fork',
  'result-replay',
  'result-bad-signature',
  'result-missing',
  'not-found',
  'conflict',
  'unavailable',
  'internal',
]);
export type ProblemCode = z.infer<typeof ProblemCode>;

/** RFC 9457. `detail` names what was wrong; `field` is a JSON path where one field was. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: ProblemCode,
  detail: z.string(),
  field: z.string().optional(),
});
export type Problem = z.infer<typeof Problem>;

/** The bank's public key for policies; kid is its thumbprint (RFC 7638). */
export const PolicyKey = Ed25519PublicJwk.extend({ kid: z.string().min(1).max(100) });
export type PolicyKey = z.infer<typeof PolicyKey>;

/** POST /v1/terminals: a new terminal introduces itself with a one-time code. */
export const ActivateRequest = z.strictObject({
  activationCode: z.string().regex(/^[A-Z0-9]{4}(-[A-Z0-9]{4}){2}$/, 'like ABCD-EFGH-2345'),
  name: z.string().min(1).max(60),
  profile: Profile,
  /** For signing match results and requests. */
  signingKey: Ed25519PublicJwk,
  /** For what the bank sends to this terminal alone. */
  encryptionKey: P256PublicJwk,
  /** JWS by signingKey over the activation code (payload: its ASCII bytes): proof of possession. */
  proof: CompactJws,
});
export type ActivateRequest = z.infer<typeof ActivateRequest>;

export const ActivateAnswer = z.strictObject({
  terminalId: Uuid,
  policy: SignedPolicy,
  /** Verifies every policy of this bank. */
  policyKey: PolicyKey,
  /** Public key for PIN blocks. */
  pinKey: P256PublicJwk.extend({ kid: z.string() }),
  /** Seed of the platform's protecting matrix, 32 bytes, as a JWE (ECDH-ES, A256GCM) for encryptionKey. */
  protectionSeed: CompactJwe,
  protectionVersion: ProtectionVersion,
  /** Which of the platform's matrices it is; a bank that never changed it need not say. */
  protectionGeneration: ProtectionGeneration.default(1),
});
export type ActivateAnswer = z.infer<typeof ActivateAnswer>;

/** GET /v1/policy?nonce=<16 random bytes, base64url>: issued anew for each request, with its nonce in it. */
export const PolicyAnswer = z.strictObject({
  policy: SignedPolicy,
  /** For terminals activated before policies were signed: they take it once and keep it. The others have theirs. */
  policyKey: PolicyKey,
});
export type PolicyAnswer = z.infer<typeof PolicyAnswer>;

/** What {@link ProtectedTemplate} has room for. */
export const TEMPLATE_DIMENSIONS_MAX = 768;
/** A protected template: float32, little endian, unit length after protection, base64url. */
export const ProtectedTemplate = z.strictObject({
  values: Base64Url.max((TEMPLATE_DIMENSIONS_MAX * 4 * 4) / 3),
  dimensions: z.int().positive().max(TEMPLATE_DIMENSIONS_MAX),
  /** Names the embedder that made it: SHA-256 of its model or, where its manifest names a space of its own, of both (models/README.md).
   *  Templates of different embedders are never compared. */
  modelSha256: Sha256Hex,
  protectionVersion: ProtectionVersion,
});
export type ProtectedTemplate = z.infer<typeof ProtectedTemplate>;

/**
 * An encrypted PIN: a JWE for the bank's PIN key, or `iso4.<name of the key>.<block>` (both base64url), an ISO 9564-1 format 4 block
 * under a working key that the terminal's PIN pad and the bank share.
 */
export const PinBlock = z.union([
  CompactJwe,
  z.string().regex(/^iso4\.[\w-]{1,344}\.[\w-]{22}$/, 'a format 4 PIN block'),
]);

/** POST /v1/enrolments: opens an account for a new person and registers their face. */
export const EnrolRequest = z.strictObject({
  idempotencyKey: Uuid,
  /** Made by the terminal, so that a repeat is the same person. */
  personId: Uuid,
  consent: z.strictObject({ version: z.string().max(40), language: Language, agreedAt: WallTimeMs }),
  template: ProtectedTemplate,
  /** Of the same look under the embedder before, where the terminal has people under it: for terminals that have no other. */
  templateBefore: ProtectedTemplate.optional(),
  /** The look-alike this person was told about, null when none. */
  lookAlikeOf: Uuid.nullable(),
  /** The chosen PIN twice, each as a PIN block bound to personId; the bank compares them. */
  pinBlocks: z.tuple([PinBlock, PinBlock]),
  /** Match result with outcome "enrolled". */
  result: CompactJws,
});
export type EnrolRequest = z.infer<typeof EnrolRequest>;

export const EnrolAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('enrolled'),
    personId: Uuid,
    accountId: Uuid,
    accountEnding: z.string().length(4),
    /** For the person to note: with it they can say who they are. Null in an answer from before it was told. */
    accountNumber: AccountNumber.nullable().default(null),
  }),
  z.strictObject({
    outcome: z.literal('refused'),
    reason: z.enum(['pin-mismatch', 'pin-too-simple', 'consent-outdated', 'already-enrolled']),
  }),
]);
export type EnrolAnswer = z.infer<typeof EnrolAnswer>;

/**
 * GET /v1/gallery?after=<cursor>&limit=<n>&protection=<version>&model=<embedder>&embedders=<embedder>,…: the feed of templates, oldest
 * change first. Cursor 0 is the beginning. Templates come under the protecting matrix that is asked for, as long as the bank has it, and
 * under the current one by default. A matrix that the bank has not, or not any more, is refused as invalid-request with `field`
 * "protection". With `model` only that embedder's come, and `next` passes over the others: each embedder's gallery has a cursor of its own.
 * Without it everybody's oldest. `embedders` are all that the terminal can compare with now, `model` alone by default: the bank keeps what
 * was said last.
 */
export const GalleryEntry = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('put'),
    cursor: z.int().positive(),
    personId: Uuid,
    template: ProtectedTemplate,
    lookAlikeOf: Uuid.nullable(),
  }),
  z.strictObject({ kind: z.literal('erase'), cursor: z.int().positive(), personId: Uuid }),
  /** The template of the embedder that was asked for is out of use. The person is not erased: they have a newer one. */
  z.strictObject({ kind: z.literal('retire'), cursor: z.int().positive(), personId: Uuid }),
]);
export type GalleryEntry = z.infer<typeof GalleryEntry>;
export const GalleryAnswer = z.strictObject({
  entries: z.array(GalleryEntry).max(500),
  next: z.int().nonnegative(),
  more: z.boolean(),
  /** The current matrix: a terminal that has another one asks GET /v1/protection. Not given by a bank that never changes it. */
  protectionVersion: ProtectionVersion.optional(),
});
export type GalleryAnswer = z.infer<typeof GalleryAnswer>;

/** POST /v1/results: match results in order. The first of them must follow the bank's head of this terminal's chain or
 *  be known already, byte for byte. All or nothing: one bad result refuses the batch and is recorded as an incident. */
export const ResultsRequest = z.strictObject({ results: z.array(CompactJws).min(1).max(200) });
export type ResultsRequest = z.infer<typeof ResultsRequest>;
export const ResultsAnswer = z.strictObject({
  recorded: z.int().nonnegative(),
  alreadyKnown: z.int().nonnegative(),
  headSequence: z.int().nonnegative(),
});
export type ResultsAnswer = z.infer<typeof ResultsAnswer>;

export const DeclineReason = z.enum([
  'pin-wrong',
  'pin-locked',
  'pin-required',
  'insufficient-funds',
  'over-limit',
  'unknown-person',
  'account-closed',
  'result-not-accepted',
  /** The dispenser's side of end-to-end security is missing, or the bank's: no nonce, a nonce seen before, no keys. */
  'dispense-not-secured',
  // Of a transfer (transfer.ts): no account has this number.
  'payee-unknown',
  'payee-closed',
  /** Payer and payee are one account. */
  'same-account',
  /** Too many questions after payees, by this person or at this terminal. */
  'payee-limit',
  /** The payee was not asked about in this transaction, or too long ago. */
  'payee-not-asked',
]);
export type DeclineReason = z.infer<typeof DeclineReason>;

/** POST /v1/authorisations: asks for money to be held (withdraw, purchase), or for the balance. The match result named
 *  must have reached the bank before (POST /v1/results). */
export const AuthoriseRequest = z.strictObject({
  idempotencyKey: Uuid,
  transactionId: Uuid,
  service: z.enum(['withdraw', 'purchase', 'balance']),
  personId: Uuid,
  /** Null for a balance. */
  amount: Money.nullable(),
  resultId: Uuid,
  /** PIN block bound to transactionId; null where the policy wants none. */
  pinBlock: PinBlock.nullable(),
  /** Of a withdrawal: the dispenser's nonce, for which a command token is asked; null where the device asks for no token. */
  commandNonce: CommandNonce.nullable().default(null),
});
export type AuthoriseRequest = z.infer<typeof AuthoriseRequest>;

/** For one withdrawal from a dispenser with end-to-end security (security-token.ts). A repeat brings the same. */
export const DispenseGrant = z.strictObject({
  /** The command token: exactly the amount, for the nonce asked with. For the dispenser alone. */
  token: TokenText,
  /** What the dispenser is asked with for its proofs of this withdrawal: once before it dispenses, once at the end. */
  responseNonce: ResponseNonce,
});
export type DispenseGrant = z.infer<typeof DispenseGrant>;

export const AccountView = z.strictObject({ accountEnding: z.string().length(4), available: Money, ledger: Money });
export type AccountView = z.infer<typeof AccountView>;

export const AuthoriseAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('approved'),
    authorisationId: Uuid,
    account: AccountView,
    /** Null where no token was asked for. */
    dispense: DispenseGrant.nullable().default(null),
  }),
  z.strictObject({
    outcome: z.literal('declined'),
    reason: DeclineReason,
    attemptsLeft: z.int().nonnegative().nullable(),
    available: Money.nullable(),
  }),
]);
export type AuthoriseAnswer = z.infer<typeof AuthoriseAnswer>;

/**
 * What the dispenser itself says of a withdrawal that was granted a token: response tokens over the grant's nonce, relayed as
 * they came. The bank settles such a withdrawal from these and not from the terminal's word; anything that fails is kept as
 * an incident, and the money stays held.
 */
const dispenserProofs = {
  /** Asked when all was over. Null where the device gave none, or there was no grant. */
  proof: TokenText.nullable().default(null),
  /** Asked before the command to dispense: what became of the withdrawals before this one. */
  priorProof: TokenText.nullable().default(null),
};

/** POST /v1/captures: money really moved; at most what was held. The rest of the hold is released. */
export const CaptureRequest = z.strictObject({
  idempotencyKey: Uuid,
  authorisationKey: Uuid,
  amount: Money,
  ...dispenserProofs,
});
export type CaptureRequest = z.infer<typeof CaptureRequest>;
/** POST /v1/reversals: nothing moved; the hold is released. Names the authorisation by its idempotency key, so that an
 *  authorisation whose answer was lost can be reversed; one the bank never saw is barred from being made later. */
export const ReversalRequest = z.strictObject({
  idempotencyKey: Uuid,
  authorisationKey: Uuid,
  reason: z.string().max(60),
  ...dispenserProofs,
});
export type ReversalRequest = z.infer<typeof ReversalRequest>;
/** POST /v1/deposits: notes that are in the machine. The match result must have reached the bank before. */
export const DepositRequest = z.strictObject({
  idempotencyKey: Uuid,
  transactionId: Uuid,
  personId: Uuid,
  amount: Money,
  resultId: Uuid,
});
export type DepositRequest = z.infer<typeof DepositRequest>;
/** POST /v1/stand-ins: a purchase the terminal approved while the bank could not be asked. Always recorded. */
export const StandInRequest = z.strictObject({
  idempotencyKey: Uuid,
  transactionId: Uuid,
  personId: Uuid,
  amount: Money,
  at: WallTimeMs,
  resultId: Uuid,
  /** Absent from terminals that did not count periods yet. */
  period: OfflinePeriod.optional(),
});
export type StandInRequest = z.infer<typeof StandInRequest>;
/** Answer to a capture, reversal, deposit or stand-in. Both outcomes are final: there is nothing to send again. */
export const PostingAnswer = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('posted'), account: AccountView.nullable() }),
  /** Only for a withdrawal with a grant, or a technician's count: taken down, and the money stays held until the bank knows more. */
  z.strictObject({
    outcome: z.literal('held'),
    reason: z.enum([
      /** The token might still have been used afterwards; the next withdrawal's proofs settle it. */
      'unconfirmed',
      'proof-missing',
      'proof-invalid',
      /** The terminal's word is not what the dispenser says. */
      'proof-contradicts',
      /** Notes came back that the dispenser did not count. */
      'proof-uncounted',
      /** Only some of the amount was dispensed last, and what was before under the same token is not in the proof. */
      'proof-partial',
      /** A technician's count without a code that is good for it (count.ts). */
      'count-unauthorised',
      /** The books were settled otherwise, or the evidence does not support the count. */
      'count-contradicts',
    ]),
    account: AccountView.nullable(),
  }),
]);
export type PostingAnswer = z.infer<typeof PostingAnswer>;

/** GET /v1/health, without authentication. */
export const HealthAnswer = z.strictObject({
  status: z.literal('ok'),
  database: z.enum(['pglite', 'postgresql']),
  /** The bank's clock, by which a request's iat is judged. Unsigned: it tells a technician, and proves nothing. Absent from
   *  a bank that does not say. */
  time: WallTimeMs.optional(),
});
export type HealthAnswer = z.infer<typeof HealthAnswer>;
