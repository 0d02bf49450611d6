/**
 * The PIN pad, in XFS4IoT's words (Keyboard.PinEntry, PinPad.GetPinBlock in one step): digits go in, an encrypted PIN block
 * comes out. No digit ever leaves the driver.
 */
import type { P256PublicJwk } from '../../src-contract/bank-api.ts';
import type { Device } from './device.ts';

export interface PinEntryRequest {
  readonly digitsMin: number;
  readonly digitsMax: number;
  /** The bank's public key for PIN blocks. */
  readonly encryptFor: P256PublicJwk & { readonly kid: string };
  /** Written into the encrypted block, so that a block copied from one transaction is refused in another. */
  readonly boundTo: string;
  /** The whole entry must end within this. */
  readonly timeoutMs: number;
}

export type PinEntryCompletion =
  /** JWE compact (ECDH-ES, A256GCM): src-main/devices/pin-block.ts says what is inside. */
  | { readonly outcome: 'entered'; readonly pinBlock: string }
  | { readonly outcome: 'cancelled' }
  | { readonly outcome: 'timeout' };

export interface PinPad extends Device {
  /** Waits for digits and Enter. The listener hears how many digits stand there after each key, never which. */
  enterPin(
    request: PinEntryRequest,
    onDigits: (count: number) => void,
    signal: AbortSignal,
  ): Promise<PinEntryCompletion>;
}
