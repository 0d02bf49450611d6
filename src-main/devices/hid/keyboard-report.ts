/**
 * Which keys a keyboard report says are down: by the device's report descriptor (arrays of key codes, bitmaps of every key, both)
 * or, where the system shows none, by the boot keyboard's layout (USB HID 1.11, appendix B.1: modifiers, a reserved byte, six
 * key codes). What counts as a press is a key that is down and was not in the report before:
 * - A held key is told again and again, or not, as the device likes (7.2.4, Set_Idle): it is one press.
 * - ErrorRollOver, POSTFail and ErrorUndefined (HID Usage Tables, 10, usages 1 to 3) say that the device does not know what
 *   is down. Such a report changes nothing.
 * - The order of codes within one report means nothing (appendix C): whoever cares refuses several presses at once.
 * - A lost report can hide a press, or a release and with it the next press of that key. It never makes a press up.
 */
import { type ReportDescriptor, readBits, usageAt } from './report-descriptor.ts';

const KEYBOARD_PAGE = 0x07;
const LEFT_CONTROL = 0xe0;
const BOOT_REPORT_BYTES = 8;
/** Usages 1 to 3 are no keys but errors. */
const ERROR_USAGE_MAX = 3;
const KEYS = 256;

/** HID Usage Tables, 10: Keyboard LeftControl 0xE0 … RightGUI 0xE7, as bits of a byte. */
export const SHIFT = 0b0010_0010;
export const CONTROL = 0b0001_0001;

export interface KeyPresses {
  /** Usages of the keyboard page that went down with this report, as it lists them; modifiers are not among them. The caller
   *  wipes it. */
  readonly pressed: Uint8Array;
  /** Modifiers that are down: bit 0 LeftControl … bit 7 RightGUI. */
  readonly modifiers: number;
}

export class KeyTracker {
  readonly #descriptor: ReportDescriptor | null;
  /** One byte a usage: 1 when down. */
  #down = new Uint8Array(KEYS);
  #next = new Uint8Array(KEYS);
  /** The usages of one report, as it lists them. */
  readonly #listed = new Uint8Array(KEYS);
  #count = 0;

  /** @param descriptor null for the boot keyboard's layout. */
  constructor(descriptor: ReportDescriptor | null) {
    this.#descriptor = descriptor;
  }

  /** @returns what this report presses; null when it tells nothing about keys. */
  take(report: Uint8Array): KeyPresses | null {
    const before = this.#down;
    const known = this.#descriptor ? this.#byDescriptor(report, this.#descriptor) : this.#asBootKeyboard(report);
    const fresh = this.#listed.subarray(0, this.#count).filter((usage) => usage < LEFT_CONTROL && !before[usage]);
    let modifiers = 0;
    for (let bit = 0; bit < 8; bit += 1) modifiers |= this.#next[LEFT_CONTROL + bit]! << bit;
    if (known) {
      this.#down = this.#next;
      this.#next = before;
    }
    this.#next.fill(0);
    this.#listed.fill(0);
    this.#count = 0;
    return known ? { pressed: fresh, modifiers } : null;
  }

  /** Forgets what is down. Every key that is still held then counts as pressed with the next report. */
  wipe(): void {
    this.#down.fill(0);
  }

  #isDown(usage: number): void {
    if (this.#next[usage]) return;
    this.#next[usage] = 1;
    this.#listed[this.#count] = usage;
    this.#count += 1;
  }

  #asBootKeyboard(report: Uint8Array): boolean {
    if (report.length !== BOOT_REPORT_BYTES) return false;
    for (let bit = 0; bit < 8; bit += 1) if ((report[0]! >> bit) & 1) this.#isDown(LEFT_CONTROL + bit);
    for (const usage of report.subarray(2)) {
      if (usage === 0) continue;
      if (usage <= ERROR_USAGE_MAX) return false;
      this.#isDown(usage);
    }
    return true;
  }

  #byDescriptor(report: Uint8Array, { numbered, fields }: ReportDescriptor): boolean {
    const reportId = numbered ? (report[0] ?? 0) : 0;
    const body = numbered ? report.subarray(1) : report;
    let found = false;
    for (const field of fields) {
      if (field.kind !== 'input' || field.constant || field.reportId !== reportId) continue;
      if (!field.usages.some(({ page }) => page === KEYBOARD_PAGE)) continue;
      // A report that ends before the field is cut: taken as it is, keys would seem to be released.
      if (field.bitOffset + field.bitSize * field.count > body.length * 8) return false;
      found = true;
      for (let index = 0; index < field.count; index += 1) {
        const value = readBits(body, field.bitOffset + index * field.bitSize, field.bitSize);
        // In an array 0 is no key, also where a careless descriptor (BT006) makes it index 0, Enter: at rest nothing is pressed.
        if (value === 0 || (!field.variable && value < field.logicalMinimum)) continue;
        const usage = usageAt(field, field.variable ? index : value - field.logicalMinimum);
        if (usage === null || usage.page !== KEYBOARD_PAGE || usage.usage === 0 || usage.usage >= KEYS) continue;
        if (usage.usage <= ERROR_USAGE_MAX) return false;
        this.#isDown(usage.usage);
      }
    }
    return found;
  }
}
