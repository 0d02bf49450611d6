/**
 * The bank's own side: what its staff and its demonstration ask. Bearer token, same problem details as the terminals' API.
 * Amounts are whole minor units and may be negative: a debit, an overdrawn account, cash that a terminal holds.
 */
import { z } from 'zod';
import { ChallengeEvidence } from '../../src-contract/challenge.ts';
import { LivenessEvidence, RefusalReason } from '../../src-contract/match-result.ts';
import {
  AccountNumber,
  Currency,
  Language,
  Money,
  Profile,
  Rate,
  Service,
  Uuid,
  WallTimeMs,
} from '../../src-contract/primitives.ts';

const SignedMinor = z.int();

/** Lists come in the order things happened, at most `limit` of them, after the one named. */
export const ListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
  /** Id of the last item already seen. */
  after: Uuid.optional(),
});
export const SequenceQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
  /** Sequence number of the last item already seen. */
  after: z.coerce.number().int().nonnegative().default(0),
});

export const ActivationCodeRequest = z.strictObject({
  profile: Profile.nullable().default(null),
  /** Default a day, at most thirty. */
  expiresInS: z.int().min(1).max(2_592_000).default(86_400),
});
export const ActivationCodeAnswer = z.strictObject({ code: z.string(), expiresAt: WallTimeMs });

export const TerminalsAnswer = z.strictObject({
  terminals: z.array(
    z.strictObject({
      terminalId: Uuid,
      name: z.string(),
      profile: Profile,
      activatedAt: WallTimeMs,
      headSequence: z.int().nonnegative(),
      /** When staff took it out of service; null while it is in it. */
      revokedAt: WallTimeMs.nullable(),
      results: z.strictObject({
        accepted: z.int().nonnegative(),
        refused: z.int().nonnegative(),
        enrolled: z.int().nonnegative(),
      }),
    }),
  ),
});

export const PeopleAnswer = z.strictObject({
  people: z.array(
    z.strictObject({
      personId: Uuid,
      status: z.enum(['enrolled', 'erased']),
      enrolledAt: WallTimeMs,
      enrolledBy: Uuid,
      lookAlikeOf: Uuid.nullable(),
      hasTemplate: z.boolean(),
      pin: z.strictObject({
        /** Wrong PINs that count against unproven pairs: within the policy's window, since staff last unlocked. */
        failures: z.int().nonnegative(),
        /** Pairs (terminal, presented face) that may not try now. */
        lockedPairs: z.int().nonnegative(),
        /** Strangers have tried so often that only faces with which the right PIN was entered before may try. */
        onlyProven: z.boolean(),
      }),
      consents: z.array(
        z.strictObject({
          version: z.string(),
          language: Language,
          agreedAt: WallTimeMs,
          recordedAt: WallTimeMs,
          /** Null while it stands. */
          withdrawnAt: WallTimeMs.nullable(),
        }),
      ),
    }),
  ),
});
export const PersonParams = z.strictObject({ personId: Uuid });
export const EraseAnswer = z.strictObject({ erased: z.enum(['now', 'before']) });
/** How far a withdrawal of consent has come. Every terminal is listed: one that never held the person signs, too. */
export const ErasureReportAnswer = z.strictObject({
  personId: Uuid,
  status: z.enum(['enrolled', 'erased']),
  withdrawals: z.array(
    z.strictObject({
      /** Null where the bank's staff were told. */
      terminalId: Uuid.nullable(),
      /** By the clock of who was told. */
      toldAt: WallTimeMs,
      /** By the bank's clock, the earliest it can have been: no match made after it is charged to the face. */
      effectiveAt: WallTimeMs,
      recordedAt: WallTimeMs,
    }),
  ),
  terminals: z.array(
    z.strictObject({
      terminalId: Uuid,
      name: z.string(),
      /** Null: not acknowledged yet. */
      receipt: z
        .strictObject({
          /** Of the feed's entry; null where the person told this terminal. */
          cursor: z.int().positive().nullable(),
          at: WallTimeMs,
          receivedAt: WallTimeMs,
          jws: z.string(),
        })
        .nullable(),
    }),
  ),
});
export const UnlockAnswer = z.strictObject({ pin: z.literal('unlocked') });

const AccountKind = z.enum(['customer', 'cash', 'merchant', 'suspense']);
export const AccountsAnswer = z.strictObject({
  accounts: z.array(
    z.strictObject({
      accountId: Uuid,
      kind: AccountKind,
      /** A person for customer accounts (whose face need not be registered), a terminal for cash and merchant, null for suspense. */
      ownerId: Uuid.nullable(),
      /** Null for the bank's own accounts. */
      accountEnding: z.string().nullable(),
      currency: Currency,
      status: z.enum(['open', 'closed']),
      /** Credits less debits. */
      ledgerMinor: SignedMinor,
      heldMinor: SignedMinor,
      availableMinor: SignedMinor,
    }),
  ),
});

/** A holder's name: shown masked to who wants to pay this account (accounts/holder-name.ts), and to nobody else. */
const HolderName = z
  .string()
  .trim()
  .min(1)
  .max(60)
  .regex(/^\P{C}+$/u, 'must have no control characters');
/** An account for somebody whose face is not registered: opened at the counter. */
export const OpenAccountRequest = z.strictObject({ holderName: HolderName.nullable().default(null) });
export const AccountParams = z.strictObject({ accountId: Uuid });
export const HolderRequest = z.strictObject({ holderName: HolderName.nullable() });
/** Only an empty account can be closed. */
export const AccountStatusRequest = z.strictObject({ status: z.enum(['open', 'closed']) });
/** Of one customer's account: what stands in their passbook. */
export const AccountAnswer = z.strictObject({
  accountId: Uuid,
  accountNumber: AccountNumber,
  /** Null where the bank knows none. */
  holderName: z.string().nullable(),
  status: z.enum(['open', 'closed']),
});

export const TrialBalanceAnswer = z.strictObject({
  /** True when postings sum to zero in every currency and every account's balance is the sum of its postings. */
  balanced: z.boolean(),
  currencies: z.array(
    z.strictObject({
      currency: Currency,
      debitMinor: z.int().nonnegative(),
      creditMinor: z.int().nonnegative(),
      /** Zero, or something is wrong. */
      differenceMinor: SignedMinor,
    }),
  ),
  /** Accounts whose balance is not the sum of their postings. Empty, or something is wrong. */
  mismatched: z.array(Uuid),
});

export const EntriesAnswer = z.strictObject({
  entries: z.array(
    z.strictObject({
      sequence: z.int().positive(),
      entryId: Uuid,
      kind: z.enum(['deposit', 'withdraw', 'purchase', 'stand-in', 'transfer', 'given-back']),
      transactionId: Uuid,
      terminalId: Uuid,
      at: WallTimeMs,
      recordedAt: WallTimeMs,
      postings: z.array(
        z.strictObject({ accountId: Uuid, accountKind: AccountKind, currency: Currency, creditMinor: SignedMinor }),
      ),
    }),
  ),
});

export const HoldsAnswer = z.strictObject({
  holds: z.array(
    z.strictObject({
      holdId: Uuid,
      terminalId: Uuid,
      authorisationKey: Uuid,
      transactionId: Uuid,
      accountId: Uuid,
      service: z.enum(['withdraw', 'purchase']),
      currency: Currency,
      amountMinor: z.int().positive(),
      /** "expired" lessens what is available no longer, but can still be captured. */
      state: z.enum(['held', 'expired', 'captured', 'released']),
      capturedMinor: z.int().nonnegative().nullable(),
      createdAt: WallTimeMs,
      expiresAt: WallTimeMs,
      endedAt: WallTimeMs.nullable(),
    }),
  ),
});

export const TerminalParams = z.strictObject({ terminalId: Uuid });
const KeyHex = z.string().regex(/^[0-9A-Fa-f]{64}$/, 'must be 32 bytes as 64 hex digits');
/** The keys that the terminal's dispenser holds: XFSAuthenticateHost and XFSAuthenticateDevice. They can be set, never read. */
export const DispenserKeysRequest = z.strictObject({
  hostKey: KeyHex,
  deviceKey: KeyHex,
  /** What the amounts in this device's response tokens add up (ask its maker; dispense/proof.ts). The default is safe for any:
   *  staff settle what was dispensed in part. */
  proofsCover: z.enum(['last-stack', 'whole-token']).default('last-stack'),
});
export const DispenserKeysAnswer = z.strictObject({
  /** 1 for a terminal's first keys, then one more each time. */
  version: z.int().positive(),
});

/** A working key of the terminal's PIN pad: AES, which the pad names `name`. It can be set, never read. */
export const PadKeyRequest = z.strictObject({
  name: z.string().min(1).max(64),
  key: z
    .string()
    .regex(/^([0-9A-Fa-f]{32}|[0-9A-Fa-f]{48}|[0-9A-Fa-f]{64})$/, 'must be 16, 24 or 32 bytes as hex digits'),
});
export const PadKeyAnswer = z.strictObject({ name: z.string() });

/** Withdrawals that were granted a token, by the order of their authorisation. */
export const DispensesAnswer = z.strictObject({
  dispenses: z.array(
    z.strictObject({
      authorisationId: Uuid,
      authorisationKey: Uuid,
      terminalId: Uuid,
      transactionId: Uuid,
      /** HMAC of the token: its name in a response token. */
      dispenseId: z.string(),
      currency: Currency,
      amountMinor: z.int().positive(),
      /** open: nothing proven yet; unconfirmed: waits for the next withdrawal's proofs; suspect: waits for a person. */
      state: z.enum(['open', 'unconfirmed', 'suspect', 'settled']),
      /** Paid, as the terminal said; null before it said anything. */
      toldMinor: z.int().nonnegative().nullable(),
      /** Paid, as the dispenser proved; null while it proved nothing that can be read. */
      provenMinor: z.int().nonnegative().nullable(),
      /** The last valid response token. */
      proof: z.string().nullable(),
      issuedAt: WallTimeMs,
    }),
  ),
});
export const DispenseParams = z.strictObject({ authorisationId: Uuid });
/** What was paid in truth, as counted by people. */
export const DispenseSettlementRequest = z.strictObject({ paidMinor: z.int().nonnegative() });
export const DispenseSettlementAnswer = z.strictObject({ settled: z.literal(true) });

export const ResultsQuery = SequenceQuery.extend({ terminalId: Uuid });
export const ResultsListAnswer = z.strictObject({
  results: z.array(
    z.strictObject({
      sequence: z.int().positive(),
      resultId: Uuid,
      at: WallTimeMs,
      recordedAt: WallTimeMs,
      service: Service,
      outcome: z.enum(['accepted', 'refused', 'enrolled']),
      reason: RefusalReason.nullable(),
      personId: Uuid.nullable(),
      transactionId: Uuid.nullable(),
      amount: Money.nullable(),
      estimatedFmr: Rate.nullable(),
      liveness: LivenessEvidence,
      /** What was asked for before the camera, and done. */
      challenge: ChallengeEvidence.nullable(),
      mode: z.enum(['online', 'stand-in']),
      /** The transaction that relied on it. */
      usedBy: Uuid.nullable(),
      jws: z.string(),
    }),
  ),
});

export const ChainParams = z.strictObject({ terminalId: Uuid });
export const ChainAnswer = z.strictObject({
  terminalId: Uuid,
  /** How many results verified, from the first on. */
  results: z.int().nonnegative(),
  verified: z.boolean(),
  /** The first thing wrong; null when verified. */
  problem: z.string().nullable(),
});

export const IncidentsAnswer = z.strictObject({
  incidents: z.array(
    z.strictObject({
      incidentId: Uuid,
      terminalId: Uuid.nullable(),
      code: z.string(),
      detail: z.string(),
      evidence: z.string(),
      firstAt: WallTimeMs,
      lastAt: WallTimeMs,
      occurrences: z.int().positive(),
    }),
  ),
});
