/**
 * Whatever clients send, hands do, hardware fails and the power does: no note is made or lost, and what GetStorage says adds up
 * to what lies in the units, but for notes that a fault kept from being counted. The books are kept a second time here, from
 * the outside: what was loaded and inserted, against what every place says it holds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Chance, type Clock, systemClock } from '../clock.ts';
import type { Socket } from '../connection.ts';
import { Faults } from '../faults.ts';
import { problems } from '../notes/cash-state.ts';
import { equal, sum, type Tally } from '../notes/tally.ts';
import { createRuntime } from '../runtime.ts';
import { CASH_FAULTS } from './cash-faults.ts';
import { type Cash, openCash } from './cash-services.ts';

const LOAD = [
  { id: 'unit1', name: 'A', kind: 'recycle', value: 1_000, count: 6, capacity: 8 },
  { id: 'unit2', name: 'B', kind: 'cashOut', value: 10_000, count: 5, capacity: 8 },
  { id: 'unit3', name: 'C', kind: 'cashIn', value: null, count: 0, capacity: 6 },
  { id: 'unit4', name: 'REJ', kind: 'reject', value: null, count: 0, capacity: 6 },
  { id: 'unit5', name: 'RET', kind: 'retract', value: null, count: 0, capacity: 6 },
] as const;

/** Time that passes at once, and takes the power away at the n-th wait. */
class BriefClock implements Clock {
  waitsUntilCut = Number.POSITIVE_INFINITY;
  cut = () => {};
  now = systemClock.now;
  monotonicMs = systemClock.monotonicMs;
  after = () => () => {};
  async sleep(_ms: number, signal: AbortSignal): Promise<void> {
    if (--this.waitsUntilCut === 0) this.cut();
    signal.throwIfAborted();
  }
}

const chance: Chance = { bytes: (length) => new Uint8Array(length) };

class World {
  readonly #dir = mkdtempSync(join(tmpdir(), 'kaopass-notes-'));
  readonly came: Tally = {};
  faults = new Faults(CASH_FAULTS);
  #clock!: BriefClock;
  cash!: Cash;
  #receive: (text: string) => void = () => {};
  #answers = new Map<number, (message: { header: { completionCode?: string } } | null) => void>();
  #id = 0;
  #off = false;

  constructor() {
    for (const { value, count } of LOAD) if (count > 0) this.#add(`type${value}JPY1/fit`, count);
    this.powerOn();
  }

  #add(item: string, count: number): void {
    this.came[item] = (this.came[item] ?? 0) + count;
  }

  powerOn(): void {
    this.#off = false;
    this.#answers.clear();
    this.#clock = new BriefClock();
    const runtime = createRuntime({ clock: this.#clock, faults: this.faults, speed: 1 });
    this.#clock.cut = () => {
      runtime.cutPower();
      this.#off = true;
      for (const resolve of this.#answers.values()) resolve(null);
    };
    this.cash = openCash(runtime, this.#dir, chance, {
      load: LOAD,
      itemsMax: 10,
      bunchItemsMax: 3,
      escrowItemsMax: 4,
      flush: false,
    });
    const socket = {
      readyState: 1,
      terminate: () => {},
      send: (text: string) => {
        const message = JSON.parse(text);
        if (message.header.type === 'completion') this.#answers.get(message.header.requestId)?.(message);
      },
      on: (event: string, listener: (data: { toString(): string }, isBinary: boolean) => void) => {
        if (event === 'message') this.#receive = (text) => listener(text, false);
      },
    };
    this.cash.services[0]!.accept(socket as Socket);
  }

  /** The completion; null when the power went first, and then it is on again. */
  async command(name: string, payload: object = {}, during = () => {}): Promise<string | null> {
    // It may have gone while a hand was in a shutter.
    if (this.#off) this.powerOn();
    const requestId = ++this.#id;
    const answer = new Promise<{ header: { completionCode?: string } } | null>((resolve) =>
      this.#answers.set(requestId, resolve),
    );
    const version = { 'CashDispenser.Dispense': '3.0', 'Storage.SetStorage': '2.1' }[name] ?? '2.0';
    this.#receive(JSON.stringify({ header: { type: 'command', name, version, requestId }, payload }));
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    during();
    const silence = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`${name} was never completed`)), 30_000).unref();
    });
    const completion = await Promise.race([answer, silence]);
    this.#answers.delete(requestId);
    if (this.#off) this.powerOn();
    return completion?.header.completionCode ?? null;
  }

  cutAfter(waits: number): void {
    this.#clock.waitsUntilCut = waits;
  }

  insert(notes: readonly { value: number; count: number; level?: 'unfit' }[], unrecognised: number): void {
    if (!this.cash.hands.canInsert()) return;
    if (notes.reduce((all, { count }) => all + count, unrecognised) === 0) return;
    this.cash.hands.insertNotes(notes, { unrecognised });
    for (const { value, count, level } of notes) this.#add(`type${value}JPY1/${level ?? 'fit'}`, count);
    this.#add('unrecognized', unrecognised);
  }

  load(id: string, count: number, told: boolean): void {
    const value = LOAD.find((unit) => unit.id === id)!.value;
    this.cash.hands.load(id, value === null ? 0 : count, { told });
    if (value !== null) this.#add(`type${value}JPY1/fit`, count);
  }

  check(): void {
    const { units, places } = this.cash.hands.where();
    const are = sum([...Object.values(units), ...Object.values(places)]);
    expect(equal(are, this.came), `came ${JSON.stringify(this.came)}, are ${JSON.stringify(are)}`).toBe(true);
    expect(problems(this.cash.machine.state)).toEqual([]);
    const record = this.cash.machine.state.present;
    if (record) {
      for (const [item, count] of Object.entries(record.presented)) {
        expect(count, `${item} presented`).toBeLessThanOrEqual(record.dispensed[item] ?? 0);
      }
    }
  }

  close(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

type Step = { run(world: World): Promise<unknown> | unknown };
const step = (what: string, run: Step['run']): Step => Object.assign({ run }, { [fc.toStringMethod]: () => what });
const send = (name: string, payload: object = {}) => step(name, (world) => world.command(name, payload));
const impossible = (run: () => unknown) => async () => {
  // What a hand can't do just then it does not do.
  await Promise.resolve()
    .then(run)
    .catch(() => {});
};

const notes = fc.array(
  fc.record({ value: fc.constantFrom(1_000, 2_000, 10_000), count: fc.nat(3), level: fc.constantFrom('fit', 'unfit') }),
  { maxLength: 2 },
);
const small = fc.nat(3);
const unitId = fc.constantFrom(...LOAD.map(({ id }) => id));
const faultOf = fc.oneof(
  fc.record({ fault: fc.constant('pickFailure'), afterNotes: small, failure: fc.constantFrom('empty', 'error') }),
  fc.record({ fault: fc.constantFrom('dispenseJam', 'cashInJam', 'rollbackJam'), afterNotes: small }),
  fc.record({ fault: fc.constant('noteRejected'), notes: fc.integer({ min: 1, max: 8 }) }),
  fc.record({
    fault: fc.constant('shutterStuck'),
    position: fc.constantFrom('output', 'input'),
    when: fc.constantFrom('opening', 'closing'),
  }),
  fc.record({
    fault: fc.constant('presentError'),
    kind: fc.constantFrom('noItems', 'items', 'unknown'),
    accessibleNotes: small,
    accessible: fc.boolean(),
  }),
  fc.record({ fault: fc.constant('takenDuringRetract'), notes: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ fault: fc.constantFrom('retractUnitFull', 'escrowFull'), roomNotes: small }),
  fc.record({ fault: fc.constant('uncountedRetract') }),
  fc.record({ fault: fc.constant('refuseNotes'), notes: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ fault: fc.constantFrom('foreignItems', 'sensorOff'), position: fc.constantFrom('output', 'input') }),
  fc.record({ fault: fc.constant('cashInEndJam'), afterNotes: small, stuckNotes: fc.integer({ min: 1, max: 3 }) }),
);
const dispense = fc
  .record({ unit1: fc.nat(4), unit2: fc.nat(4) })
  .map((counts) => send('CashDispenser.Dispense', { denomination: { denomination: { app: { counts } } } }));
const deposit = fc.tuple(notes, fc.nat(2), fc.boolean()).map(([bunch, unrecognised, recycle]) =>
  step(`deposit ${JSON.stringify(bunch)} and ${unrecognised} scraps`, async (world) => {
    await world.command('CashAcceptor.CashInStart', { useRecycleUnits: recycle });
    const inserted = () =>
      world.insert(
        bunch.map(({ value, count, level }) => ({
          value,
          count,
          ...(level === 'unfit' && { level: 'unfit' as const }),
        })),
        unrecognised,
      );
    await world.command('CashAcceptor.CashIn', {}, () => {
      inserted();
      // Nobody put anything in: the client gives up.
      if (world.cash.hands.canInsert()) void world.command('Common.Cancel');
    });
  }),
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: dispense },
  { weight: 4, arbitrary: deposit },
  { weight: 3, arbitrary: fc.constant(send('CashDispenser.Present')) },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      send('CashDispenser.Reject'),
      send('CashAcceptor.CashInEnd'),
      send('CashAcceptor.CashInRollback'),
      send('CashManagement.Retract', { location: { retractArea: 'retract', index: 1 } }),
      send('CashManagement.Retract', { location: { retractArea: 'reject' } }),
      send('CashManagement.Reset'),
      send('CashManagement.OpenShutter', { position: 'inCenter' }),
      send('CashManagement.CloseShutter', { position: 'outCenter' }),
      send('Storage.StartExchange'),
      send('Storage.EndExchange'),
      send('Storage.EndExchange'),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.nat(4).map((some) =>
      step(`take ${some || 'all'}`, async (world) => {
        await impossible(() => world.cash.hands.takeNotes(some ? { some } : {}))();
        await impossible(() => world.cash.hands.takeReturned())();
      }),
    ),
  },
  {
    weight: 4,
    arbitrary: faultOf.map((fault) => step(`fault ${JSON.stringify(fault)}`, (world) => world.faults.arm(fault))),
  },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 1, max: 9 })
      .map((waits) => step(`power cut at wait ${waits}`, (world) => world.cutAfter(waits))),
  },
  {
    weight: 1,
    arbitrary: unitId.map((id) => step(`remove ${id}`, (world) => impossible(() => world.cash.hands.removeUnit(id))())),
  },
  {
    weight: 1,
    arbitrary: unitId.map((id) => step(`insert ${id}`, (world) => impossible(() => world.cash.hands.insertUnit(id))())),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(unitId, fc.nat(5), fc.boolean())
      .map(([id, count, told]) => step(`load ${id} with ${count}`, (world) => world.load(id, count, told))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(unitId, fc.nat(5))
      .map(([id, fit]) =>
        send('Storage.SetStorage', { storage: { [id]: { cash: { status: { initial: { type1000JPY1: { fit } } } } } } }),
      ),
  },
);

test('notes are conserved and the counts add up, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 25 }), async (sequence) => {
      const world = new World();
      try {
        for (const { run } of sequence) {
          await run(world);
          world.check();
        }
      } finally {
        world.close();
      }
    }),
    { numRuns: Number(process.env['KAOPASS_NOTE_RUNS'] ?? 100) },
  );
}, 600_000);
