/**
 * A USB HID bus of which a test is the hand: it plugs devices in and out, lets them send reports, refuses to open them. Answers
 * come at once, so that time is the test's own clock's alone.
 */
import type {
  HidBus,
  HidDevice,
  HidInfo,
  HidInspection,
  HidListener,
  HidOpening,
} from '../../src-main/devices/hid/bus.ts';

interface Plugged {
  info: HidInfo;
  inspection: HidInspection;
  refusal: Exclude<HidOpening, { outcome: 'opened' }> | null;
  listener: HidListener | null;
  answer: (kind: 'write' | 'feature', report: Uint8Array) => void;
  feature: (reportId: number, length: number) => Uint8Array;
}

/** How a device is, where it differs from a willing one without anything to tell. */
export interface PluggedAs {
  readonly inspection?: Partial<HidInspection>;
  readonly refusal?: Plugged['refusal'];
  /** What it does with a report that is sent to it; throws: it does not take it. */
  readonly answer?: Plugged['answer'];
  readonly feature?: Plugged['feature'];
}

export const KEYPAD: HidInfo = {
  path: '/dev/hidraw0',
  vendorId: 0x04d9,
  productId: 0xa070,
  serialNumber: null,
  manufacturer: null,
  product: 'USB Keypad',
  interfaceNumber: 0,
  usages: [{ page: 0x01, usage: 0x06 }],
  port: 'usb-0000:00:14.0-1/input0',
};

export class ScriptedHidBus implements HidBus {
  readonly #plugged = new Map<string, Plugged>();
  /** Every report that was sent to a device, in order. */
  readonly sent: { readonly path: string; readonly kind: 'write' | 'feature'; readonly report: Uint8Array }[] = [];
  /** How often the bus was listed. */
  listings = 0;
  /** Set: listing fails with it. */
  broken: Error | null = null;

  plug(info: HidInfo, as: PluggedAs = {}): void {
    this.#plugged.set(info.path, {
      info,
      inspection: { access: 'granted', exclusive: 'yes', descriptor: null, ...as.inspection },
      refusal: as.refusal ?? null,
      listener: null,
      answer: as.answer ?? (() => undefined),
      feature: as.feature ?? ((_id, length) => new Uint8Array(length)),
    });
  }

  unplug(path: string): void {
    const plugged = this.#plugged.get(path);
    this.#plugged.delete(path);
    plugged?.listener?.onGone('could not read from HID device: device disconnected');
  }

  /** A report of the device. False: nobody has it open. */
  report(path: string, bytes: Iterable<number>): boolean {
    const listener = this.#plugged.get(path)?.listener;
    listener?.onReport(Uint8Array.from(bytes));
    return listener != null;
  }

  /** The very buffer is handed over, so that a test can look at it afterwards. */
  reportBuffer(path: string, buffer: Uint8Array): void {
    this.#plugged.get(path)?.listener?.onReport(buffer);
  }

  change(path: string, inspection: Partial<HidInspection>): void {
    const plugged = this.#plugged.get(path);
    if (plugged) plugged.inspection = { ...plugged.inspection, ...inspection };
  }

  isOpen(path: string): boolean {
    return this.#plugged.get(path)?.listener != null;
  }

  async list(): Promise<readonly HidInfo[]> {
    this.listings += 1;
    if (this.broken) throw this.broken;
    return [...this.#plugged.values()].map(({ info }) => info);
  }

  async inspect(path: string): Promise<HidInspection> {
    return this.#plugged.get(path)?.inspection ?? { access: 'absent', exclusive: 'unknown', descriptor: null };
  }

  async open(path: string, listener: HidListener): Promise<HidOpening> {
    const plugged = this.#plugged.get(path);
    if (!plugged) return { outcome: 'absent', reason: 'No such device' };
    if (plugged.refusal) return plugged.refusal;
    if (plugged.listener) return { outcome: 'busy', reason: 'opened twice' };
    plugged.listener = listener;
    const send = (kind: 'write' | 'feature') => async (report: Uint8Array) => {
      if (this.#plugged.get(path) !== plugged) throw new Error('No such device');
      this.sent.push({ path, kind, report: report.slice() });
      plugged.answer(kind, report);
    };
    const device: HidDevice = {
      write: send('write'),
      sendFeature: send('feature'),
      getFeature: async (reportId, length) => {
        if (this.#plugged.get(path) !== plugged) throw new Error('No such device');
        return plugged.feature(reportId, length);
      },
      close: async () => {
        plugged.listener = null;
      },
    };
    return { outcome: 'opened', device };
  }
}
