/**
 * Scanned data reports of a scanner on usage page 0x8C (HID Point of Sale Usage Tables 1.02, 3). Where length, AIM identifier,
 * data and the continuation flag lie is read from the scanner's report descriptor; where the system shows none, they are taken
 * to lie as Honeywell, Access-IS and others send them: 64 bytes, report id 2, length, three identifier characters, 56 bytes of
 * data, two bytes of the maker, and bit 0 of the last byte set when more of the same code follows.
 */
import { POS_SCANNER_PAGE } from './kinds.ts';
import { findValue, type HidField, type ReportDescriptor, readBits, reportBytes } from './report-descriptor.ts';

/** HID Point of Sale Usage Tables 1.02, 3: Symbology Identifier 1 to 3, Decoded Data, Decode Data Continued. */
const IDENTIFIER = [0xfb, 0xfc, 0xfd];
const DECODED_DATA = 0xfe;
const CONTINUED = 0xff;
/** Generic desktop, Byte Count (HID Usage Tables, 4): how much of the data is meant. Not all scanners send it. */
const BYTE_COUNT = { page: 0x01, usage: 0x3b };

interface Place {
  readonly bitOffset: number;
  readonly bitSize: number;
}

export interface PosLayout {
  /** Null: reports have no id. */
  readonly reportId: number | null;
  readonly bytes: number;
  readonly length: Place | null;
  /** Three places, or none. */
  readonly identifier: readonly Place[];
  readonly data: { readonly byteOffset: number; readonly byteCount: number };
  readonly continued: Place | null;
}

export const COMMON_LAYOUT: PosLayout = {
  reportId: 2,
  bytes: 63,
  length: { bitOffset: 0, bitSize: 8 },
  identifier: [8, 16, 24].map((bitOffset) => ({ bitOffset, bitSize: 8 })),
  data: { byteOffset: 4, byteCount: 56 },
  continued: { bitOffset: 62 * 8, bitSize: 1 },
};

/** Null: the descriptor has no decoded data in whole bytes, so it is no scanner that this can read. */
export function posLayout(descriptor: ReportDescriptor): PosLayout | null {
  const data = findValue(descriptor, 'input', { page: POS_SCANNER_PAGE, usage: DECODED_DATA });
  if (data === null || data.field.bitSize !== 8 || data.field.bitOffset % 8 !== 0) return null;
  const { reportId } = data.field;
  const place = (page: number, usage: number): Place | null => {
    const found = findValue(descriptor, 'input', { page, usage });
    return found && found.field.reportId === reportId && found.field.bitSize <= 8
      ? placeOf(found.field, found.index)
      : null;
  };
  const identifier = IDENTIFIER.map((usage) => place(POS_SCANNER_PAGE, usage)).filter((found) => found !== null);
  return {
    reportId: descriptor.numbered ? reportId : null,
    bytes: reportBytes(descriptor, 'input', reportId),
    length: place(BYTE_COUNT.page, BYTE_COUNT.usage),
    identifier: identifier.length === IDENTIFIER.length ? identifier : [],
    data: { byteOffset: data.field.bitOffset / 8 + data.index, byteCount: data.field.count - data.index },
    continued: place(POS_SCANNER_PAGE, CONTINUED),
  };
}

function placeOf(field: HidField, index: number): Place {
  return { bitOffset: field.bitOffset + index * field.bitSize, bitSize: field.bitSize };
}

export interface ScannedData {
  /** Three characters, as "]E0"; null when the scanner sends none. */
  readonly aim: string | null;
  readonly data: Uint8Array;
  readonly continued: boolean;
}

export type PosReading =
  | { readonly outcome: 'data'; readonly scanned: ScannedData }
  /** A report of another kind: status, trigger. */
  | { readonly outcome: 'other' }
  | { readonly outcome: 'malformed'; readonly why: string };

export function readPosReport(layout: PosLayout, report: Uint8Array): PosReading {
  if (layout.reportId !== null && report[0] !== layout.reportId) return { outcome: 'other' };
  const body = layout.reportId === null ? report : report.subarray(1);
  if (body.length < layout.bytes) {
    return { outcome: 'malformed', why: `a report of ${body.length} bytes where ${layout.bytes} were announced` };
  }
  const read = (place: Place) => readBits(body, place.bitOffset, place.bitSize);
  const all = body.subarray(layout.data.byteOffset, layout.data.byteOffset + layout.data.byteCount);
  const length = layout.length ? read(layout.length) : endOf(all);
  if (length > all.length) return { outcome: 'malformed', why: `a length of ${length} in ${all.length} bytes of data` };
  const identifier = layout.identifier.map(read);
  return {
    outcome: 'data',
    scanned: {
      aim: identifier.length > 0 && identifier.every((byte) => byte > 0x20) ? String.fromCharCode(...identifier) : null,
      data: all.slice(0, length),
      continued: layout.continued !== null && read(layout.continued) !== 0,
    },
  };
}

/** Without a byte count the rest is filled with zeros. */
function endOf(data: Uint8Array): number {
  return data.findLastIndex((byte) => byte !== 0) + 1;
}
