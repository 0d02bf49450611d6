import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { patient } from '../../../tests/contract/devices/vocabulary.ts';
import { KEYPAD, ScriptedHidBus } from '../../../tests/support/hid-bus.ts';
import { POS_SCANNER, relayBoard } from '../../../tests/support/hid-hands.ts';
import { GRYPHON_DESCRIPTOR, HONEYWELL_POS_DESCRIPTOR } from '../../../tests/support/hid-recordings.ts';
import { identify } from './identify.ts';

describe('a HID device shows itself', () => {
  it('by its lock lights, which are off afterwards', async () => {
    const bus = new ScriptedHidBus();
    bus.plug(KEYPAD, { inspection: { descriptor: GRYPHON_DESCRIPTOR } });
    expect(await identify(bus, new VirtualClock(), KEYPAD, patient)).toMatchObject({ shown: true });
    expect(bus.sent.map(({ report }) => [...report])).toEqual([1, 0, 1, 0, 1, 0, 1, 0].map((lit) => [0, lit]));
    expect(bus.isOpen(KEYPAD.path)).toBe(false);
  });

  it('by beeps, a scanner that can', async () => {
    const bus = new ScriptedHidBus();
    bus.plug(POS_SCANNER, { inspection: { descriptor: HONEYWELL_POS_DESCRIPTOR } });
    expect(await identify(bus, new VirtualClock(), POS_SCANNER, patient)).toMatchObject({ shown: true });
    expect([...bus.sent[0]!.report]).toEqual([4, 0b100_0000]);
  });

  it('not at all, a relay board: what hangs on it may be a gate', async () => {
    const bus = new ScriptedHidBus();
    const { info, as } = relayBoard(2);
    bus.plug(info, as);
    expect(await identify(bus, new VirtualClock(), info, patient)).toMatchObject({ shown: false });
    expect(bus.sent).toEqual([]);
  });

  it('not when it may not be opened, does not take the report, or has a descriptor that is none', async () => {
    const bus = new ScriptedHidBus();
    const inspection = { descriptor: GRYPHON_DESCRIPTOR };
    bus.plug(KEYPAD, { inspection, refusal: { outcome: 'denied', reason: 'Permission denied' } });
    expect(await identify(bus, new VirtualClock(), KEYPAD, patient)).toEqual({
      shown: false,
      says: '04d9:a070 USB Keypad cannot be opened: Permission denied',
    });
    bus.plug(KEYPAD, {
      inspection,
      answer: () => {
        throw new Error('Broken pipe');
      },
    });
    expect(await identify(bus, new VirtualClock(), KEYPAD, patient)).toEqual({
      shown: false,
      says: '04d9:a070 USB Keypad: Broken pipe',
    });
    expect(bus.isOpen(KEYPAD.path)).toBe(false);
    bus.plug(KEYPAD, { inspection: { descriptor: Uint8Array.of(0xc0) } });
    expect(await identify(bus, new VirtualClock(), KEYPAD, patient)).toMatchObject({ shown: false });
  });

  it('until the technician ends it', async () => {
    const bus = new ScriptedHidBus();
    bus.plug(KEYPAD, { inspection: { descriptor: GRYPHON_DESCRIPTOR } });
    const controller = new AbortController();
    const shown = identify(bus, new VirtualClock(), KEYPAD, controller.signal);
    controller.abort(new Error('enough'));
    await expect(shown).rejects.toThrow('enough');
    expect(bus.isOpen(KEYPAD.path)).toBe(false);
  });
});
