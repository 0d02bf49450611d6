import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { patient } from '../../../tests/contract/devices/vocabulary.ts';
import { KEYPAD, ScriptedHidBus } from '../../../tests/support/hid-bus.ts';
import { bootReport, POS_SCANNER, posReport, relayBoard, usagesOf } from '../../../tests/support/hid-hands.ts';
import { GRYPHON_DESCRIPTOR, HONEYWELL_POS_DESCRIPTOR } from '../../../tests/support/hid-recordings.ts';
import { systemChance } from '../../clock.ts';
import { HidConfig } from './config.ts';
import { openHidDevices } from './open.ts';
import { hidProcedures, identify } from './procedures.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function rig() {
  const bus = new ScriptedHidBus();
  const { board, info, as } = relayBoard(4);
  bus.plug(KEYPAD);
  bus.plug(POS_SCANNER);
  bus.plug(info, as);
  const clock = new VirtualClock();
  const config = HidConfig.parse({
    pinPad: { vendorId: '04d9', productId: 'a070' },
    barcodeScanners: [{}],
    lights: { channels: { camera: 1, status: 4 } },
  });
  const devices = await openHidDevices({ bus, clock, chance: systemChance, log: pino({ level: 'silent' }), config });
  closing.push(devices.close);
  const procedure = (device: string) => hidProcedures(devices, clock).find((one) => one.device === device)!;
  const press = async (keys: string) => {
    for (const usage of usagesOf(keys)) {
      await clock.sleep(10, patient);
      bus.report(KEYPAD.path, bootReport(usage));
      bus.report(KEYPAD.path, bootReport());
    }
  };
  return { bus, board, clock, devices, procedure, press, relay: info };
}

describe('a trial of a HID device', () => {
  it('has four digits keyed in at the pad, and shows none', async () => {
    const { procedure, press } = await rig();
    let over = false;
    const trial = procedure('pinPad')
      .run(patient)
      .finally(() => {
        over = true;
      });
    // The key pair of the trial is made in real time: somebody keys until the pad listens.
    while (!over) await press('1234E');
    expect(await trial).toEqual({ passed: true, says: 'Four digits and Enter came, and made a PIN block.' });
    expect(await procedure('pinPad').run(patient)).toEqual({
      passed: false,
      says: 'The entry ended with "timeout"; at most 0 digits had come.',
    });
  });

  it('has a code scanned', async () => {
    const { procedure, bus } = await rig();
    const trial = procedure('barcodeScanner').run(patient);
    bus.report(POS_SCANNER.path, posReport(']E0', '4901234567894'));
    expect(await trial).toEqual({ passed: true, says: 'Read ean13: 4901234567894' });
    expect(await procedure('barcodeScanner').run(patient)).toMatchObject({ passed: false });
  });

  it('lights one light after the other, and leaves none on', async () => {
    const { procedure, bus, board, relay } = await rig();
    const before = bus.sent.length;
    expect(await procedure('lights').run(patient)).toEqual({ passed: true, says: 'Every relay followed.' });
    const commands = bus.sent.slice(before).map(({ report }) => [report[1], report[2]]);
    expect(commands).toEqual([
      [0xff, 1],
      [0xfd, 1],
      [0xff, 4],
      [0xfd, 4],
    ]);
    expect(board.closed).toBe(0);
    bus.unplug(relay.path);
    expect(await procedure('lights').run(patient)).toMatchObject({
      passed: false,
      says: expect.stringContaining('vanished'),
    });
  });

  it('ends when the technician ends it', async () => {
    const { procedure } = await rig();
    for (const device of ['pinPad', 'barcodeScanner', 'lights']) {
      const controller = new AbortController();
      const trial = procedure(device).run(controller.signal);
      controller.abort(new Error('enough'));
      await expect(trial).rejects.toThrow('enough');
    }
  });

  it('is there for what is configured alone', async () => {
    const { devices, clock } = await rig();
    expect(hidProcedures({ ...devices, pinPad: null, lights: null }, clock).map(({ device }) => device)).toEqual([
      'barcodeScanner',
    ]);
  });
});

describe('a HID device shows itself', () => {
  it('by its lock lights, which are off afterwards', async () => {
    const bus = new ScriptedHidBus();
    bus.plug(KEYPAD, { inspection: { descriptor: GRYPHON_DESCRIPTOR } });
    expect(await identify(bus, new VirtualClock(), KEYPAD, patient)).toMatchObject({ passed: true });
    expect(bus.sent.map(({ report }) => [...report])).toEqual([1, 0, 1, 0, 1, 0, 1, 0].map((lit) => [0, lit]));
    expect(bus.isOpen(KEYPAD.path)).toBe(false);
  });

  it('by beeps, a scanner that can', async () => {
    const bus = new ScriptedHidBus();
    bus.plug(POS_SCANNER, { inspection: { descriptor: HONEYWELL_POS_DESCRIPTOR } });
    expect(await identify(bus, new VirtualClock(), POS_SCANNER, patient)).toMatchObject({ passed: true });
    expect([...bus.sent[0]!.report]).toEqual([4, 0b100_0000]);
  });

  it('not at all, a relay board: what hangs on it may be a gate', async () => {
    const bus = new ScriptedHidBus();
    const { info, as } = relayBoard(2);
    bus.plug(info, as);
    expect(await identify(bus, new VirtualClock(), info, patient)).toMatchObject({ passed: false });
    expect(bus.sent).toEqual([]);
  });

  it('not when it may not be opened, or does not take the report', async () => {
    const bus = new ScriptedHidBus();
    const inspection = { descriptor: GRYPHON_DESCRIPTOR };
    bus.plug(KEYPAD, { inspection, refusal: { outcome: 'denied', reason: 'Permission denied' } });
    expect(await identify(bus, new VirtualClock(), KEYPAD, patient)).toEqual({
      passed: false,
      says: '04d9:a070 USB Keypad cannot be opened: Permission denied',
    });
    bus.plug(KEYPAD, {
      inspection,
      answer: () => {
        throw new Error('Broken pipe');
      },
    });
    expect(await identify(bus, new VirtualClock(), KEYPAD, patient)).toEqual({ passed: false, says: 'Broken pipe' });
    expect(bus.isOpen(KEYPAD.path)).toBe(false);
  });
});
