/**
 * A cash dispenser port that asks for tokens: a secure element before the simulated mechanism. The element is the one of
 * test-dispenser.ts; what it proves is what the mechanism really did, over power cuts, while a nonce dies with the power.
 */
import type { CashDispenser, PresentStatus } from '../../src-main/devices/cash-dispenser.ts';
import { valueMinor } from '../contract/devices/vocabulary.ts';
import { makeToken, TestDispenser } from './test-dispenser.ts';

/** One machine's element, over all runs of its terminal. */
export class SecureElement {
  readonly keys = new TestDispenser();
  /** What it was told and asked: "nonce", "clear", "dispense", "refused", "proof". */
  readonly heard: string[] = [];
  /** Does not answer a question for a nonce. */
  silent = false;
  #nonceLives = false;
  readonly #tokens = new Map<string, { dispenseId: string; yen: number }>();

  get nonceLives(): boolean {
    return this.#nonceLives;
  }

  protect(inner: CashDispenser): CashDispenser {
    this.keys.clear();
    this.#nonceLives = false;
    return {
      name: inner.name,
      health: () => inner.health(),
      onHealth: (listener) => inner.onHealth(listener),
      close: () => inner.close(),
      status: (signal) => inner.status(signal),
      present: (signal) => inner.present(signal),
      itemsTaken: (timeoutMs, signal) => inner.itemsTaken(timeoutMs, signal),
      retract: (signal) => inner.retract(signal),
      reset: (signal) => inner.reset(signal),
      commandNonce: async (signal) => {
        await inner.commandNonce(signal);
        if (this.silent) throw new Error('the dispenser gives no nonce');
        this.heard.push('nonce');
        this.#nonceLives = true;
        return this.keys.nonce();
      },
      clearCommandNonce: async (signal) => {
        await inner.clearCommandNonce(signal);
        this.heard.push('clear');
        this.#nonceLives = false;
        this.keys.clear();
      },
      dispense: async (order, signal) => {
        signal.throwIfAborted();
        const { token, amount, transactionId } = order;
        if (token === null || this.keys.dispense(token, amount.amountMinor) === 'refused') {
          this.heard.push('refused');
          return { outcome: 'failed', error: 'notAuthorised', message: 'the token is refused' };
        }
        this.heard.push('dispense');
        this.#tokens.set(transactionId, { dispenseId: token.slice(-64), yen: amount.amountMinor });
        return await inner.dispense({ ...order, token: null }, signal);
      },
      presentStatus: async (signal, responseNonce = null) => {
        const status = await inner.presentStatus(signal);
        if (responseNonce === null) return status;
        this.heard.push('proof');
        return { ...status, token: this.#proof(status, responseNonce) };
      },
    };
  }

  #proof({ transactionId, presented, retracted, rejected, remaining }: PresentStatus, responseNonce: string): string {
    const last = transactionId === null ? undefined : this.#tokens.get(transactionId);
    if (!last) return makeToken(this.keys.deviceKey, responseNonce, ['VENDOR=TEST']);
    const presentedYen = valueMinor(presented);
    const dispensed = Math.max(presentedYen, valueMinor(rejected), remaining === 'stacker' ? last.yen : 0);
    const back = valueMinor(retracted);
    return makeToken(this.keys.deviceKey, responseNonce, [
      `DISPENSEID=${last.dispenseId}`,
      `DISPENSED1=${dispensed}JPY`,
      ...(presentedYen > 0 ? ['PRESENTED1=YES', `PRESENTEDAMOUNT1=${presentedYen}JPY`] : ['PRESENTED1=NO']),
      ...(back > 0 ? ['RETRACTED1=YES', `RETRACTEDAMOUNT1=${back}JPY`] : ['RETRACTED1=NO']),
    ]);
  }
}
