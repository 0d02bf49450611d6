/**
 * What real devices sent, as their owners published it. Each entry names the device and where it was published; the bytes are
 * facts of the device. What no recording was found of is built from the specifications in hid-hands.ts.
 */

export function hex(bytes: string): Uint8Array {
  return Uint8Array.from(bytes.trim().split(/\s+/), (byte) => Number.parseInt(byte, 16));
}

/** Datalogic Gryphon GD4400 as a keyboard (felis/USB_Host_Shield_2.0, issue 669): the boot layout, without report ids. */
export const GRYPHON_DESCRIPTOR = hex(`
  05 01 09 06 A1 01 05 07 19 E0 29 E7 15 00 25 01 75 01 95 08 81 02 95 01 75 08 81 01 95 05 75 01
  05 08 19 01 29 05 91 02 95 01 75 03 91 01 95 06 75 08 15 00 26 FF 00 05 07 19 00 2A FF 00 81 00 C0`);

/** "BT006", a keyboard of five keys (ricardoquesada/bluepad32, issue 104): report id 1 keyboard, report id 2 consumer control.
 *  Its array of key codes has logical minimum 0 and one usage, 0x28: taken by the letter, Enter is down in a report of zeros. */
export const BT006_DESCRIPTOR = hex(`
  05 01 09 06 A1 01 05 07 85 01 19 E0 29 E7 15 00 25 01 75 01 95 08 81 02 95 01 75 08 81 03 95 05 75 01 05 08 19 01 29 05
  91 02 95 01 75 03 91 03 95 06 75 08 15 00 26 A4 00 05 07 19 28 2A 28 00 81 00 C0 05 0C 09 01 A1 01 85 02 75 10 95 02
  15 01 26 FC 03 19 01 2A FC 03 81 00 C0`);

/** A Raspberry Pi keyboard's second interface, 04d9:0007 (Gadgetoid/pi400kb, issue 7): volume keys, no keyboard. */
export const PI_CONSUMER_DESCRIPTOR = hex(`
  05 0C 09 01 A1 01 05 0C 75 01 95 01 15 00 25 01 09 CD 81 06 09 B5 81 02 09 B6 81 02 09 B8 81 06
  09 E2 81 06 09 EA 81 02 09 E9 81 02 0A 23 02 81 02 0A 92 01 81 02 95 07 81 01 C0`);

/** A Honeywell scanner that is keyboard and POS device at once: the report descriptor of its POS interface, 144 bytes. */
export const HONEYWELL_POS_DESCRIPTOR = hex(`
  05 8C 09 02 A1 01 09 12 A1 02 85 02 15 00 26 FF 00 75 08 95 01 05 01 09 3B 81 02 95 03 05 8C 09 FB 09 FC 09 FD 81 02
  95 38 09 FE 82 02 01 06 66 FF 95 02 09 04 09 00 81 02 05 8C 25 01 75 01 95 08 09 FF 81 02 C0
  09 14 A1 02 85 04 15 00 25 01 75 01 95 08 09 00 09 5F 09 60 09 00 09 00 09 85 09 86 91 86 C0
  06 66 FF 75 08 26 FF 00 09 03 A1 02 85 FE 95 01 09 03 B2 82 01 C0
  09 01 A1 02 85 FD 95 01 09 21 91 02 95 3E 09 22 92 82 01 C0 C0`);

/** A scanner in keyboard mode that read 6957842208856 (node-hid/node-hid, issue 323): Enter, then Ctrl+Shift+J, ends a code. */
export const TYPED_EAN13 = reports(`
  00 00 23 00 00 00 00 00 | 00 00 00 00 00 00 00 00 | 00 00 26 00 00 00 00 00 | 00 00 00 00 00 00 00 00
  00 00 22 00 00 00 00 00 | 00 00 00 00 00 00 00 00 | 00 00 24 00 00 00 00 00 | 00 00 00 00 00 00 00 00
  00 00 25 00 00 00 00 00 | 00 00 00 00 00 00 00 00 | 00 00 21 00 00 00 00 00 | 00 00 00 00 00 00 00 00
  00 00 1f 00 00 00 00 00 | 00 00 00 00 00 00 00 00 | 00 00 1f 00 00 00 00 00 | 00 00 00 00 00 00 00 00
  00 00 27 00 00 00 00 00 | 00 00 00 00 00 00 00 00 | 00 00 25 00 00 00 00 00 | 00 00 00 00 00 00 00 00
  00 00 25 00 00 00 00 00 | 00 00 00 00 00 00 00 00 | 00 00 22 00 00 00 00 00 | 00 00 00 00 00 00 00 00
  00 00 23 00 00 00 00 00 | 00 00 00 00 00 00 00 00 | 00 00 28 00 00 00 00 00 | 00 00 00 00 00 00 00 00
  03 00 00 00 00 00 00 00 | 03 00 0d 00 00 00 00 00 | 03 00 00 00 00 00 00 00 | 00 00 00 00 00 00 00 00`);

/** A scanner in keyboard mode that read "4*9" (node-hid/node-hid, issue 228): Shift goes down and up around the asterisk. */
export const TYPED_ASTERISK = reports(`
  00 00 21 00 00 00 00 00 | 00 00 00 00 00 00 00 00 | 02 00 00 00 00 00 00 00 | 02 00 25 00 00 00 00 00
  02 00 00 00 00 00 00 00 | 00 00 00 00 00 00 00 00 | 00 00 26 00 00 00 00 00 | 00 00 00 00 00 00 00 00
  00 00 28 00 00 00 00 00 | 00 00 00 00 00 00 00 00`);

/** A Honeywell Voyager 1602g in POS mode that told its revision, in six reports (HenkVanAsselt/python_hon_usbhid, README). */
export const VOYAGER_REVISION: readonly Uint8Array[] = [
  'Product Name: Voyager 1602g\r\nBoot Revision: : 8992\r\nSoft',
  'ware Part Number: CW000082BBA\r\nSoftware Revision: $Proje',
  'ctRevision: 16345 \r\nSerial Number: 15232B1F0C\r\nSupported',
  ' IF: Bluetooth\r\nPCB Assembly ID: 000000\r\nEngine Firmware',
  ' Type: N/A   Revision: N/A   Serial Number: N/A   Checks',
  'um: N/A\r\n',
].map((text, index, { length }) => {
  const report = new Uint8Array(64);
  // 2, the length, "]X0"; at the end 63 of the maker, 0, and whether more follows.
  report.set([2, text.length, 93, 88, 48]);
  report.set(new TextEncoder().encode(text), 5);
  report.set([63, 0, index < length - 1 ? 1 : 0], 61);
  return report;
});

function reports(text: string): readonly Uint8Array[] {
  return text
    .split(/[|\n]/)
    .filter((line) => line.trim() !== '')
    .map(hex);
}
