/** Making the token that lets one dispenser pay one withdrawal, once. */
import type { AuthoriseRequest, DispenseGrant } from '../../src-contract/bank-api.ts';
import { money } from '../../src-contract/primitives.ts';
import { formatTokenAmount, unsignedToken } from '../../src-contract/security-token.ts';
import { CURRENCY } from '../accounts/ledger.ts';
import type { BankContext } from '../context.ts';
import type { DbTransaction } from '../database/database.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { ProblemError } from '../problem.ts';
import { recordIncident } from '../results/incidents.ts';
import { type DispenserKeys, lockDispenser } from './keys.ts';
import { signToken } from './token-mac.ts';

const RESPONSE_NONCE_BYTES = 16;

export type DispenseCheck =
  /** A purchase, a balance, or a dispenser without end-to-end security at a bank that has no keys for it. */
  | { readonly needs: 'nothing' }
  | { readonly needs: 'token'; readonly keys: DispenserKeys; readonly commandNonce: string }
  | { readonly needs: 'refusal' };

/** Whether a token can and must be made. Locks the dispenser: to be asked first of all. */
export async function checkDispense(
  context: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  { service, commandNonce, transactionId }: AuthoriseRequest,
): Promise<DispenseCheck> {
  if (service !== 'withdraw') {
    if (commandNonce === null) return { needs: 'nothing' };
    throw new ProblemError('invalid-request', `commandNonce: must be null for a ${service}`, { field: 'commandNonce' });
  }
  const keys = await lockDispenser(context, tx, terminal);
  if (keys === null) return { needs: commandNonce === null ? 'nothing' : 'refusal' };
  if (commandNonce === null) return { needs: 'refusal' };
  const earlier = await tx
    .selectFrom('dispense_grants')
    .select('hold_id')
    .where('terminal_id', '=', terminal.terminalId)
    .where('command_nonce', '=', commandNonce)
    .executeTakeFirst();
  if (!earlier) return { needs: 'token', keys, commandNonce };
  const { terminalId } = terminal;
  const detail = "a dispenser's nonce came a second time, and got no second token";
  const evidence = `nonce ${commandNonce} for transaction ${transactionId}`;
  await recordIncident(context, { code: 'dispense-nonce-reused', terminalId, detail, evidence }, tx);
  return { needs: 'refusal' };
}

export async function makeGrant(
  { chance, clock }: BankContext,
  tx: DbTransaction,
  terminal: Terminal,
  wanted: { keys: DispenserKeys; commandNonce: string; holdId: string; amountMinor: number },
): Promise<DispenseGrant> {
  const { keys, commandNonce, holdId, amountMinor } = wanted;
  const amount = formatTokenAmount(money(amountMinor, CURRENCY));
  const token = signToken(keys.hostKey, unsignedToken(commandNonce, [['DISPENSE1', amount]]));
  const responseNonce = Buffer.from(chance.bytes(RESPONSE_NONCE_BYTES)).toString('hex').toUpperCase();
  await tx
    .insertInto('dispense_grants')
    .values({
      hold_id: holdId,
      terminal_id: terminal.terminalId,
      key_version: keys.version,
      command_nonce: commandNonce,
      response_nonce: responseNonce,
      dispense_id: token.slice(-64),
      amount_minor: amountMinor,
      told_minor: null,
      proven_minor: null,
      proof: null,
      issued_at: clock.now(),
    })
    .execute();
  return { token, responseNonce };
}
