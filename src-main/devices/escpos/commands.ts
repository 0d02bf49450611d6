/** Commands the driver itself sends, beside the receipts it is given (Epson ESC/POS Command Reference, by mnemonic). */
import type { RealTimeQuestion } from './status.ts';

const DLE = 0x10;
const ESC = 0x1b;
const GS = 0x1d;

/** DLE EOT n: answered at once, whatever the printer does. */
export const askRealTime = (question: RealTimeQuestion) => Uint8Array.of(DLE, 0x04, question);

/** GS a n: from now on tell every change of drawer, online, error and paper, and once how they are now. */
export const ENABLE_ASB = Uint8Array.of(GS, 0x61, 0x0f);

/** ESC @: as after switching on, which ends GS a too. */
const INITIALISE = Uint8Array.of(ESC, 0x40);

/** The bytes of a receipt, with Automatic Status Back enabled again after the ESC @ it begins with. */
export function withStatusBack(receipt: Uint8Array): Uint8Array {
  const begins = INITIALISE.every((byte, at) => receipt[at] === byte) ? INITIALISE.length : 0;
  return Buffer.concat([receipt.subarray(0, begins), ENABLE_ASB, receipt.subarray(begins)]);
}

/** GS I 66 and 67: maker and model, as text. */
export const ASK_MAKER = Uint8Array.of(GS, 0x49, 66);
export const ASK_MODEL = Uint8Array.of(GS, 0x49, 67);

/** GS r 1: the paper sensor, answered in the order of the data, so after everything before it was processed. */
export const ASK_PAPER = Uint8Array.of(GS, 0x72, 1);

/** GS ( H fn 48: answers with the four characters when everything before is printed. Each is 20h to 7Eh. */
export function askProcessId(id: string): Uint8Array {
  return Uint8Array.of(GS, 0x28, 0x48, 6, 0, 0x30, 0x30, ...Buffer.from(id, 'latin1'));
}

/** DLE DC4 fn 8: forgets at once what was received and not printed. */
export const CLEAR_BUFFERS = Uint8Array.of(DLE, 0x14, 8, 1, 3, 20, 1, 6, 2, 8);

/** Pin of the drawer connector. */
export type DrawerPin = 2 | 5;

/** ESC p m t1 t2: a pulse in the order of the data. On and off time in units of 2 ms; off is no shorter than on. */
export function pulse(pin: DrawerPin, onMs: number): Uint8Array {
  const units = Math.min(Math.ceil(onMs / 2), 255);
  return Uint8Array.of(ESC, 0x70, pin === 2 ? 0 : 1, units, 255);
}

/** DLE DC4 fn 1: a pulse at once, though the printer stands still for lack of paper. In units of 100 ms, 1 to 8. */
export function pulseNow(pin: DrawerPin, onMs: number): Uint8Array {
  return Uint8Array.of(DLE, 0x14, 1, pin === 2 ? 0 : 1, Math.min(Math.max(Math.ceil(onMs / 100), 1), 8));
}

/** ESC @, GS V 66 0: feeds what is on the paper past the cutter and cuts it off. */
export const CUT_OFF = Uint8Array.of(...INITIALISE, GS, 0x56, 66, 0);
