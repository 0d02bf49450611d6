/**
 * The relay boards sold as "USBRelay1" to "USBRelay8" (www.dcttech.com, 16c0:05df). They take and give one feature report of
 * eight bytes without a report id:
 * - to the board: 0xFF (close) or 0xFD (open), then the relay's number from 1;
 * - from the board: its five-character name in bytes 0 to 4, which relays are closed as bits of byte 7, lowest first.
 * The board acknowledges nothing, so what it says afterwards is compared with what it was told.
 */

const REPORT_BYTES = 8;
const CLOSE = 0xff;
const OPEN = 0xfd;
const STATE_AT = 7;

/** The feature report, with its id byte 0, that closes (on) or opens one relay, counted from 1. */
export function relayCommand(channel: number, on: boolean): Uint8Array {
  if (!Number.isInteger(channel) || channel < 1 || channel > 8) throw new RangeError(`no relay ${channel}`);
  const report = new Uint8Array(1 + REPORT_BYTES);
  report[1] = on ? CLOSE : OPEN;
  report[2] = channel;
  return report;
}

/** With its id byte. */
export const RELAY_REPORT_LENGTH = 1 + REPORT_BYTES;

/** @param report as getFeature(0, RELAY_REPORT_LENGTH) gave it. @returns bits of the closed relays; null: not such a board. */
export function relayState(report: Uint8Array): number | null {
  if (report.length !== RELAY_REPORT_LENGTH) return null;
  const name = report.subarray(1, 6);
  return name.every((byte) => byte >= 0x20 && byte <= 0x7e) ? report[1 + STATE_AT]! : null;
}
