/** What became of a cash-in transaction (XFS4IoT 2024-3, CashAcceptor.GetCashInStatus: how it ended, not that it succeeded). */
import { describe, expect, it } from 'vitest';
import { type CashInEvidence, type CashInMemory, cashInOutcome } from './cash-in-outcome.ts';
import type { Movement } from './storage-ledger.ts';

const still: Movement = {
  presented: {},
  rejectedOut: {},
  stacked: {},
  lost: {},
  deposited: {},
  arriving: {},
  retracted: {},
  rejectedIn: {},
  retractOperations: 0,
  others: 0,
};
const notes = { '1000': 4, '10000': 2 };
const ending: CashInMemory = { phase: 'ending', succeeded: false, before: { status: 'ok', identified: {} } };
const seen = (change: Partial<CashInEvidence>): CashInEvidence => ({
  status: 'ok',
  identified: notes,
  movement: still,
  inside: 'empty',
  ...change,
});

describe('a cash-in transaction', () => {
  it('is stored when the units got all of it, answered or not', () => {
    const evidence = seen({ movement: { ...still, deposited: notes } });
    expect(cashInOutcome(ending, evidence)).toEqual({ state: 'ok', notes });
  });

  it('is unknown when the device says "ok" and the units got less', () => {
    const evidence = seen({ movement: { ...still, deposited: { '1000': 4 } }, inside: 'notEmpty' });
    expect(cashInOutcome({ ...ending, succeeded: true }, evidence).state).toBe('unknown');
  });

  it('without counts is stored only on a clear answer', () => {
    const evidence = seen({ movement: null });
    expect(cashInOutcome({ ...ending, succeeded: true }, evidence).state).toBe('ok');
    expect(cashInOutcome(ending, evidence).state).toBe('unknown');
  });

  it('came back when nothing of it stayed inside', () => {
    const returning: CashInMemory = { ...ending, phase: 'returning' };
    expect(cashInOutcome(returning, seen({ status: 'rollback' }))).toEqual({ state: 'rollback', notes });
    expect(cashInOutcome(returning, seen({ status: 'rollback', inside: 'notEmpty' })).state).toBe('unknown');
    expect(cashInOutcome(returning, seen({ status: 'rollback', inside: 'unknown' })).state).toBe('unknown');
    const stored = seen({ status: 'rollback', movement: { ...still, deposited: { '1000': 1 } } });
    expect(cashInOutcome(returning, stored).state).toBe('unknown');
  });

  it('never began when the device still tells of the one before', () => {
    const starting: CashInMemory = { ...ending, phase: 'starting', before: { status: 'ok', identified: notes } };
    expect(cashInOutcome(starting, seen({}))).toEqual({ state: 'none', notes: {} });
    expect(cashInOutcome(starting, seen({ status: 'reset' })).state).toBe('unknown');
    expect(cashInOutcome(starting, seen({ status: 'active' })).state).toBe('active');
  });

  it('is evidence after a retract or a reset, and nobody’s credit', () => {
    for (const status of ['retract', 'reset'] as const) {
      expect(cashInOutcome(ending, seen({ status }))).toEqual({ state: 'retract', notes });
    }
    expect(cashInOutcome(ending, seen({ status: 'unknown' })).state).toBe('unknown');
  });
});
