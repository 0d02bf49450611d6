/**
 * One effect per idempotency key. The key is claimed first, in the same db transaction as the effect: of several that
 * arrive at once the database lets one insert through and has the others wait for it to commit; they then find its answer.
 * What is refused with a problem leaves no claim, so the terminal may try again under the same key.
 */
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import { sha256OfValue } from '../digest.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';

/** "barred" is a key that was reversed, or asked about and barred, before it was ever used. */
export type Operation =
  | 'enrol'
  | 'renew'
  | 'authorise'
  | 'capture'
  | 'reverse'
  | 'deposit'
  | 'stand-in'
  | 'payee'
  | 'transfer'
  | 'erase'
  | 'day-close'
  | 'inquiry'
  | 'count'
  | 'barred';

export async function once<Answer>(
  context: BankContext,
  terminal: Terminal,
  operation: Operation,
  request: { readonly idempotencyKey: string },
  effect: (tx: DbTransaction) => Promise<Answer>,
): Promise<Answer> {
  const key = request.idempotencyKey;
  const requestHash = sha256OfValue(request);
  return await context.database.transact(async (tx) => {
    if (!(await claimKey(context, tx, terminal, { operation, key, requestHash }))) {
      return await firstAnswer<Answer>(tx, terminal, { operation, key, requestHash });
    }
    const answer = await effect(tx);
    await tx
      .updateTable('idempotency_keys')
      .set({ answer: JSON.stringify(answer) })
      .where('terminal_id', '=', terminal.terminalId)
      .where('key', '=', key)
      .execute();
    return answer;
  });
}

interface Claim {
  readonly operation: Operation;
  readonly key: string;
  readonly requestHash: string;
}

/** False when the key is taken. Waits while another db transaction holds it. */
export async function claimKey(
  { clock }: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  claim: Claim,
): Promise<boolean> {
  const inserted = await tx
    .insertInto('idempotency_keys')
    .values({
      terminal_id: terminal.terminalId,
      key: claim.key,
      operation: claim.operation,
      request_hash: claim.requestHash,
      answer: null,
      created_at: clock.now(),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

/** What the key was used for; undefined when it never was. */
export async function operationOf(tx: DbTransaction, terminal: Terminal, key: string): Promise<Operation | undefined> {
  return (await firstUse(tx, terminal, key))?.operation;
}

interface FirstUse {
  readonly operation: Operation;
  readonly request_hash: string;
  /** JSON; null for a key that was barred. */
  readonly answer: string | null;
}

/** The one effect of the terminal's key; undefined when it has none. */
export async function firstUse(tx: DbTransaction, terminal: Terminal, key: string): Promise<FirstUse | undefined> {
  const row = await tx
    .selectFrom('idempotency_keys')
    .select(['operation', 'request_hash', 'answer'])
    .where('terminal_id', '=', terminal.terminalId)
    .where('key', '=', key)
    .executeTakeFirst();
  return row && { ...row, operation: row.operation as Operation };
}

async function firstAnswer<Answer>(tx: DbTransaction, terminal: Terminal, claim: Claim): Promise<Answer> {
  const first = await firstUse(tx, terminal, claim.key);
  if (!first) throw new Error(`the idempotency key ${claim.key} was taken, and is gone`);
  if (first.operation === 'barred') {
    throw new ProblemError('conflict', 'this request was called off before it arrived, and is barred', {
      field: 'idempotencyKey',
    });
  }
  if (first.operation !== claim.operation || first.request_hash !== claim.requestHash || first.answer === null) {
    throw new ProblemError('idempotency-key-reused', `the key was used for another request (${first.operation})`, {
      field: 'idempotencyKey',
    });
  }
  // Stored by this function's sibling from a value of this type, and authenticated by the hash of the same request.
  return JSON.parse(first.answer) as Answer;
}
