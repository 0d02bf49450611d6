/**
 * Checking a PIN at the bank. Wrong ones count against the pair that tried, (terminal, presented face, claimed person), and lock that
 * pair alone. What goes round terminals or feigns faces runs into caps over all pairs that were never proven; a proven one stays
 * open (src-contract/attempts.ts has the rules, docs/threat-model.md what they bound).
 */
import { sql } from 'kysely';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { type OpenPin, verifyPin } from '../pin.ts';
import { ProblemError } from '../problem.ts';
import { faceInBooks } from '../protection/generations.ts';
import type { Recorded } from '../results/evidence.ts';

/** Whose face at which terminal. Empty: the terminal does not tell faces apart, and all of it is one, which is never proven. */
interface Presented {
  readonly terminalId: string;
  readonly face: string;
}

/** Of a match result, whose signature covers it. */
export function presentedIn({ terminalId }: Pick<Terminal, 'terminalId'>, { result }: Recorded): Presented {
  return { terminalId, face: result.presentedFace ?? '' };
}

export interface LockedPerson {
  readonly personId: string;
  readonly pinHash: string;
  readonly by: Presented;
  /** Of this pair: wrong PINs since the last right one or lock, and how often it was locked since. */
  readonly failures: number;
  readonly locks: number;
  /** This pair may not try now. */
  readonly pinLocked: boolean;
  /** The right PIN was entered with this face before, here or, where the face is known to be the person's own, anywhere. */
  readonly proven: boolean;
  /** Wrong PINs before this do not count: staff have unlocked. */
  readonly forgivenAt: number;
  /** Somebody enrolled is hard to tell from this person, or the other way round. */
  readonly hasLookAlike: boolean;
}

/** Lock times double up to here: 32 times the first. */
const LOCK_DOUBLINGS_MAX = 5;

/** An enrolled person as this face claims them, locked until the db transaction ends so that guesses are counted one by one; null for
 *  anyone else. */
export async function lockPerson(
  { clock, vault }: Pick<BankContext, 'clock' | 'vault'>,
  tx: DbTransaction,
  personId: string,
  presented: Presented,
): Promise<LockedPerson | null> {
  const row = await tx
    .selectFrom('people')
    .select(['person_id', 'pin_hash', 'pin_forgiven_at', 'look_alike_of'])
    .select(
      sql<boolean>`exists (select 1 from people as other
        where other.look_alike_of = people.person_id and other.status = 'enrolled')`.as('named'),
    )
    .where('person_id', '=', personId)
    .where('status', '=', 'enrolled')
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) return null;
  const by = { ...presented, face: await faceInBooks({ vault }, tx, personId, presented.face) };
  const pairs = await tx
    .selectFrom('pin_pairs')
    .selectAll()
    .where('person_id', '=', personId)
    .where('face', '=', by.face)
    .where((where) => where.or([where('terminal_id', '=', by.terminalId), where('proven_at', 'is not', null)]))
    .execute();
  const own = pairs.find((pair) => pair.terminal_id === by.terminalId);
  return {
    personId: row.person_id,
    pinHash: row.pin_hash,
    by,
    failures: own?.failures ?? 0,
    locks: own?.locks ?? 0,
    pinLocked: own?.locked_until != null && own.locked_until > clock.now(),
    proven: by.face !== '' && pairs.some((pair) => pair.proven_at !== null),
    forgivenAt: row.pin_forgiven_at ?? 0,
    hasLookAlike: row.look_alike_of !== null || row.named,
  };
}

export type PinVerdict =
  | { readonly verdict: 'right' }
  | { readonly verdict: 'wrong'; readonly attemptsLeft: number }
  /** This pair may not try, now or any more. Nothing is said of the PIN that was entered. */
  | { readonly verdict: 'locked' };

export async function checkPin(
  context: BankContext,
  tx: DbTransaction,
  person: LockedPerson,
  pin: OpenPin,
): Promise<PinVerdict> {
  const { policy, vault, clock } = context;
  if (person.pinLocked) return { verdict: 'locked' };
  if (!person.proven && (await isCapped(context, tx, person))) return { verdict: 'locked' };
  const now = clock.now();
  if (await verifyPin(pin.digits, person.pinHash, vault)) {
    await keepPair(tx, person, {
      failures: 0,
      locks: 0,
      locked_until: null,
      provenAt: person.by.face === '' ? null : now,
    });
    return { verdict: 'right' };
  }
  await keepMiss(context, tx, person);
  const failures = person.failures + 1;
  const attemptsLeft = Math.max(0, policy.pin.attempts - failures);
  const locks = attemptsLeft === 0 ? person.locks + 1 : person.locks;
  const lockMs = policy.attempts.pairLockMs * 2 ** Math.min(person.locks, LOCK_DOUBLINGS_MAX);
  await keepPair(tx, person, {
    failures: attemptsLeft === 0 ? 0 : failures,
    locks,
    locked_until: attemptsLeft === 0 ? now + lockMs : null,
    provenAt: null,
  });
  return attemptsLeft === 0 ? { verdict: 'locked' } : { verdict: 'wrong', attemptsLeft };
}

/** The enrolment proves the face that was enrolled: the person chose the PIN before it. */
export async function proveFace(
  tx: DbTransaction,
  { personId, by, at }: { personId: string; by: Presented; at: number },
): Promise<void> {
  if (by.face === '') return;
  await keepPair(tx, { personId, by }, { failures: 0, locks: 0, locked_until: null, provenAt: at });
}

async function keepPair(
  tx: DbTransaction,
  { personId, by }: Pick<LockedPerson, 'personId' | 'by'>,
  { provenAt, ...state }: { failures: number; locks: number; locked_until: number | null; provenAt: number | null },
): Promise<void> {
  await tx
    .insertInto('pin_pairs')
    .values({ person_id: personId, terminal_id: by.terminalId, face: by.face, proven_at: provenAt, ...state })
    .onConflict((conflict) =>
      conflict.columns(['person_id', 'terminal_id', 'face']).doUpdateSet((set) => ({
        ...state,
        // Once proven, always: a mistyped PIN does not make the owner a stranger.
        proven_at: sql<number | null>`coalesce(${set.ref('pin_pairs.proven_at')}, ${set.ref('excluded.proven_at')})`,
      })),
    )
    .execute();
}

async function keepMiss({ clock, chance }: BankContext, tx: DbTransaction, person: LockedPerson): Promise<void> {
  const { terminalId, face } = person.by;
  await tx
    .insertInto('pin_misses')
    .values({
      miss_id: chance.id(),
      person_id: person.personId,
      terminal_id: terminalId,
      face,
      proven: person.proven,
      at: clock.now(),
    })
    .execute();
}

/** Whether pairs that were never proven have tried often enough: for this person, at this terminal, or with this face. */
async function isCapped({ policy, clock }: BankContext, tx: DbTransaction, person: LockedPerson): Promise<boolean> {
  const { attempts, pin } = policy;
  const { terminalId, face } = person.by;
  // One after the other at each terminal, or as many could pass at once as it sends at once. Taken after the person, always.
  await sql`select pg_advisory_xact_lock(hashtextextended(${terminalId}, 0))`.execute(tx);
  const now = clock.now();
  const since = now - attempts.windowMs;
  const sinceLock = now - attempts.pairLockMs;
  const count = (where: ReturnType<typeof sql>) => sql<number>`(count(*) filter (where ${where}))::bigint`;
  const { forgivenAt, personId } = person;
  const counted = await tx
    .selectFrom('pin_misses')
    .select([
      count(sql`person_id = ${personId} and at > ${Math.max(since, forgivenAt)}`).as('personInWindow'),
      count(sql`person_id = ${personId} and at > ${forgivenAt}`).as('personEver'),
      count(sql`terminal_id = ${terminalId} and at > ${since}`).as('terminalInWindow'),
      count(
        sql`terminal_id = ${terminalId} and face = ${face} and face <> '' and at > ${sinceLock}
          and (person_id <> ${personId} or at > ${forgivenAt})`,
      ).as('face'),
    ])
    .where('proven', '=', false)
    .where((where) =>
      where.or([
        where('person_id', '=', personId),
        where.and([where('terminal_id', '=', terminalId), where('at', '>', Math.min(since, sinceLock))]),
      ]),
    )
    .executeTakeFirstOrThrow();
  return (
    counted.personInWindow >= attempts.perPersonInWindow ||
    counted.personEver >= attempts.perPersonEver ||
    counted.terminalInWindow >= attempts.perTerminalInWindow ||
    counted.face >= pin.attempts
  );
}

/** Throws when the block was seen before. */
export async function spendPinNonce(
  { clock }: BankContext,
  tx: DbTransaction,
  pin: OpenPin,
  field: string,
): Promise<void> {
  const inserted = await tx
    .insertInto('pin_nonces')
    .values({ nonce: pin.nonce, seen_at: clock.now() })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === 1n) return;
  throw new ProblemError('invalid-request', `${field}: this PIN block was used before`, {
    field,
    incident: { evidence: `PIN block nonce ${pin.nonce}` },
  });
}

/** After the person proved who they are at the counter: every pair may try again, and what was wrong before is forgotten. */
export async function unlockPin({ database, clock }: BankContext, personId: string): Promise<void> {
  await database.transact(async (tx) => {
    const updated = await tx
      .updateTable('people')
      .set({ pin_forgiven_at: clock.now() })
      .where('person_id', '=', personId)
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n)
      throw new ProblemError('not-found', 'nobody with this personId was ever enrolled');
    await tx
      .updateTable('pin_pairs')
      .set({ failures: 0, locks: 0, locked_until: null })
      .where('person_id', '=', personId)
      .execute();
  });
}
