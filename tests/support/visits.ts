/** Whole visits that tests of something else begin with. */
import { expect } from 'vitest';
import type { Uuid } from '../../src-contract/primitives.ts';
import { never, type TestedTerminal } from './terminal-world.ts';

export interface Person {
  readonly face: Float32Array;
  readonly personId: Uuid;
}

const DIGITS = '4682';
export const PIN = `${DIGITS}E`;

/**
 * Somebody new stands here, whom this terminal's gallery knows: registered at another branch, with some money. For tests in which it does
 * not matter where somebody came from: the visits for it are work, and enrol-and-balance.test.ts and deposit.test.ts are about them.
 */
export async function registered(tested: TestedTerminal, face: Float32Array, { yen = 0 } = {}): Promise<Person> {
  const { customer, gallery, sync } = tested.run;
  const personId = await tested.world.registers(gallery.protectedTemplate(face), { pin: DIGITS, yen });
  await sync.pull(never);
  customer.comes(face);
  await customer.sees('attract');
  return { face, personId };
}

/** Somebody new, who enrols and puts some money in. */
export async function enrolled(tested: TestedTerminal, face: Float32Array, { yen = 0 } = {}): Promise<Person> {
  const { customer, journal } = tested.run;
  customer.comes(face);
  await customer.chooses('enrol');
  await customer.agrees();
  await customer.sees('pin', { purpose: 'choose' });
  await customer.keys(PIN);
  await customer.sees('pin', { purpose: 'repeat' });
  await customer.keys(PIN);
  await customer.sees('done', { service: 'enrol' });
  await customer.confirms();
  const personId = journal.consents({ limit: 1 })[0]?.personId;
  if (!personId) throw new Error('the enrolment left no consent');
  if (yen > 0) {
    await customer.chooses('deposit');
    await customer.inserts({ 10000: yen / 10_000 });
    await customer.confirms();
    await customer.sees('confirm-deposit');
    await customer.confirms();
    await customer.wantsReceipt(false);
    expect(await customer.sees('done')).toMatchObject({ amount: { amountMinor: yen } });
    await customer.confirms();
  }
  await customer.sees('attract');
  return { face, personId };
}
