/**
 * A terminal with everything of its own (session, journal, outbox, gallery) at the reference bank, before a machine that pays only
 * under the bank's token, over real sockets. Time is the world's: it stands still while anything works or is on the wire.
 */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Service } from '../../../src-contract/primitives.ts';
import type { Key } from '../../../src-devices/pin/entry.ts';
import { PAPER_FULL } from '../../../src-devices/printer/printer-state.ts';
import { never, type OtherDevices, type TestedTerminal, type World } from '../../support/terminal-world.ts';
import type { CustomerHands } from '../../support/test-customer.ts';
import { type Person, PIN } from '../../support/visits.ts';
import { Machine, PIN_KEY } from './machine.ts';

const KEYS: Readonly<Record<string, Key>> = {
  ...Object.fromEntries(
    (['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'] as const).map((key, digit) => [
      String(digit),
      key,
    ]),
  ),
  E: 'enter',
};

export interface WholeTerminal {
  readonly tested: TestedTerminal;
  readonly machine: Machine;
  /** Whatever is wrong with the machine is repaired, and its keys are loaded; notes stay where they are. */
  heal(): void;
  close(): Promise<void>;
}

export async function openWholeTerminal(world: World): Promise<WholeTerminal> {
  const keys = { host: randomBytes(32).toString('hex'), device: randomBytes(32).toString('hex') };
  const machine = await Machine.open({
    atm: {
      clock: world.clock,
      flush: false,
      speed: 1,
      security: { mode: 'always', keys },
    },
    // The limits that customers meet.
    terminal: { clock: world.clock, tokens: 'required', limits: {} },
  });
  const loaded = machine.worth().inside;
  let on = true;
  const tested = await world.terminal('atm', {
    devices: async () => {
      if (!on) await machine.startTerminal();
      on = true;
      return {
        devices: machine.devices,
        hands: handsAt(machine, world),
        till: () => ({
          conserved: isConserved(machine),
          netOutMinor: loaded - machine.worth().inside,
          presentedMinor: presented(machine),
        }),
        close: async () => {
          on = false;
          await machine.terminal.close();
        },
      } satisfies OtherDevices;
    },
  });
  const { terminalId, sync } = await tested.start();
  const staff = async (what: string, body: object) =>
    expect((await world.admin.post(`/admin/terminals/${terminalId}/${what}`, body)).status).toBe(200);
  await staff('dispenser-keys', { hostKey: keys.host, deviceKey: keys.device, proofsCover: 'whole-token' });
  await staff('pin-keys', { name: PIN_KEY.name, key: PIN_KEY.value });
  await sync.pull(never);
  return {
    tested,
    machine,
    heal: () => {
      machine.atm.faults.disarmAll();
      machine.hands.foreignItem('input', false);
      machine.hands.foreignItem('output', false);
      machine.atm.cash!.security.loadKeys(keys);
      machine.peripherals.pin.loadKeys([PIN_KEY]);
      machine.peripherals.printer.clearJam();
      machine.peripherals.printer.setPaper(PAPER_FULL);
    },
    close: async () => {
      await tested.dispose();
      await machine.close();
    },
  };
}

export function isConserved(machine: Machine): boolean {
  const { units, places, came } = machine.hands.where();
  const held: Record<string, number> = {};
  for (const tally of [...Object.values(units), ...Object.values(places)]) {
    for (const [item, count] of Object.entries(tally)) held[item] = (held[item] ?? 0) + count;
  }
  return Object.keys({ ...held, ...came }).every((item) => (held[item] ?? 0) === (came[item] ?? 0));
}

const count = (tally: Readonly<Record<string, number>>) => Object.values(tally).reduce((sum, one) => sum + one, 0);
function presented({ hands }: Machine): number {
  const { places, worth } = hands.where();
  return count(places.exit) === 0 ? 0 : worth.inReach;
}

const OK = { ok: true } as const;
function handsAt(machine: Machine, { clock }: World): CustomerHands {
  const { hands, peripherals } = machine;
  const when = async (condition: () => boolean, waitMs = 0) => {
    for (let waited = 0; !condition() && waited < waitMs; waited += 20) await clock.sleep(20, never);
  };
  return {
    async pressKeys(keys, wait) {
      await when(() => peripherals.pin.state().entering !== null, wait?.waitMs);
      const taken = await peripherals.pin.press([...keys].map((key) => KEYS[key]!));
      return taken === keys.length ? { ...OK, taken } : { ok: false, message: 'the entry ended', taken };
    },
    async insertNotes(notes, { waitMs = 0, unrecognised = 0 } = {}) {
      await when(() => hands.canInsert(), waitMs);
      hands.insertNotes(
        notes.map((one) => ({ value: one.denominationMinor, count: one.count })),
        { unrecognised },
      );
      return OK;
    },
    async takeNotes(wait) {
      await when(() => count(hands.where().places.exit) > 0, wait?.waitMs);
      await hands.takeNotes();
      return OK;
    },
    async takeReturned(wait) {
      await when(() => count(hands.where().places.return) > 0, wait?.waitMs);
      await hands.takeReturned();
      return OK;
    },
    scan: async () => ({ ok: false, message: 'no scanner' }),
    inputIsEmpty: () => count(hands.where().places.feeder) === 0,
  };
}

export interface Conduct {
  readonly service: Extract<Service, 'withdraw' | 'deposit'>;
  /** A withdrawal's amount, yen. */
  readonly yen?: number;
  readonly notes?: Readonly<Record<number, number>>;
  /** When the customer takes notes: as the screen says (default), as soon as they lie in reach, or never. Returned ones always. */
  readonly takes?: 'when told' | 'at once' | 'never';
  readonly receipt?: boolean;
  /** Whether the customer agrees to the count of a deposit (default), or wants the notes back. */
  readonly confirms?: boolean;
}

/** How long a visit may last, in the world's time. */
const VISIT_MS_MAX = 900_000;
/** Between two looks: often while something goes on, and less and less often while nothing does. */
const LOOK_MS = 250;
const LOOK_MS_MAX = 2_000;

/**
 * A visit of somebody who does what the screen says, and takes what lies in reach. Answers the screens that were seen, in order;
 * `sorry` with its code.
 */
export async function visits({ tested, machine }: WholeTerminal, person: Person, conduct: Conduct): Promise<string[]> {
  const { customer } = tested.run;
  const { hands } = machine;
  const seen: string[] = [];
  let bunchesLeft = conduct.service === 'deposit' ? 1 : 0;
  let quietMs = 0;
  customer.comes(person.face);
  await customer.chooses(conduct.service);
  let before = '';
  let lookMs = LOOK_MS;
  for (let ms = 0; ms < VISIT_MS_MAX; ms += lookMs) {
    const { screen, offers, revision } = customer.view;
    const name = screen.name === 'sorry' ? `sorry ${screen.code}` : screen.name;
    if (seen.at(-1) !== name) seen.push(name);
    const { places } = hands.where();
    if (count(places.return) > 0) await hands.takeReturned().catch(() => undefined);
    const { takes = 'when told' } = conduct;
    const now = JSON.stringify([revision, places]);
    lookMs = now !== before || takes === 'at once' ? LOOK_MS : Math.min(2 * lookMs, LOOK_MS_MAX);
    before = now;
    const wanted = takes === 'at once' || (takes === 'when told' && screen.name === 'take-cash');
    if (wanted && count(places.exit) > 0) await hands.takeNotes().catch(() => undefined);
    switch (screen.name) {
      case 'attract':
        customer.leaves();
        return seen;
      case 'menu':
        throw new Error(`${conduct.service} is not offered: ${JSON.stringify(screen.services)}`);
      case 'amount':
        await customer.asksFor(conduct.yen ?? 0);
        break;
      case 'pin':
        if (machine.peripherals.pin.state().entering !== null) await customer.keys(PIN);
        break;
      case 'insert-cash':
        quietMs += lookMs;
        if (bunchesLeft > 0 && hands.canInsert()) {
          bunchesLeft -= 1;
          quietMs = 0;
          hands.insertNotes(
            Object.entries(conduct.notes ?? {}).map(([value, pieces]) => ({ value: Number(value), count: pieces })),
          );
        } else if (bunchesLeft === 0 && quietMs >= 6_000) {
          // Whoever is told that nothing was put in gives up.
          if (screen.problem === 'nothing-inserted') await customer.cancels();
          else await customer.confirms();
          quietMs = 0;
        }
        break;
      case 'receipt':
        await customer.wantsReceipt(conduct.receipt ?? false);
        break;
      case 'confirm-deposit':
        await (conduct.confirms === false ? customer.cancels() : customer.confirms());
        break;
      case 'done':
        await customer.confirms();
        break;
      case 'sorry':
        if (offers.includes('cancel')) await customer.cancels();
        break;
    }
    await customer.waits(lookMs);
  }
  throw new Error(`the visit does not end: ${seen.join(', ')}`);
}
