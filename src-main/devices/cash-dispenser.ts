/**
 * The cash dispenser, in XFS4IoT's words (CashDispenser, CashManagement): notes go from storage units to the stacker
 * (dispense), from there to the customer (present), and back into the retract bin (retract). Every command can fail after
 * notes moved, so the device can be asked what happened: counts per unit and the status of the last present.
 */
import type { MinorUnits, Money } from '../../src-contract/primitives.ts';
import type { NoteCount } from '../../src-contract/screen.ts';
import type { Device } from './device.ts';

export interface CashUnit {
  /** e.g. "CST1"; stable. */
  readonly id: string;
  readonly kind: 'cashOut' | 'cashIn' | 'recycle' | 'reject' | 'retract';
  /** Value of one note; null for a unit of mixed notes. */
  readonly denominationMinor: MinorUnits | null;
  /** Notes in the unit as the device counts them. */
  readonly count: number;
  readonly capacity: number;
  readonly state: 'ok' | 'empty' | 'low' | 'high' | 'full' | 'inoperative' | 'missing';
  /** Whether notes can be put in; absent where `state` says all there is to know. A unit may do one of giving and taking only. */
  readonly takesIn?: boolean;
  /** What is in it, where the device counts per denomination; absent where it does not (XFS4IoT: cash counts of a unit). */
  readonly notes?: readonly NoteCount[];
}

export interface DispenserStatus {
  readonly units: readonly CashUnit[];
  /** Notes waiting inside, not yet presented. */
  readonly stacker: 'empty' | 'notEmpty' | 'unknown';
  /** Notes in the customer's reach. */
  readonly outputPosition: 'empty' | 'notEmpty' | 'unknown';
  readonly shutter: 'closed' | 'open' | 'jammed';
}

export interface DispenseOrder {
  /** The journal's transaction id. The device stores it with what it did, so that it can be asked later. */
  readonly transactionId: string;
  readonly amount: Money;
  /** Notes per denomination; the sum is the amount. */
  readonly mix: readonly NoteCount[];
  /** The bank's command token for exactly this amount (XFS4IoT 2024-3, end-to-end security), made over the nonce that
   *  `commandNonce` gave; null for a device that asks for none. The terminal relays it: it could not make one. */
  readonly token: string | null;
}

export type DispenseCompletion =
  | { readonly outcome: 'dispensed'; readonly notes: readonly NoteCount[] }
  /** Nothing can be presented. Nothing was picked, or what was picked went to the reject bin, or (jammed, noDevice,
   *  hardwareError) some of it is stuck in the stacker: `presentStatus` says which, and `reset` clears the path. */
  | { readonly outcome: 'failed'; readonly error: DispenseError; readonly message: string };
/** XFS4IoT CashDispenser.Dispense errorCode, plus its general completion codes for a device that failed or went away. */
export type DispenseError =
  | 'notDispensable'
  | 'tooManyItems'
  | 'cashUnitError'
  | 'safeDoorOpen'
  /** The device refused the token, or the lack of one. No note moved, and `presentStatus` still tells of the dispense before. */
  | 'notAuthorised'
  | 'itemsLeft'
  | 'jammed'
  | 'hardwareError'
  | 'noDevice';

export type PresentCompletion =
  /** The notes are in the customer's reach; `itemsTaken` tells when they are gone. */
  | { readonly outcome: 'presented' }
  | {
      readonly outcome: 'failed';
      readonly error: 'shutterNotOpen' | 'noItems' | 'jammed' | 'hardwareError' | 'noDevice';
      readonly message: string;
    };

export type RetractCompletion =
  | { readonly outcome: 'retracted'; readonly notes: readonly NoteCount[] }
  | { readonly outcome: 'nothingToRetract' }
  | { readonly outcome: 'failed'; readonly error: 'jammed' | 'hardwareError' | 'noDevice'; readonly message: string };

/** XFS4IoT CashDispenser.GetPresentStatus: what became of the last dispense. Survives a restart of device and terminal. */
export interface PresentStatus {
  /** Of the last dispense; null when there never was one. */
  readonly transactionId: string | null;
  readonly state: 'notPresented' | 'presented' | 'unknown';
  /** Notes the customer could take. */
  readonly presented: readonly NoteCount[];
  /** Notes that came back from the customer's reach. */
  readonly retracted: readonly NoteCount[];
  /** Notes of that dispense that ended in the reject bin. */
  readonly rejected: readonly NoteCount[];
  /** Whether notes of it are still in the stacker or in the customer's reach. */
  readonly remaining: 'none' | 'stacker' | 'outputPosition' | 'unknown';
  /** The device's own proof of all this for the bank (XFS4IoT response token), made over the nonce asked with; opaque here.
   *  Null when no nonce was given, or the device makes none. */
  readonly token: string | null;
}

/** What a withdrawal needs from a cash dispenser. Every method that waits rejects with the signal's reason when it aborts;
 *  what happened by then is unknown and must be asked. */
export interface CashDispenser extends Device {
  status(signal: AbortSignal): Promise<DispenserStatus>;
  /** A nonce for the next command token (XFS4IoT Common.GetCommandNonce); null: this device asks for no token. Every call
   *  may replace the nonce before it, so that older tokens are refused: never call it between token and dispense. */
  commandNonce(signal: AbortSignal): Promise<string | null>;
  /** Forgets the nonce, and with it every token made for it (XFS4IoT Common.ClearCommandNonce). Nothing to forget is no
   *  error. To be called as soon as a withdrawal is over, however it ended. */
  clearCommandNonce(signal: AbortSignal): Promise<void>;
  /** Notes to the stacker. */
  dispense(order: DispenseOrder, signal: AbortSignal): Promise<DispenseCompletion>;
  /** Opens the shutter and shows the notes. */
  present(signal: AbortSignal): Promise<PresentCompletion>;
  /** Resolves when the presented notes were taken; "timeout" after timeoutMs. */
  itemsTaken(timeoutMs: number, signal: AbortSignal): Promise<'taken' | 'timeout'>;
  retract(signal: AbortSignal): Promise<RetractCompletion>;
  /** Clears the path: what is in the stacker goes to the reject bin. */
  reset(
    signal: AbortSignal,
  ): Promise<
    | { readonly outcome: 'reset'; readonly rejected: readonly NoteCount[] }
    | { readonly outcome: 'failed'; readonly message: string }
  >;
  /** @param responseNonce the bank's, made for this question alone; without it the answer carries no token. */
  presentStatus(signal: AbortSignal, responseNonce?: string | null): Promise<PresentStatus>;
}
