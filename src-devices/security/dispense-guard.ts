/**
 * Whether a Dispense may be done (XFS4IoT end-to-end security, 8.5 and 8.6): the nonce, the one token that goes with it, and
 * how much of its amount is left. All of it is forgotten with the power, so a token dies with a restart.
 *
 * `admit` and the first note that moves are one step: nothing is awaited in between. What was really dispensed is deducted note
 * by note, so after a partial dispense the same token covers the rest.
 */
import type { Chance, Clock } from '../clock.ts';
import type { Dialect } from '../dialect.ts';
import type { CompletionCode } from '../envelope.ts';
import type { KeyStore } from './keys.ts';
import { equalInConstantTime, readAmount, readToken, type Token, type TokenAmount, verify } from './token.ts';

export interface SecurityOptions {
  /** `off`: the device knows no end-to-end security. `ifConfigured`: tokens are needed once keys are loaded. */
  readonly mode: 'off' | 'ifConfigured' | 'always';
  /** Seconds after which the device drops its nonce; 0: never. */
  readonly nonceTimeoutS: number;
}

export type Refusal = {
  readonly code: Exclude<CompletionCode, 'success' | 'commandErrorCode'>;
  readonly description: string;
};

export interface GuardParts {
  readonly options: SecurityOptions;
  readonly keys: KeyStore;
  readonly clock: Clock;
  readonly chance: Chance;
  dialect(): Dialect;
  /** Counts one more nonce, durably, and answers how many there were. */
  countNonce(): number;
  /** The nonce went by itself. */
  cleared(reason: string): void;
}

interface Allowance {
  readonly hmac: string;
  readonly limit: TokenAmount;
  usedMinor: number;
  presentedMinor: number;
}

export class DispenseGuard {
  readonly #parts: GuardParts;
  #nonce: string | null = null;
  #allowance: Allowance | null = null;
  #callOffTimeout: () => void = () => {};

  constructor(parts: GuardParts) {
    this.#parts = parts;
  }

  supported(): boolean {
    return this.#parts.options.mode !== 'off';
  }

  /** XFS4IoT, Common.Status `endToEndSecurity`; null: not supported. */
  status(): 'enforced' | 'notEnforced' | 'notConfigured' | null {
    if (!this.supported()) return null;
    if (this.#parts.keys.host()) return 'enforced';
    return this.#parts.options.mode === 'always' ? 'notConfigured' : 'notEnforced';
  }

  /** A new nonce: 128 bits, of which 32 count the nonces ever made, so that none repeats whatever chance does. */
  commandNonce(): string {
    if (this.#nonce !== null && this.#parts.dialect().repeatedNonce === 'same') return this.#nonce;
    this.#forget();
    const serial = this.#parts.countNonce();
    this.#nonce =
      `${Buffer.from(this.#parts.chance.bytes(12)).toString('hex')}${serial.toString(16).padStart(8, '0')}`.toUpperCase();
    const { nonceTimeoutS } = this.#parts.options;
    if (nonceTimeoutS > 0) {
      this.#callOffTimeout = this.#parts.clock.after(nonceTimeoutS * 1_000, () => this.drop('the nonce timed out'));
    }
    return this.#nonce;
  }

  clear(): void {
    this.#forget();
  }

  /** Forgets the nonce and says so. */
  drop(reason: string): void {
    if (this.#nonce === null) return;
    this.#forget();
    this.#parts.cleared(reason);
  }

  /**
   * Checks 1 to 7 of 8.6: is this a good token of this nonce? Null token and a reason when it is refused. `{ token: null }`
   * without refusal: none is needed.
   */
  admit(text: string | null): { readonly token: Token | null; readonly refusal: Refusal | null } {
    const needed = this.status() === 'enforced' || this.status() === 'notConfigured';
    if (!needed) return { token: null, refusal: null };
    const refusal = (code: Refusal['code'], description: string) => ({
      token: null,
      refusal: this.#refused(code, description),
    });
    if (!text) return refusal(this.#parts.dialect().missingToken, 'there is no token');
    const token = readToken(text);
    if (!token) return refusal('invalidTokenFormat', 'the token breaks the grammar, or its length is wrong');
    const key = this.#parts.keys.host();
    if (!key) return refusal('invalidTokenKeyNoValue', 'no host key is loaded');
    if (!verify(token, key)) return refusal('invalidTokenHMAC', 'the HMAC is not by the host key');
    if (this.#nonce === null) return refusal('noCommandNonce', 'no nonce is stored');
    if (!equalInConstantTime(token.nonce, this.#nonce))
      return refusal('invalidTokenNonce', 'the token is for another nonce');
    if (this.#allowance && this.#allowance.hmac !== token.hmac) {
      return refusal('invalidToken', 'another token was used with this nonce');
    }
    return { token, refusal: null };
  }

  /** Checks 8 and 9: does the token cover this amount? When it does, what follows is deducted from it. */
  allow(token: Token, amount: TokenAmount): Refusal | null {
    const granted = token.fields.get('DISPENSE1');
    const limit = granted === undefined ? null : readAmount(granted);
    // More than one currency is beyond this device, as it is beyond the reference firmware.
    const several = [...token.fields.keys()].some((key) => /^DISPENSE\d+$/.test(key) && key !== 'DISPENSE1');
    if (!limit || several) return this.#refused('invalidToken', 'the token grants no amount this device can read');
    if (limit.currency !== amount.currency) return this.#refused('invalidToken', 'the token is for another currency');
    const usedMinor = this.#allowance?.usedMinor ?? 0;
    if (amount.minor > limit.minor - usedMinor) return this.#refused('invalidToken', 'the token covers less than that');
    this.#allowance ??= { hmac: token.hmac, limit, usedMinor: 0, presentedMinor: 0 };
    return null;
  }

  /** A note of this value is on the stacker. */
  dispensed(minor: number): void {
    if (this.#allowance) this.#allowance.usedMinor += minor;
  }

  presented(minor: number): void {
    if (this.#allowance) this.#allowance.presentedMinor += minor;
  }

  /** After a dispense or present: a token whose value is reached takes its nonce with it. */
  settle(): void {
    const allowance = this.#allowance;
    if (!allowance) return;
    const at = this.#parts.dialect().nonceClearedAt;
    const reached = at === 'dispensed' ? allowance.usedMinor : allowance.presentedMinor;
    if (reached >= allowance.limit.minor) this.drop('the value of the token is reached');
  }

  #refused(code: Refusal['code'], description: string): Refusal {
    if (this.#parts.dialect().refusalForgetsAllowance && this.#allowance) {
      this.#allowance.usedMinor = this.#allowance.limit.minor;
    }
    return { code: this.#parts.dialect().tokenRefusal === 'specific' ? code : 'invalidToken', description };
  }

  #forget(): void {
    this.#callOffTimeout();
    this.#nonce = null;
    this.#allowance = null;
  }
}
