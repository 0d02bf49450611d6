/**
 * The PIN pad, in XFS4IoT's words (Keyboard.PinEntry, PinPad.GetPinBlock in one step): digits go in, an encrypted PIN block
 * comes out. No digit ever leaves the driver.
 */
import type { P256PublicJwk } from '../../src-contract/bank-api.ts';
import type { Device } from './device.ts';

export interface PinEntryRequest {
  readonly digitsMin: number;
  readonly digitsMax: number;
  /** The bank's public key for PIN blocks; a pad with a working key of its own has no use for it. */
  readonly encryptFor: P256PublicJwk & { readonly kid: string };
  /** Written into the encrypted block, so that a block copied from one transaction is refused in another. */
  readonly boundTo: string;
  /** The whole entry must end within this. */
  readonly timeoutMs: number;
}

export type PinEntryCompletion =
  /** Either a JWE in compact serialisation (ECDH-ES, A256GCM; pin-block.ts says what is inside), or, from an encrypting pad that
   *  shares a working key with the bank, `iso4.<name of the key>.<block>`, both base64url: an ISO 9564-1 format 4 block whose
   *  account digits are made of `boundTo`. */
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
