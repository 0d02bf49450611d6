/**
 * A keypad as PIN pad. It is a plain HID keyboard (usage page 0x07), so its digits reach this process in the clear: good for
 * demonstrations and for closed sites, not for PCI PIN, which takes an encrypting pad (docs/hid.md says what that means).
 * Within that, what can be done is done:
 * - Digits go from the report into one buffer, from there into the PIN block, and both are wiped. None is ever in a string.
 * - hidraw gives a copy of the reports and leaves the kernel's own keyboard in place, which would type the PIN into the focused
 *   window: the screen process. So no PIN is asked for unless the system says that its input device is inhibited (udev.ts).
 * - Two keys in one report have no order (USB HID 1.11, appendix C): neither is taken. The customer sees the count stand still.
 */
import type { Chance, Clock } from '../../clock.ts';
import { TerminalError } from '../../errors.ts';
import type { DeviceHealth } from '../device.ts';
import { encryptPinBlock } from '../pin-block.ts';
import type { PinEntryCompletion, PinEntryRequest, PinPad } from '../pin-pad.ts';
import { type HidBus, type HidInfo, type HidInspection, nameOf } from './bus.ts';
import type { PinPadConfig } from './config.ts';
import { HidConnection, type HidLog, orAbort } from './connection.ts';
import { KeyTracker } from './keyboard-report.ts';
import { isKeyboard } from './kinds.ts';
import { parseReportDescriptor } from './report-descriptor.ts';
import { udevAdvice } from './udev.ts';

type Key = 'enter' | 'cancel' | 'clear' | 'correct';

/** HID Usage Tables, 10: keys of the main block and of the keypad. */
const KEYS: ReadonlyMap<number, Key> = new Map<number, Key>([
  [0x28, 'enter'],
  [0x58, 'enter'], // Keypad ENTER
  [0x29, 'cancel'], // Escape
  [0x9b, 'cancel'], // Cancel
  [0x2a, 'correct'], // Backspace
  [0xbb, 'correct'], // Keypad Backspace
  [0x4c, 'clear'], // Delete
  [0x9c, 'clear'], // Clear
  [0xd8, 'clear'], // Keypad Clear
  [0xd9, 'clear'], // Keypad Clear Entry
]);

interface Entry {
  readonly request: PinEntryRequest;
  readonly digits: Uint8Array;
  count: number;
  /** Whether keys count yet. */
  armed: boolean;
  readonly onDigits: (count: number) => void;
  readonly end: (how: 'entered' | 'cancelled' | 'timeout') => void;
  readonly fail: (error: unknown) => void;
}

export interface HidPinPadOptions {
  readonly bus: HidBus;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: HidLog;
  readonly config: PinPadConfig;
}

export class HidPinPad implements PinPad {
  readonly name = 'pin-pad';
  readonly connection: HidConnection;
  readonly #options: HidPinPadOptions;
  readonly #keys: ReadonlyMap<number, Key>;
  #tracker = new KeyTracker(null);
  #entry: Entry | null = null;

  constructor(options: HidPinPadOptions) {
    const { config } = options;
    this.#options = options;
    this.#keys = new Map([
      ...KEYS,
      ...Object.entries(config.keys).map(([usage, key]) => [Number(usage), key] as const),
    ]);
    this.connection = new HidConnection(
      { ...options, name: this.name, selector: config, fits: isKeyboard, typesKeys: true },
      {
        attached: async (_device, _info, { descriptor }) => {
          this.#tracker = new KeyTracker(descriptor && parseReportDescriptor(descriptor));
        },
        examine: (info, inspection) => this.#shared(info, inspection),
        report: (report) => this.#report(report),
        detached: (reason) => {
          this.#tracker.wipe();
          this.#entry?.fail(new TerminalError('DEVICE_UNAVAILABLE', reason));
        },
      },
    );
  }

  health(): DeviceHealth {
    return this.connection.health();
  }

  onHealth(listener: (health: DeviceHealth) => void): () => void {
    return this.connection.onHealth(listener);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  async enterPin(
    request: PinEntryRequest,
    onDigits: (count: number) => void,
    signal: AbortSignal,
  ): Promise<PinEntryCompletion> {
    signal.throwIfAborted();
    this.connection.need();
    if (this.#entry) throw new TerminalError('DEVICE_FAILED', `${this.name} takes a PIN already`);
    const digits = new Uint8Array(request.digitsMax);
    const ended = Promise.withResolvers<'entered' | 'cancelled' | 'timeout'>();
    const entry: Entry = { request, digits, count: 0, armed: false, onDigits, end: ended.resolve, fail: ended.reject };
    this.#entry = entry;
    const callOff = this.#options.clock.after(request.timeoutMs, () => entry.end('timeout'));
    try {
      // Asked at each entry, before the first key counts: the rule may have been taken away since the pad was opened.
      void this.#checkExclusive().then(() => {
        entry.armed = true;
      }, entry.fail);
      const how = await orAbort(ended.promise, signal);
      if (how !== 'entered') return { outcome: how };
      return {
        outcome: 'entered',
        pinBlock: await encryptPinBlock(digits.subarray(0, entry.count), request, this.#options.chance),
      };
    } finally {
      callOff();
      digits.fill(0);
      if (this.#entry === entry) this.#entry = null;
    }
  }

  /** Whether the system types its keys elsewhere too. */
  #shared(info: HidInfo, { exclusive }: HidInspection): DeviceHealth | null {
    if (exclusive === 'yes') return null;
    const advice = udevAdvice({ ...info, typesKeys: true });
    const problem = `${this.name} (${nameOf(info)}): the system types its keys into the focused window too. ${advice}`;
    return { state: this.#options.config.exclusive === 'required' ? 'userError' : 'online', problem };
  }

  async #checkExclusive(): Promise<void> {
    if (this.#options.config.exclusive !== 'required') return;
    const { state, problem } = await this.connection.examine();
    if (state !== 'online') throw new TerminalError('DEVICE_UNAVAILABLE', problem ?? this.name);
  }

  #report(report: Uint8Array): void {
    const keys = this.#tracker.take(report);
    report.fill(0);
    if (keys === null) return;
    const entry = this.#entry;
    // Lock keys, "00" that comes as two presses, volume keys: what means nothing here does not make a press ambiguous.
    const meant = keys.pressed.filter((usage) => digitOf(usage) !== null || this.#keys.has(usage));
    if (entry?.armed && meant.length === 1 && keys.modifiers === 0) this.#key(entry, meant[0] as number);
    keys.pressed.fill(0);
    meant.fill(0);
  }

  #key(entry: Entry, usage: number): void {
    const key = this.#keys.get(usage);
    if (key === 'cancel' || key === 'enter') {
      // A pad does not take Enter before there are digits enough.
      if (key === 'cancel' || entry.count >= entry.request.digitsMin) {
        this.#end(entry, key === 'cancel' ? 'cancelled' : 'entered');
      }
      return;
    }
    if (key === 'correct' || key === 'clear') {
      if (entry.count === 0) return;
      entry.count = key === 'clear' ? 0 : entry.count - 1;
      entry.digits.fill(0, entry.count);
    } else {
      if (entry.count >= entry.request.digitsMax) return;
      entry.digits[entry.count] = digitOf(usage) as number;
      entry.count += 1;
    }
    entry.onDigits(entry.count);
  }

  #end(entry: Entry, how: 'entered' | 'cancelled'): void {
    // Keys after this one belong to nobody.
    this.#entry = null;
    entry.end(how);
  }
}

/** HID Usage Tables, 10: 1 … 9, 0 lie at 0x1E … 0x27, those of the keypad at 0x59 … 0x62, whatever Num Lock says. */
function digitOf(usage: number): number | null {
  if (usage >= 0x1e && usage <= 0x27) return (usage - 0x1d) % 10;
  if (usage >= 0x59 && usage <= 0x62) return (usage - 0x58) % 10;
  return null;
}
