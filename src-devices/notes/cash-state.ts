/**
 * Where every note of the machine is, and what the machine counted: the one thing that must survive anything. Two books are
 * kept side by side. `notes` of a unit and the lots of all other places are the physical truth: every note is in exactly one
 * place. `initial`, `in` and `out` of a unit are the machine's counts, as XFS4IoT Storage shows them. They agree (initial + in
 * - out = notes) but for what `deviation` says: notes the machine did not count, or counted wrongly.
 */
import { z } from 'zod';
import { ItemKey } from './items.ts';
import { equal, sum, Tally } from './tally.ts';

/** Places beside the units. `exit` and `return` are in the customer's reach; `hand` is with customers, `vault` with staff. */
export const PLACES = ['stacker', 'transport', 'exit', 'feeder', 'escrow', 'return', 'hand', 'vault'] as const;
export type Place = (typeof PLACES)[number];

/** Notes of one kind in one place, with what the counts need to know of them. */
const Lot = z.strictObject({
  item: ItemKey,
  count: z.int().positive(),
  /** The unit they were picked from; null: they came from a customer, or nobody knows. */
  origin: z.string().nullable(),
  /** The temporary bucket they are counted in while on their way: of the origin, or (`inTransport`) of the unit ahead. */
  temporary: z.enum(['stacked', 'transport', 'inTransport']).nullable(),
  bound: z.string().nullable(),
});
export type Lot = z.output<typeof Lot>;

export const OUT_BUCKETS = [
  'presented',
  'rejected',
  'distributed',
  'unknown',
  'stacked',
  'diverted',
  'transport',
] as const;
export const IN_BUCKETS = ['deposited', 'retracted', 'rejected', 'distributed', 'transport'] as const;
export type OutBucket = (typeof OUT_BUCKETS)[number];
export type InBucket = (typeof IN_BUCKETS)[number];

const Unit = z.strictObject({
  /** Legacy id, 1 to 5 characters. */
  name: z.string().min(1).max(5),
  kind: z.enum(['cashOut', 'cashIn', 'recycle', 'reject', 'retract']),
  /** The only note that may be in it, major units; null: mixed. */
  value: z.int().positive().nullable(),
  capacity: z.int().positive(),
  lowThreshold: z.int().nonnegative(),
  highThreshold: z.int().nonnegative(),
  appLockIn: z.boolean(),
  appLockOut: z.boolean(),
  status: z.enum(['ok', 'inoperative', 'missing', 'manipulated']),
  /** A pick found nothing though the counts say otherwise; until the unit is loaded or counted anew. */
  sensedEmpty: z.boolean(),
  accuracy: z.enum(['accurate', 'accurateSet', 'inaccurate']),
  notes: Tally,
  initial: Tally,
  retractOperations: z.int().nonnegative(),
  in: z.strictObject(Object.fromEntries(IN_BUCKETS.map((bucket) => [bucket, Tally])) as Record<InBucket, typeof Tally>),
  out: z.strictObject(
    Object.fromEntries(OUT_BUCKETS.map((bucket) => [bucket, Tally])) as Record<OutBucket, typeof Tally>,
  ),
  /** Notes that are in it beyond (or, negative, short of) what is counted. */
  deviation: z.record(ItemKey, z.int()),
});
export type Unit = z.output<typeof Unit>;

const Shutter = z.enum(['closed', 'open', 'jammedOpen', 'jammedClosed']);

/** What stacks before the last one did under the same token, major units: the response token tells of all that a token paid. */
const EarlierStacks = z.strictObject({
  dispensed: z.int().nonnegative(),
  /** Null: the device does not know. */
  presented: z.int().nonnegative().nullable(),
  /** Null: not counted. */
  retracted: z.int().nonnegative().nullable(),
  wasRetracted: z.boolean(),
});
export type EarlierStacks = z.output<typeof EarlierStacks>;
export const NO_EARLIER_STACKS: EarlierStacks = { dispensed: 0, presented: 0, retracted: 0, wasRetracted: false };

/** The last attempt to dispense and present (XFS4IoT CashDispenser.GetPresentStatus, and its response token). */
const PresentRecord = z.strictObject({
  /** HMAC of the token it was dispensed under. */
  tokenHmac: z
    .string()
    .regex(/^[0-9A-F]{64}$/)
    .nullable(),
  /** Notes that reached the stacker, per unit and in all; cumulative over the dispenses of one stack. */
  units: z.record(z.string(), z.int().nonnegative()),
  dispensed: Tally,
  state: z.enum(['presented', 'notPresented', 'unknown']),
  presented: Tally,
  /** Came back from the customer's reach; null: not counted. */
  retracted: Tally.nullable(),
  wasRetracted: z.boolean(),
  earlier: EarlierStacks.default(NO_EARLIER_STACKS),
});
export type PresentRecord = z.output<typeof PresentRecord>;

/** The last cash-in transaction (XFS4IoT CashAcceptor.GetCashInStatus). */
const CashInRecord = z.strictObject({
  status: z.enum(['ok', 'rollback', 'active', 'retract', 'unknown', 'reset']),
  useRecycleUnits: z.boolean(),
  itemsLimit: z.int().nonnegative(),
  /** Major units per currency; null value: no limit for it; null: no limits. */
  amountLimits: z.record(z.string(), z.number().nullable()).nullable(),
  refused: z.int().nonnegative(),
  identified: Tally,
});
export type CashInRecord = z.output<typeof CashInRecord>;

const Shape = z.strictObject({
  version: z.literal(1),
  units: z.record(z.string().regex(/^unit[0-9A-Za-z]+$/), Unit),
  places: z.strictObject(
    Object.fromEntries(PLACES.map((place) => [place, z.array(Lot)])) as Record<Place, z.ZodArray<typeof Lot>>,
  ),
  /** Every note ever put into this world, by staff or customers. */
  came: Tally,
  outputShutter: Shutter,
  inputShutter: Shutter,
  /** Things that are no paper, lying at a position. */
  foreignAtOutput: z.boolean(),
  foreignAtInput: z.boolean(),
  /** Sentence for the technician while a path is jammed; a reset clears it. */
  dispenserJam: z.string().nullable(),
  acceptorJam: z.string().nullable(),
  exchange: z.boolean(),
  disabledTypes: z.array(z.string()),
  present: PresentRecord.nullable(),
  cashIn: CashInRecord.nullable(),
  /** Command nonces made so far: no nonce ever repeats, whatever the random numbers do. */
  nonces: z.int().nonnegative(),
});
export type CashState = z.output<typeof Shape>;

/** The state, and the two things that are true of it at any moment. */
export const CashState = Shape.superRefine((state, context) => {
  for (const problem of problems(state)) context.addIssue({ code: 'custom', message: problem });
});

/** What is not as it must be: notes made or lost, counts that do not add up, units that hold what they cannot. */
export function problems(state: CashState): string[] {
  const found: string[] = [];
  const are = whereabouts(state);
  if (!equal(are, state.came)) {
    found.push(`notes are not conserved: ${JSON.stringify(state.came)} came, ${JSON.stringify(are)} are there`);
  }
  for (const [id, unit] of Object.entries(state.units)) {
    const held = sum([unit.notes]);
    if (Object.values(held).reduce((all, count) => all + count, 0) > unit.capacity) found.push(`${id} is overfull`);
    const booked = { ...counted(unit) };
    for (const [item, count] of Object.entries(unit.deviation)) booked[item] = (booked[item] ?? 0) + count;
    if (!equal(booked, held)) {
      found.push(`${id} counts ${JSON.stringify(booked)} and holds ${JSON.stringify(held)}`);
    }
  }
  for (const [id, bucket, booked, lying] of temporaries(state)) {
    if (!equal(booked, lying)) {
      found.push(`${id} counts ${JSON.stringify(booked)} ${bucket}, where ${JSON.stringify(lying)} lie`);
    }
  }
  return found;
}

/** What the machine believes is in a unit: initial + in - out. `in.transport` is on its way and not inside yet. */
export function counted(unit: Unit): Tally {
  const believed: Tally = { ...unit.initial };
  for (const bucket of IN_BUCKETS) {
    if (bucket === 'transport') continue;
    for (const [item, count] of Object.entries(unit.in[bucket])) believed[item] = (believed[item] ?? 0) + count;
  }
  for (const bucket of OUT_BUCKETS) {
    for (const [item, count] of Object.entries(unit.out[bucket])) believed[item] = (believed[item] ?? 0) - count;
  }
  return believed;
}

/** All notes of all places. */
function whereabouts(state: CashState): Tally {
  return sum([
    ...Object.values(state.units).map(({ notes }) => notes),
    ...PLACES.map((place) => contents(state, place)),
  ]);
}

/** The notes of one place, without whose they are. */
export function contents(state: CashState, place: Place): Tally {
  return sum(state.places[place].map(({ item, count }) => ({ [item]: count })));
}

/** Every temporary bucket with the notes that are really there. */
function temporaries(state: CashState): [id: string, bucket: string, booked: Tally, lying: Tally][] {
  const lots = PLACES.flatMap((place) => state.places[place]);
  const lying = (fits: (lot: Lot) => boolean) => sum(lots.filter(fits).map(({ item, count }) => ({ [item]: count })));
  return Object.entries(state.units).flatMap(([id, unit]) => [
    [id, 'out.stacked', unit.out.stacked, lying((lot) => lot.temporary === 'stacked' && lot.origin === id)],
    [id, 'out.transport', unit.out.transport, lying((lot) => lot.temporary === 'transport' && lot.origin === id)],
    [id, 'in.transport', unit.in.transport, lying((lot) => lot.temporary === 'inTransport' && lot.bound === id)],
  ]);
}
