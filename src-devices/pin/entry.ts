/**
 * One entry at the keyboard, as a value: which keys are live, what each press does, when it ends (XFS4IoT 2024-3, Keyboard.PinEntry
 * and Keyboard.DataEntry). In PIN mode the digits stand in one buffer that this file fills and the caller wipes; no event holds one.
 */

const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'] as const;
/** Keys this keyboard has. */
export const KEYS = [...DIGITS, 'enter', 'cancel', 'clear', 'backspace'] as const;
export type Key = (typeof KEYS)[number];
type Digit = (typeof DIGITS)[number];
const isDigit = (key: Key): key is Digit => (DIGITS as readonly Key[]).includes(key);
/** Every name the standard has; one outside is no key at all. */
const STANDARD_KEY =
  /^(zero|one|two|three|four|five|six|seven|eight|nine|[a-f]|enter|cancel|clear|backspace|help|decPoint|shift|doubleZero|tripleZero|fdk(0[1-9]|[12]\d|3[0-2])|oem[0-9A-Za-z]*)$/;
/** ISO 9564-1, 9.1, allows twelve digits; a data entry may be longer. */
const BUFFER_DIGITS = { pin: 12, data: 32 } as const;

/** What ended the entry, or that it goes on. */
export type EntryCompletion = 'auto' | 'enter' | 'cancel' | 'clear' | 'backspace' | 'continue';

export interface EntryOrder {
  readonly minLen?: number | undefined;
  readonly maxLen: number;
  readonly autoEnd?: boolean | null | undefined;
  readonly activeKeys: Readonly<Record<string, { readonly terminate?: boolean | null | undefined } | null>>;
}

export interface PressedKey {
  readonly completion: EntryCompletion;
  readonly digit?: Key;
}

export interface EntryRules {
  readonly mode: 'pin' | 'data';
  readonly minLen: number;
  /** 0: no maximum but the buffer's. */
  readonly maxLen: number;
  readonly autoEnd: boolean;
  readonly active: ReadonlyMap<Key, { readonly terminate: boolean }>;
}

export type EntryRefusal = 'keyInvalid' | 'keyNotSupported' | 'noActivekeys' | 'noTerminatekeys' | 'minimumLength';

/** The rules of an entry, or the standard's reason why it cannot begin. */
export function readEntry(mode: 'pin' | 'data', order: EntryOrder): EntryRules | EntryRefusal {
  const active = new Map<Key, { terminate: boolean }>();
  for (const [name, options] of Object.entries(order.activeKeys)) {
    if (!STANDARD_KEY.test(name)) return 'keyInvalid';
    const key = KEYS.find((known) => known === name);
    if (key === undefined) return 'keyNotSupported';
    active.set(key, { terminate: options?.terminate === true });
  }
  const rules = {
    mode,
    minLen: order.minLen ?? 0,
    maxLen: order.maxLen,
    autoEnd: order.autoEnd === true && order.maxLen > 0,
    active,
  };
  if (active.size === 0) return 'noActivekeys';
  if (mode === 'pin' && rules.maxLen > 0 && rules.minLen > rules.maxLen) return 'minimumLength';
  const terminates = [...active.entries()].some(([key, { terminate }]) => terminate && !isDigit(key));
  if (mode === 'pin' && rules.maxLen > 0 && !rules.autoEnd && !terminates) return 'noTerminatekeys';
  return rules;
}

export class Entry {
  readonly rules: EntryRules;
  /** One digit a byte, the first `count` of them. */
  readonly #buffer: Uint8Array;
  #count = 0;
  /** Data mode only: what was pressed. */
  readonly #pressed: { readonly completion: EntryCompletion; readonly digit: Key }[] = [];

  constructor(rules: EntryRules) {
    this.rules = rules;
    this.#buffer = new Uint8Array(BUFFER_DIGITS[rules.mode]);
  }

  get count(): number {
    return this.#count;
  }

  get pressed(): readonly { readonly completion: EntryCompletion; readonly digit: Key }[] {
    return this.#pressed;
  }

  /** A copy of the digits, for the PIN buffer; the entry's own are wiped. */
  takeDigits(): Uint8Array {
    const digits = this.#buffer.slice(0, this.#count);
    this.wipe();
    return digits;
  }

  wipe(): void {
    this.#buffer.fill(0);
    this.#count = 0;
    this.#pressed.length = 0;
  }

  /** What one press does: nothing (null), or the key event to send and whether the entry is over. */
  press(key: Key): { readonly event: PressedKey; readonly ends: Exclude<EntryCompletion, 'continue'> | null } | null {
    const options = this.rules.active.get(key);
    if (!options) return null;
    if (!isDigit(key)) return this.#function(key, options.terminate);
    if (this.#count === this.#room()) return null;
    this.#buffer[this.#count] = DIGITS.indexOf(key);
    this.#count += 1;
    const full = this.rules.autoEnd && this.#count === this.rules.maxLen;
    const completion = full ? 'auto' : 'continue';
    const ends = full ? 'auto' : null;
    if (this.rules.mode === 'pin') return { event: { completion }, ends };
    this.#pressed.push({ completion, digit: key });
    return { event: { completion, digit: key }, ends };
  }

  #function(key: Exclude<Key, Digit>, terminate: boolean): ReturnType<Entry['press']> {
    // Enter before there are digits enough is not heard.
    if (key === 'enter' && this.rules.mode === 'pin' && this.#count < this.rules.minLen) return null;
    if (key === 'cancel' || key === 'clear') this.wipe();
    if (key === 'backspace') {
      if (this.#count === 0 && !terminate) return null;
      this.#count = Math.max(0, this.#count - 1);
      this.#buffer[this.#count] = 0;
      this.#pressed.pop();
    }
    if (this.rules.mode === 'data' && key === 'enter') this.#pressed.push({ completion: 'enter', digit: key });
    return { event: { completion: key, digit: key }, ends: terminate ? key : null };
  }

  #room(): number {
    return this.rules.maxLen > 0 ? Math.min(this.rules.maxLen, this.#buffer.length) : this.#buffer.length;
  }
}
