/**
 * The bus through node-hid (hidapi; on Linux its hidraw driver), and through sysfs what hidapi does not tell there: the socket a
 * device sits in, its report descriptor, whether its keys go elsewhere too.
 *
 * Who else gets the reports, by system (node-hid 3.4, hidapi 0.15):
 * - Linux: hidraw gives everyone who may open the node a copy, and the kernel's input device gets the keys as well. EVIOCGRAB
 *   would hold only the evdev node and is an ioctl, which Node has not; an inhibited input device holds them all (udev.ts).
 * - macOS: opened with the seize option unless `nonExclusive` is set; a keyboard needs the right "Input Monitoring".
 * - Windows: the system keeps keyboards to itself, they cannot be read; POS scanners and relays can, and are opened shared.
 */
import { constants } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import nodeHid from 'node-hid';
import { z } from 'zod';
import { TerminalError } from '../../errors.ts';
import type { HidBus, HidDevice, HidInfo, HidInspection, HidListener, HidOpening } from './bus.ts';

/** What this uses of node-hid. */
export interface NodeHid {
  devicesAsync(): Promise<unknown[]>;
  readonly HIDAsync: { open(path: string, options?: { nonExclusive?: boolean }): Promise<NodeHidDevice> };
}

interface NodeHidDevice {
  on(event: 'data', listener: (data: Buffer) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  write(report: Buffer): Promise<number>;
  sendFeatureReport(report: Buffer): Promise<number>;
  getFeatureReport(reportId: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

export interface NodeHidBusOptions {
  readonly nodeHid?: NodeHid;
  readonly platform?: NodeJS.Platform;
  /** Where Linux shows its HID devices. */
  readonly sysfs?: string;
}

/** A device as node-hid lists it: one entry for each of its top-level collections. Strings may be missing or empty. */
const Listed = z.object({
  vendorId: z.int().min(0).max(0xffff),
  productId: z.int().min(0).max(0xffff),
  path: z.string().min(1),
  serialNumber: z.string().optional(),
  manufacturer: z.string().optional(),
  product: z.string().optional(),
  interface: z.int().optional(),
  usagePage: z.int().min(0).max(0xffff).optional(),
  usage: z.int().min(0).max(0xffff).optional(),
});

export function nodeHidBus(options: NodeHidBusOptions = {}): HidBus {
  const { nodeHid: hid = nodeHid, platform = process.platform, sysfs = '/sys/class/hidraw' } = options;
  const linux = platform === 'linux';

  async function everything(): Promise<unknown[]> {
    try {
      return await hid.devicesAsync();
    } catch (cause) {
      throw new TerminalError('DEVICE_UNAVAILABLE', wordsOf(cause), { cause });
    }
  }

  async function list(): Promise<readonly HidInfo[]> {
    const byPath = new Map<string, HidInfo>();
    for (const raw of await everything()) {
      const parsed = Listed.safeParse(raw);
      // What has no path cannot be opened: hidapi lists such devices on Windows.
      if (!parsed.success) continue;
      const { path, vendorId, productId, usagePage, usage } = parsed.data;
      const before = byPath.get(path);
      byPath.set(path, {
        path,
        vendorId,
        productId,
        serialNumber: parsed.data.serialNumber || null,
        manufacturer: parsed.data.manufacturer?.trim() || null,
        product: parsed.data.product?.trim() || null,
        interfaceNumber:
          parsed.data.interface === undefined || parsed.data.interface < 0 ? null : parsed.data.interface,
        usages: [
          ...(before?.usages ?? []),
          ...(usagePage !== undefined && usage !== undefined ? [{ page: usagePage, usage }] : []),
        ],
        port: before?.port ?? (linux ? await portOf(path) : null),
      });
    }
    return [...byPath.values()];
  }

  /** HID_PHYS of the device's uevent: "usb-0000:00:14.0-2/input0". */
  async function portOf(path: string): Promise<string | null> {
    const uevent = await readOrNull(join(sysfs, basename(path), 'device', 'uevent'));
    return uevent?.toString('utf8').match(/^HID_PHYS=(.+)$/m)?.[1] ?? null;
  }

  async function inspect(path: string): Promise<HidInspection> {
    if (!linux) return { access: 'unknown', exclusive: platform === 'darwin' ? 'yes' : 'unknown', descriptor: null };
    const device = join(sysfs, basename(path), 'device');
    return {
      access: await accessTo(path),
      exclusive: await exclusiveAt(device),
      descriptor: await readOrNull(join(device, 'report_descriptor')),
    };
  }

  async function open(path: string, listener: HidListener): Promise<HidOpening> {
    let device: NodeHidDevice;
    try {
      device = await (platform === 'darwin'
        ? hid.HIDAsync.open(path, { nonExclusive: false })
        : hid.HIDAsync.open(path));
    } catch (error) {
      return { outcome: await whyNot(path, messageOf(error)), reason: wordsOf(error) };
    }
    let over = false;
    device.on('error', (error) => {
      if (over) return;
      over = true;
      listener.onGone(messageOf(error));
    });
    device.on('data', (data) => {
      if (!over) listener.onReport(data);
    });
    const opened: HidDevice = {
      write: async (report) => {
        await device.write(Buffer.from(report));
      },
      sendFeature: async (report) => {
        await device.sendFeatureReport(Buffer.from(report));
      },
      getFeature: async (reportId, length) => await device.getFeatureReport(reportId, length),
      close: async () => {
        over = true;
        await device.close();
      },
    };
    return { outcome: 'opened', device: opened };
  }

  /** hidapi tells the reason in words alone; the file system says it in codes. */
  async function whyNot(path: string, words: string): Promise<'denied' | 'busy' | 'absent' | 'failed'> {
    const seen = linux ? await accessTo(path) : 'unknown';
    if (seen === 'denied' || seen === 'absent') return seen;
    if (/permission denied|access is denied|not permitted|0xe00002e2/i.test(words)) return 'denied';
    if (/busy|exclusive|being used by another|0xe00002c5/i.test(words)) return 'busy';
    return /no such (file|device)|cannot find/i.test(words) ? 'absent' : 'failed';
  }

  return { list, inspect, open };
}

async function accessTo(path: string): Promise<HidInspection['access']> {
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return 'granted';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM'
      ? 'denied'
      : code === 'ENOENT' || code === 'ENODEV'
        ? 'absent'
        : 'unknown';
  }
}

/**
 * The kernel's input devices of one HID device are in its directory `input`, each with a file `inhibited` since Linux 5.11. No
 * input device: nothing of it goes anywhere else.
 */
async function exclusiveAt(device: string): Promise<HidInspection['exclusive']> {
  let inputs: string[];
  try {
    await access(device);
    inputs = await readdir(join(device, 'input')).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
  } catch {
    return 'unknown';
  }
  for (const input of inputs.filter((name) => /^input\d+$/.test(name))) {
    const inhibited = await readOrNull(join(device, 'input', input, 'inhibited'));
    if (inhibited?.toString('latin1').trim() !== '1') return 'no';
  }
  return 'yes';
}

async function readOrNull(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch {
    // Not every kernel and every device shows it; whoever asks does without.
    return null;
  }
}

/** node-hid rejects with an Error, and gives a plain string to its error event. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** node-hid is loaded with its first use. Its builds for Linux, the hidraw one too, want libusb, which a bare Debian has not. */
function wordsOf(error: unknown): string {
  const words = messageOf(error);
  const missing = /^(lib[\w.+-]+\.so[\d.]*): cannot open shared object file/.exec(words)?.[1];
  if (missing === undefined) return words;
  const remedy = missing.startsWith('libusb-1.0') ? ' (on Debian: apt-get install libusb-1.0-0)' : '';
  return `USB HID needs the library ${missing}, which this machine does not have${remedy}`;
}
