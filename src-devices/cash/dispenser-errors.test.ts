import { afterEach, describe, expect, test } from 'vitest';
import { VirtualClock } from '../virtual-clock.ts';
import { type CashBench, type CashBenchOptions, codeOf, expectSound, openCashBench, unit, yen } from './cash-bench.ts';

let bench: CashBench;
const open = async (options: CashBenchOptions = {}) => {
  bench = await openCashBench(options);
  return bench;
};
afterEach(async () => {
  expectSound(bench);
  await bench.close();
});

const run = async (name: string, payload?: unknown) => codeOf(await bench.client.command(name, payload));
const app = (counts: Record<string, number>, amount?: number) => ({
  denomination: { app: { counts, ...(amount && { currencies: { JPY: amount } }) } },
});
const service = (currencies: Record<string, number>, mix = 'mix1', more = {}) => ({
  denomination: { service: { currencies, mix, ...more } },
});

describe('Denominate (11.4)', () => {
  test.each<[why: string, request: object, code: string]>([
    ['an amount that can’t be made', service({ JPY: 1_500 }), 'notDispensable'],
    ['another currency', service({ EUR: 10 }), 'invalidCurrency'],
    ['two currencies', service({ JPY: 1_000, EUR: 10 }), 'noCurrencyMix'],
    ['an unknown mix', service({ JPY: 1_000 }, 'mix9'), 'invalidMixNumber'],
    ['more notes than the stacker takes', service({ JPY: 1_010_000 }), 'tooManyItems'],
    ['counts that make another amount', app({ unit3: 1 }, 20_000), 'invalidDenomination'],
    ['no notes', app({}), 'invalidDenomination'],
    ['a unit that does not pay out', app({ unit4: 1 }), 'notDispensable'],
    ['a unit there is not', app({ unit77: 1 }), 'notDispensable'],
    ['too many notes counted', app({ unit3: 101 }), 'tooManyItems'],
    ['a teller', { ...service({ JPY: 1_000 }), tellerID: 3 }, 'invalidTellerID'],
    [
      'both branches',
      { denomination: { ...service({ JPY: 1_000 }).denomination, ...app({ unit1: 1 }).denomination } },
      'invalidData',
    ],
    ['neither branch', { denomination: {} }, 'invalidData'],
  ])('refuses %s', async (_why, request, code) => {
    await open();
    expect(await run('CashDispenser.Denominate', { request })).toBe(code);
    expect(await run('CashDispenser.Dispense', { denomination: request })).toBe(code);
    expect(bench.hands.where().places.stacker).toEqual({});
  });

  test('takes fewest notes, empties alike, and includes what must be', async () => {
    const { client } = await open();
    const values = async (request: object) =>
      (await client.command('CashDispenser.Denominate', { request })).payload.result.values;
    expect(await values(service({ JPY: 30_000 }))).toEqual({ unit3: 3 });
    expect(await values(service({ JPY: 30_000 }, 'mix1', { partial: { unit2: 2 } }))).toEqual({ unit2: 2, unit3: 2 });
    expect(await values(service({ JPY: 60_000 }, 'mix2'))).toEqual({ unit2: 2, unit3: 5 });
    expect((await client.command('CashDispenser.GetMixTypes')).payload.mixes.mix2.algorithm).toBe('equalEmptying');
  });

  test('leaves out units that are locked, empty, out of order or gone', async () => {
    const { client, hands } = await open();
    const lock = { storage: { unit3: { cash: { configuration: { appLockOut: true } } } } };
    expect(codeOf(await client.command('Storage.SetStorage', lock))).toBe('success');
    hands.load('unit1', 0);
    const request = service({ JPY: 10_000 });
    const { result } = (await client.command('CashDispenser.Denominate', { request })).payload;
    expect(result.values).toEqual({ unit2: 2 });
    hands.removeUnit('unit2');
    expect(await run('CashDispenser.Denominate', { request })).toBe('notDispensable');
    expect((await client.command('Common.Status')).payload.cashManagement.dispenser).toBe('stop');
  });
});

describe('order of commands (11.5 to 11.7)', () => {
  test('nothing on the stacker: nothing to present, reject or retract (S5)', async () => {
    await open();
    expect(await run('CashDispenser.Present')).toBe('noItems');
    expect(await run('CashDispenser.Reject')).toBe('noItems');
    expect(await run('CashManagement.Retract', { location: { retractArea: 'retract', index: 1 } })).toBe('noItems');
  });

  test('notes in reach stand in the way of the next dispense', async () => {
    await open();
    await run('CashDispenser.Dispense', yen(1_000));
    await run('CashDispenser.Present');
    expect(await run('CashDispenser.Dispense', yen(1_000))).toBe('itemsLeft');
    expect((await bench.client.command('CashDispenser.GetPresentStatus')).payload.presentState).toBe('presented');
  });

  test('there is one position', async () => {
    await open();
    expect(await run('CashDispenser.Dispense', { ...yen(1_000), position: 'outLeft' })).toBe('unsupportedPosition');
    expect(await run('CashDispenser.Dispense', { ...yen(1_000), position: 'outCenter' })).toBe('success');
    expect(await run('CashDispenser.Present', { position: 'outRear' })).toBe('unsupportedPosition');
    expect(await run('CashDispenser.GetPresentStatus', { position: 'outTop' })).toBe('unsupportedPosition');
  });

  test('rejected notes are counted in their unit and in the reject unit', async () => {
    const { client } = await open();
    await run('CashDispenser.Dispense', yen(20_000));
    expect(await run('CashDispenser.Reject')).toBe('success');
    const { storage } = (await client.command('Storage.GetStorage')).payload;
    expect(storage.unit3.cash.status.out.rejected).toEqual({ type10000JPY1: { fit: 2 } });
    expect(storage.unit5.cash.status.in.rejected).toEqual({ type10000JPY1: { fit: 2 } });
    expect((await client.command('CashDispenser.GetPresentStatus')).payload.presentState).toBe('notPresented');
  });

  test('several bunches come one after another (S8)', async () => {
    const { client, hands } = await open({ bunchItemsMax: 2 });
    expect((await client.command('CashDispenser.Dispense', yen(30_000))).payload.bunches).toBe('2');
    const first = await client.command('CashDispenser.Present');
    expect(first.payload.position.additionalBunches).toBe('1');
    expect(await run('CashDispenser.Present')).toBe('shutterOpen');
    await hands.takeNotes();
    expect((await client.event('CashManagement.ItemsTakenEvent')).payload.additionalBunches).toBe('1');
    const second = await client.command('CashDispenser.Present');
    expect(second.payload.position.additionalBunches).toBe('0');
    await hands.takeNotes();
    expect(hands.where().worth.withCustomers).toBe(30_000);
  });

  test('a bunch that still waits inside stands in the way of the next dispense, too', async () => {
    const { client, hands } = await open({ bunchItemsMax: 2 });
    await run('CashDispenser.Dispense', yen(30_000));
    await run('CashDispenser.Present');
    await hands.takeNotes();
    expect(await run('CashDispenser.Dispense', yen(1_000))).toBe('itemsLeft');
    expect((await client.command('CashDispenser.GetPresentStatus')).payload).toMatchObject({
      presentState: 'presented',
      denomination: { currencies: { JPY: 30_000 } },
    });
    expect(await run('CashDispenser.Reject')).toBe('success');
    expect(await run('CashDispenser.Dispense', yen(1_000))).toBe('success');
  });
});

describe('notes that are not taken (S7)', () => {
  const present = async (amount = 30_000) => {
    await open();
    await run('CashDispenser.Dispense', yen(amount));
    await run('CashDispenser.Present');
  };
  const retract = async () =>
    await bench.client.command('CashManagement.Retract', { location: { retractArea: 'retract', index: 1 } });

  test('are drawn back and counted', async () => {
    await present();
    const { payload } = await retract();
    expect(payload).toEqual({
      storage: { unit6: { retractOperations: 1, retracted: { type10000JPY1: { fit: 3 } } } },
    });
    const status = (await bench.client.command('Common.Status')).payload.cashDispenser.positions[0];
    expect(status).toMatchObject({ shutter: 'closed', positionStatus: 'empty' });
    expect((await bench.client.command('CashDispenser.GetPresentStatus')).payload.presentState).toBe('presented');
  });

  test('may be fewer than were presented: some were taken before', async () => {
    await present();
    await bench.hands.takeNotes({ some: 1 });
    expect(bench.client.events()).not.toContain('CashManagement.ItemsTakenEvent');
    expect((await retract()).payload.storage.unit6.retracted).toEqual({ type10000JPY1: { fit: 2 } });
  });

  test('an uncounted retract tells operations only, and the counts are no longer accurate', async () => {
    await present();
    bench.atm.faults.arm({ fault: 'uncountedRetract' });
    expect((await retract()).payload.storage).toEqual({ unit6: { retractOperations: 1 } });
    expect(unit(bench, 'unit6')).toEqual({ counted: 0, held: 3 });
    const { storage } = (await bench.client.command('Storage.GetStorage')).payload;
    expect(storage.unit6.cash.status).toMatchObject({ accuracy: 'inaccurate', in: { retractOperations: 1 } });
  });

  test('some pulled out during the retract: itemsTaken', async () => {
    await present();
    bench.atm.faults.arm({ fault: 'takenDuringRetract', notes: 2 });
    const completion = await retract();
    expect(codeOf(completion)).toBe('itemsTaken');
    expect(completion.payload.storage.unit6.retracted).toEqual({ type10000JPY1: { fit: 1 } });
    expect(bench.hands.where().worth.withCustomers).toBe(20_000);
  });

  test('a full retract unit leaves the rest where it is', async () => {
    await present();
    bench.atm.faults.arm({ fault: 'retractUnitFull', roomNotes: 1 });
    expect(codeOf(await retract())).toBe('incompleteRetract');
    expect((await bench.client.event('CashManagement.IncompleteRetractEvent')).payload.reason).toBe('retractAreaFull');
    expect(bench.hands.where().worth.inReach).toBe(20_000);
  });

  test('taken just before: noItems', async () => {
    await present();
    await bench.hands.takeNotes();
    expect(codeOf(await retract())).toBe('noItems');
  });

  test('a blind sensor: nobody hears that they were taken', async () => {
    await present();
    bench.atm.faults.arm({ fault: 'sensorOff' });
    await bench.hands.takeNotes();
    expect((await bench.client.command('Common.Status')).payload.cashDispenser.positions[0].positionStatus).toBe(
      'notEmpty',
    );
    expect(bench.client.events()).not.toContain('CashManagement.ItemsTakenEvent');
    expect(await run('CashDispenser.Dispense', yen(1_000))).toBe('itemsLeft');
    expect(codeOf(await retract())).toBe('noItems');
    expect(await run('CashDispenser.Dispense', yen(1_000))).toBe('success');
  });

  test('there is one retract position, and no other area', async () => {
    await present();
    const to = (retractArea: string, index?: number) =>
      run('CashManagement.Retract', { location: { retractArea, index } });
    expect(await to('retract', 2)).toBe('invalidRetractPosition');
    expect(await to('stacker')).toBe('notRetractArea');
    expect(await to('reject')).toBe('success');
  });

  test('foreign things stop a retract', async () => {
    await present();
    bench.atm.faults.arm({ fault: 'foreignItems', position: 'output' });
    expect(codeOf(await retract())).toBe('foreignItemsDetected');
    bench.hands.foreignItem('output', false);
    expect(codeOf(await retract())).toBe('success');
  });
});

describe('a dispense that stops halfway (S4)', () => {
  test('tells the unit, what lies on the stacker, and ends with cashUnitError', async () => {
    const { atm, client } = await open();
    atm.faults.arm({ fault: 'pickFailure', afterNotes: 2, failure: 'error' });
    const completion = await client.command('CashDispenser.Dispense', yen(30_000));
    expect(codeOf(completion)).toBe('cashUnitError');
    expect(client.events().filter((name) => !name.includes('Changed'))).toEqual([
      'Storage.StorageErrorEvent',
      'CashDispenser.IncompleteDispenseEvent',
    ]);
    const left = { currencies: { JPY: 20_000 }, values: { unit3: 2 } };
    expect((await client.event('CashDispenser.IncompleteDispenseEvent')).payload).toEqual(left);
    expect((await client.event('Storage.StorageErrorEvent')).payload).toMatchObject({
      failure: 'error',
      unit: { unit3: { status: 'inoperative' } },
    });
    expect(completion.payload.denomination).toEqual(left);
    expect(await run('CashDispenser.Reject')).toBe('success');
    expect((await client.command('CashDispenser.GetPresentStatus')).payload.presentState).toBe('notPresented');
    expect(await run('CashDispenser.Dispense', yen(10_000))).toBe('success');
    expect((await client.command('CashDispenser.GetPresentStatus')).payload.denomination.values).toEqual({ unit2: 2 });
  });

  test('before the first note nothing lies anywhere (S5)', async () => {
    const { atm, client } = await open();
    atm.faults.arm({ fault: 'pickFailure', afterNotes: 0, failure: 'empty' });
    expect(await run('CashDispenser.Dispense', yen(30_000))).toBe('cashUnitError');
    expect(client.events()).not.toContain('CashDispenser.IncompleteDispenseEvent');
    expect((await client.command('Common.Status')).payload.cashDispenser.intermediateStacker).toBe('empty');
    const { storage } = (await client.command('Storage.GetStorage')).payload;
    expect(storage.unit3.cash.status.replenishmentStatus).toBe('empty');
  });

  test('a unit that counts more than it holds', async () => {
    const { hands, client } = await open();
    hands.load('unit3', 1, { told: false });
    expect(unit(bench, 'unit3')).toEqual({ counted: 200, held: 1 });
    expect(await run('CashDispenser.Dispense', yen(30_000))).toBe('cashUnitError');
    expect((await client.event('Storage.StorageErrorEvent')).payload.failure).toBe('empty');
  });

  test('a note that fails its check is replaced by another', async () => {
    const { atm, client } = await open();
    atm.faults.arm({ fault: 'noteRejected', notes: 2 });
    const { payload } = await client.command('CashDispenser.Dispense', yen(30_000));
    expect(payload.denomination.values).toEqual({ unit3: 3 });
    expect(unit(bench, 'unit3').held).toBe(195);
    expect(unit(bench, 'unit5')).toEqual({ counted: 2, held: 2 });
    expect((await client.event('CashManagement.NoteErrorEvent')).payload.reason).toBe('doubleNote');
  });

  test('a jam keeps its note in the transport until Reset', async () => {
    const { atm, client, hands } = await open();
    atm.faults.arm({ fault: 'dispenseJam', afterNotes: 1 });
    expect(await run('CashDispenser.Dispense', yen(30_000))).toBe('hardwareError');
    const { storage } = (await client.command('Storage.GetStorage')).payload;
    expect(storage.unit3.cash.status.out).toMatchObject({
      stacked: { type10000JPY1: { fit: 1 } },
      transport: { type10000JPY1: { fit: 1 } },
    });
    expect(await run('CashDispenser.Present')).toBe('hardwareError');
    const reset = await client.command('CashManagement.Reset', {});
    expect(reset.payload.storage).toEqual({ unit5: { rejected: { type10000JPY1: { fit: 2 } } } });
    expect((await client.event('CashManagement.MediaDetectedEvent')).payload).toEqual({
      target: 'singleUnit',
      unit: 'unit5',
    });
    expect(hands.where().places.transport).toEqual({});
    expect(await run('CashDispenser.Dispense', yen(30_000))).toBe('success');
  });
});

describe('a present that fails (S6)', () => {
  const dispensed = async (fault: { fault: string; [parameter: string]: unknown }) => {
    await open();
    await run('CashDispenser.Dispense', yen(30_000));
    bench.atm.faults.arm(fault);
    return await run('CashDispenser.Present');
  };
  const presentState = async () => (await bench.client.command('CashDispenser.GetPresentStatus')).payload.presentState;

  test('no items: they are still on the stacker', async () => {
    expect(await dispensed({ fault: 'presentError', kind: 'noItems' })).toBe('presentErrorNoItems');
    expect(await presentState()).toBe('notPresented');
    expect(await run('CashDispenser.Reject')).toBe('success');
  });

  test('some items: those were in reach, the rest jams', async () => {
    expect(await dispensed({ fault: 'presentError', kind: 'items', accessibleNotes: 1 })).toBe('presentErrorItems');
    expect(await presentState()).toBe('presented');
    expect(bench.hands.where().worth.inReach).toBe(10_000);
    await bench.hands.takeNotes();
    expect(codeOf(await bench.client.command('CashManagement.Reset', {}))).toBe('success');
  });

  test.each([true, false])('unknown, while it is %s that they were in reach', async (accessible) => {
    expect(await dispensed({ fault: 'presentError', kind: 'unknown', accessible })).toBe('presentErrorUnknown');
    expect(await presentState()).toBe('unknown');
    const { intermediateStacker, positions } = (await bench.client.command('Common.Status')).payload.cashDispenser;
    expect([intermediateStacker, positions[0].positionStatus]).toEqual(['unknown', 'unknown']);
    expect(bench.hands.where().worth.inReach).toBe(accessible ? 30_000 : 0);
  });

  test('a shutter stuck closed until Reset', async () => {
    expect(await dispensed({ fault: 'shutterStuck', when: 'opening' })).toBe('shutterNotOpen');
    expect((await bench.client.command('Common.Status')).payload.cashDispenser.positions[0].shutter).toBe(
      'jammedClosed',
    );
    expect(await presentState()).toBe('notPresented');
    expect(await run('CashDispenser.Present')).toBe('shutterNotOpen');
    expect(await run('CashManagement.Reset', {})).toBe('success');
    expect((await bench.client.command('Common.Status')).payload.cashDispenser.positions[0].shutter).toBe('closed');
  });

  test('a shutter stuck open', async () => {
    await open();
    await run('CashDispenser.Dispense', yen(1_000));
    await run('CashDispenser.Present');
    bench.atm.faults.arm({ fault: 'shutterStuck', when: 'closing' });
    await bench.hands.takeNotes();
    expect((await bench.client.command('Common.Status')).payload.cashDispenser.positions[0].shutter).toBe('jammedOpen');
    expect(await run('CashDispenser.Dispense', yen(1_000))).toBe('shutterOpen');
    expect(await run('CashManagement.Reset', {})).toBe('success');
    expect(await run('CashDispenser.Dispense', yen(1_000))).toBe('success');
  });
});

describe('a dispense that takes its time', () => {
  /** Starts a payout of ten notes and lets the clock run until some lie on the stacker. */
  const halfway = async (header: object = {}) => {
    const clock = new VirtualClock();
    const { client } = await open({ clock, speed: 1 });
    const id = client.send('CashDispenser.Dispense', yen(100_000), { ...header });
    await client.next(({ header: { type } }) => type === 'acknowledge');
    await clock.advance(1_250);
    return { clock, client, id };
  };

  test.each(['timeOut', 'canceled'] as const)(
    '%s in the middle leaves notes on the stacker, and says so',
    async (end) => {
      const { clock, client, id } = await halfway(end === 'timeOut' ? { timeout: 1_220 } : {});
      if (end === 'canceled') await client.command('Common.Cancel', { requestIds: [id] });
      await clock.advance(500);
      const completion = await client.completion(id);
      expect(codeOf(completion)).toBe(end);
      const { currencies } = (await client.event('CashDispenser.IncompleteDispenseEvent')).payload;
      expect(currencies.JPY).toBe(10_000 * bench.atm.cash!.machine.count('stacker'));
      expect(currencies.JPY).toBeGreaterThan(0);
      expect(currencies.JPY).toBeLessThan(100_000);
    },
  );

  test('cancelled before the first note it leaves the last payout’s record alone', async () => {
    const clock = new VirtualClock();
    const { client } = await open({ clock, speed: 1 });
    const id = client.send('CashDispenser.Dispense', yen(100_000));
    await client.next(({ header: { type } }) => type === 'acknowledge');
    await clock.advance(100);
    await client.command('Common.Cancel', { requestIds: [id] });
    expect(codeOf(await client.completion(id))).toBe('canceled');
    expect(bench.atm.cash!.machine.state.present).toBeNull();
  });

  test('S9: a power cut in the middle: what lies on the stacker is known afterwards', async () => {
    await halfway();
    bench = await bench.restart();
    const { machine } = bench.atm.cash!;
    const stacked = machine.count('stacker');
    expect(stacked).toBeGreaterThan(0);
    expect(stacked).toBeLessThan(10);
    const { payload } = await bench.client.command('CashDispenser.GetPresentStatus');
    expect(payload).toMatchObject({ presentState: 'notPresented', denomination: { values: { unit3: stacked } } });
  });
});

describe('power and connection (S9, S20)', () => {
  test('notes on the stacker and the present status survive', async () => {
    await open();
    await run('CashDispenser.Dispense', yen(30_000));
    bench = await bench.restart();
    expect((await bench.client.command('Common.Status')).payload.cashDispenser.intermediateStacker).toBe('notEmpty');
    expect((await bench.client.command('CashDispenser.GetPresentStatus')).payload).toMatchObject({
      presentState: 'notPresented',
      denomination: { currencies: { JPY: 30_000 } },
    });
    expect(await run('CashDispenser.Reject')).toBe('success');
  });

  test('so do notes in reach', async () => {
    await open();
    await run('CashDispenser.Dispense', yen(30_000));
    await run('CashDispenser.Present');
    bench = await bench.restart();
    expect((await bench.client.command('CashDispenser.GetPresentStatus')).payload.presentState).toBe('presented');
    expect(await run('CashManagement.Retract', { location: { retractArea: 'retract' } })).toBe('success');
  });

  test('a connection that breaks before the act still gets its notes dispensed', async () => {
    const { atm, client, connect } = await open();
    atm.faults.arm({ fault: 'connectionDrop', command: 'CashDispenser.Present', when: 'afterAct' });
    await run('CashDispenser.Dispense', yen(10_000));
    const closed = new Promise((resolve) => client.socket.once('close', resolve));
    client.send('CashDispenser.Present');
    await closed;
    const again = await connect();
    expect((await again.command('CashDispenser.GetPresentStatus')).payload.presentState).toBe('presented');
    expect(
      client.heard.some(({ header }) => header.name === 'CashDispenser.Present' && header.type === 'completion'),
    ).toBe(false);
  });
});
