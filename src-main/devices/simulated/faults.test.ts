import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pinBank } from '../../../tests/contract/devices/pin-pad.ts';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { newId, notes, order, patient } from '../../../tests/contract/devices/vocabulary.ts';
import { systemChance } from '../../clock.ts';
import type { DeviceHealth } from '../device.ts';
import { openSimulatedDevices, type SimulatedDevices } from './open.ts';

let dir: string;
let simulated: SimulatedDevices;
let clock: VirtualClock;
const open = async (profile: 'atm' | 'checkout' = 'atm') => {
  clock = new VirtualClock();
  simulated = await openSimulatedDevices({ dir, clock, chance: systemChance, profile });
};
const dispenser = () => simulated.devices.cashDispenser!;
const acceptor = () => simulated.devices.cashAcceptor!;
const cash = () => simulated.control.state().cash!;
const mix = notes(10_000, 2, 1_000, 6);
const inserted = async (...pairs: number[]) => {
  await acceptor().cashInStart(newId(), () => {}, patient);
  await simulated.control.insertNotes(notes(...pairs));
};

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kaopass-devices-'));
  await open();
});
afterEach(async () => {
  if (simulated.control.state().cash) expect(cash().conservation.holds).toBe(true);
  await simulated.close();
  rmSync(dir, { recursive: true });
});

describe('dispenser faults', () => {
  it('jam-on-dispense: part is rejected, part sticks; nothing can be presented until a reset', async () => {
    simulated.control.armFault({ device: 'cash-dispenser', fault: 'jam-on-dispense' });
    const healths: DeviceHealth[] = [];
    dispenser().onHealth((health) => healths.push(health));
    expect(await dispenser().dispense(order(mix), patient)).toMatchObject({ outcome: 'failed', error: 'jammed' });
    expect(await dispenser().presentStatus(patient)).toMatchObject({
      state: 'notPresented',
      rejected: notes(1_000, 1),
      remaining: 'stacker',
    });
    expect(await dispenser().present(patient)).toMatchObject({ error: 'jammed' });
    expect(await dispenser().dispense(order(mix), patient)).toMatchObject({ error: 'jammed' });
    expect(await dispenser().reset(patient)).toEqual({ outcome: 'reset', rejected: notes(1_000, 3) });
    expect(await dispenser().presentStatus(patient)).toMatchObject({ rejected: notes(1_000, 4), remaining: 'none' });
    expect(healths.map((health) => health.state)).toEqual(['hardwareError', 'online']);
    expect(cash().conservation.insideMinor).toBe(cash().conservation.loadedMinor);
    expect(await dispenser().dispense(order(mix), patient)).toMatchObject({ outcome: 'dispensed' });
  });

  it('jam-on-present: keeps notes in the stacker when the shutter does not open', async () => {
    await dispenser().dispense(order(mix), patient);
    simulated.control.armFault({ device: 'cash-dispenser', fault: 'jam-on-present' });
    expect(await dispenser().present(patient)).toMatchObject({ outcome: 'failed', error: 'shutterNotOpen' });
    expect(await simulated.control.takeNotes()).toMatchObject({ ok: false });
    expect(await dispenser().presentStatus(patient)).toMatchObject({ state: 'notPresented', remaining: 'stacker' });
    expect(await dispenser().reset(patient)).toEqual({ outcome: 'reset', rejected: mix });
  });

  it('short: rejects what it picked and leaves a clear path', async () => {
    simulated.control.armFault({ device: 'cash-dispenser', fault: 'short' });
    expect(await dispenser().dispense(order(mix), patient)).toMatchObject({ error: 'cashUnitError' });
    expect(await dispenser().presentStatus(patient)).toMatchObject({ rejected: notes(1_000, 4), remaining: 'none' });
    expect(dispenser().health().state).toBe('online');
  });

  it('cassette-empty: says which unit is empty and moves nothing', async () => {
    simulated.control.armFault({
      device: 'cash-dispenser',
      fault: 'cassette-empty',
      mode: 'untilCleared',
      unit: 'CST3',
    });
    const { units } = await dispenser().status(patient);
    expect(units.filter((unit) => unit.state === 'empty').map((unit) => unit.id)).toEqual(['CST3']);
    expect(await dispenser().dispense(order(mix), patient)).toMatchObject({ error: 'cashUnitError' });
    expect(await dispenser().dispense(order(notes(1_000, 6)), patient)).toMatchObject({ outcome: 'dispensed' });
    simulated.control.clearFault('cash-dispenser', 'cassette-empty');
    await dispenser().reset(patient);
    expect(await dispenser().dispense(order(mix), patient)).toMatchObject({ outcome: 'dispensed' });
  });

  it('shutter-jam: notes that lie in a stuck shutter cannot be taken back until it moves again', async () => {
    await dispenser().dispense(order(mix), patient);
    await dispenser().present(patient);
    simulated.control.armFault({ device: 'cash-dispenser', fault: 'shutter-jam', mode: 'untilCleared' });
    expect(await dispenser().retract(patient)).toMatchObject({ outcome: 'failed', error: 'jammed' });
    expect((await dispenser().presentStatus(patient)).remaining).toBe('outputPosition');
    expect(await dispenser().reset(patient)).toMatchObject({ outcome: 'failed' });
    simulated.control.clearFault();
    expect(await dispenser().retract(patient)).toEqual({ outcome: 'retracted', notes: mix });
    expect(await dispenser().reset(patient)).toMatchObject({ outcome: 'reset' });
    expect(dispenser().health().state).toBe('online');
  });

  it('present-unknown: does not claim to know what was taken', async () => {
    const ours = order(mix);
    await dispenser().dispense(ours, patient);
    simulated.control.armFault({ device: 'cash-dispenser', fault: 'present-unknown' });
    expect(await dispenser().present(patient)).toMatchObject({ outcome: 'failed', error: 'hardwareError' });
    expect(await dispenser().presentStatus(patient)).toMatchObject({
      transactionId: ours.transactionId,
      state: 'unknown',
      remaining: 'unknown',
    });
    expect(await simulated.control.takeNotes()).toEqual({ ok: true });
    expect((await dispenser().presentStatus(patient)).state).toBe('unknown');
  });

  it('gone: answers noDevice, refuses questions, and is back where it was', async () => {
    await dispenser().dispense(order(mix), patient);
    simulated.control.armFault({ device: 'cash-dispenser', fault: 'gone' });
    expect(dispenser().health()).toEqual({ state: 'offline', problem: 'cash-dispenser does not answer' });
    expect(await dispenser().present(patient)).toMatchObject({ error: 'noDevice' });
    await expect(dispenser().presentStatus(patient)).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    simulated.control.clearFault('cash-dispenser');
    expect((await dispenser().presentStatus(patient)).remaining).toBe('stacker');
    expect(dispenser().health().state).toBe('online');
  });

  it('answer-lost: presents, never says so, and tells the truth when asked', async () => {
    await dispenser().dispense(order(mix), patient);
    simulated.control.armFault({ device: 'cash-dispenser', fault: 'answer-lost', command: 'present' });
    const limit = new AbortController();
    clock.after(60_000, () => limit.abort(new Error('no answer')));
    await expect(dispenser().present(limit.signal)).rejects.toThrow('no answer');
    expect(await dispenser().presentStatus(patient)).toMatchObject({ state: 'presented', remaining: 'outputPosition' });
  });

  it('slow: takes ten times as long; a wait given up does not stop the motion', async () => {
    const time = async () => {
      const start = clock.monotonicMs();
      await dispenser().dispense(order(mix), patient);
      const ms = clock.monotonicMs() - start;
      await dispenser().reset(patient);
      return ms;
    };
    const usual = await time();
    simulated.control.armFault({ device: 'cash-dispenser', fault: 'slow', mode: 'untilCleared' });
    expect(await time()).toBeCloseTo(usual * 10);

    const limit = new AbortController();
    clock.after(usual, () => limit.abort(new Error('no answer')));
    const ours = order(mix);
    await expect(dispenser().dispense(ours, limit.signal)).rejects.toThrow('no answer');
    expect(await dispenser().presentStatus(patient)).toMatchObject({
      transactionId: ours.transactionId,
      remaining: 'stacker',
    });
  });
});

describe('acceptor faults', () => {
  it('jam-on-count: a rollback runs backwards and frees every note', async () => {
    simulated.control.armFault({ device: 'cash-acceptor', fault: 'jam-on-count' });
    await inserted(10_000, 4);
    expect(await acceptor().cashInStop(patient)).toMatchObject({ outcome: 'failed', error: 'jammed' });
    expect((await acceptor().status(patient)).escrow).toEqual(notes(10_000, 2));
    expect(await acceptor().cashInEnd(patient)).toMatchObject({ error: 'jammed' });
    expect(await acceptor().cashInRollback(patient)).toEqual({ outcome: 'returned', notes: notes(10_000, 2) });
    await simulated.control.takeReturned();
    expect(cash().conservation.takenBackMinor).toBe(40_000);
    expect(acceptor().health().state).toBe('online');
  });

  it('jam-on-store: says unknown, and what never left the escrow', async () => {
    await inserted(10_000, 4);
    simulated.control.armFault({ device: 'cash-acceptor', fault: 'jam-on-store' });
    expect(await acceptor().cashInEnd(patient)).toMatchObject({ error: 'jammed' });
    expect(await acceptor().cashInStatus(patient)).toMatchObject({ state: 'unknown', notes: notes(10_000, 4) });
    expect((await acceptor().status(patient)).escrow).toEqual(notes(10_000, 2));
    expect(await acceptor().cashInStart(newId(), () => {}, patient)).toMatchObject({ error: 'jammed' });
    expect(await acceptor().reset(patient)).toEqual({ outcome: 'reset', retracted: notes(10_000, 2) });
    expect(cash().conservation.insideMinor).toBe(cash().conservation.loadedMinor + 40_000);
  });

  it('jam-on-return: half is with the customer, half is kept and named', async () => {
    await inserted(10_000, 4);
    simulated.control.armFault({ device: 'cash-acceptor', fault: 'jam-on-return' });
    expect(await acceptor().cashInRollback(patient)).toMatchObject({ error: 'jammed' });
    expect(await acceptor().cashInStatus(patient)).toMatchObject({ state: 'unknown', notes: notes(10_000, 4) });
    expect((await acceptor().status(patient)).escrow).toEqual(notes(10_000, 2));
    await simulated.control.takeReturned();
    expect(cash().conservation.takenBackMinor).toBe(20_000);
  });

  it('escrow-full and refuse-notes: give the bunch back and end the transaction well', async () => {
    for (const fault of ['escrow-full', 'refuse-notes']) {
      simulated.control.armFault({ device: 'cash-acceptor', fault });
      await inserted(10_000, 2);
      expect(await acceptor().cashInStop(patient)).toEqual({ outcome: 'counted', escrow: [], refusedNotes: 2 });
      expect(await acceptor().cashInEnd(patient)).toEqual({ outcome: 'stored', notes: [] });
      expect(await simulated.control.takeReturned()).toEqual({ ok: true });
    }
    expect(cash().conservation.insideMinor).toBe(cash().conservation.loadedMinor);
  });

  it('tray-blocked and gone: no transaction begins, no note is taken in', async () => {
    simulated.control.armFault({ device: 'cash-acceptor', fault: 'tray-blocked' });
    expect(await acceptor().cashInStart(newId(), () => {}, patient)).toMatchObject({ error: 'hardwareError' });
    expect(await simulated.control.insertNotes(notes(1_000, 1))).toMatchObject({ ok: false });
    simulated.control.armFault({ device: 'cash-acceptor', fault: 'gone' });
    expect(await acceptor().cashInStart(newId(), () => {}, patient)).toMatchObject({ error: 'noDevice' });
    expect(acceptor().health().state).toBe('offline');
  });

  it('answer-lost: stores, never says so, and tells the truth when asked', async () => {
    await inserted(10_000, 2);
    simulated.control.armFault({ device: 'cash-acceptor', fault: 'answer-lost', command: 'cashInEnd' });
    const limit = new AbortController();
    clock.after(60_000, () => limit.abort(new Error('no answer')));
    await expect(acceptor().cashInEnd(limit.signal)).rejects.toThrow('no answer');
    expect(await acceptor().cashInStatus(patient)).toMatchObject({ state: 'ok', notes: notes(10_000, 2) });
  });

  it('overflows a full unit into the deposit unit, and refuses what fits nowhere', async () => {
    await simulated.close();
    rmSync(dir, { recursive: true });
    const load = [
      { id: 'CST1', kind: 'recycle', denominationMinor: 1_000, count: 9, capacity: 10 },
      { id: 'CIN', kind: 'cashIn', denominationMinor: null, count: 0, capacity: 2 },
      { id: 'RET', kind: 'retract', denominationMinor: null, count: 0, capacity: 10 },
    ] as const;
    simulated = await openSimulatedDevices({ dir, clock, chance: systemChance, profile: 'atm', load });
    await inserted(1_000, 3);
    expect(await acceptor().cashInEnd(patient)).toMatchObject({ outcome: 'stored', notes: notes(1_000, 3) });
    expect(cash().units.map((unit) => unit.count)).toEqual([10, 2, 0]);
    expect(acceptor().room()).toMatchObject({ notesMax: 0, full: [1_000] });
    await inserted(1_000, 1);
    expect(await acceptor().cashInStop(patient)).toMatchObject({ escrow: [], refusedNotes: 1 });
    expect(cash().returned.notes).toEqual({ 1000: 1 });
  });
});

describe('printer, PIN pad and scanner faults', () => {
  const hello = new TextEncoder().encode('\x1b@Kaopass\n');

  it('counts paper down to none, over restarts, and keeps bytes and picture of each receipt', async () => {
    const printer = () => simulated.devices.receiptPrinter!;
    simulated.control.setPaper(1);
    expect((await printer().status(patient)).paper).toBe('low');
    expect(await printer().print(hello, patient)).toEqual({ outcome: 'printed' });
    await simulated.close();
    await open('checkout');
    expect((await printer().status(patient)).paper).toBe('out');
    expect(printer().health()).toEqual({ state: 'hardwareError', problem: 'out of paper' });
    expect(await printer().print(hello, patient)).toMatchObject({ outcome: 'failed', error: 'paperOut' });
    const [receipt, ...others] = await simulated.control.receipts();
    expect(others).toEqual([]);
    expect(readFileSync(receipt!.escposPath)).toEqual(Buffer.from(hello));
    expect(readFileSync(receipt!.pngPath).subarray(1, 4).toString()).toBe('PNG');
  });

  it('reports a paper jam and a printer that is gone', async () => {
    const printer = simulated.devices.receiptPrinter!;
    simulated.control.armFault({ device: 'receipt-printer', fault: 'paper-jam' });
    expect(await printer.print(hello, patient)).toMatchObject({ error: 'paperJammed' });
    simulated.control.armFault({ device: 'receipt-printer', fault: 'gone' });
    expect(await printer.print(hello, patient)).toMatchObject({ error: 'noDevice' });
    expect(await simulated.control.receipts()).toEqual([]);
  });

  it('ends a PIN entry when the pad goes away, and ignores keys while no entry is active', async () => {
    expect(await simulated.control.pressKeys('1234E')).toMatchObject({ ok: false, taken: 0 });
    const entry = simulated.devices.pinPad!.enterPin(
      {
        digitsMin: 4,
        digitsMax: 6,
        encryptFor: { kty: 'EC', crv: 'P-256', x: '', y: '', kid: '' },
        boundTo: '',
        timeoutMs: 30_000,
      },
      () => simulated.control.armFault({ device: 'pin-pad', fault: 'gone' }),
      patient,
    );
    const gone = expect(entry).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
    await simulated.control.pressKeys('1', { waitMs: 100 });
    await gone;
  });

  it('gives no later entry the keys that were meant for an earlier one', async () => {
    const { request } = await pinBank();
    const first = simulated.devices.pinPad!.enterPin(request, () => {}, patient);
    const pressed = simulated.control.pressKeys('1234E5678E', { waitMs: 100 });
    expect((await first).outcome).toBe('entered');
    const heard: number[] = [];
    const second = simulated.devices.pinPad!.enterPin(request, (count) => heard.push(count), patient);
    expect(await pressed).toEqual({ ok: false, message: expect.stringContaining('ended'), taken: 5 });
    await simulated.control.pressKeys('C', { waitMs: 100 });
    expect(await second).toEqual({ outcome: 'cancelled' });
    expect(heard).toEqual([]);
  });

  it('takes no piece of paper that is no note of any value', async () => {
    await simulated.devices.cashAcceptor!.cashInStart(newId(), () => {}, patient);
    for (const wrong of [notes(0, 1), notes(1_000, 0.5)]) {
      expect(await simulated.control.insertNotes(wrong)).toMatchObject({ ok: false });
    }
  });

  it('refuses a fault no device knows, naming the field', () => {
    expect(() => simulated.control.armFault({ device: 'lights', fault: 'jam-on-dispense' })).toThrow(
      'no fault of lights',
    );
  });
});

describe('a damaged state file', () => {
  const damaged = async (text: string) => {
    await simulated.close();
    writeFileSync(join(dir, 'cash.json'), text);
    const refused = openSimulatedDevices({ dir, clock, chance: systemChance, profile: 'atm' });
    await expect(refused).rejects.toMatchObject({
      code: 'DEVICE_FAILED',
      message: expect.stringContaining('cash.json'),
    });
    expect(readFileSync(join(dir, 'cash.json'), 'utf8')).toBe(text);
    rmSync(dir, { recursive: true });
    await open();
  };

  it('is refused by name and left as it is: cut off, of another shape, or with notes made of nothing', async () => {
    const good = readFileSync(join(dir, 'cash.json'), 'utf8');
    await damaged(good.slice(0, 200));
    await damaged('{}');
    await damaged(good.replace('"1000": 200', '"1000": 201'));
  });

  it('is not what a kill while writing leaves: the half-written neighbour is ignored', async () => {
    await simulated.close();
    writeFileSync(join(dir, 'cash.json.new'), '{"version":1,"un');
    await open();
    expect(cash().conservation).toMatchObject({ holds: true, insideMinor: 2_700_000 });
  });
});
