/** Power cuts at every step, and long random use: notes are conserved and what the devices say is what is so. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { newId, notes, order, patient, valueMinor } from '../../../tests/contract/devices/vocabulary.ts';
import { systemChance } from '../../clock.ts';
import { openSimulatedDevices, type SimulatedDevices } from './open.ts';

const LOADED = 2_700_000;
const fresh = () => mkdtempSync(join(tmpdir(), 'kaopass-devices-'));
const open = (dir: string, clock = new VirtualClock()) =>
  openSimulatedDevices({ dir, clock, chance: systemChance, profile: 'atm' });
const money = ({ control }: SimulatedDevices) => control.state().cash!.conservation;

describe('a power cut', () => {
  const mix = notes(10_000, 2, 5_000, 1, 1_000, 6);

  /** Runs the visit with the power cut at its n-th pause; false when the visit ended before. */
  const cutAt = async (dir: string, n: number, visit: (simulated: SimulatedDevices) => Promise<void>) => {
    const clock = new VirtualClock(n);
    const simulated = await open(dir, clock);
    const ended = visit(simulated).then(() => false);
    return await Promise.race([clock.stopped.then(() => true), ended]);
  };

  it('at any step of a withdrawal leaves a dispenser that knows what it handed out', async () => {
    const seen = new Set<string>();
    for (let step = 1, cut = true; cut; step += 1) {
      const dir = fresh();
      const ours = order(mix);
      cut = await cutAt(dir, step, async ({ devices: { cashDispenser: dispenser }, control }) => {
        await dispenser!.dispense(ours, patient);
        await dispenser!.present(patient);
        await dispenser!.presentStatus(patient);
        await control.takeNotes();
        await dispenser!.presentStatus(patient);
      });
      const after = await open(dir);
      const dispenser = after.devices.cashDispenser!;
      const status = await dispenser.presentStatus(patient);
      expect([null, ours.transactionId]).toContain(status.transactionId);
      seen.add(`${status.state} ${status.remaining}`);
      if (status.remaining === 'stacker') await dispenser.reset(patient);
      if (status.remaining === 'outputPosition') await dispenser.retract(patient);
      const settled = await dispenser.presentStatus(patient);
      const handedOut = valueMinor(settled.presented) - valueMinor(settled.retracted);
      expect(settled.remaining).toBe('none');
      expect(money(after)).toMatchObject({ holds: true, insideMinor: LOADED - handedOut, takenMinor: handedOut });
      await after.close();
      rmSync(dir, { recursive: true });
    }
    expect([...seen].sort()).toEqual([
      'notPresented none',
      'notPresented stacker',
      'presented none',
      'presented outputPosition',
    ]);
  });

  it('at any step of a deposit leaves an acceptor that knows whose the notes are', async () => {
    const seen = new Set<string>();
    for (let step = 1, cut = true; cut; step += 1) {
      const dir = fresh();
      const id = newId();
      cut = await cutAt(dir, step, async ({ devices: { cashAcceptor: acceptor }, control }) => {
        await acceptor!.cashInStart(id, () => {}, patient);
        await control.insertNotes(notes(10_000, 1, 5_000, 2), { unrecognised: 1 });
        await acceptor!.cashInStop(patient);
        await acceptor!.cashInEnd(patient);
        await acceptor!.cashInStatus(patient);
      });
      const after = await open(dir);
      const acceptor = after.devices.cashAcceptor!;
      const status = await acceptor.cashInStatus(patient);
      seen.add(status.state);
      if (status.state === 'ok') expect(status.notes).toEqual(notes(10_000, 1, 5_000, 2));
      if (status.state === 'active') expect(status.notes).toEqual((await acceptor.status(patient)).escrow);
      if (status.state !== 'ok') expect(await acceptor.reset(patient)).toMatchObject({ outcome: 'reset' });
      const { holds, insideMinor, insertedMinor } = money(after);
      expect({ holds, insideMinor }).toEqual({ holds: true, insideMinor: LOADED + insertedMinor });
      await after.control.takeReturned();
      expect(await acceptor.cashInStart(newId(), () => {}, patient)).toEqual({ outcome: 'started' });
      await after.close();
      rmSync(dir, { recursive: true });
    }
    expect([...seen].sort()).toEqual(['active', 'none', 'ok', 'unknown']);
  });
});

describe('random use', () => {
  interface Model {
    insertedMinor: number;
    takenMinor: number;
    takenBackMinor: number;
  }
  interface Real {
    readonly dir: string;
    simulated: SimulatedDevices;
  }
  type Deed = (real: Real, model: Model) => Promise<unknown>;

  /** One command; after each, every yen is where the model says, whatever the devices answered. */
  class Command implements fc.AsyncCommand<Model, Real> {
    readonly #name: string;
    readonly #deed: Deed;
    constructor(name: string, deed: Deed) {
      this.#name = name;
      this.#deed = deed;
    }
    check(): boolean {
      return true;
    }
    async run(model: Model, real: Real): Promise<void> {
      await this.#deed(real, model);
      const now = money(real.simulated);
      expect(now.holds).toBe(true);
      expect(now).toMatchObject(model);
      expect(now.insideMinor + now.inReachMinor + now.takenMinor + now.takenBackMinor).toBe(LOADED + now.insertedMinor);
    }
    toString(): string {
      return this.#name;
    }
  }
  const dispenser = (real: Real) => real.simulated.devices.cashDispenser!;
  const acceptor = (real: Real) => real.simulated.devices.cashAcceptor!;
  const command = (name: string, deed: Deed) => fc.constant(new Command(name, deed));
  const denominations = fc.constantFrom(1_000, 2_000, 5_000, 10_000);
  const reach = (real: Real, place: 'output' | 'returned') => {
    const { output, returned } = real.simulated.control.state().cash!;
    const tally = place === 'output' ? output : returned.notes;
    return Object.entries(tally).reduce((sum, [note, count]) => sum + Number(note) * count, 0);
  };

  const commands = [
    fc
      .tuple(denominations, fc.integer({ min: 1, max: 12 }))
      .map(
        ([denomination, count]) =>
          new Command(`dispense(${count} × ${denomination})`, (real) =>
            dispenser(real).dispense(order(notes(denomination, count)), patient),
          ),
      ),
    command('present', (real) => dispenser(real).present(patient)),
    command('retract', (real) => dispenser(real).retract(patient)),
    command('reset dispenser', (real) => dispenser(real).reset(patient)),
    command('take notes', async (real, model) => {
      const lying = reach(real, 'output');
      if ((await real.simulated.control.takeNotes()).ok) model.takenMinor += lying;
    }),
    command('start cash-in', (real) => acceptor(real).cashInStart(newId(), () => {}, patient)),
    fc.tuple(denominations, fc.integer({ min: 1, max: 8 }), fc.nat(2)).map(
      ([denomination, count, unrecognised]) =>
        new Command(`insert(${count} × ${denomination} and ${unrecognised})`, async (real, model) => {
          const answer = await real.simulated.control.insertNotes(notes(denomination, count), { unrecognised });
          if (answer.ok) model.insertedMinor += denomination * count;
        }),
    ),
    command('stop cash-in', (real) => acceptor(real).cashInStop(patient)),
    command('end cash-in', (real) => acceptor(real).cashInEnd(patient)),
    command('roll back cash-in', (real) => acceptor(real).cashInRollback(patient)),
    command('reset acceptor', (real) => acceptor(real).reset(patient)),
    command('take returned', async (real, model) => {
      const lying = reach(real, 'returned');
      if ((await real.simulated.control.takeReturned()).ok) model.takenBackMinor += lying;
    }),
    fc
      .constantFrom('jam-on-dispense', 'jam-on-present', 'short', 'shutter-jam', 'present-unknown', 'cassette-empty')
      .map(
        (fault) =>
          new Command(`arm ${fault}`, async (real) =>
            real.simulated.control.armFault({ device: 'cash-dispenser', fault }),
          ),
      ),
    fc
      .constantFrom('jam-on-count', 'jam-on-store', 'jam-on-return', 'escrow-full', 'refuse-notes', 'gone')
      .map(
        (fault) =>
          new Command(`arm ${fault}`, async (real) =>
            real.simulated.control.armFault({ device: 'cash-acceptor', fault }),
          ),
      ),
    command('clear faults', async (real) => real.simulated.control.clearFault()),
    command('power off and on', async (real) => {
      await real.simulated.close();
      real.simulated = await open(real.dir);
    }),
  ];

  it('conserves every note, over faults and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (sequence) => {
        const dir = fresh();
        const real: Real = { dir, simulated: await open(dir) };
        try {
          await fc.asyncModelRun(
            () => ({ model: { insertedMinor: 0, takenMinor: 0, takenBackMinor: 0 }, real }),
            sequence,
          );
        } finally {
          await real.simulated.close();
          rmSync(dir, { recursive: true });
        }
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
