import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { patient } from '../../../tests/contract/devices/vocabulary.ts';
import { KEYPAD, type PluggedAs, ScriptedHidBus } from '../../../tests/support/hid-bus.ts';
import { bootReport, POS_SCANNER, posReport } from '../../../tests/support/hid-hands.ts';
import {
  GRYPHON_DESCRIPTOR,
  HONEYWELL_POS_DESCRIPTOR,
  hex,
  TYPED_ASTERISK,
  TYPED_EAN13,
  VOYAGER_REVISION,
} from '../../../tests/support/hid-recordings.ts';
import { systemChance } from '../../clock.ts';
import type { Barcode } from '../barcode-scanner.ts';
import { HidConfig } from './config.ts';
import { openHidDevices } from './open.ts';
import { COMMON_LAYOUT, posLayout } from './pos-report.ts';
import { parseReportDescriptor } from './report-descriptor.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function rig(plugged: readonly (readonly [typeof POS_SCANNER, PluggedAs?])[], ...barcodeScanners: object[]) {
  const bus = new ScriptedHidBus();
  for (const [info, as] of plugged) bus.plug(info, as);
  const clock = new VirtualClock();
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
  const config = HidConfig.parse({ barcodeScanners });
  const { barcodeScanner, close } = await openHidDevices({ bus, clock, chance: systemChance, log, config });
  closing.push(close);
  const heard: Barcode[] = [];
  barcodeScanner!.onBarcode((barcode) => heard.push(barcode));
  return { bus, clock, scanner: barcodeScanner!, heard, lines };
}

describe('a scanner in POS mode', () => {
  it('tells a code of several reports as one (recorded: Honeywell Voyager 1602g, its revision)', async () => {
    const { bus, heard } = await rig([[POS_SCANNER]], {});
    for (const report of VOYAGER_REVISION) bus.report(POS_SCANNER.path, report);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({
      symbology: 'unknown',
      text: expect.stringMatching(/^Product Name: Voyager 1602g\r\n/),
    });
    expect(heard[0]?.text).toMatch(/Software Revision: \$ProjectRevision: 16345 .*Checksum: N\/A\r\n$/s);
  });

  it('is read by its report descriptor where the system shows it (recorded: Honeywell), and told to send there', async () => {
    const { bus, heard } = await rig([[POS_SCANNER, { inspection: { descriptor: HONEYWELL_POS_DESCRIPTOR } }]], {});
    expect(bus.sent).toEqual([{ path: POS_SCANNER.path, kind: 'feature', report: Uint8Array.of(0xfe, 1) }]);
    bus.report(POS_SCANNER.path, posReport(']E0', '4901234567894'));
    bus.report(POS_SCANNER.path, posReport(']Q1', 'x'.repeat(56), true));
    bus.report(POS_SCANNER.path, posReport(']Q1', 'yz'));
    expect(heard).toEqual([
      { symbology: 'ean13', text: '4901234567894' },
      { symbology: 'qr', text: `${'x'.repeat(56)}yz` },
    ]);
  });

  it('without a descriptor to read is taken to lay out its report as that recorded one does', () => {
    expect(posLayout(parseReportDescriptor(HONEYWELL_POS_DESCRIPTOR))).toEqual(COMMON_LAYOUT);
  });

  it('may lay out its report otherwise: data first, no length, no identifier, no report id (built from the usage tables)', async () => {
    const descriptor = hex(`05 8C 09 02 A1 01 15 00 26 FF 00 75 08 95 10 09 FE 82 02 01
                            25 01 75 01 95 01 09 FF 81 02 95 07 81 03 C0`);
    const { bus, heard } = await rig([[POS_SCANNER, { inspection: { descriptor } }]], {});
    const report = (text: string, more: number) => [...Buffer.from(text.padEnd(16, '\0')), more];
    bus.report(POS_SCANNER.path, report('ABCDEFGHIJKLMNOP', 1));
    bus.report(POS_SCANNER.path, report('QR', 0));
    bus.report(POS_SCANNER.path, report('4901234567894', 0));
    expect(heard).toEqual([
      { symbology: 'unknown', text: 'ABCDEFGHIJKLMNOPQR' },
      { symbology: 'ean13', text: '4901234567894' },
    ]);
  });

  it('leaves out what does not fit, says why without the text, and reads on', async () => {
    const { bus, heard, lines, clock } = await rig([[POS_SCANNER]], {});
    const send = (report: Iterable<number>) => bus.report(POS_SCANNER.path, report);
    send(posReport(']Q1', 'cut').slice(0, 20));
    send(posReport(']Q1', 'too long').with(1, 57));
    send([3, 1, 1]);
    send([]);
    send(posReport(']E0', '4901234567890'));
    send(posReport(']Q1', 'first of two, ', true));
    await clock.sleep(5_000, patient);
    send(posReport(']Q1', 'another'));
    send(posReport(']Q1', 'first of two, ', true));
    send(posReport(']E0', '4901234567894'));
    send(posReport(']Q1', ''));
    expect(heard).toEqual([
      { symbology: 'qr', text: 'another' },
      { symbology: 'ean13', text: '4901234567894' },
    ]);
    expect(lines.map(({ why, msg }) => why ?? msg)).toEqual([
      'a report of 19 bytes where 63 were announced',
      'a length of 57 in 56 bytes of data',
      'barcode misread: its check digit does not fit',
      'the rest of a code did not come',
      'the rest of a code did not come',
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/first of two|4901234567890/);
  });

  it('is not believed endlessly: a code ends at the length of the longest there is', async () => {
    const { bus, heard, lines } = await rig([[POS_SCANNER]], {});
    for (let n = 0; n < 300; n += 1) bus.report(POS_SCANNER.path, posReport(']Q1', 'x'.repeat(56), true));
    expect(heard).toEqual([]);
    expect(lines.map(({ why }) => why)).toEqual([
      'a code of more than 7089 characters',
      'a code of more than 7089 characters',
    ]);
  });

  it('reads UTF-8, Shift_JIS, and anything else byte by byte', async () => {
    const { bus, heard } = await rig([[POS_SCANNER]], {});
    bus.report(POS_SCANNER.path, posReport(']Q1', '顔パス'));
    bus.report(POS_SCANNER.path, posReport(']Q1', hex('8A E7 83 70 83 58')));
    bus.report(POS_SCANNER.path, posReport(']Q1', hex('41 FF FD 42')));
    expect(heard.map(({ text }) => text)).toEqual(['顔パス', '顔パス', 'A\u00ff\u00fdB']);
  });

  it('of any reports never fails, and tells only what their lengths announce', async () => {
    const report = fc.oneof(
      fc.uint8Array({ maxLength: 70 }),
      fc
        .record({ rest: fc.uint8Array({ minLength: 62, maxLength: 62 }), length: fc.nat(60) })
        .map(({ rest, length }) => Uint8Array.of(2, length, ...rest)),
    );
    for (const descriptor of [null, HONEYWELL_POS_DESCRIPTOR]) {
      const { bus, heard } = await rig([[POS_SCANNER, { inspection: { descriptor } }]], {});
      fc.assert(
        fc.property(fc.array(report, { maxLength: 20 }), (reports) => {
          heard.length = 0;
          for (const each of reports) bus.report(POS_SCANNER.path, each);
          const announced = reports.filter((each) => each[0] === 2).reduce((sum, each) => sum + (each[1] ?? 0), 0);
          const told = heard.reduce((sum, { text }) => sum + text.length, 0);
          expect(told).toBeLessThanOrEqual(announced + 7_089);
          bus.report(POS_SCANNER.path, posReport(']E0', '4901234567894'));
          bus.report(POS_SCANNER.path, posReport(']E4', '49012347'));
          expect(heard.at(-1)).toEqual({ symbology: 'ean8', text: '49012347' });
        }),
        { numRuns: 300 },
      );
    }
  });

  it('that is none, by its report descriptor, is not used', async () => {
    const { scanner, bus } = await rig([[POS_SCANNER, { inspection: { descriptor: GRYPHON_DESCRIPTOR } }]], {});
    expect(scanner.health()).toMatchObject({ state: 'hardwareError', problem: expect.stringContaining('0x8C:0xFE') });
    expect(bus.isOpen(POS_SCANNER.path)).toBe(false);
  });

  it('that vanishes in the middle of a code forgets its first part', async () => {
    const { bus, heard, scanner, clock } = await rig([[POS_SCANNER]], {});
    bus.report(POS_SCANNER.path, posReport(']Q1', 'first ', true));
    bus.unplug(POS_SCANNER.path);
    expect(scanner.health().state).toBe('offline');
    bus.plug(POS_SCANNER);
    await clock.sleep(3_000, patient);
    bus.report(POS_SCANNER.path, posReport(']Q1', 'second'));
    expect(heard).toEqual([{ symbology: 'qr', text: 'second' }]);
  });
});

describe('a scanner in keyboard mode', () => {
  const IDS = { vendorId: '04d9', productId: 'a070', mode: 'keyboard' };
  /** Keys without a release between them, which a scanner may leave out. */
  const typing =
    (bus: ScriptedHidBus) =>
    (...usages: number[]) => {
      for (const usage of usages) bus.report(KEYPAD.path, bootReport(usage));
    };

  it.each([null, GRYPHON_DESCRIPTOR])(
    'tells what it typed up to Enter (recorded: node-hid issues 323, 228)',
    async (descriptor) => {
      const { bus, heard } = await rig([[KEYPAD, { inspection: { descriptor } }]], IDS);
      for (const report of [...TYPED_EAN13, ...TYPED_ASTERISK, ...TYPED_EAN13]) bus.report(KEYPAD.path, report);
      expect(heard).toEqual([
        { symbology: 'ean13', text: '6957842208856' },
        { symbology: 'unknown', text: '4*9' },
        { symbology: 'ean13', text: '6957842208856' },
      ]);
    },
  );

  it.each([
    ['us', [0x1f, 0x23, 0x24, 0x2d, 0x2e, 0x2f, 0x33, 0x34, 0x35, 0x64], '@^&_+{:"~|', "267-=[;'`\\"],
    ['jp', [0x1f, 0x23, 0x24, 0x2d, 0x2e, 0x2f, 0x33, 0x34, 0x87, 0x89], '"&\'=~`+*_|', '267-^@;:\\\\'],
  ])('types by the layout it was set to: %s', async (layout, usages, shifted, plain) => {
    const { bus, heard } = await rig([[KEYPAD]], { ...IDS, layout });
    for (const shift of [2, 0]) {
      for (const usage of usages) {
        bus.report(KEYPAD.path, [shift, ...bootReport(usage).slice(1)]);
        bus.report(KEYPAD.path, bootReport());
      }
      // Tab ends a code as Enter does.
      bus.report(KEYPAD.path, bootReport(shift ? 0x2b : 0x28));
    }
    expect(heard.map(({ text }) => text)).toEqual([shifted, plain]);
  });

  it('does not care for time between the keys, and begins anew after it was plugged in again', async () => {
    const { bus, heard, clock } = await rig([[KEYPAD]], IDS);
    const type = typing(bus);
    type(0x1e);
    await clock.sleep(600_000, patient);
    type(0x1f, 0x28);
    type(0x20);
    bus.unplug(KEYPAD.path);
    bus.plug(KEYPAD);
    await clock.sleep(3_000, patient);
    type(0x21, 0x28);
    expect(heard.map(({ text }) => text)).toEqual(['12', '4']);
  });

  it('may begin each code with its AIM identifier', async () => {
    const { bus, heard } = await rig([[KEYPAD]], { ...IDS, aimPrefix: true });
    // ] Shift+q 1 a b
    for (const report of [
      bootReport(0x30),
      [2, 0, 0x14, 0, 0, 0, 0, 0],
      bootReport(0x1e),
      bootReport(0x04),
      bootReport(0x05),
    ]) {
      bus.report(KEYPAD.path, report);
    }
    bus.report(KEYPAD.path, bootReport(0x28));
    expect(heard).toEqual([{ symbology: 'qr', text: 'ab' }]);
  });

  it('without end is left out up to its next Enter', async () => {
    const { bus, heard, lines } = await rig([[KEYPAD]], IDS);
    const type = typing(bus);
    for (let n = 0; n < 4_000; n += 1) type(0x1e, 0x1f);
    type(0x28, 0x1e, 0x28);
    expect(heard.map(({ text }) => text)).toEqual(['1']);
    expect(lines).toMatchObject([{ why: 'a code of more than 7089 characters' }]);
  });

  it('of any reports never fails, and is in step again after Enter', async () => {
    const report = fc.oneof(
      fc.uint8Array({ maxLength: 10 }),
      fc.tuple(fc.nat(255), fc.nat(0x65)).map(([modifiers, usage]) => [modifiers, ...bootReport(usage).slice(1)]),
    );
    for (const layout of ['us', 'jp']) {
      const { bus, heard } = await rig([[KEYPAD]], { ...IDS, layout });
      fc.assert(
        fc.property(fc.array(report, { maxLength: 30 }), (reports) => {
          for (const each of reports) bus.report(KEYPAD.path, each);
          for (const text of heard) expect(text.text).not.toMatch(/[\r\n\t]/);
          bus.report(KEYPAD.path, bootReport());
          typing(bus)(0x28, 0x1e, 0x28);
          expect(heard.at(-1)?.text).toBe('1');
          bus.report(KEYPAD.path, bootReport());
        }),
      );
    }
  });

  it('says when the system types its codes into the screen as well', async () => {
    const { scanner } = await rig([[KEYPAD, { inspection: { exclusive: 'no' } }]], IDS);
    expect(scanner.health()).toMatchObject({
      state: 'online',
      problem: expect.stringContaining('ATTR{inhibited}="1"'),
    });
  });
});

describe('two scanners at one counter', () => {
  const hand = { ...POS_SCANNER, path: '/dev/hidraw5', serialNumber: 'B' };

  it('come in one stream, and one is enough', async () => {
    const { bus, heard, scanner } = await rig(
      [[POS_SCANNER], [hand]],
      { serialNumber: POS_SCANNER.serialNumber },
      { serialNumber: 'B' },
    );
    const healths: unknown[] = [];
    scanner.onHealth((health) => healths.push(health.state));
    bus.report(POS_SCANNER.path, posReport(']Q1', 'one'));
    bus.report(hand.path, posReport(']Q1', 'two'));
    expect(heard.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(scanner.health()).toEqual({ state: 'online', problem: null });
    bus.unplug(hand.path);
    expect(scanner.health()).toMatchObject({
      state: 'online',
      problem: expect.stringContaining('barcode-scanner-2 vanished'),
    });
    bus.unplug(POS_SCANNER.path);
    expect(scanner.health().state).toBe('offline');
    expect(healths).toEqual(['online', 'offline']);
  });

  it('that both fit one description are not guessed between', async () => {
    const { scanner, bus } = await rig([[POS_SCANNER], [hand]], {});
    expect(scanner.health()).toMatchObject({
      state: 'userError',
      problem: expect.stringMatching(/2 devices fit .*usb-0000:00:14.0-3.*name one by serialNumber or port/),
    });
    expect(bus.isOpen(hand.path)).toBe(false);
  });
});
