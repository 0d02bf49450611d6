import type { Database } from 'better-sqlite3';
import type { StandInRequest } from '../../src-contract/bank-api.ts';
import { MinorUnits, type Uuid } from '../../src-contract/primitives.ts';
import type { StandInReservation, StandIns } from './journal.ts';

/** Beyond what any velocity of the contract looks back, ms of running: what is older is forgotten when a period ends. */
const REMEMBER_MS = 32 * 24 * 60 * 60 * 1000;

interface Sum {
  readonly amountMinor: number;
  readonly count: number;
}

/** Everything counts within the caller's SQL transaction. */
export function standIns(db: Database): StandIns & {
  reserve(transactionId: Uuid, reservation: StandInReservation): void;
  /** What the message says has happened, reserved before or not. */
  spend(message: StandInRequest): void;
  /** The transaction is over: what it had reserved and not spent is free again. */
  release(transactionId: Uuid): void;
} {
  const inPeriod = "state IN ('reserved', 'spent')";
  const sumOf = 'SELECT coalesce(sum(amount_minor), 0) AS amountMinor, count(*) AS count FROM stand_ins';
  const ofPerson = db.prepare<[string, string], Sum>(`${sumOf} WHERE ${inPeriod} AND service = ? AND person_id = ?`);
  const ofTerminal = db.prepare<[string], Sum>(`${sumOf} WHERE ${inPeriod} AND service = ?`);
  const byPerson = db.prepare<[string], Sum>(`${sumOf} WHERE ${inPeriod} AND person_id = ?`);
  const inAll = db.prepare<[], Sum>(`${sumOf} WHERE ${inPeriod}`);
  const recent = db.prepare<[string, number], { personId: string }>(
    "SELECT person_id AS personId FROM stand_ins WHERE state <> 'released' AND service = ? AND run_ms > ?",
  );
  const open = db.prepare<[], number>(`SELECT max(period) FROM stand_ins WHERE ${inPeriod}`).pluck();
  const last = db.prepare<[], number>('SELECT coalesce(max(period), 0) FROM stand_ins').pluck();
  const insert = db.prepare<unknown[]>('INSERT INTO stand_ins VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const spent = db.prepare<[string, number, string]>(
    "UPDATE stand_ins SET state = 'spent', outbox_key = ?, amount_minor = ? WHERE transaction_id = ?",
  );
  const release = db.prepare<[string]>(
    "UPDATE stand_ins SET state = 'released' WHERE transaction_id = ? AND state = 'reserved'",
  );
  const latestRun = db.prepare<[], number>('SELECT coalesce(max(run_ms), 0) FROM stand_ins').pluck();
  const settle = db.prepare(
    `UPDATE stand_ins SET state = 'settled' WHERE state = 'spent' AND NOT EXISTS
       (SELECT 1 FROM outbox WHERE idempotency_key = outbox_key AND outbox.state <> 'delivered')`,
  );
  // The last one tells the number of the last period.
  const forget = db.prepare<[number]>(
    `DELETE FROM stand_ins WHERE state IN ('settled', 'released') AND run_ms < ?
       AND period < (SELECT max(period) FROM stand_ins)`,
  );
  const periodNumber = () => open.get() ?? (last.get() ?? 0) + 1;

  return {
    totals: (service, personId, runMs) => ({
      person: ofPerson.get(service, personId) ?? { amountMinor: 0, count: 0 },
      terminal: ofTerminal.get(service) ?? { amountMinor: 0, count: 0 },
      recent: (of, windowMs) =>
        recent.all(service, runMs - windowMs).filter((one) => of === 'terminal' || one.personId === personId).length,
    }),
    periodNumber,
    spent: (personId) => MinorUnits.parse(byPerson.get(personId)?.amountMinor ?? 0),
    spentInAll: () => MinorUnits.parse(inAll.get()?.amountMinor ?? 0),
    settle: () => {
      if (open.get() === null) return;
      settle.run();
      forget.run((latestRun.get() ?? 0) - REMEMBER_MS);
    },
    reserve: (transactionId, { service, personId, amountMinor, runMs }) =>
      void insert.run(transactionId, service, personId, amountMinor, 'reserved', periodNumber(), runMs, null),
    spend: ({ transactionId, personId, amount, idempotencyKey }) => {
      if (spent.run(idempotencyKey, amount.amountMinor, transactionId).changes === 1) return;
      const at = latestRun.get() ?? 0;
      const { amountMinor } = amount;
      insert.run(transactionId, 'purchase', personId, amountMinor, 'spent', periodNumber(), at, idempotencyKey);
    },
    release: (transactionId) => void release.run(transactionId),
  };
}
