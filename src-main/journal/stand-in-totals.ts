import type { Database } from 'better-sqlite3';
import { MinorUnits, type Uuid } from '../../src-contract/primitives.ts';
import type { StandInTotals } from './journal.ts';

/** `add` counts within the caller's SQL transaction. */
export function standInTotals(db: Database): StandInTotals & { add(personId: Uuid, amountMinor: number): void } {
  const one = db.prepare<[string], number>('SELECT spent_minor FROM stand_in_totals WHERE person_id = ?').pluck();
  const all = db.prepare<[], number>('SELECT coalesce(sum(spent_minor), 0) FROM stand_in_totals').pluck();
  const add = db.prepare<[string, number]>(
    `INSERT INTO stand_in_totals VALUES (?, ?)
     ON CONFLICT (person_id) DO UPDATE SET spent_minor = spent_minor + excluded.spent_minor`,
  );
  const clear = db.prepare('DELETE FROM stand_in_totals');
  return {
    spent: (personId) => MinorUnits.parse(one.get(personId) ?? 0),
    spentInAll: () => MinorUnits.parse(all.get() ?? 0),
    add: (personId, amountMinor) => void add.run(personId, amountMinor),
    reset: () => void clear.run(),
  };
}
