import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { pinBank } from '../../../tests/contract/devices/pin-pad.ts';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { patient } from '../../../tests/contract/devices/vocabulary.ts';
import { KEYPAD, type PluggedAs, ScriptedHidBus } from '../../../tests/support/hid-bus.ts';
import { bootReport, usagesOf } from '../../../tests/support/hid-hands.ts';
import { GRYPHON_DESCRIPTOR } from '../../../tests/support/hid-recordings.ts';
import { systemChance } from '../../clock.ts';
import { HidConfig } from './config.ts';
import { openHidDevices } from './open.ts';

const IDS = { vendorId: '04d9', productId: 'a070' };
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function rig(as: PluggedAs = {}, config: object = {}) {
  const bus = new ScriptedHidBus();
  bus.plug(KEYPAD, as);
  const clock = new VirtualClock();
  const options = { bus, clock, chance: systemChance, log: pino({ level: 'silent' }) };
  const { pinPad, close } = await openHidDevices({
    ...options,
    config: HidConfig.parse({ pinPad: { ...IDS, ...config } }),
  });
  closing.push(close);
  const bank = await pinBank();
  const counts: number[] = [];
  const send = async (...reports: number[][]) => {
    for (const report of reports) {
      await clock.sleep(10, patient);
      bus.report(KEYPAD.path, report);
    }
  };
  return {
    bus,
    clock,
    pad: pinPad!,
    bank,
    counts,
    enter: (change = {}, signal = patient) =>
      pinPad!.enterPin({ ...bank.request, ...change }, (count) => counts.push(count), signal),
    send,
    press: (...usages: number[]) => send(...usages.flatMap((usage) => [bootReport(usage), bootReport()])),
    fieldOf: async (entry: Promise<{ outcome: string; pinBlock?: string }>) => {
      const completion = await entry;
      expect(completion.outcome).toBe('entered');
      return (await bank.read(completion.pinBlock!)).block.pinField;
    },
  };
}

describe('a HID PIN pad takes', () => {
  it('digits of the main block and of the keypad, whatever the report descriptor shows', async () => {
    for (const descriptor of [null, GRYPHON_DESCRIPTOR]) {
      const { enter, press, fieldOf } = await rig({ inspection: { descriptor } });
      const entry = enter();
      await press(0x1e, 0x27, 0x61, 0x62, 0x28);
      expect(await fieldOf(entry)).toBe('441090aaaaaaaaaa');
    }
  });

  it('Clear for all digits and Backspace for the last', async () => {
    const { enter, press, fieldOf, counts } = await rig();
    const entry = enter();
    await press(...usagesOf('129'), 0x9c, ...usagesOf('34567<'), 0x58);
    expect(await fieldOf(entry)).toBe('443456aaaaaaaaaa');
    expect(counts).toEqual([1, 2, 3, 0, 1, 2, 3, 4, 5, 4]);
  });

  it('further keys as the configuration says, for pads without Escape', async () => {
    const { enter, press } = await rig({}, { keys: { '0x56': 'cancel' } });
    const entry = enter();
    await press(...usagesOf('12'), 0x56);
    expect(await entry).toEqual({ outcome: 'cancelled' });
  });

  it('neither of two keys that go down in one report: their order is unknown', async () => {
    const { enter, press, send, fieldOf, counts } = await rig();
    const entry = enter();
    await press(...usagesOf('12'));
    await send(bootReport(...usagesOf('34')), bootReport());
    await press(...usagesOf('56E'));
    expect(await fieldOf(entry)).toBe('441256aaaaaaaaaa');
    expect(counts).toEqual([1, 2, 3, 4]);
  });

  it('keys that overlap, held keys once, and a key beside Num Lock', async () => {
    const { enter, press, send, fieldOf } = await rig();
    const [one, two] = usagesOf('12') as [number, number];
    const entry = enter();
    await send(bootReport(one), bootReport(one), bootReport(one, two), bootReport(two), bootReport());
    await send(bootReport(0x53, one), bootReport());
    await press(...usagesOf('2E'));
    expect(await fieldOf(entry)).toBe('441212aaaaaaaaaa');
  });

  it('nothing of a report with too many keys, of a cut one, or with Shift held', async () => {
    const { enter, press, send, counts } = await rig();
    const entry = enter({ timeoutMs: 5_000 });
    await send([0, 0, 1, 1, 1, 1, 1, 1], [0, 0, 0x1e], [2, 0, 0x1e, 0, 0, 0, 0, 0], bootReport());
    await press(0x1f);
    expect(await entry).toEqual({ outcome: 'timeout' });
    expect(counts).toEqual([1]);
  });

  it('no key that was down before the entry began, and none between two entries', async () => {
    const { enter, press, send, fieldOf } = await rig();
    await press(...usagesOf('99'));
    await send(bootReport(0x61));
    const entry = enter();
    await send(bootReport(0x61), bootReport());
    await press(...usagesOf('1234E5678'));
    expect(await fieldOf(entry)).toBe('441234aaaaaaaaaa');
    const next = enter();
    await press(...usagesOf('4321E'));
    expect(await fieldOf(next)).toBe('444321aaaaaaaaaa');
  });

  it('one entry at a time', async () => {
    const { enter, press } = await rig();
    const entry = enter();
    await expect(enter()).rejects.toMatchObject({ code: 'DEVICE_FAILED' });
    await press(...usagesOf('C'));
    expect(await entry).toEqual({ outcome: 'cancelled' });
  });
});

describe('a HID PIN pad, whatever its reports are,', () => {
  it('takes the digits that a plain reading of the rules gives', async () => {
    const digit = fc.oneof(fc.integer({ min: 0x1e, max: 0x27 }), fc.integer({ min: 0x59, max: 0x62 }));
    const usage = fc.oneof({ weight: 5, arbitrary: digit }, { weight: 1, arbitrary: fc.nat(0xff) });
    const report = fc.oneof(
      { weight: 6, arbitrary: usage.map((one) => bootReport(one)) },
      { weight: 1, arbitrary: fc.constantFrom(0x28, 0x58).map((enter) => bootReport(enter)) },
      { weight: 4, arbitrary: fc.constant(bootReport()) },
      { weight: 2, arbitrary: fc.array(usage, { maxLength: 6 }).map((some) => bootReport(...some)) },
      { weight: 1, arbitrary: fc.array(fc.nat(255), { maxLength: 12 }) },
    );
    const typed = (...usages: number[]) => usages.flatMap((one) => [bootReport(one), bootReport()]);
    // Every outcome is among the examples, whatever chance brings.
    const outcomes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(report, { maxLength: 60 }), async (reports) => {
        const { bus, clock, pad, bank } = await rig();
        const counts: number[] = [];
        const entry = pad.enterPin(bank.request, (count) => counts.push(count), patient);
        await clock.sleep(1, patient);
        for (const each of reports) bus.report(KEYPAD.path, each);
        const expected = plainReading(reports);
        outcomes.add(expected.outcome);
        const completion = await entry;
        expect(counts).toEqual(expected.counts);
        expect(completion.outcome).toBe(expected.outcome);
        if (completion.outcome === 'entered') {
          const field = `4${expected.digits.length}${expected.digits.join('')}`.padEnd(16, 'a');
          expect((await bank.read(completion.pinBlock)).block.pinField).toBe(field);
        }
      }),
      { numRuns: 300, examples: [[typed(0x1e, 0x1f, 0x20, 0x21, 0x28)], [typed(0x29)], [[]]] },
    );
    expect([...outcomes].sort()).toEqual(['cancelled', 'entered', 'timeout']);
  });

  /** The rules once more, the slow and plain way: 4 to 6 digits, one meaning key newly down, no modifier. */
  function plainReading(reports: readonly number[][]) {
    const names = new Map<number, string>([
      [0x28, 'E'],
      [0x58, 'E'],
      [0x29, 'C'],
      [0x9b, 'C'],
      [0x2a, '<'],
      [0xbb, '<'],
    ]);
    for (const clear of [0x4c, 0x9c, 0xd8, 0xd9]) names.set(clear, '0!');
    for (const [index, digit] of [...'1234567890'].entries()) names.set(0x1e + index, digit).set(0x59 + index, digit);
    let down: number[] = [];
    let digits: string[] = [];
    const counts: number[] = [];
    for (const report of reports) {
      const keys = report.slice(2).filter((key) => key !== 0);
      if (report.length !== 8 || keys.some((key) => key <= 3)) continue;
      const fresh = [...new Set(keys)].filter((key) => !down.includes(key)).flatMap((key) => names.get(key) ?? []);
      const modified = report[0] !== 0 || keys.some((key) => key >= 0xe0 && key <= 0xe7);
      down = keys;
      const [name] = fresh;
      if (fresh.length !== 1 || modified) continue;
      if (name === 'C') return { outcome: 'cancelled', counts, digits };
      if (name === 'E') {
        if (digits.length >= 4) return { outcome: 'entered', counts, digits };
        continue;
      }
      const before = digits.length;
      if (name === '0!') digits = [];
      else if (name === '<') digits = digits.slice(0, -1);
      else if (digits.length < 6) digits = [...digits, name as string];
      if (digits.length !== before) counts.push(digits.length);
    }
    return { outcome: 'timeout', counts, digits };
  }
});

describe('digits in a HID PIN pad', () => {
  it('are wiped from each report as soon as it was read, also between entries', async () => {
    const { bus, enter, clock } = await rig();
    const idle = Uint8Array.from(bootReport(0x1e));
    bus.reportBuffer(KEYPAD.path, idle);
    expect([...idle]).toEqual(bootReport());
    const controller = new AbortController();
    const entry = enter({}, controller.signal);
    await clock.sleep(10, patient);
    const report = Uint8Array.from(bootReport(0x1f));
    bus.reportBuffer(KEYPAD.path, report);
    expect([...report]).toEqual(bootReport());
    controller.abort(new Error('over'));
    await expect(entry).rejects.toThrow('over');
  });

  it.each([
    ['time is up', async ({ clock }: Rig) => clock.sleep(40_000, patient)],
    ['it is cancelled', async ({ press }: Rig) => press(0x29)],
    ['the visit ends', async ({ controller }: Rig) => controller.abort(new Error('left'))],
    ['the pad is unplugged', async ({ bus }: Rig) => bus.unplug(KEYPAD.path)],
    ['the driver is closed', async ({ pad }: Rig) => pad.close()],
    ['it is entered', async ({ press }: Rig) => press(0x58)],
  ])('are wiped when %s', async (_when, end) => {
    const buffers: Uint8Array[] = [];
    // The driver keeps its digits in the only buffer of this length it makes; nothing of the driver is replaced.
    const Plain = globalThis.Uint8Array;
    globalThis.Uint8Array = new Proxy(Plain, {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget === globalThis.Uint8Array ? target : newTarget);
        if (args[0] === 11) buffers.push(made);
        return made;
      },
    });
    try {
      const it = await rig();
      const controller = new AbortController();
      const entry = it.enter({ digitsMax: 11 }, controller.signal).catch((error: unknown) => error);
      await it.press(...usagesOf('12345'));
      expect(buffers).toHaveLength(1);
      expect([...buffers[0]!.subarray(0, 5)]).toEqual([1, 2, 3, 4, 5]);
      await end({ ...it, controller });
      await entry;
      expect([...buffers[0]!]).toEqual(new Array(11).fill(0));
    } finally {
      globalThis.Uint8Array = Plain;
    }
  });
});
type Rig = Awaited<ReturnType<typeof rig>> & { controller: AbortController };

describe('a HID PIN pad that is unplugged', () => {
  it('in the middle ends the entry with an error, and works again when it is back', async () => {
    const { bus, pad, enter, press, clock, fieldOf } = await rig();
    const healths: string[] = [];
    pad.onHealth(({ state }) => healths.push(state));
    const entry = enter();
    await press(...usagesOf('12'));
    bus.unplug(KEYPAD.path);
    await expect(entry).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringContaining('vanished'),
    });
    expect(pad.health()).toMatchObject({ state: 'offline', problem: expect.stringContaining('Look at its cable') });
    await expect(enter()).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });

    bus.plug({ ...KEYPAD, path: '/dev/hidraw9' });
    await clock.sleep(3_000, patient);
    expect(pad.health()).toEqual({ state: 'online', problem: null });
    expect(healths).toEqual(['offline', 'online']);
    const again = enter();
    for (const usage of usagesOf('3456E')) {
      await clock.sleep(10, patient);
      bus.report('/dev/hidraw9', bootReport(usage));
      bus.report('/dev/hidraw9', bootReport());
    }
    expect(await fieldOf(again)).toBe('443456aaaaaaaaaa');
  });
});

describe('a HID PIN pad whose keys go to the focused window too', () => {
  it('takes no PIN, and names the rule to install', async () => {
    const { pad, enter } = await rig({ inspection: { exclusive: 'no' } });
    expect(pad.health()).toMatchObject({ state: 'userError', problem: expect.stringContaining('ATTR{inhibited}="1"') });
    await expect(enter()).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
  });

  it('takes none either when the system does not tell', async () => {
    const { enter } = await rig({ inspection: { exclusive: 'unknown' } });
    await expect(enter()).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
  });

  it('is asked at each entry: the rule may have been taken away since', async () => {
    const { bus, clock, pad, enter, press, counts } = await rig();
    bus.change(KEYPAD.path, { exclusive: 'no' });
    const entry = enter();
    entry.catch(() => undefined);
    await press(...usagesOf('1'));
    await expect(entry).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    expect(counts).toEqual([]);
    expect(pad.health().state).toBe('userError');
    bus.change(KEYPAD.path, { exclusive: 'yes' });
    await clock.sleep(2_100, patient);
    expect(pad.health()).toEqual({ state: 'online', problem: null });
  });

  it('works where the configuration tolerates it, and says so', async () => {
    const { pad, enter, press, fieldOf } = await rig({ inspection: { exclusive: 'no' } }, { exclusive: 'tolerated' });
    expect(pad.health()).toMatchObject({ state: 'online', problem: expect.stringContaining('focused window') });
    const entry = enter();
    await press(...usagesOf('1234E'));
    expect(await fieldOf(entry)).toBe('441234aaaaaaaaaa');
  });
});
