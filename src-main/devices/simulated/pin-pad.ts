/**
 * An encrypting PIN pad. Digits stand in one Uint8Array from the key to the encryption and are wiped there; listeners hear
 * counts. Keys pressed while no entry is active are ignored, as a locked pad does.
 */
import type { Chance, Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import { encryptPinBlock } from '../pin-block.ts';
import type { PinEntryCompletion, PinEntryRequest, PinPad } from '../pin-pad.ts';
import type { Faults } from './faults.ts';
import { Mechanism, type MechanismOptions, orAbort } from './mechanism.ts';

/** '0'–'9'; 'E' enter, 'C' cancel, '<' correct the last digit. */
export const KEYS = /^[0-9EC<]{1,64}$/;
const KEY_MS = 80;

interface Entry {
  readonly request: PinEntryRequest;
  readonly digits: Uint8Array;
  count: number;
  readonly onDigits: (count: number) => void;
  readonly end: (how: 'entered' | 'cancelled' | 'timeout') => void;
}

export class SimulatedPinPad extends Mechanism implements PinPad {
  readonly #chance: Chance;
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #waiting = new Set<() => void>();
  #entry: Entry | null = null;

  constructor(options: MechanismOptions & { readonly chance: Chance }) {
    super('pin-pad', options);
    this.#chance = options.chance;
    this.#clock = options.clock;
    this.#faults = options.faults;
  }

  enterPin(
    request: PinEntryRequest,
    onDigits: (count: number) => void,
    signal: AbortSignal,
  ): Promise<PinEntryCompletion> {
    return this.command('enterPin', signal, async () => {
      this.needThere();
      const digits = new Uint8Array(request.digitsMax);
      const over = AbortSignal.any([signal, this.power]);
      let entry: Entry | null = null as Entry | null;
      let callOff: () => void = () => {};
      let stopWatching: () => void = () => {};
      try {
        const how = await orAbort(
          new Promise<'entered' | 'cancelled' | 'timeout'>((resolve, reject) => {
            entry = { request, digits, count: 0, onDigits, end: resolve };
            this.#entry = entry;
            callOff = this.#clock.after(request.timeoutMs, () => resolve('timeout'));
            stopWatching = this.#faults.onChange(() => {
              if (this.isGone()) reject(new TerminalError('DEVICE_UNAVAILABLE', 'pin-pad does not answer'));
            });
            for (const listener of [...this.#waiting]) listener();
          }),
          over,
        );
        if (how !== 'entered') return { outcome: how };
        const entered = digits.subarray(0, entry?.count ?? 0);
        return { outcome: 'entered', pinBlock: await encryptPinBlock(entered, request, this.#chance) };
      } finally {
        if (this.#entry === entry) this.#entry = null;
        digits.fill(0);
        callOff();
        stopWatching();
      }
    });
  }

  get entering(): boolean {
    return this.#entry !== null;
  }

  /** Calls back when an entry begins. Returns how to stop. */
  onEntry(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => this.#waiting.delete(listener);
  }

  /** A finger on the keys, one after the other. Answers how many the entry took that was active at first; no later entry gets
   *  what was meant for it, and without one the keys are ignored. */
  async press(keys: string): Promise<number> {
    const entry = this.#entry;
    let taken = 0;
    for (const key of keys) {
      if (entry === null) break;
      await this.step(KEY_MS);
      if (this.#entry !== entry || this.isGone()) break;
      this.#key(entry, key);
      taken += 1;
    }
    return taken;
  }

  #key(entry: Entry, key: string): void {
    if (key === 'C' || key === 'E') {
      // A pad does not take Enter before there are digits enough.
      if (key === 'E' && entry.count < entry.request.digitsMin) return;
      this.#entry = null;
      entry.end(key === 'C' ? 'cancelled' : 'entered');
      return;
    }
    if (key === '<') {
      if (entry.count === 0) return;
      entry.count -= 1;
      entry.digits[entry.count] = 0;
    } else {
      if (entry.count === entry.request.digitsMax) return;
      entry.digits[entry.count] = key.charCodeAt(0) - 0x30;
      entry.count += 1;
    }
    entry.onDigits(entry.count);
  }
}
