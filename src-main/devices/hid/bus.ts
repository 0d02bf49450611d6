/**
 * The USB HID bus as the drivers see it. One thin adapter (node-hid-bus.ts) stands behind it, and a scripted one in tests.
 *
 * The model: a device is listed under a path that holds until it is unplugged; opening it gives input reports until it is
 * closed or gone; there is no event for plugging in, so whoever waits for a device lists again. A report's first byte is its
 * report id when the device numbers its reports (its report descriptor says so), else there is none: USB HID 1.11, 8.1. To
 * write, the first byte is always there: 0 for a device without report ids.
 */

/** A usage with its page: USB HID 1.11, 5.5. */
export interface HidUsage {
  readonly page: number;
  readonly usage: number;
}

export interface HidInfo {
  /** What to open: "/dev/hidraw3". Another one after the next plugging in. */
  readonly path: string;
  readonly vendorId: number;
  readonly productId: number;
  /** Null: the device has none, as most keypads. */
  readonly serialNumber: string | null;
  readonly manufacturer: string | null;
  readonly product: string | null;
  /** USB interface number; null when the system does not tell. */
  readonly interfaceNumber: number | null;
  /** The device's top-level collections; empty when the system does not tell. */
  readonly usages: readonly HidUsage[];
  /** The socket it sits in, the same after each plugging in: "usb-0000:00:14.0-2/input0". Linux only, else null. */
  readonly port: string | null;
}

/** What the system knows of a device without opening it. */
export interface HidInspection {
  readonly access: 'granted' | 'denied' | 'absent' | 'unknown';
  /** Whether nobody else gets what is keyed in. "no": the system also types it into whatever window has the focus. */
  readonly exclusive: 'yes' | 'no' | 'unknown';
  /** USB HID 1.11, 6.2.2. Null when the system does not show it. */
  readonly descriptor: Uint8Array | null;
}

export interface HidListener {
  /** The buffer is the listener's: it may wipe it. */
  onReport(report: Uint8Array): void;
  /** Told once, when the device vanished; nothing after it. Not told for one's own close(). */
  onGone(reason: string): void;
}

export interface HidDevice {
  /** Sends an output report. Byte 0 is the report id, 0 for none. Rejects when the device does not take it. */
  write(report: Uint8Array): Promise<void>;
  /** Sends a feature report. Byte 0 as for write. */
  sendFeature(report: Uint8Array): Promise<void>;
  /** @param length bytes of the report with its id byte. @returns the report, byte 0 its id, 0 for none. */
  getFeature(reportId: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export type HidOpening =
  | { readonly outcome: 'opened'; readonly device: HidDevice }
  /** denied: this user may not; busy: another program has it; absent: it is gone. */
  | { readonly outcome: 'denied' | 'busy' | 'absent' | 'failed'; readonly reason: string };

export interface HidBus {
  list(): Promise<readonly HidInfo[]>;
  inspect(path: string): Promise<HidInspection>;
  /** Opens for this process alone where the system can do that, and listens from the first report on. */
  open(path: string, listener: HidListener): Promise<HidOpening>;
}

/** "04d9" */
export function usbId(id: number): string {
  return id.toString(16).padStart(4, '0');
}

/** "04d9:a070 Generic USB Keypad": how messages name a device. */
export function nameOf(info: Pick<HidInfo, 'vendorId' | 'productId' | 'manufacturer' | 'product'>): string {
  return [`${usbId(info.vendorId)}:${usbId(info.productId)}`, info.manufacturer, info.product]
    .filter(Boolean)
    .join(' ');
}
