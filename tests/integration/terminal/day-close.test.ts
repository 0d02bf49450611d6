/** Closing a business day at a whole terminal, against the real bank: what moved, what is on its way, what differs. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { DayCloseAnswer } from '../../../src-contract/day-close.ts';
import { isoTime, systemChance } from '../../../src-main/clock.ts';
import { BusinessDayConfig } from '../../../src-main/day-close/business-day.ts';
import { createDayCloser, type DayCloser } from '../../../src-main/day-close/day-close.ts';
import { dayCloseReport } from '../../../src-main/day-close/report.ts';
import type { CashAcceptor } from '../../../src-main/devices/cash-acceptor.ts';
import type { CashDispenser, CashUnit } from '../../../src-main/devices/cash-dispenser.ts';
import { openFileKeyStore } from '../../../src-main/identity/file-key-store.ts';
import { openIdentity } from '../../../src-main/identity/identity.ts';
import { dataPlaces } from '../../../src-main/places.ts';
import { newFace } from '../../support/scripted-camera.ts';
import { openWorld, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import { enrolled, PIN } from '../../support/visits.ts';

const never = new AbortController().signal;
let world: World;
let atm: TestedTerminal;
let closer: DayCloser;
/** Notes that staff brought, by unit. */
let brought: Record<string, number>;

/** The run's closer; counts may be changed behind the devices' backs. */
const openCloser = async (cutOff = '00:00') => {
  const { clock } = world;
  const identity = await openIdentity({
    keyStore: await openFileKeyStore(dataPlaces(atm.dir).keys),
    clock,
    chance: systemChance,
  });
  const { journal, devices, visits, terminalId } = atm.run;
  const changed = <Device extends { status(signal: AbortSignal): Promise<{ units: readonly CashUnit[] }> }>(
    device: Device,
  ) => ({
    ...device,
    status: async (signal: AbortSignal) => {
      const status = await device.status(signal);
      return {
        ...status,
        units: status.units.map((unit) => ({ ...unit, count: unit.count + (brought[unit.id] ?? 0) })),
      };
    },
  });
  closer = createDayCloser({
    closes: journal.dayCloses,
    devices: {
      cashDispenser: changed(devices.cashDispenser!) as CashDispenser,
      cashAcceptor: changed(devices.cashAcceptor!) as CashAcceptor,
    },
    config: BusinessDayConfig.parse({ timeZone: 'UTC', cutOff }),
    terminalId,
    activatedAt: identity.activation!.activatedAt,
    sign: (close) => clock.during(identity.signDayClose(close)),
    idle: () => visits.idle,
    clock,
    chance: systemChance,
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
};
const close = async () => dayCloseReport(await closer.closeNow(never));
const delivered = async () => {
  await atm.run.sync.flush(never);
  return dayCloseReport(closer.last())!.answer;
};
const withdraws = async (yen: number) => {
  const { customer } = atm.run;
  await customer.chooses('withdraw');
  await customer.asksFor(yen);
  await customer.keys(PIN);
  await customer.takesCash();
  await customer.wantsReceipt();
  await customer.sees('done');
  await customer.sees('attract');
};
const deposits = async (notes: Record<number, number>) => {
  const { customer } = atm.run;
  await customer.chooses('deposit');
  await customer.sees('insert-cash');
  await customer.inserts(notes);
  await customer.confirms();
  await customer.sees('confirm-deposit');
  await customer.confirms();
  await customer.wantsReceipt();
  await customer.sees('done');
  await customer.sees('attract');
};
const agreed = (matched: number, number: number): DayCloseAnswer => ({
  number,
  matched,
  differences: [],
  inFlight: [],
  cashDifferenceNotes: 0,
});

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  brought = {};
  atm = await world.terminal();
  await atm.start();
  await openCloser();
  await closer.closeNow(never);
});
afterEach(async () => {
  await closer.close();
  expect(atm.failures).toEqual([]);
  await atm.dispose();
});

test('a day of deposits and withdrawals agrees in transactions, notes and postings', async () => {
  await enrolled(atm, newFace(), { yen: 100_000 });
  await deposits({ 1000: 3, 10000: 2 });
  await withdraws(15_000);
  // What the terminal tells the bank may still be on its way when the customer has gone.
  await atm.run.sync.flush(never);
  const report = await close();
  expect(report).toMatchObject({ number: 2, inFlight: 0, late: 0, cashProblem: null });
  expect(report.totals).toContainEqual({ service: 'withdraw', transactions: 1, amountMinor: 15_000 });
  expect(report.cash!.map(({ difference }) => difference).every((difference) => difference === 0)).toBe(true);
  expect(report.cash!.some(({ moved }) => moved < 0)).toBe(true);
  const answer = await delivered();
  expect(answer).toMatchObject({ number: 2, differences: [], cashDifferenceNotes: 0 });
  expect(answer!.matched).toBe(report.transactions.length);
  const { body } = await world.admin.get<{ closes: { number: number }[] }>(
    `/admin/day-closes?terminalId=${atm.run.terminalId}`,
  );
  expect(body.closes.map(({ number }) => number)).toEqual([2, 1]);
});

test('notes given back that nobody took are where the close expects them, and in no posting', async () => {
  const { customer } = atm.run;
  await enrolled(atm, newFace());
  await customer.chooses('deposit');
  await customer.inserts({ 1000: 2, 5000: 1 });
  await customer.cancels();
  await customer.sees('sorry', { code: 'notes-kept' });
  await customer.sees('attract');
  const report = await close();
  expect(report.cash).toContainEqual(expect.objectContaining({ denominationMinor: null, moved: 3, difference: 0 }));
  expect(await delivered()).toMatchObject({ differences: [], cashDifferenceNotes: 0 });
});

test('what the bank has not heard is on its way, and belongs to the next close by name', async () => {
  await enrolled(atm, newFace(), { yen: 50_000 });
  await close();
  await delivered();
  world.disturb('down', '/v1/captures', 1_000);
  await withdraws(10_000);
  const report = await close();
  expect(report.transactions).toMatchObject([{ standing: 'queued', amountMinor: 10_000, late: false }]);
  world.mend();
  // The bank hears of it only after the close was made.
  expect(await delivered()).toMatchObject({ number: report.number, differences: [] });
  const next = await close();
  expect(next.transactions).toMatchObject([{ standing: 'posted', amountMinor: 10_000, late: true }]);
  expect(await delivered()).toEqual(agreed(1, next.number));
  expect((await close()).transactions).toEqual([]);
});

test('closes reach the bank one after the other, though a clock that was ahead puts off the first', async () => {
  await delivered();
  atm.run.mains.setClockOff(200_000);
  await close();
  atm.run.mains.setClockOff(0);
  const last = await close();
  await atm.run.sync.flush(never);
  await world.clock.sleep(200_000, never);
  expect(await delivered()).toMatchObject({ number: last.number });
  const { body } = await world.admin.get<{ incidents: { terminalId: string }[] }>('/admin/incidents');
  expect(body.incidents.filter(({ terminalId }) => terminalId === atm.run.terminalId)).toEqual([]);
  expect(atm.run.journal.outboxSize()).toBe(0);
});

test('a suspect is named as one, and is no difference of the books', async () => {
  await enrolled(atm, newFace(), { yen: 50_000 });
  await close();
  const { journal } = atm.run;
  journal.begin({ transactionId: systemChance.id(), service: 'withdraw', personId: null, amount: null });
  const [open] = journal.openTransactions();
  journal.record(open!.transactionId, { state: 'suspect', detail: { why: 'nobody can say' } });
  const report = await close();
  expect(report.transactions).toMatchObject([
    { transactionId: open!.transactionId, standing: 'suspect', amountMinor: null },
  ]);
  expect(await delivered()).toMatchObject({ differences: [], inFlight: [{ what: 'suspect' }] });
});

test('an exchange of cassettes between transactions is recognised; notes that no transaction explains are a difference', async () => {
  await enrolled(atm, newFace(), { yen: 50_000 });
  await close();
  const unit = (await atm.run.devices.cashDispenser!.status(never)).units.find(
    ({ kind }) => kind !== 'retract' && kind !== 'reject',
  )!;
  brought = { [unit.id]: 40 };
  const refilled = await close();
  expect(refilled.cash!.find(({ denominationMinor }) => denominationMinor === unit.denominationMinor)).toMatchObject({
    exchanged: 40,
    difference: 0,
  });
  await withdraws(10_000);
  brought = { [unit.id]: 37 };
  const short = await close();
  expect(short.cash!.find(({ denominationMinor }) => denominationMinor === unit.denominationMinor)).toMatchObject({
    exchanged: 0,
    difference: -3,
  });
  expect(await delivered()).toMatchObject({ differences: [], cashDifferenceNotes: 3 });
});

test('nobody closes a day while a customer is served', async () => {
  await atm.run.customer.does('begin');
  await expect(closer.closeNow(never)).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
  await atm.run.customer.cancels();
});

test('the day is closed by itself once at its cut-off, and after a power cut goes on with the next number', async () => {
  const soon = isoTime(world.clock.now() + 120_000).slice('2026-11-28T'.length, '2026-11-28T23:59'.length);
  await closer.close();
  await openCloser(soon);
  const before = closer.last()!.number;
  closer.start();
  await world.clock.sleep(300_000, never);
  expect(dayCloseReport(closer.last())).toMatchObject({ number: before + 1, reason: 'cut-off' });
  await closer.close();
  await atm.cutPower();
  await atm.start();
  await openCloser(soon);
  expect(closer.last()!.number).toBe(before + 1);
  const next = await close();
  expect(next.number).toBe(before + 2);
  expect(await delivered()).toMatchObject({ number: before + 2, differences: [] });
});
