/**
 * A barcode scanner on USB HID, in either of two modes (docs/hid.md says how to set a scanner to one):
 * - pos: usage page 0x8C. Each report carries up to some 56 bytes with the AIM identifier; longer codes come in several.
 * - keyboard: it types each code and ends it with Enter or Tab. Only the terminator counts, never the time between keys.
 * What does not fit (cut report, wrong length, wrong check digit, a code without end) is left out and logged without its text.
 */
import type { Clock } from '../../clock.ts';
import type { Barcode, BarcodeScanner } from '../barcode-scanner.ts';
import type { DeviceHealth } from '../device.ts';
import { type HidBus, type HidDevice, type HidInfo, type HidInspection, nameOf } from './bus.ts';
import type { ScannerConfig } from './config.ts';
import { HidConnection, type HidDriver, type HidLog } from './connection.ts';
import { characterOf } from './keyboard-layout.ts';
import { KeyTracker } from './keyboard-report.ts';
import { isKeyboard, isPosScanner } from './kinds.ts';
import { COMMON_LAYOUT, type PosLayout, posLayout, readPosReport } from './pos-report.ts';
import { findValue, parseReportDescriptor } from './report-descriptor.ts';
import { barcodeOf } from './symbology.ts';
import { udevAdvice } from './udev.ts';

/** Most characters of one code: a QR code of version 40 has 7,089 digits (ISO/IEC 18004). */
const CODE_LENGTH_MAX = 7_089;
/** The next report of a code follows within a few polling intervals (1 to 16 ms each); after this it was lost. */
const CONTINUATION_MS_MAX = 1_000;
/** HID Usage Tables, 10: Return, Tab, Keypad ENTER. */
const TERMINATORS: readonly number[] = [0x28, 0x2b, 0x58];
/** Honeywell (vendor page 0xFF66): a scanner that is keyboard and POS device at once is told where to send its codes. */
const OUTPUT_REDIRECTION = { page: 0xff66, usage: 0x03 };
const TO_POS = 1;

export interface HidScannerOptions {
  readonly bus: HidBus;
  readonly clock: Clock;
  readonly log: HidLog;
  readonly config: ScannerConfig;
  readonly name?: string;
}

export class HidBarcodeScanner implements BarcodeScanner {
  readonly name: string;
  readonly connection: HidConnection;
  readonly #log: HidLog;
  readonly #listeners = new Set<(barcode: Barcode) => void>();

  constructor(options: HidScannerOptions) {
    const { config } = options;
    this.name = options.name ?? 'barcode-scanner';
    this.#log = options.log;
    const tell = (aim: string | null, text: string) => this.#tell(aim, text);
    const refuse = (why: string) => this.#log.warn({ device: this.name, why }, 'barcode refused');
    const typesKeys = config.mode === 'keyboard';
    this.connection = new HidConnection(
      {
        ...options,
        name: this.name,
        selector: config,
        fits: typesKeys
          ? isKeyboard
          : (info) => isPosScanner(info) || (info.usages.length === 0 && config.vendorId !== undefined),
        typesKeys,
      },
      typesKeys ? new TypedCodes(config, tell, refuse) : new PosCodes(options.clock, tell, refuse),
    );
  }

  health(): DeviceHealth {
    return this.connection.health();
  }

  onHealth(listener: (health: DeviceHealth) => void): () => void {
    return this.connection.onHealth(listener);
  }

  onBarcode(listener: (barcode: Barcode) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  #tell(aim: string | null, text: string): void {
    const barcode = barcodeOf(aim, text);
    if (barcode === null) {
      this.#log.warn({ device: this.name, aim, length: text.length }, 'barcode misread: its check digit does not fit');
      return;
    }
    for (const listener of [...this.#listeners]) listener(barcode);
  }
}

type Tell = (aim: string | null, text: string) => void;
type Refuse = (why: string) => void;

class PosCodes implements HidDriver {
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #refuse: Refuse;
  #layout: PosLayout = COMMON_LAYOUT;
  #parts: Uint8Array[] = [];
  #aim: string | null = null;
  #lastMs = 0;

  constructor(clock: Clock, tell: Tell, refuse: Refuse) {
    this.#clock = clock;
    this.#tell = tell;
    this.#refuse = refuse;
  }

  async attached(device: HidDevice, _info: HidInfo, { descriptor: bytes }: HidInspection): Promise<void> {
    this.#parts = [];
    this.#layout = COMMON_LAYOUT;
    if (bytes === null) return;
    const descriptor = parseReportDescriptor(bytes);
    const layout = posLayout(descriptor);
    if (layout === null)
      throw new Error('its report descriptor has no decoded data (usage 0x8C:0xFE): it is no scanner');
    this.#layout = layout;
    const redirection = findValue(descriptor, 'feature', OUTPUT_REDIRECTION);
    if (redirection) await device.sendFeature(Uint8Array.of(redirection.field.reportId, TO_POS));
  }

  report(report: Uint8Array): void {
    const reading = readPosReport(this.#layout, report);
    if (reading.outcome === 'other') return;
    if (reading.outcome === 'malformed') {
      this.#parts = [];
      this.#refuse(reading.why);
      return;
    }
    const { aim, data, continued } = reading.scanned;
    const now = this.#clock.monotonicMs();
    if (this.#parts.length > 0 && (aim !== this.#aim || now - this.#lastMs > CONTINUATION_MS_MAX)) {
      this.#refuse('the rest of a code did not come');
      this.#parts = [];
    }
    this.#aim = aim;
    this.#lastMs = now;
    this.#parts.push(data);
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0);
    if (length > CODE_LENGTH_MAX) {
      this.#refuse(`a code of more than ${CODE_LENGTH_MAX} characters`);
      this.#parts = [];
    } else if (!continued) {
      const whole = Buffer.concat(this.#parts);
      this.#parts = [];
      if (whole.length > 0) this.#tell(aim, textOf(whole));
    }
  }

  detached(): void {
    this.#parts = [];
  }
}

class TypedCodes implements HidDriver {
  readonly #config: ScannerConfig;
  readonly #tell: Tell;
  readonly #refuse: Refuse;
  #tracker = new KeyTracker(null);
  #typed = '';
  #tooLong = false;

  constructor(config: ScannerConfig, tell: Tell, refuse: Refuse) {
    this.#config = config;
    this.#tell = tell;
    this.#refuse = refuse;
  }

  async attached(_device: HidDevice, _info: HidInfo, { descriptor }: HidInspection): Promise<void> {
    this.#reset();
    this.#tracker = new KeyTracker(descriptor && parseReportDescriptor(descriptor));
  }

  /** No secret, but a code that is typed into the screen may press a button there. */
  examine(info: HidInfo, { exclusive }: HidInspection): DeviceHealth | null {
    if (exclusive !== 'no') return null;
    const advice = udevAdvice({ ...info, typesKeys: true });
    const problem = `${nameOf(info)} also types its codes into the focused window. ${advice}`;
    return { state: 'online', problem };
  }

  report(report: Uint8Array): void {
    const keys = this.#tracker.take(report);
    if (keys === null) return;
    for (const usage of keys.pressed) {
      const character = TERMINATORS.includes(usage) ? '\n' : characterOf(this.#config.layout, usage, keys.modifiers);
      if (character === '\n' || character === '\r' || character === '\t') this.#end();
      else if (this.#typed.length + character.length > CODE_LENGTH_MAX) this.#tooLong = true;
      else this.#typed += character;
    }
  }

  detached(): void {
    this.#reset();
  }

  #end(): void {
    const typed = this.#typed;
    const tooLong = this.#tooLong;
    this.#reset();
    if (tooLong) this.#refuse(`a code of more than ${CODE_LENGTH_MAX} characters`);
    else if (typed !== '') {
      const aim = this.#config.aimPrefix ? typed.slice(0, 3) : null;
      this.#tell(aim, aim === null ? typed : typed.slice(3));
    }
  }

  #reset(): void {
    this.#typed = '';
    this.#tooLong = false;
  }
}

/** UTF-8, or Shift_JIS as in many Japanese QR codes (ISO/IEC 18004, annex H), or else each byte as it is. */
function textOf(bytes: Uint8Array): string {
  for (const encoding of ['utf-8', 'shift_jis']) {
    try {
      return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      // Not this one.
    }
  }
  return Buffer.from(bytes).toString('latin1');
}
