/** A bank for the tests of one file, and what they assert of runs. */
import { afterAll, beforeAll, expect } from 'vitest';
import { BankRoom } from './bank-room.ts';
import { workOnTheSpot } from './on-the-spot.ts';
import { simulate, tableOf } from './simulate.ts';

/** Opens one bank before the tests of this file and closes it after. */
export function aBank(): () => BankRoom {
  let bank: BankRoom;
  beforeAll(async () => {
    workOnTheSpot();
    bank = await BankRoom.open();
  });
  afterAll(() => bank.close());
  return () => bank;
}

/** Every promise holds in every run of these seeds, and they were worth running. */
export async function keepsEveryPromise(bank: BankRoom, seeds: { from: number; runs: number }): Promise<void> {
  const totals = await simulate(bank, seeds, { stopAtFirst: true });
  expect(totals.violations, tableOf(totals, 'under test')).toEqual([]);
  expect(totals.runs).toBe(seeds.runs);
  const { visit, transaction, trouble } = totals.counts;
  for (const service of ['enrol', 'deposit', 'withdraw', 'transfer', 'balance', 'purchase', 'opt-out']) {
    expect(visit[service], `visits for ${service}`).toBeGreaterThan(0);
  }
  for (const work of ['counts', 'closes the day']) {
    expect(visit[`a technician who ${work}`], work).toBeGreaterThan(0);
  }
  for (const outcome of [
    'deposit: stored',
    'withdraw: paid',
    'withdraw: not-paid',
    'transfer: posted',
    'purchase: paid',
    'purchase: stood-in',
  ]) {
    expect(transaction[outcome], outcome).toBeGreaterThan(0);
  }
  for (const kind of ['power cut', 'bank down', 'clock step', 'restart'])
    expect(trouble[kind], kind).toBeGreaterThan(0);
}
