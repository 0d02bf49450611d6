import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { patient } from '../../../tests/contract/devices/vocabulary.ts';
import { ScriptedHidBus } from '../../../tests/support/hid-bus.ts';
import { relayBoard } from '../../../tests/support/hid-hands.ts';
import { systemChance } from '../../clock.ts';
import { HidConfig } from './config.ts';
import { openHidDevices } from './open.ts';
import { relayCommand, relayState } from './usb-relay.ts';

const CHANNELS = { camera: 1, pinPad: 2, status: 4 };
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function rig(config: object = {}, relays = 4) {
  const bus = new ScriptedHidBus();
  const { board, info, as } = relayBoard(relays);
  bus.plug(info, as);
  const clock = new VirtualClock();
  const options = { bus, clock, chance: systemChance, log: pino({ level: 'silent' }) };
  const parsed = HidConfig.parse({ lights: { channels: CHANNELS, ...config } });
  const { lights, close } = await openHidDevices({ ...options, config: parsed });
  closing.push(close);
  return { bus, board, info, as, clock, lights: lights!, close };
}

describe('a relay board', () => {
  it('takes feature reports of eight bytes: 0xFF closes, 0xFD opens, then the relay', () => {
    expect([...relayCommand(3, true)]).toEqual([0, 0xff, 3, 0, 0, 0, 0, 0, 0]);
    expect([...relayCommand(8, false)]).toEqual([0, 0xfd, 8, 0, 0, 0, 0, 0, 0]);
    expect(() => relayCommand(9, true)).toThrow('no relay 9');
    expect(() => relayCommand(0, true)).toThrow('no relay 0');
  });

  it('tells its name and its closed relays', () => {
    expect(relayState(Uint8Array.from([0, ...Buffer.from('BITFT'), 0, 0, 0b101]))).toBe(5);
    expect(relayState(Uint8Array.from([0, ...Buffer.from('BITFT'), 0]))).toBeNull();
    expect(relayState(new Uint8Array(9))).toBeNull();
  });
});

describe('lights at a relay board', () => {
  it('close and open the relay of their position, and leave positions alone that have none', async () => {
    const { lights, board } = await rig();
    await lights.set('status', 'continuous');
    await lights.set('camera', 'continuous');
    await lights.set('receipt', 'continuous');
    expect(board.closed).toBe(0b1001);
    await lights.set('status', 'off');
    expect(board.closed).toBe(0b0001);
  });

  it('are dark at first, whatever the board did before', async () => {
    const bus = new ScriptedHidBus();
    const { board, info, as } = relayBoard(4);
    board.closed = 0b1111;
    bus.plug(info, as);
    const options = { bus, clock: new VirtualClock(), chance: systemChance, log: pino({ level: 'silent' }) };
    const { close } = await openHidDevices({ ...options, config: HidConfig.parse({ lights: { channels: CHANNELS } }) });
    closing.push(close);
    // Relay 3 belongs to nobody here.
    expect(board.closed).toBe(0b0100);
  });

  it('flash once a second and twice a second, and stop', async () => {
    const { lights, board, clock } = await rig();
    const seen = async (times: number, everyMs: number) => {
      const states: number[] = [];
      for (let n = 0; n < times; n += 1) {
        await clock.sleep(everyMs, patient);
        states.push(board.closed);
      }
      return states;
    };
    await lights.set('camera', 'slowFlash');
    await clock.sleep(100, patient);
    expect(await seen(4, 500)).toEqual([0, 1, 0, 1]);
    await lights.set('camera', 'quickFlash');
    await clock.sleep(100, patient);
    expect(await seen(4, 250)).toEqual([0, 1, 0, 1]);
    await lights.set('camera', 'off');
    expect(await seen(4, 250)).toEqual([0, 0, 0, 0]);
  });

  it('do not flutter where the configuration forbids it: a gate stays open', async () => {
    const { lights, board, clock, bus } = await rig({ flashing: false });
    await lights.set('status', 'quickFlash');
    const before = bus.sent.length;
    await clock.sleep(10_000, patient);
    expect(board.closed).toBe(0b1000);
    expect(bus.sent).toHaveLength(before);
  });

  it('may share a relay, which is open only when none of them is lit', async () => {
    const { lights, board } = await rig({ channels: { camera: 1, status: 1 } });
    await lights.set('camera', 'continuous');
    await lights.set('status', 'continuous');
    await lights.set('camera', 'off');
    expect(board.closed).toBe(1);
    await lights.set('status', 'off');
    expect(board.closed).toBe(0);
  });

  it('are opened when the driver is closed: no gate stays open behind a terminal that ended', async () => {
    const { lights, board, close, bus, info } = await rig();
    await lights.set('status', 'slowFlash');
    await close();
    expect(board.closed).toBe(0);
    expect(bus.isOpen(info.path)).toBe(false);
    await expect(lights.set('status', 'continuous')).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
  });

  it('say when a relay does not follow, and work again when it does', async () => {
    const { lights, board, clock } = await rig();
    board.stuck = 0b0001;
    await expect(lights.set('camera', 'continuous')).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringContaining('its relays do not follow: 00000000'),
    });
    expect(lights.health().state).toBe('offline');
    board.stuck = 0;
    await clock.sleep(3_000, patient);
    await lights.set('camera', 'continuous');
    expect(board.closed).toBe(1);
    expect(lights.health()).toEqual({ state: 'online', problem: null });
  });

  it('that are unplugged while they flash stop, and are dark when they are back', async () => {
    const { lights, board, clock, bus, info, as } = await rig();
    await lights.set('camera', 'slowFlash');
    bus.unplug(info.path);
    await expect(lights.set('camera', 'off')).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    board.closed = 0b0001;
    bus.plug(info, as);
    await clock.sleep(3_000, patient);
    expect(board.closed).toBe(0);
    expect(lights.health()).toEqual({ state: 'online', problem: null });
  });

  it('need a board with as many relays as are configured', async () => {
    const { lights, bus, info } = await rig({}, 2);
    expect(lights.health()).toMatchObject({
      state: 'hardwareError',
      problem: expect.stringContaining('relay 4 is configured, and it has 2'),
    });
    expect(bus.isOpen(info.path)).toBe(false);
  });
});
