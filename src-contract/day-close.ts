/**
 * The close of a terminal's business day: what it says it did since the last close, signed, and what the bank finds when it holds that
 * against its own entries. A day's close is numbered without gaps and names the one before by hash, as match results do.
 */
import { z } from 'zod';
import { Base64Url, CompactJws, Currency, MinorUnits, Service, Uuid, WallTimeMs } from './primitives.ts';

/** The JWS `typ` header (RFC 7515, 4.1.9). */
export const DAY_CLOSE_TYP = 'kaopass-day-close+jws';

/** A calendar day where the terminal stands, e.g. "2026-11-28". */
export const BusinessDate = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'a day like 2026-11-28');
/** A day longer than this is closed in several parts, each of its own number. */
export const DAY_CLOSE_TRANSACTIONS_MAX = 2_000;

export const CloseTransaction = z.strictObject({
  transactionId: Uuid,
  service: Service,
  /** What moved, by the devices' word; null while nobody knows. */
  amountMinor: MinorUnits.nullable(),
  /** posted: the bank has answered for it. queued: the bank has not heard of it yet. suspect: waits for a count. open: under way. */
  standing: z.enum(['posted', 'queued', 'suspect', 'open']),
  /** Named as queued, suspect or open by an earlier close: it belongs to this one. */
  late: z.boolean(),
});
export type CloseTransaction = z.infer<typeof CloseTransaction>;

/** Notes by denomination, of one machine. Counts are the devices' own. */
export const CloseCash = z.strictObject({
  /** Null for units of mixed notes: reject, retract, deposits that are not sorted. */
  denominationMinor: MinorUnits.nullable(),
  opening: z.int(),
  /** Brought or taken out by staff: changes of the counts while no transaction ran. */
  exchanged: z.int(),
  /** What the transactions of this close did by the devices' word. */
  moved: z.int(),
  closing: z.int(),
  /** closing − opening − exchanged − moved. Zero, or somebody has to count. */
  difference: z.int(),
});
export type CloseCash = z.infer<typeof CloseCash>;

export const DayClose = z.strictObject({
  version: z.literal(1),
  closeId: Uuid,
  terminalId: Uuid,
  /** 1 for a terminal's first close, then one more each time. */
  number: z.int().positive(),
  /** SHA-256 of the previous close's compact JWS (ASCII), base64url; null only for number 1. */
  previousHash: Base64Url.length(43).nullable(),
  businessDate: BusinessDate,
  /** IANA name of the zone in which the day was cut off. */
  timeZone: z.string().max(60),
  reason: z.enum(['cut-off', 'demand', 'full']),
  at: WallTimeMs,
  /** Transactions by the order in which the journal saw them end: those above `after`, up to `upTo`. */
  after: z.int().nonnegative(),
  upTo: z.int().nonnegative(),
  currency: Currency,
  totals: z
    .array(z.strictObject({ service: Service, transactions: z.int().nonnegative(), amountMinor: MinorUnits }))
    .max(10),
  /** Null where the terminal has no cash; empty with a reason where the counts could not be had. */
  cash: z.array(CloseCash).max(40).nullable(),
  cashProblem: z.string().max(200).nullable(),
  transactions: z.int().nonnegative(),
  /** SHA-256, base64url, of the JSON of the transactions that are sent along. */
  transactionsSha256: Base64Url.length(43),
});
export type DayClose = z.infer<typeof DayClose>;

/** POST /v1/day-closes */
export const DayCloseRequest = z.strictObject({
  /** The close's own id. */
  idempotencyKey: Uuid,
  close: CompactJws,
  transactions: z.array(CloseTransaction).max(DAY_CLOSE_TRANSACTIONS_MAX),
});
export type DayCloseRequest = z.infer<typeof DayCloseRequest>;

export const DayCloseDifference = z.strictObject({
  transactionId: Uuid,
  what: z.enum([
    /** The terminal says it moved and was told; the bank has no entry. */
    'not-posted',
    'amount-differs',
    /** The bank has an entry that no close of the terminal up to this one names. */
    'unknown-to-terminal',
  ]),
  terminalMinor: MinorUnits.nullable(),
  bankMinor: MinorUnits.nullable(),
});
export type DayCloseDifference = z.infer<typeof DayCloseDifference>;

/** Not differences: money that is on its way, as what it is. */
export const InFlight = z.strictObject({
  transactionId: Uuid,
  what: z.enum(['queued', 'held', 'suspect', 'open']),
});

export const DayCloseAnswer = z.strictObject({
  number: z.int().positive(),
  /** Transactions that both sides have, with the same amount. */
  matched: z.int().nonnegative(),
  differences: z.array(DayCloseDifference).max(1_000),
  inFlight: z.array(InFlight).max(DAY_CLOSE_TRANSACTIONS_MAX),
  /** By how many notes the machine's counts are off, in all; null where there is no cash. */
  cashDifferenceNotes: z.int().nonnegative().nullable(),
});
export type DayCloseAnswer = z.infer<typeof DayCloseAnswer>;
