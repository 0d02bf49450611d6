/**
 * The cash acceptor, in XFS4IoT's words (CashAcceptor): a cash-in transaction starts, notes are counted into the escrow or
 * refused, and the end stores them; a rollback gives them back.
 */
import type { NoteCount } from '../../src-contract/screen.ts';
import type { CashUnit } from './cash-dispenser.ts';
import type { CashRoom } from './cash-room.ts';
import type { Device } from './device.ts';

export interface AcceptorStatus {
  readonly units: readonly CashUnit[];
  readonly escrow: readonly NoteCount[];
  /** Notes in the customer's reach at the input: refused ones, or those given back. */
  readonly inputPosition: 'empty' | 'notEmpty';
}

/** XFS4IoT CashAcceptor.GetCashInStatus: the last cash-in transaction, kept over restarts. */
export interface CashInStatus {
  readonly transactionId: string | null;
  readonly state: 'none' | 'active' | 'ok' | 'rollback' | 'retract' | 'unknown';
  /** Notes in escrow while active; notes stored once ok; notes given back after a rollback; all notes that were identified
   *  after a retract or when it is unknown how far the end or the rollback came (`status().escrow` is what never left). */
  readonly notes: readonly NoteCount[];
  /** Notes that lay in the customer's reach and were retracted; absent where none were, null where the device did not count them. */
  readonly retracted?: readonly NoteCount[] | null;
}

export type CashInEvent =
  /** Notes were put in and are being counted (CashManagement.ItemsInsertedEvent); `counted` or `refused` says what of them. */
  | { readonly kind: 'inserted' }
  /** Notes went to escrow, counted since the transaction started. */
  | { readonly kind: 'counted'; readonly escrow: readonly NoteCount[] }
  /** Notes that are not taken lie in the customer's reach again. */
  | { readonly kind: 'refused'; readonly notes: number }
  /** Some of those are money, and there is no room for them: in escrow, in the units, or within the limit of this transaction. */
  | { readonly kind: 'escrowFull' };

export type CashAcceptorFailure = {
  readonly outcome: 'failed';
  readonly error: 'jammed' | 'escrowFull' | 'cashUnitError' | 'hardwareError' | 'noDevice' | 'sequenceError';
  readonly message: string;
};

export interface CashAcceptor extends Device {
  status(signal: AbortSignal): Promise<AcceptorStatus>;
  /** What it can still take, by what it said last; null while it has said nothing. Moves nothing and waits for nothing: `status` asks anew. */
  room(): CashRoom | null;
  /** Opens the input. Counted and refused notes are told to the listener until the transaction ends. What escrow and units do not
   *  hold, or is more than notesMax, is refused and given back; null: no limit of the terminal's. */
  cashInStart(
    transactionId: string,
    listener: (event: CashInEvent) => void,
    signal: AbortSignal,
    notesMax?: number | null,
  ): Promise<{ readonly outcome: 'started' } | CashAcceptorFailure>;
  /** Stops taking notes, waits for the counting to finish, and answers what is in escrow. */
  cashInStop(
    signal: AbortSignal,
  ): Promise<
    | { readonly outcome: 'counted'; readonly escrow: readonly NoteCount[]; readonly refusedNotes: number }
    | CashAcceptorFailure
  >;
  /** Escrow to storage. After this the notes are the bank's. */
  cashInEnd(
    signal: AbortSignal,
  ): Promise<{ readonly outcome: 'stored'; readonly notes: readonly NoteCount[] } | CashAcceptorFailure>;
  /** Escrow back to the customer. */
  cashInRollback(
    signal: AbortSignal,
  ): Promise<{ readonly outcome: 'returned'; readonly notes: readonly NoteCount[] } | CashAcceptorFailure>;
  /** Resolves when returned or refused notes were taken. */
  returnedTaken(timeoutMs: number, signal: AbortSignal): Promise<'taken' | 'timeout'>;
  /** What lies in the customer's reach at the input goes to the retract bin (XFS4IoT CashManagement.Retract): notes given back, or
   *  refused, that nobody took. Not while a cash-in transaction is active. */
  retract(
    signal: AbortSignal,
  ): Promise<
    | { readonly outcome: 'retracted'; readonly notes: readonly NoteCount[] }
    | { readonly outcome: 'nothingToRetract' }
    | CashAcceptorFailure
  >;
  /** XFS4IoT CashManagement.Reset: clears the path and ends a cash-in transaction. What is in feeder and escrow, and what
   *  the customer left lying, goes to the retract bin: after a restart nobody knows whose hand would take it. */
  reset(
    signal: AbortSignal,
  ): Promise<{ readonly outcome: 'reset'; readonly retracted: readonly NoteCount[] } | CashAcceptorFailure>;
  cashInStatus(signal: AbortSignal): Promise<CashInStatus>;
}
