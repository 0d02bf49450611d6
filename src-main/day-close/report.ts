/** A close as people see it: what the terminal said, and what the bank found. */
import { DayClose } from '../../src-contract/day-close.ts';
import type { StoredClose } from '../journal/day-closes.ts';

/** Null before the first close. */
export function dayCloseReport(stored: StoredClose): DayCloseReport;
export function dayCloseReport(stored: StoredClose | null): DayCloseReport | null;
export function dayCloseReport(stored: StoredClose | null): DayCloseReport | null {
  if (!stored) return null;
  const [, payload = ''] = stored.jws.split('.');
  const said = DayClose.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  const { number, businessDate, timeZone, reason, at, totals, cash, cashProblem } = said;
  return {
    number,
    businessDate,
    timeZone,
    reason,
    at,
    totals,
    cash,
    cashProblem,
    transactions: stored.transactions,
    inFlight: stored.transactions.filter(({ standing }) => standing !== 'posted').length,
    late: stored.transactions.filter(({ late }) => late).length,
    answer: stored.answer,
  };
}

export type DayCloseReport = Pick<
  DayClose,
  'number' | 'businessDate' | 'timeZone' | 'reason' | 'at' | 'totals' | 'cash' | 'cashProblem'
> &
  Pick<StoredClose, 'transactions' | 'answer'> & {
    /** Not yet posted when the day was closed: queued, suspect or under way. */
    readonly inFlight: number;
    /** Named so by an earlier close. */
    readonly late: number;
  };
