import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BT006_DESCRIPTOR,
  GRYPHON_DESCRIPTOR,
  HONEYWELL_POS_DESCRIPTOR,
  hex,
  PI_CONSUMER_DESCRIPTOR,
} from '../../../tests/support/hid-recordings.ts';
import {
  findValue,
  type HidField,
  parseReportDescriptor,
  readBits,
  reportBytes,
  usageAt,
} from './report-descriptor.ts';

const refused = (bytes: string) => () => parseReportDescriptor(hex(bytes));

describe('a report descriptor', () => {
  it('of a keyboard (recorded: Datalogic Gryphon GD4400) has the boot layout', () => {
    const descriptor = parseReportDescriptor(GRYPHON_DESCRIPTOR);
    expect(descriptor.numbered).toBe(false);
    expect(descriptor.applications).toEqual([{ page: 0x01, usage: 0x06 }]);
    expect(reportBytes(descriptor, 'input', 0)).toBe(8);
    expect(reportBytes(descriptor, 'output', 0)).toBe(1);
    const [modifiers, reserved, , , keys] = descriptor.fields as [HidField, HidField, HidField, HidField, HidField];
    expect(modifiers).toMatchObject({ kind: 'input', bitOffset: 0, bitSize: 1, count: 8, variable: true });
    expect(usageAt(modifiers, 3)).toEqual({ page: 7, usage: 0xe3 });
    expect(reserved.constant).toBe(true);
    expect(keys).toMatchObject({ kind: 'input', bitOffset: 16, bitSize: 8, count: 6, variable: false });
    expect(findValue(descriptor, 'output', { page: 8, usage: 1 })?.field).toMatchObject({
      kind: 'output',
      bitOffset: 0,
    });
  });

  it('with report ids (recorded: BT006) counts the bits of each report for itself', () => {
    const descriptor = parseReportDescriptor(BT006_DESCRIPTOR);
    expect(descriptor.numbered).toBe(true);
    expect(descriptor.applications).toEqual([
      { page: 0x01, usage: 0x06 },
      { page: 0x0c, usage: 0x01 },
    ]);
    expect(reportBytes(descriptor, 'input', 1)).toBe(8);
    expect(reportBytes(descriptor, 'input', 2)).toBe(4);
  });

  it('of volume keys (recorded: Raspberry Pi keyboard, second interface) takes one usage for each main item', () => {
    const descriptor = parseReportDescriptor(PI_CONSUMER_DESCRIPTOR);
    expect(descriptor.applications).toEqual([{ page: 0x0c, usage: 0x01 }]);
    expect(findValue(descriptor, 'input', { page: 0x0c, usage: 0x223 })?.field.bitOffset).toBe(7);
    expect(reportBytes(descriptor, 'input', 0)).toBe(2);
  });

  it('of a scanner (recorded: Honeywell) tells where the decoded data lie', () => {
    const descriptor = parseReportDescriptor(HONEYWELL_POS_DESCRIPTOR);
    const data = findValue(descriptor, 'input', { page: 0x8c, usage: 0xfe });
    expect(data).toMatchObject({ index: 0, field: { reportId: 2, bitOffset: 32, bitSize: 8, count: 56 } });
    // One usage for eight bits: the last one named holds for the rest, and the first is the one that counts.
    expect(findValue(descriptor, 'input', { page: 0x8c, usage: 0xff })).toMatchObject({
      index: 0,
      field: { bitOffset: 496 },
    });
    expect(findValue(descriptor, 'feature', { page: 0xff66, usage: 3 })?.field.reportId).toBe(0xfe);
    expect(reportBytes(descriptor, 'input', 2)).toBe(63);
  });

  it('may push and pop, use usages of four bytes, alternatives and long items (6.2.2.3, 6.2.2.7, 6.2.2.8)', () => {
    const descriptor = parseReportDescriptor(
      hex(`05 01 09 06 A1 01  75 08 95 01 A4  75 01 95 03 05 08 09 01 91 02  B4  FE 02 70 AA BB
           A9 01 0B 28 00 07 00 09 30 A9 00 81 02 C0`),
    );
    expect(findValue(descriptor, 'input', { page: 7, usage: 0x28 })?.field).toMatchObject({ bitSize: 8, count: 1 });
    expect(findValue(descriptor, 'input', { page: 1, usage: 0x30 })).toBeNull();
  });

  it('that breaks a rule is refused, naming the byte', () => {
    expect(refused('05')).toThrow('byte 0: a cut item');
    expect(refused('75 08 C0')).toThrow('byte 2: an end of no collection');
    expect(refused('A1 01')).toThrow('1 collections without an end');
    expect(refused('85 00')).toThrow('byte 0: report id 0');
    expect(refused('B4')).toThrow('byte 0: popped what was not pushed');
    expect(refused('29 05')).toThrow('byte 0: a usage maximum without its minimum');
    expect(refused('19 09 29 05')).toThrow('byte 2: usages from 9 to 5');
    expect(refused('75 40 95 01 81 02')).toThrow('byte 4: a value of 64 bits');
    expect(refused('75 08 97 FF FF FF FF 81 01')).toThrow('byte 7: a report of more than 16384 bytes');
    expect(refused('FE 09 00 01')).toThrow('a cut long item');
    expect(() => parseReportDescriptor(new Uint8Array(5000))).toThrow('a descriptor of 5000 bytes');
  });

  it('of any bytes is read or refused with a RangeError, and what is read stays within its bounds', () => {
    const item = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 4 })).map(([first, rest]) => [first, ...rest]);
    const likely = fc.array(item, { maxLength: 60 }).map((items) => Uint8Array.from(items.flat()));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), likely), (bytes) => {
        try {
          for (const field of parseReportDescriptor(bytes).fields) {
            expect(field.bitOffset + field.bitSize * field.count).toBeLessThanOrEqual(16_384 * 8);
            expect(field.reportId).toBeLessThanOrEqual(255);
            usageAt(field, 0);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('cut or with a flipped bit never does worse than being refused (from the recorded ones)', () => {
    const recorded = fc.constantFrom(GRYPHON_DESCRIPTOR, BT006_DESCRIPTOR, HONEYWELL_POS_DESCRIPTOR);
    fc.assert(
      fc.property(recorded, fc.nat(), fc.nat(7), fc.boolean(), (bytes, at, bit, cut) => {
        const altered = cut ? bytes.slice(0, at % bytes.length) : bytes.slice();
        if (!cut) altered[at % bytes.length]! ^= 1 << bit;
        try {
          parseReportDescriptor(altered);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('values of a report', () => {
  it('lie low bit first, over byte borders (5.8)', () => {
    expect(readBits(hex('34 12'), 0, 16)).toBe(0x1234);
    expect(readBits(hex('F0 0A'), 4, 8)).toBe(0xaf);
    expect(readBits(hex('FF FF FF FF'), 0, 32)).toBe(0xffff_ffff);
    expect(readBits(hex('FF'), 4, 8)).toBe(0x0f);
  });
});
