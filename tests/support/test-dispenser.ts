/**
 * A dispenser for tests of the bank: only what its secure element does, by XFS4IoT 2024-3, end-to-end security. Written from the
 * standard and sharing nothing with the bank, so that a misreading of one is found by the other.
 */
import { createHmac, randomBytes } from 'node:crypto';

const hmac = (key: Uint8Array, text: string) => createHmac('sha256', key).update(text).digest('hex').toUpperCase();

/** A token over these fields, with everything right unless `change` says otherwise. */
export function makeToken(
  key: Uint8Array,
  nonce: string,
  fields: readonly string[],
  change: (text: string) => string = (text) => text,
): string {
  const text = (length: string) => `NONCE=${nonce},TOKENFORMAT=1,TOKENLENGTH=${length},${fields.join(',')},HMACSHA256=`;
  const unsigned = change(text(String(text('0000').length + 64).padStart(4, '0')));
  return unsigned + hmac(key, unsigned);
}

interface LastDispense {
  readonly dispenseId: string;
  dispensed: number;
  presented: number;
  retracted: number | '?' | null;
}

export class TestDispenser {
  readonly hostKey: Uint8Array;
  readonly deviceKey: Uint8Array;
  /** Yen that left the machine. */
  paid = 0;
  readonly #perStack: boolean;
  #counter: number | null = null;
  #nonce: string | null = null;
  #used: string | null = null;
  #allowance = 0;
  #stacked = 0;
  #last: LastDispense | null = null;

  /** perStack: its proofs are of the last stack alone, not of all that came under the token. */
  constructor(keys: { hostKey?: Uint8Array; deviceKey?: Uint8Array; counter?: boolean; perStack?: boolean } = {}) {
    this.#perStack = keys.perStack ?? false;
    this.hostKey = keys.hostKey ?? randomBytes(32);
    this.deviceKey = keys.deviceKey ?? randomBytes(32);
    if (keys.counter) this.#counter = 1000;
  }

  /** What the bank's staff enter. */
  get keysHex() {
    const hex = (key: Uint8Array) => Buffer.from(key).toString('hex');
    const proofsCover = this.#perStack ? 'last-stack' : 'whole-token';
    return { hostKey: hex(this.hostKey), deviceKey: hex(this.deviceKey), proofsCover };
  }

  nonce(): string {
    if (this.#counter !== null) this.#counter += 1;
    this.#nonce = this.#counter === null ? randomBytes(16).toString('hex').toUpperCase() : String(this.#counter);
    this.#used = null;
    return this.#nonce;
  }

  clear(): void {
    this.#nonce = null;
  }

  /** Notes to the stacker, when the token covers them. */
  dispense(token: string, yen: number): 'dispensed' | 'refused' {
    const match =
      /^(NONCE=([0-9A-F]+),TOKENFORMAT=1,TOKENLENGTH=(\d{4}),DISPENSE1=(\d+)JPY,HMACSHA256=)([0-9A-F]{64})$/.exec(
        token,
      );
    if (!match) return 'refused';
    const [, signed = '', nonce, length, allowed, mac = ''] = match;
    if (Number(length) !== token.length || hmac(this.hostKey, signed) !== mac) return 'refused';
    if (this.#nonce === null || nonce !== this.#nonce) return 'refused';
    if (this.#used !== null && this.#used !== mac) return 'refused';
    const left = this.#used === mac ? this.#allowance : Number(allowed);
    if (yen > left) return 'refused';
    this.#used = mac;
    this.#allowance = left - yen;
    const anew = this.#last?.dispenseId !== mac || (this.#perStack && this.#stacked === 0);
    if (anew || !this.#last) this.#last = { dispenseId: mac, dispensed: 0, presented: 0, retracted: null };
    this.#last.dispensed += yen;
    this.#stacked += yen;
    if (this.#allowance === 0) this.clear();
    return 'dispensed';
  }

  present(): void {
    if (this.#last) this.#last.presented += this.#stacked;
    this.paid += this.#stacked;
    this.#stacked = 0;
  }

  reject(): void {
    this.#stacked = 0;
  }

  retract(yen: number, counted = true): void {
    this.paid -= yen;
    if (this.#last) this.#last.retracted = counted ? yen : '?';
  }

  /** Loses what it knew of the last dispense. */
  forget(): void {
    this.#last = null;
  }

  /** GetPresentStatus with a nonce. */
  proof(responseNonce: string): string {
    const last = this.#last;
    if (!last) return makeToken(this.deviceKey, responseNonce, ['VENDOR=TEST']);
    const { dispenseId, dispensed, presented, retracted } = last;
    return makeToken(this.deviceKey, responseNonce, [
      `DISPENSEID=${dispenseId}`,
      `DISPENSED1=${dispensed}JPY`,
      ...(presented > 0 ? ['PRESENTED1=YES', `PRESENTEDAMOUNT1=${presented}JPY`] : ['PRESENTED1=NO']),
      ...(retracted === null
        ? ['RETRACTED1=NO']
        : ['RETRACTED1=YES', `RETRACTEDAMOUNT1=${retracted === '?' ? '?' : `${retracted}JPY`}`]),
    ]);
  }
}
