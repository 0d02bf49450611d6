/** Keyboard.PinEntry and DataEntry: what each key does and when the entry ends (XFS4IoT 2024-3). */
import { describe, expect, it } from 'vitest';
import { Entry, type EntryRules, type Key, readEntry } from './entry.ts';

const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'] as const;
const activeKeys = {
  ...Object.fromEntries(DIGITS.map((digit) => [digit, {}])),
  clear: { terminate: false },
  backspace: {},
  cancel: { terminate: true },
  enter: { terminate: true },
};
const rules = (mode: 'pin' | 'data', change: object = {}): EntryRules => {
  const read = readEntry(mode, { minLen: 4, maxLen: 4, autoEnd: true, activeKeys, ...change });
  if (typeof read === 'string') throw new Error(read);
  return read;
};
const press = (entry: Entry, ...keys: Key[]) => keys.map((key) => entry.press(key));

describe('a PIN entry', () => {
  it('tells of a digit that it came, never which, and ends by itself when full', () => {
    const entry = new Entry(rules('pin'));
    const told = press(entry, 'two', 'seven', 'four', 'nine');
    expect(told.map((one) => one?.event)).toEqual([
      { completion: 'continue' },
      { completion: 'continue' },
      { completion: 'continue' },
      { completion: 'auto' },
    ]);
    expect(told.at(-1)?.ends).toBe('auto');
    expect(entry.takeDigits()).toEqual(Uint8Array.of(2, 7, 4, 9));
    expect(entry.count).toBe(0);
  });

  it('does not hear Enter before there are digits enough', () => {
    const entry = new Entry(rules('pin', { maxLen: 6, autoEnd: false }));
    expect(press(entry, 'one', 'two', 'three', 'enter').at(-1)).toBeNull();
    expect(press(entry, 'four', 'enter').at(-1)).toEqual({
      event: { completion: 'enter', digit: 'enter' },
      ends: 'enter',
    });
  });

  it('takes back one digit, all digits, and everything on cancel', () => {
    const entry = new Entry(rules('pin', { autoEnd: false }));
    press(entry, 'one', 'two', 'backspace');
    expect(entry.count).toBe(1);
    press(entry, 'three', 'clear');
    expect(entry.count).toBe(0);
    press(entry, 'five');
    expect(entry.press('cancel')?.ends).toBe('cancel');
    expect(entry.takeDigits()).toHaveLength(0);
  });

  it('has dead digits when it is full and does not end by itself', () => {
    const entry = new Entry(rules('pin', { autoEnd: false }));
    press(entry, 'one', 'two', 'three', 'four');
    expect(entry.press('five')).toBeNull();
    press(entry, 'backspace', 'nine');
    expect(entry.takeDigits()).toEqual(Uint8Array.of(1, 2, 3, 9));
  });

  it('does nothing for a key that is not active', () => {
    const entry = new Entry(rules('pin', { activeKeys: { one: {}, enter: { terminate: true } } }));
    expect(press(entry, 'two', 'cancel')).toEqual([null, null]);
  });

  it.each([
    [{ activeKeys: {} }, 'noActivekeys'],
    [{ activeKeys: { banana: {} } }, 'keyInvalid'],
    [{ activeKeys: { ...activeKeys, fdk01: {} } }, 'keyNotSupported'],
    [{ minLen: 6, maxLen: 4 }, 'minimumLength'],
    [{ autoEnd: false, activeKeys: { one: { terminate: true } } }, 'noTerminatekeys'],
  ])('does not begin with %j: %s', (change, reason) => {
    expect(readEntry('pin', { minLen: 4, maxLen: 4, autoEnd: true, activeKeys, ...change })).toBe(reason);
  });

  it('without a maximum ignores autoEnd and stops hearing at twelve digits', () => {
    const entry = new Entry(rules('pin', { minLen: 0, maxLen: 0 }));
    for (let digit = 0; digit < 12; digit += 1) expect(entry.press('one')?.ends).toBeNull();
    expect(entry.press('one')).toBeNull();
  });
});

describe('a data entry', () => {
  it('tells every key, and keeps what was not taken back', () => {
    const entry = new Entry(rules('data', { maxLen: 8, autoEnd: false }));
    expect(entry.press('three')?.event).toEqual({ completion: 'continue', digit: 'three' });
    press(entry, 'four', 'backspace', 'five', 'enter');
    expect(entry.pressed.map(({ digit }) => digit)).toEqual(['three', 'five', 'enter']);
  });
});
