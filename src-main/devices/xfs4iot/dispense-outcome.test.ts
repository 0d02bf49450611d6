/** What became of a dispense, for every mixture of witnesses (XFS4IoT 2024-3, CashDispenser.GetPresentStatus, Status, Storage). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEmpty, valueMinor } from '../tally.ts';
import { type DispenseEvidence, type DispenseMemory, dispenseOutcome } from './dispense-outcome.ts';
import { type Movement, within } from './storage-ledger.ts';

const tens = (count: number) => (count > 0 ? { '10000': count } : {});
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
const clear = { stacker: 'empty', transport: 'empty', output: 'empty' } as const;
const sent: DispenseMemory = {
  tokenId: null,
  acknowledged: false,
  before: { presentState: 'presented', dispensed: tens(3) },
  retracts: 0,
};
const seen = (change: Partial<DispenseEvidence> = {}): DispenseEvidence => ({
  presentState: 'presented',
  dispensed: tens(3),
  dispenseId: null,
  movement: still,
  path: clear,
  ...change,
});
const paid = seen({ movement: { ...still, presented: tens(3) } });

describe('a dispense whose answer never came', () => {
  it('did not happen when no unit gave a note, though the device still tells of the payout before', () => {
    expect(dispenseOutcome(sent, seen())).toMatchObject({ state: 'notPresented', presented: {}, remaining: 'none' });
  });

  it('happened when the ledger says so', () => {
    expect(dispenseOutcome(sent, paid)).toMatchObject({ state: 'presented', presented: tens(3), remaining: 'none' });
  });

  it('happened when the device names our token as its last', () => {
    const memory = { ...sent, tokenId: 'A'.repeat(64) };
    const evidence = seen({ movement: null, dispenseId: 'A'.repeat(64) });
    expect(dispenseOutcome(memory, evidence)).toMatchObject({ state: 'presented', presented: tens(3) });
  });

  it('is unknown when counts were cleared and an equal payout looks like the one before', () => {
    expect(dispenseOutcome(sent, seen({ movement: null })).state).toBe('unknown');
  });

  it('is unknown while the sensors are', () => {
    expect(dispenseOutcome(sent, seen({ path: { ...clear, output: 'unknown' } })).state).toBe('unknown');
  });

  it('waits on the stacker', () => {
    const evidence = seen({
      presentState: 'notPresented',
      movement: { ...still, stacked: tens(3) },
      path: { ...clear, stacker: 'notEmpty' },
    });
    expect(dispenseOutcome(sent, evidence)).toMatchObject({ state: 'notPresented', remaining: 'stacker' });
  });
});

describe('notes that were in reach', () => {
  it('came back as far as they were counted', () => {
    const movement = { ...still, presented: tens(3), retracted: tens(2), retractOperations: 1 };
    expect(dispenseOutcome(sent, seen({ movement }))).toMatchObject({ presented: tens(3), retracted: tens(2) });
  });

  it('are unknown after a retract that was not counted', () => {
    const movement = { ...still, presented: tens(3), retractOperations: 1 };
    expect(dispenseOutcome({ ...sent, retracts: 1 }, seen({ movement })).state).toBe('unknown');
  });

  it('were swept into the reject bin by a reset', () => {
    const movement = { ...still, presented: tens(3), rejectedIn: tens(1) };
    expect(dispenseOutcome(sent, seen({ movement }))).toMatchObject({ presented: tens(3), retracted: tens(1) });
  });

  it('are unknown when more came back than went out, or the device’s words and counts disagree', () => {
    for (const movement of [
      { ...still, presented: tens(3), retracted: tens(4), retractOperations: 1 },
      { ...still, presented: tens(2) },
      { ...still, presented: tens(3), lost: tens(1) },
      { ...still, stacked: tens(1) },
    ]) {
      expect(dispenseOutcome(sent, seen({ movement })).state, JSON.stringify(movement)).toBe('unknown');
    }
    const said = seen({ presentState: 'notPresented', movement: { ...still, presented: tens(3) } });
    expect(dispenseOutcome(sent, said).state).toBe('unknown');
  });

  it('are the first bunch of several while the rest waits on the stacker', () => {
    const evidence = seen({
      movement: { ...still, presented: tens(2), stacked: tens(1) },
      path: { ...clear, stacker: 'notEmpty' },
    });
    expect(dispenseOutcome(sent, evidence)).toMatchObject({ presented: tens(2), remaining: 'stacker' });
  });
});

describe('whatever the witnesses say', () => {
  const few = fc.integer({ min: 0, max: 3 }).map(tens);
  const movements = fc.record({
    presented: few,
    rejectedOut: few,
    stacked: few,
    lost: few,
    deposited: fc.constant({}),
    arriving: fc.constant({}),
    retracted: few,
    rejectedIn: few,
    retractOperations: fc.integer({ min: 0, max: 2 }),
    others: fc.integer({ min: 0, max: 1 }),
  });
  const sensor = fc.constantFrom('empty', 'notEmpty', 'unknown' as const);
  const evidences = fc.record({
    presentState: fc.constantFrom('presented', 'notPresented', 'unknown' as const),
    dispensed: fc.option(few),
    dispenseId: fc.constant(null),
    movement: fc.option(movements),
    path: fc.record({ stacker: sensor, transport: sensor, output: sensor }),
  }) as fc.Arbitrary<DispenseEvidence>;

  it('never calls notes unpaid that the ledger shows in reach, nor paid what no witness saw', () => {
    fc.assert(
      fc.property(evidences, fc.boolean(), (evidence, acknowledged) => {
        const outcome = dispenseOutcome({ ...sent, acknowledged }, evidence);
        const { movement } = evidence;
        if (outcome.state === 'notPresented' && movement) expect(isEmpty(movement.presented)).toBe(true);
        if (outcome.state === 'presented') {
          expect(evidence.presentState).toBe('presented');
          expect(valueMinor(outcome.presented)).toBeGreaterThan(0);
          expect(within(outcome.retracted, outcome.presented)).toBe(true);
          if (movement) expect(outcome.presented).toEqual(movement.presented);
        }
        if (acknowledged && evidence.presentState === 'unknown') expect(outcome.state).toBe('unknown');
      }),
      { numRuns: 2_000 },
    );
  });
});
