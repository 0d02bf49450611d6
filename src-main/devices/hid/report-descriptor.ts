/**
 * Reads a HID report descriptor: which bits of which report mean what. Follows USB HID 1.11: 6.2.2.2 short items, 6.2.2.3 long
 * items, 6.2.2.4 to 6.2.2.9 main, global and local items, 5.8 how values lie in a report. No npm package for it that is
 * maintained and used exists, so this is our own, kept to what the drivers ask: where a usage's values are.
 *
 * Descriptors come from the device: every size is bounded here, and one that breaks a rule is refused with the offset.
 */
import type { HidUsage } from './bus.ts';

export interface HidField {
  readonly kind: 'input' | 'output' | 'feature';
  /** 0 in a descriptor without report ids. */
  readonly reportId: number;
  /** From the first bit after the report id byte. */
  readonly bitOffset: number;
  readonly bitSize: number;
  readonly count: number;
  /** Padding. */
  readonly constant: boolean;
  /** True: one value per usage. False: an array, whose values are indices of usages (6.2.2.5). */
  readonly variable: boolean;
  readonly logicalMinimum: number;
  readonly usages: readonly UsageRange[];
}

/** Usages from minimum to maximum on one page; a single usage is a range of one. */
interface UsageRange {
  readonly page: number;
  readonly minimum: number;
  readonly maximum: number;
}

export interface ReportDescriptor {
  /** Whether reports begin with their id. */
  readonly numbered: boolean;
  readonly fields: readonly HidField[];
  /** Usages of the application collections. */
  readonly applications: readonly HidUsage[];
}

/** Linux refuses longer ones too (HID_MAX_DESCRIPTOR_SIZE). */
const DESCRIPTOR_BYTES_MAX = 4096;
/** 16 KiB, as the longest report Linux carries (HID_MAX_BUFFER_SIZE). */
const REPORT_BITS_MAX = 16_384 * 8;
const DEPTH_MAX = 32;

/** Item prefixes without their size bits. */
const MAIN = { 128: 'input', 144: 'output', 176: 'feature' } as const;
const COLLECTION = 0xa0;
const END_COLLECTION = 0xc0;
const USAGE_PAGE = 0x04;
const LOGICAL_MINIMUM = 0x14;
const REPORT_SIZE = 0x74;
const REPORT_ID = 0x84;
const REPORT_COUNT = 0x94;
const PUSH = 0xa4;
const POP = 0xb4;
const USAGE = 0x08;
const USAGE_MINIMUM = 0x18;
const USAGE_MAXIMUM = 0x28;
const DELIMITER = 0xa8;
const LONG_ITEM = 0xfe;
const APPLICATION = 0x01;

interface Globals {
  page: number;
  logicalMinimum: number;
  size: number;
  reportId: number;
  count: number;
}

/** Throws RangeError, naming the offset, for a descriptor that is not one. */
export function parseReportDescriptor(bytes: Uint8Array): ReportDescriptor {
  if (bytes.length > DESCRIPTOR_BYTES_MAX) throw new RangeError(`a descriptor of ${bytes.length} bytes`);
  const fields: HidField[] = [];
  const applications: HidUsage[] = [];
  const stack: Globals[] = [];
  const lengths = new Map<string, number>();
  let globals: Globals = { page: 0, logicalMinimum: 0, size: 0, reportId: 0, count: 0 };
  let usages: UsageRange[] = [];
  let usageMinimum: HidUsage | null = null;
  let depth = 0;
  let numbered = false;
  /** Of alternatives between delimiters only the first, preferred one counts (6.2.2.8). */
  let alternative = -1;

  for (const { offset, prefix, value, signed, size } of items(bytes)) {
    const refuse = (why: string): never => {
      throw new RangeError(`report descriptor, byte ${offset}: ${why}`);
    };
    const asUsage = (): HidUsage =>
      // A usage of four bytes carries its own page (6.2.2.8).
      size === 4 ? { page: value >>> 16, usage: value & 0xffff } : { page: globals.page, usage: value };

    const kind = MAIN[prefix as keyof typeof MAIN];
    if (kind !== undefined) {
      const key = `${kind} ${globals.reportId}`;
      const bitOffset = lengths.get(key) ?? 0;
      const length = bitOffset + globals.size * globals.count;
      if (length > REPORT_BITS_MAX) refuse(`a report of more than ${REPORT_BITS_MAX / 8} bytes`);
      if (globals.size > 32 && (value & 1) === 0) refuse(`a value of ${globals.size} bits`);
      lengths.set(key, length);
      fields.push({
        kind,
        reportId: globals.reportId,
        bitOffset,
        bitSize: globals.size,
        count: globals.count,
        constant: (value & 1) !== 0,
        variable: (value & 2) !== 0,
        logicalMinimum: globals.logicalMinimum,
        usages,
      });
    } else if (prefix === COLLECTION) {
      depth += 1;
      if (depth > DEPTH_MAX) refuse('collections too deep');
      const usage = usages[0];
      if (value === APPLICATION && usage) applications.push({ page: usage.page, usage: usage.minimum });
    } else if (prefix === END_COLLECTION) {
      depth -= 1;
      if (depth < 0) refuse('an end of no collection');
    } else if (prefix === USAGE_PAGE) globals = { ...globals, page: value & 0xffff };
    else if (prefix === LOGICAL_MINIMUM) globals = { ...globals, logicalMinimum: signed };
    else if (prefix === REPORT_SIZE) globals = { ...globals, size: value };
    else if (prefix === REPORT_COUNT) globals = { ...globals, count: value };
    else if (prefix === REPORT_ID) {
      if (value === 0 || value > 255) refuse(`report id ${value}`);
      numbered = true;
      globals = { ...globals, reportId: value };
    } else if (prefix === PUSH) {
      if (stack.length >= DEPTH_MAX) refuse('pushed too often');
      stack.push(globals);
    } else if (prefix === POP) globals = stack.pop() ?? refuse('popped what was not pushed');
    else if (prefix === DELIMITER) alternative = value === 1 ? 0 : -1;
    else if (prefix === USAGE) {
      const { page, usage } = asUsage();
      if (alternative <= 0) usages.push({ page, minimum: usage, maximum: usage });
      if (alternative >= 0) alternative += 1;
    } else if (prefix === USAGE_MINIMUM) usageMinimum = asUsage();
    else if (prefix === USAGE_MAXIMUM) {
      const { page, usage } = asUsage();
      const minimum = usageMinimum?.usage ?? refuse('a usage maximum without its minimum');
      if (usage < minimum) refuse(`usages from ${minimum} to ${usage}`);
      usages.push({ page, minimum, maximum: usage });
      usageMinimum = null;
    }
    // Local items hold for one main item (6.2.2.8). The main items' prefixes end in type 0.
    if ((prefix & 0x0c) === 0) {
      usages = [];
      usageMinimum = null;
      alternative = -1;
    }
  }
  if (depth !== 0) throw new RangeError(`report descriptor: ${depth} collections without an end`);
  return { numbered, fields, applications };
}

function* items(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (offset < bytes.length) {
    const first = view.getUint8(offset);
    if (first === LONG_ITEM) {
      // 6.2.2.3: no long item is defined; skipped by its own length.
      if (offset + 2 >= bytes.length) throw new RangeError(`report descriptor, byte ${offset}: a cut item`);
      offset += 3 + view.getUint8(offset + 1);
      if (offset > bytes.length) throw new RangeError('report descriptor: a cut long item');
      continue;
    }
    const size = [0, 1, 2, 4][first & 3] as 0 | 1 | 2 | 4;
    if (offset + 1 + size > bytes.length) throw new RangeError(`report descriptor, byte ${offset}: a cut item`);
    const at = offset + 1;
    const value =
      size === 0
        ? 0
        : size === 1
          ? view.getUint8(at)
          : size === 2
            ? view.getUint16(at, true)
            : view.getUint32(at, true);
    const signed =
      size === 0 ? 0 : size === 1 ? view.getInt8(at) : size === 2 ? view.getInt16(at, true) : view.getInt32(at, true);
    yield { offset, prefix: first & 0xfc, value, signed, size };
    offset += 1 + size;
  }
}

/** The usage of a field's value at an index; the last one named holds for all that follow (6.2.2.8). Null: none is named. */
export function usageAt(field: HidField, index: number): HidUsage | null {
  let left = index;
  for (const { page, minimum, maximum } of field.usages) {
    if (left <= maximum - minimum) return { page, usage: minimum + left };
    left -= maximum - minimum + 1;
  }
  const last = field.usages.at(-1);
  return last && field.variable ? { page: last.page, usage: last.maximum } : null;
}

/** Where a usage's value is: its field, and which of the field's values. Null: the descriptor has no such value. */
export function findValue(
  descriptor: ReportDescriptor,
  kind: HidField['kind'],
  { page, usage }: HidUsage,
): { readonly field: HidField; readonly index: number } | null {
  for (const field of descriptor.fields) {
    if (field.kind !== kind || field.constant || !field.variable) continue;
    let index = 0;
    for (const range of field.usages) {
      if (range.page === page && usage >= range.minimum && usage <= range.maximum) {
        const found = index + usage - range.minimum;
        if (found < field.count) return { field, index: found };
      }
      index += range.maximum - range.minimum + 1;
    }
  }
  return null;
}

/** Bytes of a report, its id byte not counted. */
export function reportBytes(descriptor: ReportDescriptor, kind: HidField['kind'], reportId: number): number {
  const bits = descriptor.fields
    .filter((field) => field.kind === kind && field.reportId === reportId)
    .reduce((end, field) => Math.max(end, field.bitOffset + field.bitSize * field.count), 0);
  return Math.ceil(bits / 8);
}

/** An unsigned value of up to 32 bits, low bit first (5.8). Bits beyond the report's end read as 0. */
export function readBits(report: Uint8Array, bitOffset: number, bitSize: number): number {
  let value = 0;
  for (let bit = 0; bit < bitSize; bit += 1) {
    const at = bitOffset + bit;
    if (((report[at >> 3] ?? 0) >> (at & 7)) & 1) value += 2 ** bit;
  }
  return value;
}
