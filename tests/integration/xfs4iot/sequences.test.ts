/** The sequences of the XFS4IoT digest, section 21, by number and title, at the level of the drivers over real sockets. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CashInEvent } from '../../../src-main/devices/cash-acceptor.ts';
import type { DeviceState } from '../../../src-main/devices/device.ts';
import { newId, notes, order, patient, valueMinor } from '../../contract/devices/vocabulary.ts';
import { settle, settleDeposit } from './conduct.ts';
import { type Machine, type MachineOptions, withMachine } from './machine.ts';
import { until } from './waiting.ts';

const HOST_KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const DEVICE_KEY = '202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f';
const SECURED: MachineOptions = {
  atm: { security: { mode: 'always', keys: { host: HOST_KEY, device: DEVICE_KEY } } },
  terminal: { tokens: 'required' },
};

/** The bank's command token for a nonce (8.3); `change` spoils it. */
function token(nonce: string, yen: number, change = (text: string) => text): string {
  const head = `NONCE=${nonce},TOKENFORMAT=1,TOKENLENGTH=`;
  const tail = `,DISPENSE1=${yen}JPY,HMACSHA256=`;
  const length = String(head.length + 4 + tail.length + 64).padStart(4, '0');
  const text = change(`${head}${length}${tail}`);
  return text + createHmac('sha256', Buffer.from(HOST_KEY, 'hex')).update(text).digest('hex').toUpperCase();
}
const fields = (responseToken: string | null) =>
  Object.fromEntries((responseToken ?? '').split(',').map((field) => field.split('=') as [string, string]));

const arm = (machine: Machine, fault: string, more: object = {}) => machine.atm.faults.arm({ fault, ...more });
const inUnits = async (machine: Machine) => {
  const { units } = await machine.dispenser.status(patient);
  return units.reduce((sum, unit) => sum + unit.count, 0);
};
const unitNotes = async (machine: Machine, id: string) =>
  (await machine.dispenser.status(patient)).units.find((unit) => unit.id === id)?.count ?? 0;

/** A cash-in with these notes counted into the escrow. */
async function counted(machine: Machine, bunch = notes(10_000, 2, 1_000, 3), unrecognised = 0) {
  const transactionId = newId();
  const events: CashInEvent[] = [];
  const hear = (event: CashInEvent) => event.kind === 'inserted' || events.push(event);
  expect(await machine.acceptor.cashInStart(transactionId, hear, patient)).toEqual({
    outcome: 'started',
  });
  await machine.insert(bunch, unrecognised);
  await until(() => events.length > 0);
  return { transactionId, events };
}

describe('XFS4IoT sequences', () => {
  it(
    'S1 start-up: finds every device, and says what became of the last dispense and the last cash-in before it is asked for more',
    withMachine(async (machine) => {
      const { cashDispenser, cashAcceptor, pinPad, receiptPrinter, lights } = machine.devices;
      for (const device of [cashDispenser, cashAcceptor, pinPad, receiptPrinter, lights]) {
        expect(device?.health(), device?.name).toEqual({ state: 'online', problem: null });
      }
      const paid = order(notes(1_000, 2));
      await machine.dispenser.dispense(paid, patient);
      await machine.dispenser.present(patient);
      await machine.hands.takeNotes();
      const { transactionId } = await counted(machine);
      await machine.acceptor.cashInEnd(patient);
      await machine.restartTerminal();
      expect(await machine.dispenser.presentStatus(patient)).toMatchObject({
        transactionId: paid.transactionId,
        state: 'presented',
        presented: paid.mix,
        remaining: 'none',
      });
      expect(await machine.acceptor.cashInStatus(patient)).toMatchObject({ transactionId, state: 'ok' });
    }),
  );

  it(
    'S2 payout, normal: nonce, token, dispense, present, taken, proof, nonce forgotten',
    withMachine(async (machine) => {
      const { dispenser } = machine;
      expect(dispenser.health().state).toBe('online');
      const nonce = await dispenser.commandNonce(patient);
      const command = token(nonce!, 30_000);
      const ours = { ...order(notes(10_000, 3)), token: command };
      expect(await dispenser.dispense(ours, patient)).toEqual({ outcome: 'dispensed', notes: ours.mix });
      expect(await dispenser.present(patient)).toEqual({ outcome: 'presented' });
      const taken = dispenser.itemsTaken(5_000, patient);
      await machine.hands.takeNotes();
      expect(await taken).toBe('taken');
      const status = await dispenser.presentStatus(patient, '90417');
      expect(status).toMatchObject({ transactionId: ours.transactionId, presented: ours.mix, remaining: 'none' });
      expect(fields(status.token)).toMatchObject({
        NONCE: '90417',
        DISPENSEID: command.slice(-64),
        PRESENTED1: 'YES',
        PRESENTEDAMOUNT1: '30000JPY',
      });
      await dispenser.clearCommandNonce(patient);
      expect(machine.worth().withCustomers).toBe(30_000);
    }, SECURED),
  );

  it.each([
    ['altered', (nonce: string) => token(nonce, 30_000).replace('30000JPY', '90000JPY')],
    ['for another nonce', () => token('0'.repeat(32), 30_000)],
    ['for less', (nonce: string) => token(nonce, 20_000)],
    ['in another currency', (nonce: string) => token(nonce, 30_000, (text) => text.replace('JPY', 'USD'))],
    ['misshapen', () => 'NONCE=1'],
    ['missing', () => null],
  ])('S3 refused token: one that is %s moves nothing, and the payout before is still told', async (_, spoil) => {
    await withMachine(async (machine) => {
      const { dispenser } = machine;
      const before = { ...order(notes(1_000, 2)), token: token((await dispenser.commandNonce(patient))!, 2_000) };
      await dispenser.dispense(before, patient);
      await dispenser.present(patient);
      await machine.hands.takeNotes();
      const evidence = await dispenser.presentStatus(patient);
      await dispenser.clearCommandNonce(patient);

      const nonce = (await dispenser.commandNonce(patient))!;
      const held = await inUnits(machine);
      const order2 = { ...order(notes(10_000, 3)), token: spoil(nonce) };
      expect(await dispenser.dispense(order2, patient)).toMatchObject({ outcome: 'failed', error: 'notAuthorised' });
      expect(await inUnits(machine)).toBe(held);
      expect(await dispenser.presentStatus(patient)).toEqual(evidence);
      expect(fields((await dispenser.presentStatus(patient, '7')).token)['DISPENSEID']).toBe(before.token.slice(-64));

      await dispenser.clearCommandNonce(patient);
      const good = token((await dispenser.commandNonce(patient))!, 30_000);
      expect(await dispenser.dispense({ ...order2, token: good }, patient)).toMatchObject({ outcome: 'dispensed' });
    }, SECURED)();
  });

  it(
    'S4 partial dispense: what was picked goes to the reject bin, and nothing is presented',
    withMachine(async (machine) => {
      arm(machine, 'pickFailure', { afterNotes: 3 });
      const ours = order(notes(10_000, 5));
      expect(await machine.dispenser.dispense(ours, patient)).toMatchObject({
        outcome: 'failed',
        error: 'cashUnitError',
      });
      expect(await machine.dispenser.presentStatus(patient)).toMatchObject({
        transactionId: ours.transactionId,
        state: 'notPresented',
        rejected: notes(10_000, 3),
        remaining: 'none',
      });
      expect(await unitNotes(machine, 'unit5')).toBe(3);
      expect(machine.worth().withCustomers).toBe(0);
    }),
  );

  it(
    'S5 dispense fails, nothing moved: nothing is left to clear',
    withMachine(async (machine) => {
      arm(machine, 'pickFailure', { afterNotes: 0, failure: 'empty' });
      const held = await inUnits(machine);
      const ours = order(notes(10_000, 1));
      expect(await machine.dispenser.dispense(ours, patient)).toMatchObject({ outcome: 'failed' });
      expect(await machine.dispenser.presentStatus(patient)).toMatchObject({
        state: 'notPresented',
        remaining: 'none',
      });
      expect(await inUnits(machine)).toBe(held);
    }),
  );

  it.each([
    ['shutterStuck', { when: 'opening' }, 'settled'],
    ['presentError', { kind: 'noItems' }, 'settled'],
    ['presentError', { kind: 'items', accessibleNotes: 1 }, 'suspect'],
    ['presentError', { kind: 'unknown', accessible: true }, 'suspect'],
  ])('S6 present fails: after %s %j it is %s, and never dispensed again', async (fault, more, verdict) => {
    await withMachine(async (machine) => {
      arm(machine, fault, more);
      const ours = order(notes(10_000, 3));
      await machine.dispenser.dispense(ours, patient);
      expect((await machine.dispenser.present(patient)).outcome).toBe('failed');
      expect(await settle(machine.dispenser, ours.transactionId)).toMatchObject({ kind: verdict });
      if (verdict === 'settled') expect(machine.worth().withCustomers + machine.worth().inReach).toBe(0);
      else expect(await machine.dispenser.dispense(ours, patient)).toMatchObject({ outcome: 'failed' });
    })();
  });

  it(
    'S7 notes not taken: retracted and counted, and stays presented',
    withMachine(async (machine) => {
      const ours = order(notes(10_000, 2));
      await machine.dispenser.dispense(ours, patient);
      await machine.dispenser.present(patient);
      expect(await machine.dispenser.itemsTaken(50, patient)).toBe('timeout');
      expect(await machine.dispenser.retract(patient)).toEqual({ outcome: 'retracted', notes: ours.mix });
      expect(await machine.dispenser.presentStatus(patient)).toMatchObject({
        state: 'presented',
        presented: ours.mix,
        retracted: ours.mix,
      });
    }),
  );

  it(
    'S7 notes not taken: a hand that was faster than the retract has them all, one that pulled has some',
    withMachine(async (machine) => {
      const first = order(notes(10_000, 2));
      await machine.dispenser.dispense(first, patient);
      await machine.dispenser.present(patient);
      await machine.hands.takeNotes();
      expect(await machine.dispenser.retract(patient)).toEqual({ outcome: 'nothingToRetract' });
      expect(await settle(machine.dispenser, first.transactionId)).toEqual({ kind: 'settled', yen: 20_000 });
      arm(machine, 'takenDuringRetract', { notes: 1 });
      const second = order(notes(10_000, 3));
      await machine.dispenser.dispense(second, patient);
      await machine.dispenser.present(patient);
      const verdict = await settle(machine.dispenser, second.transactionId);
      if (verdict.kind === 'settled') expect(verdict.yen).toBe(machine.worth().withCustomers - 20_000);
    }),
  );

  it(
    'S8 several bunches: the payout is over when the last one is taken',
    withMachine(
      async (machine) => {
        const ours = order(notes(1_000, 25));
        await machine.dispenser.dispense(ours, patient);
        await machine.dispenser.present(patient);
        expect(machine.worth().inReach).toBe(10_000);
        const taken = machine.dispenser.itemsTaken(10_000, patient);
        for (let bunch = 1; bunch <= 3; bunch += 1) {
          await until(() => machine.worth().inReach > 0);
          await machine.hands.takeNotes();
        }
        expect(await taken).toBe('taken');
        expect(await settle(machine.dispenser, ours.transactionId)).toEqual({ kind: 'settled', yen: 25_000 });
      },
      { atm: { bunchItemsMax: 10 } },
    ),
  );

  it(
    'S8 several bunches: who takes the first and leaves pays for the first',
    withMachine(
      async (machine) => {
        const ours = order(notes(1_000, 15));
        await machine.dispenser.dispense(ours, patient);
        await machine.dispenser.present(patient);
        const taken = machine.dispenser.itemsTaken(300, patient);
        await machine.hands.takeNotes();
        expect(await taken).toBe('timeout');
        expect(await settle(machine.dispenser, ours.transactionId)).toEqual({ kind: 'settled', yen: 10_000 });
        expect(machine.worth().withCustomers).toBe(10_000);
      },
      { atm: { bunchItemsMax: 10 } },
    ),
  );

  it(
    'S9 crash between Dispense and completion: terminal and machine start again, and the notes have an owner',
    withMachine(async (machine) => {
      const ours = order(notes(10_000, 3));
      arm(machine, 'slowCompletion', { command: 'CashDispenser.Dispense', delayMs: 60_000 });
      const dispensing = machine.dispenser.dispense(ours, AbortSignal.timeout(100)).catch(() => null);
      await until(() => machine.atm.cash!.machine.count('stacker') === 3);
      await dispensing;
      await machine.terminal.close();
      await machine.restartMachine();
      await machine.startTerminal();
      await until(() => machine.dispenser.health().state === 'online');
      expect(await machine.dispenser.presentStatus(patient)).toMatchObject({
        transactionId: ours.transactionId,
        state: 'notPresented',
        remaining: 'stacker',
      });
      expect(await settle(machine.dispenser, ours.transactionId)).toEqual({ kind: 'settled', yen: 0 });
      expect(await unitNotes(machine, 'unit5')).toBe(3);
    }),
  );

  it(
    'S10 cash-in, normal: bunch after bunch, confirmed, stored',
    withMachine(async (machine) => {
      const { transactionId, events } = await counted(machine, notes(10_000, 2));
      await machine.insert(notes(1_000, 5));
      await until(() => events.length === 2);
      expect(events.at(-1)).toEqual({ kind: 'counted', escrow: notes(10_000, 2, 1_000, 5) });
      expect((await machine.acceptor.status(patient)).escrow).toEqual(notes(10_000, 2, 1_000, 5));
      expect(await machine.acceptor.cashInEnd(patient)).toEqual({
        outcome: 'stored',
        notes: notes(10_000, 2, 1_000, 5),
      });
      expect(await settleDeposit(machine.acceptor, transactionId)).toEqual({ kind: 'settled', yen: 25_000 });
    }),
  );

  it(
    'S11 some notes refused: they lie in the slot until they are taken, and then the input opens again',
    withMachine(async (machine) => {
      const { events } = await counted(machine, notes(1_000, 2), 3);
      await until(() => events.some(({ kind }) => kind === 'refused'));
      expect(events).toContainEqual({ kind: 'refused', notes: 3 });
      expect(machine.hands.canInsert()).toBe(false);
      await machine.hands.takeReturned();
      await machine.insert(notes(5_000, 1));
      await until(() => events.filter(({ kind }) => kind === 'counted').length === 2);
      expect(await machine.acceptor.cashInEnd(patient)).toMatchObject({ notes: notes(1_000, 2, 5_000, 1) });
    }),
  );

  it(
    'S12 customer changes their mind: all of it comes back and is taken',
    withMachine(async (machine) => {
      const { transactionId } = await counted(machine, notes(10_000, 4));
      const inside = machine.worth().inside;
      expect(await machine.acceptor.cashInRollback(patient)).toEqual({ outcome: 'returned', notes: notes(10_000, 4) });
      const taken = machine.acceptor.returnedTaken(5_000, patient);
      await machine.hands.takeReturned();
      expect(await taken).toBe('taken');
      expect(await settleDeposit(machine.acceptor, transactionId)).toEqual({ kind: 'settled', yen: 0 });
      expect(inside - machine.worth().inside).toBe(40_000);
    }),
  );

  it(
    'S13 nobody inserts: the transaction is still active, and ends with nothing',
    withMachine(async (machine) => {
      await machine.acceptor.cashInStart(newId(), () => {}, patient);
      await until(() => machine.hands.canInsert());
      expect(await machine.acceptor.cashInStop(patient)).toEqual({ outcome: 'counted', escrow: [], refusedNotes: 0 });
      expect((await machine.acceptor.cashInStatus(patient)).state).toBe('active');
      expect(await machine.acceptor.cashInRollback(patient)).toEqual({ outcome: 'returned', notes: [] });
      expect(await machine.acceptor.cashInStart(newId(), () => {}, patient)).toEqual({ outcome: 'started' });
    }),
  );

  it(
    'S14 CashInEnd fails: nothing is credited beyond proof, and a reset keeps the rest',
    withMachine(async (machine) => {
      const { transactionId } = await counted(machine, notes(1_000, 10));
      arm(machine, 'cashInEndJam', { afterNotes: 4 });
      expect(await machine.acceptor.cashInEnd(patient)).toMatchObject({ outcome: 'failed' });
      expect(await machine.acceptor.cashInStatus(patient)).toMatchObject({ transactionId, state: 'unknown' });
      const reset = await machine.acceptor.reset(patient);
      expect(reset.outcome === 'reset' && valueMinor(reset.retracted)).toBe(6_000);
      expect((await machine.acceptor.status(patient)).escrow).toEqual([]);
    }),
  );

  it(
    'S15 fault during CashIn: what was identified is told, and either comes back or is suspect',
    withMachine(async (machine) => {
      arm(machine, 'cashInJam', { afterNotes: 2 });
      const transactionId = newId();
      await machine.acceptor.cashInStart(transactionId, () => {}, patient);
      await machine.insert(notes(1_000, 5));
      await until(() => machine.atm.cash!.machine.state.acceptorJam !== null);
      expect(await machine.acceptor.cashInStop(patient)).toMatchObject({ outcome: 'failed' });
      expect(await machine.acceptor.cashInStatus(patient)).toMatchObject({ transactionId, notes: notes(1_000, 2) });
      expect((await settleDeposit(machine.acceptor, transactionId)).kind).toBe('suspect');
      expect(await machine.acceptor.reset(patient)).toMatchObject({ outcome: 'reset' });
    }),
  );

  it(
    'S16 reset: brings the path back, and is tried a few times only',
    withMachine(async (machine) => {
      arm(machine, 'dispenseJam', { afterNotes: 2 });
      const ours = order(notes(10_000, 4));
      expect(await machine.dispenser.dispense(ours, patient)).toMatchObject({ outcome: 'failed' });
      expect(await settle(machine.dispenser, ours.transactionId)).toEqual({ kind: 'settled', yen: 0 });
      expect(await machine.dispenser.status(patient)).toMatchObject({ stacker: 'empty', outputPosition: 'empty' });

      arm(machine, 'dispenseJam', { afterNotes: 1 });
      arm(machine, 'deviceFailure', { command: 'CashManagement.Reset', code: 'hardwareError', times: 100 });
      await machine.dispenser.dispense(order(notes(10_000, 2)), patient);
      const resets = [];
      for (let tries = 0; tries < 5; tries += 1) resets.push(await machine.dispenser.reset(patient));
      expect(resets.at(-1)).toMatchObject({ outcome: 'failed', message: expect.stringContaining('technician') });
      expect(machine.dispenser.health().state).not.toBe('online');
    }),
  );

  it(
    'S17 cancel: an entry that is left ends at the pad, which forgets what was pressed',
    withMachine(async (machine) => {
      const leaving = new AbortController();
      const request = {
        digitsMin: 4,
        digitsMax: 6,
        encryptFor: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'unused' } as const,
        boundTo: newId(),
        timeoutMs: 30_000,
      };
      const entry = machine.devices.pinPad!.enterPin(request, () => {}, leaving.signal);
      await until(() => machine.peripherals.pin.state().entering === 'pin');
      await machine.peripherals.pin.press(['one', 'two']);
      leaving.abort(new Error('visit over'));
      await expect(entry).rejects.toThrow('visit over');
      await until(() => machine.peripherals.pin.state().entering === null);
      const next = machine.devices.pinPad!.enterPin(request, () => {}, patient);
      await until(() => machine.peripherals.pin.state().entering === 'pin');
      expect(machine.peripherals.pin.state().digits).toBe(0);
      await machine.peripherals.pin.press(['cancel']);
      expect(await next).toEqual({ outcome: 'cancelled' });
    }),
  );

  it(
    'S18 receipt: printed, cut and ejected; out of paper undoes no payout',
    withMachine(async (machine) => {
      const receipt = new TextEncoder().encode('\x1b@Kaopass\n\x1dV\x01');
      expect(await machine.devices.receiptPrinter!.print(receipt, patient)).toEqual({ outcome: 'printed' });
      const ours = order(notes(1_000, 1));
      await machine.dispenser.dispense(ours, patient);
      await machine.dispenser.present(patient);
      await machine.hands.takeNotes();
      const printer = machine.devices.receiptPrinter!;
      arm(machine, 'deviceFailure', { command: 'Printer.PrintRaw', code: 'hardwareError' });
      expect(await printer.print(receipt, patient)).toMatchObject({ outcome: 'failed', error: 'hardwareError' });
      expect(await settle(machine.dispenser, ours.transactionId)).toEqual({ kind: 'settled', yen: 1_000 });
    }),
  );

  it(
    'S19 exchange: a technician fills a unit; meanwhile no cash moves, and afterwards the counts are the new ones',
    withMachine(async (machine) => {
      const replenish = machine.terminal.replenish!;
      await replenish(async () => {
        await until(() => machine.dispenser.health().state === 'userError');
        const meanwhile = await machine.dispenser.dispense(order(notes(1_000, 1)), patient);
        expect(meanwhile).toMatchObject({ outcome: 'failed', error: 'notDispensable' });
        machine.hands.removeUnit('unit3');
        machine.hands.load('unit3', 500, { told: false });
        machine.hands.insertUnit('unit3');
        return [{ unitId: 'unit3', counts: { type10000JPY1: 500 } }];
      }, patient);
      await until(() => machine.dispenser.health().state === 'online');
      expect(await unitNotes(machine, 'unit3')).toBe(500);
      expect(await machine.dispenser.dispense(order(notes(10_000, 1)), patient)).toMatchObject({
        outcome: 'dispensed',
      });
    }),
  );

  it(
    'S20 connection lost: offline at once, asked again when it is back, and the outcome is what the device says',
    withMachine(async (machine) => {
      const heard: DeviceState[] = [];
      machine.dispenser.onHealth(({ state }) => heard.push(state));
      arm(machine, 'connectionDrop', { command: 'CashDispenser.Present', when: 'afterAct' });
      const ours = order(notes(10_000, 2));
      await machine.dispenser.dispense(ours, patient);
      expect(await machine.dispenser.present(patient)).toMatchObject({ outcome: 'failed', error: 'noDevice' });
      const status = await machine.dispenser.presentStatus(patient);
      expect(status).toMatchObject({ state: 'presented', presented: ours.mix, remaining: 'outputPosition' });
      expect(heard[0]).toBe('offline');
      await until(() => heard.at(-1) === 'online');
      await machine.hands.takeNotes();
      expect(await settle(machine.dispenser, ours.transactionId)).toEqual({ kind: 'settled', yen: 20_000 });
    }),
  );

  it(
    'S20 connection lost: a machine that went away in the middle of a Dispense and came back has the notes of that transaction',
    withMachine(async (machine) => {
      const ours = order(notes(10_000, 2));
      arm(machine, 'connectionDrop', { command: 'CashDispenser.Dispense', when: 'afterAct' });
      expect(await machine.dispenser.dispense(ours, patient)).toMatchObject({ outcome: 'failed', error: 'noDevice' });
      await machine.restartMachine();
      await until(() => machine.dispenser.health().state === 'online');
      expect(await machine.dispenser.presentStatus(patient)).toMatchObject({
        transactionId: ours.transactionId,
        state: 'notPresented',
        remaining: 'stacker',
      });
      expect(await settle(machine.dispenser, ours.transactionId)).toEqual({ kind: 'settled', yen: 0 });
    }),
  );
});
