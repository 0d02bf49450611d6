/**
 * Which devices a terminal has and which driver each of them gets, as a technician writes it down. docs/devices.md explains it by
 * examples. A driver's own settings stand under its name (`hid`, `escpos`), so that the file says who drives what.
 */
import { z } from 'zod';
import { HidConfig } from '../devices/hid/config.ts';

/** Of a page on 127.0.0.1; 0 takes any free one. */
export const Port = z.int().min(0).max(65_535);
const RemotePort = z.int().min(1).max(65_535);
/** A name or an address, without scheme and port. */
const Host = z.union([z.ipv4(), z.ipv6(), z.hostname()], { error: 'a host name or an address, as "127.0.0.1"' });
const Path = z.string().min(1).max(1_000);
const THIS_MACHINE = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

export const isThisMachine = (host: string): boolean => THIS_MACHINE.test(host);

/** Port of the page that chooses what stands before a demonstration's camera, and has the hands of simulated devices. */
const controlPort = Port.default(0);

const Simulated = z.strictObject({
  kind: z.literal('simulated'),
  controlPort,
  /** Times faster than the real thing; 1 is as slow as hardware. */
  speed: z.number().positive().max(1000).default(1),
});

const PrinterLine = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('tcp'), host: Host, port: RemotePort.default(9100) }),
  z.strictObject({ kind: z.literal('usb'), path: Path.default('/dev/usb/lp0') }),
  z.strictObject({
    kind: z.literal('serial'),
    path: Path,
    baudRate: z.int().min(1_200).max(921_600).default(38_400),
    flowControl: z.enum(['rtscts', 'xonxoff', 'none']).default('rtscts'),
  }),
]);

const EscPosPrinter = z.strictObject({
  line: PrinterLine,
  /** "kanji": the printer has a kanji font. "codepage": Latin letters as text, Japanese as a drawing. "raster": all drawn. */
  text: z.enum(['kanji', 'codepage', 'raster']).default('codepage'),
  /** Dots across the paper: 384 on 58 mm, 512 or 576 on 80 mm. */
  widthDots: z.union([z.literal(384), z.literal(512), z.literal(576)]).default(576),
});
export type EscPosPrinterConfig = z.infer<typeof EscPosPrinter>;

const separate = {
  /** USB HID devices: PIN pad, scanners, a relay for lights. */
  hid: HidConfig.prefault({}),
  /** ESC/POS printers. */
  escpos: z.strictObject({ receiptPrinter: EscPosPrinter.nullable().default(null) }).prefault({}),
  controlPort,
};

const Xfs4Iot = z
  .strictObject({
    kind: z.literal('xfs4iot'),
    /** The machine whose XFS4IoT services are used. */
    host: Host,
    /** Where its publishers listen; null: all ports of the standard (80, 443, 5846 to 5856), encrypted ones only on another machine. */
    ports: z
      .array(z.strictObject({ port: RemotePort, secure: z.boolean() }))
      .min(1)
      .max(24)
      .nullable()
      .default(null),
    /** PEM file of the authority that signed the services' certificates, relative to the data directory; null: the system's. */
    ca: Path.nullable().default(null),
    /** "required": cash only from a dispenser that enforces the bank's tokens. "as-configured": also from one that asks for none. */
    tokens: z.enum(['required', 'as-configured']).default('required'),
    /** Name of the PIN pad's working key; null: the first that fits. */
    pinKey: z.string().min(1).max(100).nullable().default(null),
    /** Devices that hang on this terminal instead: each takes the place of the machine's own. */
    ...separate,
  })
  .check(({ value: { host, ports }, issues }) => {
    ports?.forEach(({ secure }, index) => {
      if (secure || isThisMachine(host)) return;
      issues.push({
        code: 'custom',
        path: ['ports', index, 'secure'],
        message: `a connection to another machine (${host}) is encrypted`,
        input: secure,
      });
    });
  });

const Store = z
  .strictObject({
    kind: z.literal('store'),
    ...separate,
  })
  .check(({ value: { hid, escpos }, issues }) => {
    if (hid.pinPad || hid.lights || hid.barcodeScanners.length > 0 || escpos.receiptPrinter) return;
    issues.push({ code: 'custom', path: ['hid'], message: 'neither hid nor escpos names a device', input: hid });
  });

/**
 * simulated: devices in this program. xfs4iot: those of one machine that speaks XFS4IoT, an ATM. store: devices on this machine's
 * own sockets, each with its driver.
 */
export const DevicesConfig = z.discriminatedUnion('kind', [Simulated, Xfs4Iot, Store]);
export type DevicesConfig = z.infer<typeof DevicesConfig>;

/** What a terminal has whose configuration says nothing of devices: those of this machine, as an ATM's PC has them. */
export const DEVICES_DEFAULT: z.input<typeof DevicesConfig> = { kind: 'xfs4iot', host: '127.0.0.1' };
