import { afterEach, describe, expect, test } from 'vitest';
import {
  type CashBench,
  type CashBenchOptions,
  cashIn,
  codeOf,
  expectSound,
  openCashBench,
  unit,
} from './cash-bench.ts';

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
const start = async (order: object = {}) => await run('CashAcceptor.CashInStart', { useRecycleUnits: true, ...order });
const status = async () => (await bench.client.command('CashAcceptor.GetCashInStatus')).payload;
const tenThousands = (count: number) => [{ value: 10_000, count }];

describe('order of commands (12.2 to 12.4)', () => {
  test('without a CashInStart there is no cash-in', async () => {
    await open();
    for (const name of ['CashIn', 'CashInEnd', 'CashInRollback']) {
      expect(await run(`CashAcceptor.${name}`)).toBe('noCashInActive');
    }
    expect((await status()).status).toBe('unknown');
  });

  test('one transaction at a time', async () => {
    await open();
    expect(await start()).toBe('success');
    expect(await start()).toBe('cashInActive');
    expect(await run('CashAcceptor.ConfigureNoteTypes', { items: [] })).toBe('cashInActive');
    expect(await run('Storage.StartExchange')).toBe('transactionActive');
  });

  test('an empty escrow ends with noItems, and the transaction is over (S13)', async () => {
    const { client } = await open();
    await start();
    const waiting = await client.command('CashAcceptor.CashIn', undefined, { timeout: 30 });
    expect(codeOf(waiting)).toBe('timeOut');
    expect((await status()).status).toBe('active');
    expect((await client.command('Common.Status')).payload.cashAcceptor.positions[0].shutter).toBe('closed');
    expect(await run('CashAcceptor.CashInRollback')).toBe('noItems');
    expect(await run('CashAcceptor.CashInEnd')).toBe('noCashInActive');
  });

  test('a cancelled CashIn leaves the transaction active (S13)', async () => {
    const { client } = await open();
    await start();
    const id = client.send('CashAcceptor.CashIn');
    await client.event('CashAcceptor.InsertItemsEvent');
    await client.command('Common.Cancel', { requestIds: [id] });
    expect(codeOf(await client.completion(id))).toBe('canceled');
    expect((await status()).status).toBe('active');
    expect((await cashIn(bench, tenThousands(1))).payload.items).toMatchObject({ type10000JPY1: { fit: 1 } });
  });

  test('hands can only insert while a cash-in waits', async () => {
    await open();
    expect(() => bench.hands.insertNotes(tenThousands(1))).toThrow('slot is closed');
    await start();
    expect(() => bench.hands.insertNotes(tenThousands(1))).toThrow('slot is closed');
    await expect(bench.hands.takeReturned()).rejects.toThrow('nothing lies in reach');
  });
});

describe('refused notes (S11)', () => {
  test('lie in the slot again, told by event and count; the rest is taken', async () => {
    const { client } = await open();
    await start();
    const completion = await cashIn(
      bench,
      [
        { value: 10_000, count: 2 },
        { value: 5_000, count: 1, level: 'counterfeit' },
      ],
      { unrecognised: 3 },
    );
    expect(codeOf(completion)).toBe('success');
    expect(completion.payload.items).toEqual({ unrecognized: 0, type10000JPY1: { fit: 2 } });
    const reasons = client.heard.filter(({ header }) => header.name === 'CashAcceptor.InputRefuseEvent');
    expect(reasons.map(({ payload }) => payload.reason).sort()).toEqual(['counterfeit', 'invalidBill']);
    expect((await client.event('CashManagement.ItemsPresentedEvent')).payload.position).toBe('outLeft');
    expect(await status()).toMatchObject({ numOfRefused: 4, noteNumberList: { type10000JPY1: { fit: 2 } } });

    expect(await run('CashAcceptor.CashIn')).toBe('positionNotEmpty');
    await bench.hands.takeReturned();
    expect((await client.event('CashManagement.ItemsTakenEvent')).payload.position).toBe('outLeft');
    expect(await run('CashAcceptor.CashInEnd')).toBe('success');
  });

  test.each<[why: string, order: object, notes: { value: number; count: number }[], reason: string, taken: object]>([
    [
      'over the number of items',
      { totalItemsLimit: 2 },
      tenThousands(3),
      'limitOverTotalItems',
      { type10000JPY1: { fit: 2 } },
    ],
    [
      'over the amount',
      { amountLimit: [{ currency: 'JPY', value: 25_000 }] },
      tenThousands(3),
      'limitOverAmount',
      { type10000JPY1: { fit: 2 } },
    ],
    [
      'of a currency not listed',
      { amountLimit: [{ currency: 'EUR', value: null }] },
      tenThousands(1),
      'invalidBill',
      {},
    ],
  ])('%s', async (_why, order, notes, reason, taken) => {
    await open();
    await start(order);
    const { payload } = await cashIn(bench, notes);
    expect(payload.items).toEqual({ unrecognized: 0, ...taken });
    expect((await bench.client.event('CashAcceptor.InputRefuseEvent')).payload.reason).toBe(reason);
  });

  test('a limit that is reached ends the next CashIn at once', async () => {
    await open();
    await start({ totalItemsLimit: 1 });
    await cashIn(bench, tenThousands(1));
    expect(await run('CashAcceptor.CashIn')).toBe('tooManyItems');
  });

  test('of a type that is switched off, also after a restart', async () => {
    await open();
    await run('CashAcceptor.ConfigureNoteTypes', { items: [{ item: 'type2000JPY1', enabled: false }] });
    expect(await run('CashAcceptor.ConfigureNoteTypes', { items: [{ item: 'type7JPY1', enabled: false }] })).toBe(
      'unsupportedData',
    );
    bench = await bench.restart();
    const { items } = (await bench.client.command('CashManagement.GetBankNoteTypes')).payload;
    expect(items.type2000JPY1).toEqual({
      cashItem: { noteID: 2, currency: 'JPY', value: 2_000, release: 1 },
      enabled: false,
    });
    await start();
    await cashIn(bench, [{ value: 2_000, count: 1 }]);
    expect((await bench.client.event('CashAcceptor.InputRefuseEvent')).payload.reason).toBe('invalidBill');
  });

  test('a full escrow', async () => {
    const { client } = await open({ escrowItemsMax: 3 });
    await start();
    expect((await cashIn(bench, tenThousands(5))).payload.items.type10000JPY1).toEqual({ fit: 3 });
    expect((await client.event('CashAcceptor.InputRefuseEvent')).payload.reason).toBe('stackerFull');
    expect((await client.command('Common.Status')).payload.cashAcceptor.intermediateStacker).toBe('full');
    await bench.hands.takeReturned();
    expect(await run('CashAcceptor.CashIn')).toBe('tooManyItems');
  });

  test.each(['cashInUnitFull', 'depositFailure', 'invalidBunch'])('by a fault, as %s', async (reason) => {
    const { atm, client } = await open();
    atm.faults.arm({ fault: 'refuseNotes', notes: 1, reason });
    await start();
    expect((await cashIn(bench, tenThousands(2))).payload.items.type10000JPY1).toEqual({ fit: 1 });
    expect((await client.event('CashAcceptor.InputRefuseEvent')).payload.reason).toBe(reason);
  });

  test('with foreign things everything comes back, and a person has to clear them', async () => {
    const { atm, client, hands } = await open();
    atm.faults.arm({ fault: 'foreignItems' });
    await start();
    expect(codeOf(await cashIn(bench, tenThousands(2)))).toBe('foreignItemsDetected');
    expect((await client.command('Common.Status')).payload.cashAcceptor.positions[1].positionStatus).toBe(
      'foreignItems',
    );
    await hands.takeReturned();
    expect(await run('CashAcceptor.CashIn')).toBe('foreignItemsDetected');
    hands.foreignItem('input', false);
    expect(codeOf(await cashIn(bench, tenThousands(2)))).toBe('success');
  });
});

describe('a change of mind (S12)', () => {
  test('gives the notes back, and still says what they were', async () => {
    const { client, hands } = await open();
    await start();
    await cashIn(bench, tenThousands(3));
    expect(codeOf(await client.command('CashAcceptor.CashInRollback'))).toBe('success');
    expect(client.events()).toContain('CashManagement.ItemsPresentedEvent');
    expect(await status()).toMatchObject({ status: 'rollback', noteNumberList: { type10000JPY1: { fit: 3 } } });
    expect((await client.command('CashAcceptor.GetPresentStatus')).payload.presentState).toBe('presented');
    await hands.takeReturned();
    expect(hands.where().worth.withCustomers).toBe(30_000);
  });

  test('not taken, they are retracted, and that ends no transaction any more', async () => {
    const { client } = await open();
    await start();
    await cashIn(bench, tenThousands(2));
    await client.command('CashAcceptor.CashInRollback');
    const { payload } = await client.command('CashManagement.Retract', {
      location: { retractArea: 'retract', index: 1 },
    });
    expect(payload.storage.unit6.retracted).toEqual({ type10000JPY1: { fit: 2 } });
    expect((await status()).status).toBe('rollback');
  });
});

describe('faults of a deposit (S14, S15)', () => {
  test('Retract during a cash-in ends it', async () => {
    await open();
    await start();
    await cashIn(bench, tenThousands(2));
    expect(await run('CashManagement.Retract', { location: { retractArea: 'retract' } })).toBe('success');
    expect((await status()).status).toBe('retract');
    expect(await run('CashAcceptor.CashInEnd')).toBe('noCashInActive');
    expect(unit(bench, 'unit6')).toEqual({ counted: 2, held: 2 });
  });

  test('a jam while counting: what was identified is remembered, and Reset clears it', async () => {
    const { atm, client } = await open();
    atm.faults.arm({ fault: 'cashInJam', afterNotes: 2 });
    await start();
    expect(codeOf(await cashIn(bench, tenThousands(5)))).toBe('hardwareError');
    expect(await status()).toMatchObject({ status: 'active', noteNumberList: { type10000JPY1: { fit: 2 } } });
    expect(await run('CashAcceptor.CashInRollback')).toBe('hardwareError');
    const reset = await client.command('CashManagement.Reset', { position: { target: 'retract', index: 1 } });
    expect(reset.payload.storage.unit6.retracted).toEqual({ type10000JPY1: { fit: 5 } });
    expect((await client.event('CashManagement.MediaDetectedEvent')).payload).toEqual({ target: 'retract', index: 1 });
    expect(await start()).toBe('success');
  });

  test('S16: Reset ends a running cash-in', async () => {
    await open();
    await start();
    await cashIn(bench, tenThousands(1));
    expect(await run('CashManagement.Reset', {})).toBe('success');
    expect((await status()).status).toBe('reset');
  });

  test('S14: a jam in CashInEnd leaves notes in units, transport and escrow', async () => {
    const { atm, client, hands } = await open();
    await start();
    await cashIn(bench, tenThousands(5));
    atm.faults.arm({ fault: 'cashInEndJam', afterNotes: 2, stuckNotes: 1 });
    const completion = await client.command('CashAcceptor.CashInEnd');
    expect(codeOf(completion)).toBe('hardwareError');
    expect(completion.payload.storage).toEqual({ unit3: { deposited: { type10000JPY1: { fit: 2 } } } });
    const { storage } = (await client.command('Storage.GetStorage')).payload;
    expect(storage.unit3.cash.status.in).toMatchObject({
      deposited: { type10000JPY1: { fit: 2 } },
      transport: { type10000JPY1: { fit: 1 } },
    });
    expect(hands.where().places.escrow).toEqual({ 'type10000JPY1/fit': 2 });
    expect((await status()).status).toBe('ok');
    expect(await run('CashManagement.Reset', {})).toBe('success');
    expect(unit(bench, 'unit3')).toEqual({ counted: 202, held: 202 });
  });

  test('no room in any unit: the transaction is over and the notes stay in escrow', async () => {
    const { hands } = await open();
    await start();
    await cashIn(bench, tenThousands(1));
    hands.removeUnit('unit3');
    hands.removeUnit('unit4');
    expect(await run('CashAcceptor.CashInEnd')).toBe('cashUnitError');
    expect(hands.where().places.escrow).toEqual({ 'type10000JPY1/fit': 1 });
    expect((await bench.client.command('Common.Status')).payload.cashManagement.acceptor).toBe('attention');
  });

  test('a rollback that jams gives back what it can', async () => {
    const { atm, hands } = await open();
    await start();
    await cashIn(bench, tenThousands(3));
    atm.faults.arm({ fault: 'rollbackJam', afterNotes: 1 });
    expect(await run('CashAcceptor.CashInRollback')).toBe('hardwareError');
    expect(hands.where().worth.inReach).toBe(10_000);
    await hands.takeReturned();
    expect(await run('CashManagement.Reset', {})).toBe('success');
  });

  test('a shutter that does not open for the rollback', async () => {
    const { atm, hands } = await open();
    await start();
    await cashIn(bench, tenThousands(1));
    atm.faults.arm({ fault: 'shutterStuck', position: 'input', when: 'opening' });
    expect(await run('CashAcceptor.CashInRollback')).toBe('shutterNotOpen');
    expect(hands.where().worth.inReach).toBe(0);
    expect((await status()).status).toBe('rollback');
  });
});

describe('power (S9, 12.5)', () => {
  test('escrow and transaction survive, and the rollback still works', async () => {
    await open();
    await start();
    await cashIn(bench, tenThousands(2));
    bench = await bench.restart();
    expect(await status()).toMatchObject({ status: 'active', noteNumberList: { type10000JPY1: { fit: 2 } } });
    expect(await run('CashAcceptor.CashInRollback')).toBe('success');
  });
});

describe('a shutter the client moves (12.3)', () => {
  test('is opened, closed, and only then the notes are counted; refused ones wait for PresentMedia', async () => {
    const { client, hands } = await open({ explicitShutter: true });
    const { cashAcceptor } = (await client.command('Common.Capabilities')).payload;
    expect([cashAcceptor.shutterControl, cashAcceptor.positions[1].presentControl]).toEqual([false, false]);
    await start();
    expect(await run('CashAcceptor.CashIn')).toBe('noItems');
    expect(await run('CashManagement.OpenShutter', { position: 'inDefault' })).toBe('success');
    hands.insertNotes(tenThousands(2), { unrecognised: 1 });
    expect((await client.event('CashManagement.ItemsInsertedEvent')).payload.position).toBe('inCenter');
    expect(await run('CashAcceptor.CashIn')).toBe('shutterNotClosed');
    expect(await run('CashManagement.CloseShutter', { position: 'inDefault' })).toBe('success');
    expect((await client.command('CashAcceptor.CashIn')).payload.items.type10000JPY1).toEqual({ fit: 2 });
    expect(client.events()).not.toContain('CashManagement.ItemsPresentedEvent');
    await expect(hands.takeReturned()).rejects.toThrow('nothing lies in reach');
    expect(await run('CashAcceptor.PresentMedia')).toBe('success');
    expect(client.events()).toContain('CashManagement.ItemsPresentedEvent');
    await hands.takeReturned();
    expect(await run('CashAcceptor.PresentMedia')).toBe('noItems');
    expect(await run('CashAcceptor.CashInEnd')).toBe('success');
  });
});

describe('counting units (11.9, 12.6)', () => {
  test('CashUnitCount makes counts true again', async () => {
    const { hands } = await open();
    hands.load('unit3', 42, { told: false });
    expect(unit(bench, 'unit3')).toEqual({ counted: 200, held: 42 });
    expect(await run('CashAcceptor.CashUnitCount', { units: ['unit5'] })).toBe('invalidCashUnit');
    expect(await run('CashAcceptor.CashUnitCount', { units: ['unit3'] })).toBe('success');
    expect(unit(bench, 'unit3')).toEqual({ counted: 42, held: 42 });
  });

  test('TestCashUnits sends one note of each unit to the reject unit', async () => {
    await open();
    expect(await run('CashDispenser.TestCashUnits', {})).toBe('success');
    expect(unit(bench, 'unit5')).toEqual({ counted: 3, held: 3 });
  });
});

describe('dispenser and acceptor as two services', () => {
  test('each has its half, and both show the same units', async () => {
    const { atm, connect } = await open({ arrangement: 'split' });
    expect(atm.services.map(({ name }) => name)).toEqual(['CashDispenser1', 'CashAcceptor1']);
    const acceptor = await connect('CashAcceptor1');
    expect(codeOf(await bench.client.command('CashAcceptor.CashInStart'))).toBe('invalidCommand');
    expect(codeOf(await acceptor.command('CashAcceptor.CashInStart', { useRecycleUnits: true }))).toBe('success');
    const id = acceptor.send('CashAcceptor.CashIn');
    await bench.hands.insertWhenOpen(tenThousands(1));
    await acceptor.completion(id);
    await acceptor.command('CashAcceptor.CashInEnd');
    const of = async (client: typeof acceptor) =>
      (await client.command('Storage.GetStorage')).payload.storage.unit3.cash.status.in.deposited;
    expect(await of(acceptor)).toEqual({ type10000JPY1: { fit: 1 } });
    expect(await of(bench.client)).toEqual(await of(acceptor));
  });
});
