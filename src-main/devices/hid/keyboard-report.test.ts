import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootReport } from '../../../tests/support/hid-hands.ts';
import {
  BT006_DESCRIPTOR,
  GRYPHON_DESCRIPTOR,
  hex,
  PI_CONSUMER_DESCRIPTOR,
} from '../../../tests/support/hid-recordings.ts';
import { KeyTracker, SHIFT } from './keyboard-report.ts';
import { parseReportDescriptor } from './report-descriptor.ts';

/** A bitmap of all keys under report id 3, as NKRO keyboards send it (built from USB HID 1.11, 6.2.2). */
const NKRO_DESCRIPTOR = hex(`05 01 09 06 A1 01 85 03 05 07 19 E0 29 E7 15 00 25 01 75 01 95 08 81 02
                             19 00 29 77 95 78 81 02 C0`);

function pressesOf(tracker: KeyTracker, ...reports: Iterable<number>[]) {
  return reports.map((report) => {
    const presses = tracker.take(Uint8Array.from(report));
    return presses && [...presses.pressed];
  });
}

describe.each([
  ['by the boot layout', () => new KeyTracker(null)],
  ['by a recorded descriptor', () => new KeyTracker(parseReportDescriptor(GRYPHON_DESCRIPTOR))],
])('keys of a keyboard %s', (_name, tracker) => {
  it('are pressed once, however often the report comes again', () => {
    const one = bootReport(0x1e);
    expect(pressesOf(tracker(), one, one, one, bootReport(), one)).toEqual([[0x1e], [], [], [], [0x1e]]);
  });

  it('may overlap: the next one goes down before the last one is up', () => {
    expect(pressesOf(tracker(), bootReport(0x1e), bootReport(0x1e, 0x1f), bootReport(0x1f), bootReport())).toEqual([
      [0x1e],
      [0x1f],
      [],
      [],
    ]);
  });

  it('are all told when several go down in one report, in its order', () => {
    expect(pressesOf(tracker(), bootReport(0x24, 0x1e, 0x24))).toEqual([[0x24, 0x1e]]);
  });

  it('do not change with a report of too many keys (ErrorRollOver)', () => {
    const phantom = [0, 0, 1, 1, 1, 1, 1, 1];
    expect(pressesOf(tracker(), bootReport(0x1e), phantom, bootReport(0x1e), bootReport(0x1e, 0x20))).toEqual([
      [0x1e],
      null,
      [],
      [0x20],
    ]);
  });

  it('tell their modifiers', () => {
    const presses = tracker().take(Uint8Array.from([2, 0, 0x25, 0, 0, 0, 0, 0]));
    expect(presses).toEqual({ pressed: Uint8Array.of(0x25), modifiers: 2 });
    expect((presses?.modifiers ?? 0) & SHIFT).toBe(2);
  });

  it('are not released by a report that was cut', () => {
    expect(pressesOf(tracker(), bootReport(0x1e), [0, 0, 0], [], bootReport(0x1e))).toEqual([[0x1e], null, null, []]);
  });

  it('that stayed down while a report was lost are not pressed again, and one that was lost is not made up', () => {
    // Lost: the release of 1. The second press of 1 looks like the first one held on.
    expect(pressesOf(tracker(), bootReport(0x1e), bootReport(0x1e), bootReport())).toEqual([[0x1e], [], []]);
  });
});

describe('keys of a keyboard', () => {
  it('with report ids come in the keyboard report alone (recorded descriptor: BT006)', () => {
    const tracker = new KeyTracker(parseReportDescriptor(BT006_DESCRIPTOR));
    expect(pressesOf(tracker, [2, 0x28, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0])).toEqual([null, []]);
  });

  it('that has volume keys only are none', () => {
    const tracker = new KeyTracker(parseReportDescriptor(PI_CONSUMER_DESCRIPTOR));
    expect(pressesOf(tracker, [0xff, 0x01])).toEqual([null]);
  });

  it('as a bitmap: any number at once', () => {
    const tracker = new KeyTracker(parseReportDescriptor(NKRO_DESCRIPTOR));
    const down = (...usages: number[]) => {
      const report = new Uint8Array(17);
      report[0] = 3;
      for (const usage of usages) report[2 + (usage >> 3)]! |= 1 << (usage & 7);
      return report;
    };
    const seven = [0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24];
    expect(pressesOf(tracker, down(), down(...seven), down(0x1e, 0x59), down())).toEqual([[], seven, [0x59], []]);
  });

  it('of any reports: each press is a code of its report that was not in the one before', () => {
    const report = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
      fc
        .array(fc.integer({ min: 0x1e, max: 0x27 }), { maxLength: 6 })
        .map((usages) => Uint8Array.from(bootReport(...usages))),
    );
    fc.assert(
      fc.property(fc.array(report, { maxLength: 40 }), (reports) => {
        const tracker = new KeyTracker(null);
        let before = new Set<number>();
        for (const each of reports) {
          const keys = [...each.subarray(2)].filter((usage) => usage !== 0);
          const valid = each.length === 8 && keys.every((usage) => usage > 3);
          const presses = tracker.take(each.slice());
          const fresh = [...new Set(keys)].filter((usage) => usage < 0xe0 && !before.has(usage));
          expect(presses === null ? null : [...presses.pressed]).toEqual(valid ? fresh : null);
          if (valid) before = new Set(keys);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('of any reports, by any descriptor, never fail', () => {
    const descriptor = fc.constantFrom(GRYPHON_DESCRIPTOR, BT006_DESCRIPTOR, NKRO_DESCRIPTOR, PI_CONSUMER_DESCRIPTOR);
    fc.assert(
      fc.property(descriptor, fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 20 }), (bytes, reports) => {
        const tracker = new KeyTracker(parseReportDescriptor(bytes));
        for (const report of reports) tracker.take(report);
      }),
    );
  });
});
