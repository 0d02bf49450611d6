/**
 * What really happened, from hands and screens alone: who stood at the terminal, what they put in and took, what they were shown. From
 * it follows what the bank's books must say. A window is the time from the beginning of one visit to that of the next: whatever moves
 * in it, moves because of that visit, settling after a power cut included.
 */
import type { Screen } from '../../src-contract/screen.ts';
import type { ControlState } from '../../src-main/devices/simulated/control.ts';
import type { Visit } from './story.ts';

export type Notes = Readonly<Record<string, number>>;
type Cash = NonNullable<ControlState['cash']>;

export const NO_NOTES: Notes = {};

export function together(...tallies: readonly Notes[]): Notes {
  const sum: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [note, count] of Object.entries(tally)) sum[note] = (sum[note] ?? 0) + count;
  }
  return sum;
}

export function without(all: Notes, some: Notes): Notes {
  return together(all, Object.fromEntries(Object.entries(some).map(([note, count]) => [note, -count])));
}

export function same(a: Notes, b: Notes): boolean {
  return Object.keys({ ...a, ...b }).every((note) => (a[note] ?? 0) === (b[note] ?? 0));
}

export function worth(notes: Notes): number {
  return Object.entries(notes).reduce((sum, [note, count]) => sum + Number(note) * count, 0);
}

const notesOf = (unit: Cash['units'][number]): Notes =>
  Object.fromEntries((unit.notes ?? []).map(({ denominationMinor, count }) => [String(denominationMinor), count]));

/** All notes that the machine has or that lie in reach, wherever. */
export function notesAnywhere(cash: Cash): Notes {
  return together(
    ...cash.units.map(notesOf),
    cash.stacker,
    cash.output,
    cash.escrow,
    cash.input.notes,
    cash.returned.notes,
  );
}

/** In units from which notes are paid out or which take deposits: not the bins. */
function stored(cash: Cash): number {
  return worth(together(...cash.units.filter(({ kind }) => kind === 'recycle' || kind === 'cashIn').map(notesOf)));
}

/** Whether the cash device, asked now, could truthfully say what became of the last dispense or cash-in. */
export function deviceCouldSay(cash: Cash, service: string): boolean {
  if (service === 'withdraw') {
    const { lastDispense, stacker, output } = cash;
    return lastDispense?.presentState !== 'unknown' && worth(stacker) === 0 && worth(output) === 0;
  }
  const { lastCashIn, escrow, input } = cash;
  return !['unknown', 'retract'].includes(lastCashIn?.state ?? '') && worth(escrow) === 0 && worth(input.notes) === 0;
}

export interface SuspectSeen {
  readonly transactionId: string;
  readonly couldSay: boolean;
  /** What a technician counted, yen; null before. */
  countedMinor: number | null;
  /** Whether the power went while the count was entered: it was, or it was not. */
  inDoubt: boolean;
}

/** What hands did so far, yen. */
export interface Hands {
  readonly broughtMinor: number;
  /** From the output. */
  readonly tookMinor: number;
}

export class Window {
  readonly visit: Visit;
  readonly beganAt: number;
  readonly #storedBefore: number;
  readonly #before: Hands;
  #lying = 0;
  /** Yen that came into the units, and that hands took from the output, in this window. */
  storedMinor = 0;
  takenMinor = 0;
  /** Yen that hands put in, and that lay in their reach again afterwards, whether they took them or not. */
  broughtMinor = 0;
  offeredBackMinor = 0;
  /** The last screen of each name that was shown. */
  readonly shown = new Map<Screen['name'], Screen>();
  /** Whether the terminal went dark meanwhile. */
  dark = false;
  /** Whether a cash device gave no answer, or too late, meanwhile. */
  silence = false;
  /** Whether any clock of this run is ever wrong. */
  clockSteps = false;
  /** Whether the journal could not be written meanwhile. */
  diskFull = false;
  /** When "done" was first shown, ms; null before. */
  doneAt: number | null = null;
  readonly suspects: SuspectSeen[] = [];
  readonly receipts: string[] = [];
  /** What the person asked the dispenser for, yen; null before they did. */
  askedMinor: number | null = null;
  /** The number that the person keyed in last, and what they said yes to. */
  payeeNumber: string | null = null;
  agreed: { readonly amountMinor: number; readonly payeeNumber: string } | null = null;

  constructor(visit: Visit, beganAt: number, cash: Cash | null, hands: Hands) {
    this.visit = visit;
    this.beganAt = beganAt;
    this.#storedBefore = cash ? stored(cash) : 0;
    this.#lying = cash ? worth(cash.returned.notes) : 0;
    this.#before = hands;
  }

  look(cash: Cash, hands: Hands): void {
    this.takenMinor = hands.tookMinor - this.#before.tookMinor;
    if (this.visit.service !== 'deposit') return;
    this.storedMinor = stored(cash) - this.#storedBefore;
    this.broughtMinor = hands.broughtMinor - this.#before.broughtMinor;
    const lying = worth(cash.returned.notes);
    this.offeredBackMinor += Math.max(0, lying - this.#lying);
    this.#lying = lying;
  }

  get<Name extends Screen['name']>(name: Name): Extract<Screen, { name: Name }> | null {
    return (this.shown.get(name) as Extract<Screen, { name: Name }> | undefined) ?? null;
  }
}

export interface ExpectedEntry {
  readonly person: number;
  readonly terminal: string;
  readonly kinds: readonly string[];
  readonly amountMinor: number;
  /** Of a transfer. */
  readonly payeeNumber: string | null;
  /** Whose money it is: the person's; the bank's, after they withdrew consent; either's, where that is in doubt. */
  readonly payer: 'person' | 'bank' | 'either';
  /** Nobody can know whether it should be there: the power went between the books and the screen. */
  readonly optional: boolean;
}

/** What the bank's books must show for this window; null for nothing. `all`: the windows of every terminal. */
export function expectedOf(window: Window, all: readonly Window[] = []): ExpectedEntry | null {
  const { visit } = window;
  const entry = (kinds: readonly string[], amountMinor: number, optional = false): ExpectedEntry | null =>
    amountMinor > 0
      ? {
          person: visit.person,
          terminal: visit.terminal,
          kinds,
          amountMinor,
          optional,
          payeeNumber: visit.service === 'transfer' ? window.payeeNumber : null,
          payer: payerOf(window, all),
        }
      : null;
  // Until a person has counted, a suspect is held and nothing is booked.
  const [suspect] = window.suspects;
  if (suspect) return entry([visit.service], suspect.countedMinor ?? 0, suspect.inDoubt);
  switch (visit.service) {
    case 'deposit':
      return entry(['deposit'], window.storedMinor);
    case 'withdraw':
      return entry(['withdraw'], window.takenMinor);
    case 'purchase': {
      const total = window.get('basket')?.total.amountMinor ?? 0;
      const done = window.get('done');
      if (done) return entry([done.standIn ? 'stand-in' : 'purchase'], total);
      if (window.get('receipt')) return entry(['purchase', 'stand-in'], total);
      return window.dark && window.get('look') ? entry(['purchase', 'stand-in'], total, true) : null;
    }
    case 'transfer': {
      const { agreed } = window;
      if (!agreed) return null;
      if (window.get('done') || window.get('receipt')) return entry(['transfer'], agreed.amountMinor);
      const sorry = window.get('sorry');
      // "Open" is all that can be said where no answer came; any other word is that nothing was done.
      return sorry && sorry.code !== 'transfer-open' ? null : entry(['transfer'], agreed.amountMinor, true);
    }
    default:
      return null;
  }
}

/** Above it the PIN was asked, and the charge is the person's own and not their face's alone. The default policy's, yen. */
const FACE_ALONE_MAX = 3_000;
/** What the bank leaves open between two terminals' clocks that are right, ms. */
const DOUBT_MS = 5_000;

/** No charge goes to a face after its owner withdrew consent; which came first may be in doubt. */
function payerOf(purchase: Window, all: readonly Window[]): ExpectedEntry['payer'] {
  const { visit, beganAt } = purchase;
  const own = all.filter((one) => one.visit.person === visit.person && one !== purchase);
  const withdrawn = own.filter((one) => one.visit.service === 'opt-out' && one.get('opt-out'));
  if (visit.service !== 'purchase' || withdrawn.length === 0) return 'person';
  const [first] = withdrawn;
  if (purchase.doneAt !== null && withdrawn.every((one) => (purchase.doneAt ?? 0) + DOUBT_MS < one.beganAt)) {
    return purchase.clockSteps ? 'either' : 'person';
  }
  const again = own.some((one) => one.visit.service === 'enrol' && one.beganAt > (first?.beganAt ?? 0));
  const amountMinor = purchase.get('basket')?.total.amountMinor ?? 0;
  const after = withdrawn.some((one) => one.doneAt !== null && one.doneAt + DOUBT_MS < beganAt);
  return after && !again && !purchase.clockSteps && amountMinor <= FACE_ALONE_MAX ? 'bank' : 'either';
}

/** What screens said that did not happen; empty when all of it did. */
export function untruthsOf(window: Window): string[] {
  const { visit, storedMinor, takenMinor, suspects } = window;
  const untrue: string[] = [];
  const say = (what: string) => untrue.push(what);
  const done = window.get('done');
  const sorry = window.get('sorry');
  if (done && sorry) say('it said both "done" and "sorry"');
  if (done) {
    const amount = done.amount?.amountMinor ?? 0;
    if (visit.service === 'deposit' && amount !== storedMinor)
      say(`"${amount} deposited", and ${storedMinor} was stored`);
    if (visit.service === 'withdraw' && amount !== takenMinor) say(`"${amount} paid out", and ${takenMinor} was taken`);
    if (visit.service === 'transfer' && amount !== window.agreed?.amountMinor) {
      say(`"${amount} transferred" for ${window.agreed?.amountMinor ?? 'nothing'} agreed to`);
    }
    if (visit.service === 'purchase' && amount !== (window.get('basket')?.total.amountMinor ?? 0)) {
      say(`"${amount} paid" for a basket of ${window.get('basket')?.total.amountMinor}`);
    }
    if (suspects.length > 0) say('"done", and the transaction is suspect');
  }
  if (sorry) {
    const { code, madeWhole } = sorry;
    // Where nothing could be written down, "suspect" is all that can be said; what became of it, the next start finds out.
    if (code === 'suspect' ? suspects.length === 0 && !window.diskFull : suspects.length > 0) {
      say(`sorry "${code}" with ${suspects.length} suspects`);
    }
    if (code !== 'suspect' && visit.service === 'deposit' && storedMinor !== 0) {
      say(`sorry "${code}", and ${storedMinor} was stored`);
    }
    if (code !== 'suspect' && visit.service === 'withdraw') {
      if (madeWhole && takenMinor !== (window.askedMinor ?? 0) - madeWhole.amountMinor) {
        say(`"${madeWhole.amountMinor} of ${window.askedMinor} not charged", and ${takenMinor} was taken`);
      }
      if (!madeWhole && takenMinor !== 0) say(`sorry "${code}", and ${takenMinor} was taken`);
    }
  }
  if (window.agreed && window.agreed.payeeNumber !== window.payeeNumber) {
    say(`"to ${window.agreed.payeeNumber}" where ${window.payeeNumber} was keyed in`);
  }
  const taking = window.get('take-cash');
  if (taking && visit.service === 'withdraw' && taking.amount.amountMinor !== window.askedMinor) {
    say(`"take ${taking.amount.amountMinor}" for ${window.askedMinor} asked`);
  }
  return untrue;
}
