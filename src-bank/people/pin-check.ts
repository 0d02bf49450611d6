/** Checking a PIN at the bank: counted per person over all terminals, locked after too many in a row. */
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { type OpenPin, verifyPin } from '../pin.ts';
import { ProblemError } from '../problem.ts';

export interface LockedPerson {
  readonly personId: string;
  readonly pinHash: string;
  readonly pinFailures: number;
  readonly pinLocked: boolean;
  /** Somebody enrolled is hard to tell from this person, or the other way round. */
  readonly hasLookAlike: boolean;
}

/** An enrolled person, locked until the db transaction ends so that guesses are counted one by one; null for anyone else. */
export async function lockPerson(tx: DbTransaction, personId: string): Promise<LockedPerson | null> {
  const row = await tx
    .selectFrom('people')
    .select(['person_id', 'pin_hash', 'pin_failures', 'pin_locked_at', 'look_alike_of'])
    .where('person_id', '=', personId)
    .where('status', '=', 'enrolled')
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) return null;
  const alike = await tx
    .selectFrom('people')
    .select('person_id')
    .where('look_alike_of', '=', personId)
    .where('status', '=', 'enrolled')
    .limit(1)
    .executeTakeFirst();
  return {
    personId: row.person_id,
    pinHash: row.pin_hash,
    pinFailures: row.pin_failures,
    pinLocked: row.pin_locked_at !== null,
    hasLookAlike: row.look_alike_of !== null || alike !== undefined,
  };
}

export type PinVerdict =
  | { readonly verdict: 'right' }
  | { readonly verdict: 'wrong'; readonly attemptsLeft: number }
  | { readonly verdict: 'locked' };

export async function checkPin(
  { policy, vault, clock }: BankContext,
  tx: DbTransaction,
  person: LockedPerson,
  pin: OpenPin,
): Promise<PinVerdict> {
  if (person.pinLocked) return { verdict: 'locked' };
  if (await verifyPin(pin.digits, person.pinHash, vault)) {
    await tx.updateTable('people').set({ pin_failures: 0 }).where('person_id', '=', person.personId).execute();
    return { verdict: 'right' };
  }
  const failures = person.pinFailures + 1;
  const attemptsLeft = Math.max(0, policy.pin.attempts - failures);
  await tx
    .updateTable('people')
    .set({ pin_failures: failures, pin_locked_at: attemptsLeft === 0 ? clock.now() : null })
    .where('person_id', '=', person.personId)
    .execute();
  return attemptsLeft === 0 ? { verdict: 'locked' } : { verdict: 'wrong', attemptsLeft };
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
