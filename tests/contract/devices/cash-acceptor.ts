/** What every cash acceptor driver must do. The rig's hands put notes in and take notes back. */
import { describe, expect, it } from 'vitest';
import type { NoteCount } from '../../../src-contract/screen.ts';
import type { CashAcceptor, CashInEvent } from '../../../src-main/devices/cash-acceptor.ts';
import { newId, notes, patient } from './vocabulary.ts';

export interface AcceptorRig {
  readonly acceptor: CashAcceptor;
  insert(notes: readonly NoteCount[], unrecognised?: number): Promise<void>;
  takeReturned(): Promise<void>;
  close(): Promise<void>;
}

export function cashAcceptorContract(name: string, open: () => Promise<AcceptorRig>): void {
  const using = (body: (rig: AcceptorRig) => Promise<void>) => async () => {
    const rig = await open();
    try {
      await body(rig);
    } finally {
      await rig.close();
    }
  };
  const unitNotes = async ({ acceptor }: AcceptorRig) =>
    (await acceptor.status(patient)).units.reduce((sum, unit) => sum + unit.count, 0);

  describe(`cash acceptor contract: ${name}`, () => {
    it(
      'counts into escrow, stores, and says so when asked',
      using(async (rig) => {
        const before = await unitNotes(rig);
        const id = newId();
        const events: CashInEvent[] = [];
        expect(await rig.acceptor.cashInStart(id, (event) => events.push(event), patient)).toEqual({
          outcome: 'started',
        });
        await rig.insert(notes(10_000, 3));
        const escrow = notes(10_000, 3);
        expect(await rig.acceptor.cashInStop(patient)).toEqual({ outcome: 'counted', escrow, refusedNotes: 0 });
        expect(events).toEqual([{ kind: 'inserted' }, { kind: 'counted', escrow }]);
        expect(await rig.acceptor.cashInStatus(patient)).toEqual({ transactionId: id, state: 'active', notes: escrow });
        expect(await unitNotes(rig)).toBe(before);
        expect(await rig.acceptor.cashInEnd(patient)).toEqual({ outcome: 'stored', notes: escrow });
        expect(await rig.acceptor.cashInStatus(patient)).toEqual({ transactionId: id, state: 'ok', notes: escrow });
        expect((await rig.acceptor.status(patient)).escrow).toEqual([]);
        expect((await unitNotes(rig)) - before).toBe(3);
      }),
    );

    it(
      'gives back what it does not recognise, and keeps nothing of it',
      using(async (rig) => {
        const events: CashInEvent[] = [];
        await rig.acceptor.cashInStart(newId(), (event) => events.push(event), patient);
        await rig.insert(notes(1_000, 1), 2);
        expect(await rig.acceptor.cashInStop(patient)).toMatchObject({ escrow: notes(1_000, 1), refusedNotes: 2 });
        expect(events).toContainEqual({ kind: 'refused', notes: 2 });
        expect((await rig.acceptor.status(patient)).inputPosition).toBe('notEmpty');
        const taken = rig.acceptor.returnedTaken(60_000, patient);
        await rig.takeReturned();
        expect(await taken).toBe('taken');
        expect(await rig.acceptor.cashInEnd(patient)).toMatchObject({ notes: notes(1_000, 1) });
      }),
    );

    it(
      'gives all of it back on a rollback',
      using(async (rig) => {
        const before = await unitNotes(rig);
        const id = newId();
        await rig.acceptor.cashInStart(id, () => {}, patient);
        await rig.insert(notes(5_000, 2));
        await rig.acceptor.cashInStop(patient);
        expect(await rig.acceptor.cashInRollback(patient)).toEqual({ outcome: 'returned', notes: notes(5_000, 2) });
        expect(await rig.acceptor.cashInStatus(patient)).toEqual({
          transactionId: id,
          state: 'rollback',
          notes: notes(5_000, 2),
        });
        expect(await rig.acceptor.returnedTaken(50, patient)).toBe('timeout');
        expect(await rig.acceptor.cashInStart(newId(), () => {}, patient)).toMatchObject({ error: 'sequenceError' });
        await rig.takeReturned();
        expect(await unitNotes(rig)).toBe(before);
      }),
    );

    it(
      'takes back what nobody took of the notes given back, and says how much',
      using(async (rig) => {
        const before = await unitNotes(rig);
        const id = newId();
        expect(await rig.acceptor.retract(patient)).toEqual({ outcome: 'nothingToRetract' });
        await rig.acceptor.cashInStart(id, () => {}, patient);
        await rig.insert(notes(5_000, 2));
        expect(await rig.acceptor.retract(patient)).toMatchObject({ outcome: 'failed', error: 'sequenceError' });
        await rig.acceptor.cashInStop(patient);
        await rig.acceptor.cashInRollback(patient);
        expect(await rig.acceptor.retract(patient)).toEqual({ outcome: 'retracted', notes: notes(5_000, 2) });
        expect(await rig.acceptor.cashInStatus(patient)).toEqual({
          transactionId: id,
          state: 'rollback',
          notes: notes(5_000, 2),
          retracted: notes(5_000, 2),
        });
        expect((await rig.acceptor.status(patient)).inputPosition).toBe('empty');
        expect((await unitNotes(rig)) - before).toBe(2);
        expect(await rig.acceptor.retract(patient)).toEqual({ outcome: 'nothingToRetract' });
        expect(await rig.acceptor.cashInStart(newId(), () => {}, patient)).toEqual({ outcome: 'started' });
      }),
    );

    it(
      'keeps notes of nobody in the retract bin when it is reset',
      using(async (rig) => {
        const before = await unitNotes(rig);
        await rig.acceptor.cashInStart(newId(), () => {}, patient);
        await rig.insert(notes(1_000, 2));
        await rig.acceptor.cashInStop(patient);
        expect(await rig.acceptor.reset(patient)).toEqual({ outcome: 'reset', retracted: notes(1_000, 2) });
        expect((await rig.acceptor.cashInStatus(patient)).state).toBe('retract');
        expect((await unitNotes(rig)) - before).toBe(2);
      }),
    );

    it(
      'takes no more notes than it was told, and gives the others back',
      using(async (rig) => {
        const before = await unitNotes(rig);
        const events: CashInEvent[] = [];
        await rig.acceptor.cashInStart(newId(), (event) => events.push(event), patient, 2);
        await rig.insert(notes(1_000, 3));
        expect(await rig.acceptor.cashInStop(patient)).toMatchObject({ escrow: notes(1_000, 2), refusedNotes: 1 });
        expect(events).toContainEqual({ kind: 'escrowFull' });
        await rig.takeReturned();
        expect(await rig.acceptor.cashInEnd(patient)).toEqual({ outcome: 'stored', notes: notes(1_000, 2) });
        expect((await unitNotes(rig)) - before).toBe(2);
      }),
    );

    it(
      'says what it can still take, as its units say',
      using(async ({ acceptor }) => {
        const { units } = await acceptor.status(patient);
        const room = acceptor.room();
        expect(units.some(({ kind, count, capacity }) => kind === 'cashIn' && capacity - count >= 200)).toBe(true);
        expect(room).toMatchObject({ scarce: false, full: [] });
        expect(room?.notesMax).toBeGreaterThan(0);
      }),
    );

    it(
      'refuses commands that do not follow one another',
      using(async (rig) => {
        const wrong = { outcome: 'failed', error: 'sequenceError' };
        expect(await rig.acceptor.cashInStop(patient)).toMatchObject(wrong);
        expect(await rig.acceptor.cashInEnd(patient)).toMatchObject(wrong);
        expect(await rig.acceptor.cashInRollback(patient)).toMatchObject(wrong);
        const id = newId();
        await rig.acceptor.cashInStart(id, () => {}, patient);
        expect(await rig.acceptor.cashInStart(newId(), () => {}, patient)).toMatchObject(wrong);
        await rig.acceptor.cashInStop(patient);
        await rig.acceptor.cashInEnd(patient);
        expect(await rig.acceptor.cashInStart(id, () => {}, patient)).toMatchObject(wrong);
        await expect(rig.acceptor.cashInStart(newId(), () => {}, AbortSignal.abort('left'))).rejects.toBe('left');
      }),
    );
  });
}
