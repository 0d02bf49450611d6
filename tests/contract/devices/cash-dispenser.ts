/**
 * What every cash dispenser driver must do. The rig brings a dispenser that has at least 20 notes of ¥1,000 and ¥10,000 and nothing
 * in its path, and hands that take what is presented; for hardware, hands are a person who is told what to do.
 */
import { describe, expect, it } from 'vitest';
import { money } from '../../../src-contract/primitives.ts';
import type { CashDispenser } from '../../../src-main/devices/cash-dispenser.ts';
import { newId, notes, order, patient, valueMinor } from './vocabulary.ts';

export interface DispenserRig {
  readonly dispenser: CashDispenser;
  /** Takes what lies in the output. */
  takeNotes(): Promise<void>;
  close(): Promise<void>;
}

export function cashDispenserContract(name: string, open: () => Promise<DispenserRig>): void {
  const using = (body: (rig: DispenserRig) => Promise<void>) => async () => {
    const rig = await open();
    try {
      await body(rig);
    } finally {
      await rig.close();
    }
  };
  const unitNotes = async ({ dispenser }: DispenserRig) =>
    (await dispenser.status(patient)).units.reduce((sum, unit) => sum + unit.count, 0);

  describe(`cash dispenser contract: ${name}`, () => {
    it(
      'moves notes to the stacker, into reach, and to the customer, and says so when asked',
      using(async (rig) => {
        const before = await unitNotes(rig);
        const ours = order(notes(10_000, 2, 1_000, 3));
        expect(await rig.dispenser.dispense(ours, patient)).toEqual({ outcome: 'dispensed', notes: ours.mix });
        expect(await rig.dispenser.presentStatus(patient)).toEqual({
          transactionId: ours.transactionId,
          state: 'notPresented',
          presented: [],
          retracted: [],
          rejected: [],
          remaining: 'stacker',
          token: null,
        });
        expect(await rig.dispenser.present(patient)).toEqual({ outcome: 'presented' });
        expect(await rig.dispenser.presentStatus(patient)).toMatchObject({
          state: 'presented',
          presented: ours.mix,
          remaining: 'outputPosition',
        });
        const taken = rig.dispenser.itemsTaken(60_000, patient);
        await rig.takeNotes();
        expect(await taken).toBe('taken');
        expect(await rig.dispenser.presentStatus(patient)).toMatchObject({
          state: 'presented',
          presented: ours.mix,
          retracted: [],
          remaining: 'none',
        });
        expect(await rig.dispenser.status(patient)).toMatchObject({ stacker: 'empty', outputPosition: 'empty' });
        expect(before - (await unitNotes(rig))).toBe(5);
      }),
    );

    it(
      'takes back what nobody took, and counts it',
      using(async (rig) => {
        const before = await unitNotes(rig);
        const ours = order(notes(1_000, 4));
        await rig.dispenser.dispense(ours, patient);
        await rig.dispenser.present(patient);
        expect(await rig.dispenser.itemsTaken(50, patient)).toBe('timeout');
        expect(await rig.dispenser.retract(patient)).toEqual({ outcome: 'retracted', notes: ours.mix });
        expect(await rig.dispenser.presentStatus(patient)).toMatchObject({
          state: 'presented',
          retracted: ours.mix,
          remaining: 'none',
        });
        expect(await rig.dispenser.retract(patient)).toEqual({ outcome: 'nothingToRetract' });
        expect(await unitNotes(rig)).toBe(before);
      }),
    );

    it(
      'clears the stacker into the reject bin',
      using(async (rig) => {
        const ours = order(notes(1_000, 2));
        await rig.dispenser.dispense(ours, patient);
        expect(await rig.dispenser.reset(patient)).toEqual({ outcome: 'reset', rejected: ours.mix });
        expect(await rig.dispenser.presentStatus(patient)).toMatchObject({
          state: 'notPresented',
          rejected: ours.mix,
          remaining: 'none',
        });
        expect(await rig.dispenser.present(patient)).toMatchObject({ outcome: 'failed', error: 'noItems' });
      }),
    );

    it(
      'refuses an order it cannot fill, and moves nothing for it',
      using(async (rig) => {
        const before = await rig.dispenser.status(patient);
        const refuse = async (wrong: Parameters<CashDispenser['dispense']>[0], error: string) =>
          expect(await rig.dispenser.dispense(wrong, patient)).toMatchObject({ outcome: 'failed', error });
        await refuse({ ...order(notes(1_000, 2)), amount: money(3_000) }, 'notDispensable');
        await refuse({ ...order(notes(1_000, 2)), amount: money(2_000, 'EUR') }, 'notDispensable');
        await refuse(order([]), 'notDispensable');
        await refuse({ ...order(notes(1_000, 2)), mix: notes(1_000, 3, 1_000, -1) }, 'notDispensable');
        await refuse({ ...order(notes(1_000, 2)), mix: notes(1_000, 1.5, 1_000, 0.5) }, 'notDispensable');
        await refuse(order(notes(3_000, 1)), 'cashUnitError');
        await refuse(order(notes(1_000, 100_000)), 'tooManyItems');
        expect(await rig.dispenser.status(patient)).toEqual(before);
        expect((await rig.dispenser.presentStatus(patient)).remaining).toBe('none');
      }),
    );

    it(
      'refuses a second dispense while notes of the first are in its path',
      using(async (rig) => {
        const first = order(notes(1_000, 1));
        await rig.dispenser.dispense(first, patient);
        expect(await rig.dispenser.dispense(order(notes(1_000, 1)), patient)).toMatchObject({ error: 'itemsLeft' });
        expect((await rig.dispenser.presentStatus(patient)).transactionId).toBe(first.transactionId);
        await rig.dispenser.reset(patient);
      }),
    );

    it(
      'never hands out twice for one transaction',
      using(async (rig) => {
        const ours = order(notes(1_000, 1), newId());
        await rig.dispenser.dispense(ours, patient);
        await rig.dispenser.present(patient);
        await rig.takeNotes();
        const before = await unitNotes(rig);
        expect(await rig.dispenser.dispense(ours, patient)).toMatchObject({
          outcome: 'failed',
          error: 'notDispensable',
        });
        expect(await unitNotes(rig)).toBe(before);
      }),
    );

    it(
      'gives a nonce that never comes twice, or asks for no token at all',
      using(async ({ dispenser }) => {
        const first = await dispenser.commandNonce(patient);
        await dispenser.clearCommandNonce(patient);
        await dispenser.clearCommandNonce(patient);
        const second = await dispenser.commandNonce(patient);
        await dispenser.clearCommandNonce(patient);
        expect(second === null).toBe(first === null);
        if (first === null) return;
        expect(first).toMatch(/^([0-9A-F]{32}|[0-9]+)$/);
        expect(second).not.toBe(first);
      }),
    );

    it(
      'rejects with the reason of an aborted signal, and can be asked afterwards what happened',
      using(async (rig) => {
        await expect(rig.dispenser.dispense(order(notes(1_000, 1)), AbortSignal.abort('left'))).rejects.toBe('left');
        expect((await rig.dispenser.presentStatus(patient)).remaining).toBe('none');
        const controller = new AbortController();
        const ours = order(notes(1_000, 2));
        const begun = rig.dispenser.dispense(ours, controller.signal);
        setImmediate(() => controller.abort(new Error('too long')));
        await expect(begun).rejects.toThrow('too long');
        const status = await rig.dispenser.presentStatus(patient);
        const stacked = status.transactionId === ours.transactionId && status.remaining === 'stacker';
        const reset = await rig.dispenser.reset(patient);
        expect(reset.outcome === 'reset' && valueMinor(reset.rejected)).toBe(stacked ? 2_000 : 0);
      }),
    );
  });
}
