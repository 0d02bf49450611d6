/** What a device on the bus is, as far as it says so itself. */
import type { HidInfo } from './bus.ts';

/** HID Point of Sale Usage Tables 1.02, 3: bar code scanner. */
export const POS_SCANNER_PAGE = 0x8c;
/** HID Usage Tables, 4: generic desktop, keyboard and keypad. */
const GENERIC_DESKTOP = 0x01;
const KEYBOARD = 0x06;
const KEYPAD = 0x07;
/** Ids that makers of V-USB devices share; a relay board shows by its names. */
export const RELAY_IDS = { vendorId: 0x16c0, productId: 0x05df } as const;

export type HidKind = 'keyboard' | 'barcodeScanner' | 'relay' | 'other';

export function kindOf(info: HidInfo): HidKind {
  if (relayChannels(info) !== null) return 'relay';
  if (info.usages.some(isPosUsage)) return 'barcodeScanner';
  return info.usages.some(isKeyboardUsage) ? 'keyboard' : 'other';
}

/** A device whose usages the system does not tell is taken at its ids. */
export function isKeyboard(info: HidInfo): boolean {
  return info.usages.length === 0 || info.usages.some(isKeyboardUsage);
}

export function isPosScanner(info: HidInfo): boolean {
  return info.usages.some(isPosUsage);
}

/** How many relays a board of www.dcttech.com has ("USBRelay4": 4); null for what is none. */
export function relayChannels(info: HidInfo): number | null {
  if (info.vendorId !== RELAY_IDS.vendorId || info.productId !== RELAY_IDS.productId) return null;
  const channels = /^USBRelay([1-8])$/.exec(info.product ?? '')?.[1];
  return channels === undefined ? null : Number(channels);
}

function isKeyboardUsage({ page, usage }: { readonly page: number; readonly usage: number }): boolean {
  return page === GENERIC_DESKTOP && (usage === KEYBOARD || usage === KEYPAD);
}

function isPosUsage({ page }: { readonly page: number }): boolean {
  return page === POS_SCANNER_PAGE;
}
