/** Every dialect switch of the machine flipped, one by one and all at once: withdrawal, retract and deposit come out the same. */
import { describe, expect, it } from 'vitest';
import { Dialect, type DialectChange } from '../../../src-devices/dialect.ts';
import { notes } from '../../contract/devices/vocabulary.ts';
import { deposit, takesNothing, withdraw } from './conduct.ts';
import { Machine } from './machine.ts';

/** Each switch at each value that is not its default. */
const flips: [string, DialectChange][] = Object.entries(Dialect.shape).flatMap(([name, schema]) => {
  const standard = schema.parse(undefined);
  const values =
    'options' in schema.unwrap() ? (schema.unwrap() as { options: readonly string[] }).options : [true, false];
  return values
    .filter((value) => value !== standard)
    .map((value) => [`${name} = ${value}`, { [name]: value }] as [string, DialectChange]);
});
const all: DialectChange = Object.assign({}, ...flips.map(([, change]) => change));

describe.concurrent('a machine that speaks with', () => {
  it.each([...flips, ['every switch flipped', all] as [string, DialectChange]])('%s', async (_, dialect) => {
    const machine = await Machine.open({ atm: { dialect } });
    try {
      expect(machine.dispenser.health().state).toBe('online');
      expect(await withdraw(machine, { mix: notes(10_000, 2, 1_000, 1) })).toEqual({ kind: 'settled', yen: 21_000 });
      const left = await withdraw(machine, { mix: notes(1_000, 3), customer: takesNothing });
      expect(left).toEqual({ kind: 'settled', yen: 0 });
      expect(machine.worth()).toMatchObject({ withCustomers: 21_000, inReach: 0 });
      const before = machine.worth().inside;
      expect(await deposit(machine, { bunches: [notes(10_000, 1), notes(1_000, 4)] })).toEqual({
        kind: 'settled',
        yen: 14_000,
      });
      expect(machine.worth().inside - before).toBe(14_000);
      expect(await deposit(machine, { bunches: [notes(5_000, 1)], confirms: false })).toEqual({
        kind: 'settled',
        yen: 0,
      });
      expect(machine.worth().inside - before).toBe(14_000);
    } finally {
      await machine.close();
    }
  });
});
