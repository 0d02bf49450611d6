/** Which HID devices a terminal has, as a person writes it down. USB ids are four hexadecimal digits, as lsusb prints them. */
import { z } from 'zod';
import type { LightPosition } from '../lights.ts';

const UsbId = z
  .string()
  .regex(/^[0-9a-fA-F]{4}$/, 'four hexadecimal digits, as "04d9"')
  .transform((digits) => Number.parseInt(digits, 16));

/** Which of the devices on the bus. Everything that is given must fit; what is absent fits anything. */
export const HidSelector = z.strictObject({
  vendorId: UsbId.optional(),
  productId: UsbId.optional(),
  serialNumber: z.string().min(1).max(126).optional(),
  /** The socket it sits in, as `kaopass devices` prints it: for two of a kind without serial numbers. Linux only. */
  port: z.string().min(1).max(200).optional(),
});
export type HidSelector = z.infer<typeof HidSelector>;

/** What a key of a PIN pad may mean beyond its legend. */
const PadKey = z.enum(['enter', 'cancel', 'clear', 'correct']);

const PinPadConfig = z.strictObject({
  ...HidSelector.shape,
  vendorId: UsbId,
  productId: UsbId,
  /** Further keys by usage of the keyboard page (HID Usage Tables, 10), for pads without Escape: {"0x56": "cancel"}. */
  keys: z.record(z.string().regex(/^0x[0-9a-fA-F]{2}$/, 'a usage as "0x56"'), PadKey).default({}),
  /** "required": takes no PIN while the system also types the keys into the focused window. */
  exclusive: z.enum(['required', 'tolerated']).default('required'),
});
export type PinPadConfig = z.infer<typeof PinPadConfig>;

const ScannerConfig = z.strictObject({
  ...HidSelector.shape,
  /** "pos": the usage tables for points of sale, page 0x8C. "keyboard": it types, and ends each code with Enter or Tab. */
  mode: z.enum(['pos', 'keyboard']).default('pos'),
  /** Keyboard mode: the layout the scanner was set to. */
  layout: z.enum(['us', 'jp']).default('us'),
  /** Keyboard mode: the scanner was set to begin each code with its AIM identifier, as "]E0". */
  aimPrefix: z.boolean().default(false),
});
export type ScannerConfig = z.infer<typeof ScannerConfig>;

const Channel = z.int().min(1).max(8);
const LightsConfig = z.strictObject({
  ...HidSelector.shape,
  /** Relay of each position. A position without one is not lit. */
  channels: z
    .strictObject({
      camera: Channel,
      pinPad: Channel,
      cashOutput: Channel,
      cashInput: Channel,
      receipt: Channel,
      status: Channel,
    } satisfies Record<LightPosition, unknown>)
    .partial(),
  /** False: a flashing pattern is shown as continuous, for what wears out or must not flutter, as a gate. */
  flashing: z.boolean().default(true),
});
export type LightsConfig = z.infer<typeof LightsConfig>;

/** The HID part of the terminal's configuration. */
export const HidConfig = z.strictObject({
  pinPad: PinPadConfig.nullable().default(null),
  /** One or several, as a hand scanner beside one in the counter: their codes come in one stream. */
  barcodeScanners: z.array(ScannerConfig).max(4).default([]),
  lights: LightsConfig.nullable().default(null),
});
export type HidConfig = z.infer<typeof HidConfig>;
