/**
 * The PIN device: keyboard, PIN buffer and keys in one housing (XFS4IoT 2024-3: Keyboard, PinPad, KeyManagement). Digits of a PIN
 * go from the key into a buffer of this file and from there into a PIN block; no event, log, file or answer has one.
 */
import type { Chance } from '../clock.ts';
import { type CommandContext, done, ended, failed, type Outcome } from '../command.ts';
import { untilHands } from '../hands.ts';
import { type Runtime, Service } from '../service.ts';
import type { StateFile } from '../state-file.ts';
import { Entry, type EntryOrder, type Key, type PressedKey, readEntry } from './entry.ts';
import { keyManagementInterface } from './key-management-interface.ts';
import { keyboardInterface } from './keyboard-interface.ts';
import { keyDetails, type PinKey } from './keys.ts';
import { algorithmOf, encipherPinBlock, fitsFormat, PIN_DIGITS_MIN, PIN_FORMATS } from './pin-block.ts';
import { entryTimeout, pinKeyLost } from './pin-faults.ts';
import { type PinBlockRequest, pinPadInterface } from './pin-pad-interface.ts';

export interface PinDeviceParts {
  readonly runtime: Runtime;
  readonly chance: Chance;
  /** The keys, kept without power. */
  readonly keys: StateFile<readonly PinKey[]>;
}

/** The device's own limit for one entry, ms; what an entry without a time-out ends by (`entryTimeout`). */
const ENTRY_MS_MAX = 300_000;
/** From one key to the next when hands press several, ms. */
const KEY_MS = 80;

interface Running {
  readonly entry: Entry;
  readonly context: CommandContext;
  end(outcome: Outcome): void;
}

export class PinDevice {
  readonly service: Service;
  readonly #parts: PinDeviceParts;
  #running: Running | null = null;
  /** One digit a byte; empty: no PIN is held. */
  #pin: Uint8Array = new Uint8Array(0);
  #maintain = false;

  constructor(parts: PinDeviceParts) {
    this.#parts = parts;
    this.service = new Service(parts.runtime, () => ({
      name: 'PinPad1',
      model: { modelName: 'KP-16', serialNumber: 'KP16-0001', modelDescription: 'Encrypting PIN pad, 16 keys' },
      status: () => ({
        keyboard: { autoBeepMode: { activeAvailable: false, inactiveAvailable: false } },
        keyManagement: {
          encryptionState: this.#keys().some(({ value }) => value !== null) ? 'ready' : 'notInitialized',
          certificateState: 'notReady',
        },
      }),
      interfaces: [
        keyboardInterface({ enter: (mode, order, context) => this.#enter(mode, order, context) }),
        pinPadInterface({
          getPinBlock: (request) => this.#getPinBlock(request),
          maintain: (maintain) => this.#setMaintain(maintain),
          reset: () => this.#forget(),
        }),
        keyManagementInterface({ details: () => keyDetails(this.#keys()), reset: () => this.#forget() }),
      ],
    }));
    parts.runtime.power.addEventListener('abort', () => this.#powerLost(), { once: true });
  }

  /** What a person in front of it sees. Never a digit. */
  state(): { readonly entering: 'pin' | 'data' | null; readonly digits: number; readonly keys: readonly string[] } {
    return {
      entering: this.#running?.entry.rules.mode ?? null,
      digits: this.#running?.entry.count ?? 0,
      keys: this.#keys().map(({ name }) => name),
    };
  }

  /** A finger on the keys, one after the other. Answers how many the entry took that was active at the first; no later entry gets
   *  what was meant for it, and without one they are not heard. */
  async press(keys: readonly Key[]): Promise<number> {
    const running = this.#running;
    let heard = 0;
    for (const key of keys) {
      if (running === null || this.service.device() !== 'online') break;
      if (heard > 0) await this.#parts.runtime.act(KEY_MS);
      if (this.#running !== running) break;
      this.#press(running, key);
      heard += 1;
    }
    return heard;
  }

  /** The keys the operator gives. */
  loadKeys(keys: readonly PinKey[]): void {
    this.#parts.keys.set(keys);
    this.service.changed();
  }

  /** Somebody opened the housing: the device forgets all its keys (KeyManagement.InitializedEvent). */
  tamper(): void {
    this.#forget();
    this.#parts.keys.set([]);
    this.service.unsolicited('KeyManagement.InitializedEvent');
    this.service.changed();
  }

  #keys(): readonly PinKey[] {
    return this.#parts.keys.value;
  }

  async #enter(mode: 'pin' | 'data', order: EntryOrder, context: CommandContext): Promise<Outcome> {
    const rules = readEntry(mode, order);
    if (typeof rules === 'string') return failed(rules);
    if (mode === 'pin' || !this.#maintain) this.#forget();
    const { clock, faults } = this.#parts.runtime;
    if (faults.strikes(entryTimeout)) return failed('entryTimeout', 'a fault that was armed');
    const entry = new Entry(rules);
    try {
      return await untilHands<Outcome>(context.signal, (end) => {
        const callOff = clock.after(ENTRY_MS_MAX, () =>
          end(failed('entryTimeout', `no end within ${ENTRY_MS_MAX} ms`)),
        );
        this.#running = { entry, context, end };
        context.event('Keyboard.EnterDataEvent');
        return () => {
          callOff();
          this.#running = null;
        };
      });
    } finally {
      // What was pressed before a Cancel stays, as the standard has it: MaintainPin or the next entry empties the buffer.
      if (mode === 'pin') this.#pin = entry.takeDigits();
      entry.wipe();
    }
  }

  #press({ entry, context, end }: Running, key: Key): void {
    const pressed = entry.press(key);
    if (!pressed) return;
    context.event('Keyboard.KeyEvent', keyEvent(pressed.event));
    if (pressed.ends === null) return;
    end(
      entry.rules.mode === 'pin'
        ? done({ digits: entry.count, completion: pressed.ends })
        : done({ keys: entry.pressed.length, pinKeys: [...entry.pressed], completion: pressed.ends }),
    );
  }

  #getPinBlock(request: PinBlockRequest): Outcome {
    const { runtime, chance } = this.#parts;
    const format = PIN_FORMATS.find((known) => known === request.format);
    if (!format) return failed('formatNotSupported', `${request.format} is not made by this device`);
    if (request.secondEncKey) return ended('unsupportedData', 'secondEncKey: there is no second encryption here');
    const key = this.#keys().find(({ name }) => name === request.key);
    const refusal = !key
      ? 'keyNotFound'
      : key.value === null || runtime.faults.strikes(pinKeyLost)
        ? 'keyNoValue'
        : key.algorithm !== algorithmOf(format)
          ? 'algorithmNotSupported'
          : null;
    if (refusal || !key?.value) {
      this.service.unsolicited('KeyManagement.IllegalKeyAccessEvent', {
        keyName: request.key ?? '',
        errorCode: refusal,
      });
      return failed(refusal ?? 'keyNoValue', `key ${request.key ?? '(none named)'}`);
    }
    if (request.cryptoMethod && request.cryptoMethod !== 'ecb') return failed('cryptoMethodNotSupported');
    const customerData = request.customerData ?? '';
    // The data names an account: the answer names the field alone.
    if (!fitsFormat(format, customerData)) return ended('invalidData', `customerData: does not fit ${format}`);
    if (this.#pin.length < PIN_DIGITS_MIN) return failed('noPin');
    const value = Buffer.from(key.value, 'hex');
    try {
      const order = { format, customerData, key: value };
      const block = encipherPinBlock(this.#pin, order, (bytes) => chance.bytes(bytes));
      return done({ pinBlock: block.toString('base64') });
    } finally {
      value.fill(0);
      if (!this.#maintain) this.#forget();
    }
  }

  #setMaintain(maintain: boolean): void {
    this.#maintain = maintain;
    if (!maintain) this.#forget();
  }

  #forget(): void {
    this.#pin.fill(0);
    this.#pin = new Uint8Array(0);
  }

  #powerLost(): void {
    this.#running?.entry.wipe();
    this.#running = null;
    this.#forget();
  }
}

function keyEvent({ completion, digit }: PressedKey) {
  return { completion, ...(digit && { digit }) };
}
