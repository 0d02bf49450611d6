/**
 * Which notes make an amount (XFS4IoT CashDispenser.Denominate, the "app" kind: the terminal decides). Pure and exact:
 * bounded change-making by dynamic programming over amounts in steps of the denominations' greatest common divisor, so
 * null means that no mix exists, not that a greedy choice missed it.
 */
import type { MinorUnits } from '../../src-contract/primitives.ts';
import type { NoteCount } from '../../src-contract/screen.ts';
import type { CashUnit } from './cash-dispenser.ts';

/** Notes of one dispense: what a person takes in one hand, and what the common bundle presenters hold. */
const NOTES_PER_MIX_MAX = 50;
/** Notes a denomination keeps while another mix will do, so that small amounts can be made for the next customer. */
const RESERVE_NOTES = 20;

interface Supply {
  readonly denominationMinor: number;
  readonly count: number;
}

/** The fewest notes for each reachable amount, and how many of each supply they take. Index: amount / stepMinor. */
interface Table {
  readonly stepMinor: number;
  readonly fewest: Uint32Array;
  /** Per supply: notes of it in the best mix of this and all earlier supplies. */
  readonly taken: readonly Uint16Array[];
}
const UNREACHABLE = 0xffff_ffff;

/**
 * The mix to hand out: no denomination falls below its reserve if that can be had, then fewest notes. Smallest denomination
 * first, no zero counts. Null when the units can't make exactly this amount with at most `notesMax` notes.
 */
export function denominate(
  amountMinor: number,
  units: readonly CashUnit[],
  notesMax = NOTES_PER_MIX_MAX,
): NoteCount[] | null {
  if (!Number.isSafeInteger(amountMinor) || amountMinor <= 0) return null;
  const supplies = suppliesOf(units);
  const sparing = supplies.map((supply) => ({ ...supply, count: Math.max(supply.count - RESERVE_NOTES, 0) }));
  return mixFrom(sparing, amountMinor, notesMax) ?? mixFrom(supplies, amountMinor, notesMax);
}

/** What can be given at all: the largest amount, and the step that every amount is a multiple of. */
export function dispensable(
  units: readonly CashUnit[],
  notesMax = NOTES_PER_MIX_MAX,
): { maxMinor: number; stepMinor: number } {
  const supplies = suppliesOf(units);
  let left = notesMax;
  let maxMinor = 0;
  for (const { denominationMinor, count } of supplies.toReversed()) {
    const here = Math.min(left, count);
    maxMinor += here * denominationMinor;
    left -= here;
  }
  return { maxMinor, stepMinor: stepOf(supplies) || 1 };
}

/** Amounts nearest to the one asked that can be given: as many below as above where there are such, ascending. An amount that
 *  can itself be given is one of them. */
export function possibleAmounts(
  nearMinor: number,
  units: readonly CashUnit[],
  max = 4,
  notesMax = NOTES_PER_MIX_MAX,
): MinorUnits[] {
  const supplies = suppliesOf(units);
  const { maxMinor } = dispensable(units, notesMax);
  const { stepMinor, fewest } = tableFor(supplies, maxMinor, notesMax);
  const below: number[] = [];
  const above: number[] = [];
  fewest.forEach((notes, index) => {
    if (index === 0 || notes > notesMax) return;
    const amountMinor = index * stepMinor;
    (amountMinor <= nearMinor ? below : above).push(amountMinor);
  });
  const half = Math.ceil(max / 2);
  const fromAbove = Math.min(above.length, Math.max(max - half, max - below.length));
  const fromBelow = Math.min(below.length, max - fromAbove);
  return [...below.slice(below.length - fromBelow), ...above.slice(0, fromAbove)].map((amount) => amount as MinorUnits);
}

/** Notes that can be handed out, per denomination, smallest first. */
function suppliesOf(units: readonly CashUnit[]): Supply[] {
  const counts = new Map<number, number>();
  for (const { kind, denominationMinor, count, state } of units) {
    const gives = (kind === 'cashOut' || kind === 'recycle') && denominationMinor !== null && denominationMinor > 0;
    const works = state !== 'empty' && state !== 'inoperative' && state !== 'missing';
    if (gives && works && count > 0) counts.set(denominationMinor, (counts.get(denominationMinor) ?? 0) + count);
  }
  return [...counts]
    .map(([denominationMinor, count]) => ({ denominationMinor, count }))
    .sort((a, b) => a.denominationMinor - b.denominationMinor);
}

function mixFrom(supplies: readonly Supply[], amountMinor: number, notesMax: number): NoteCount[] | null {
  const step = stepOf(supplies);
  const holds = supplies.reduce((sum, supply) => sum + supply.denominationMinor * Math.min(supply.count, notesMax), 0);
  if (step === 0 || amountMinor % step !== 0 || amountMinor > holds) return null;
  const { stepMinor, fewest, taken } = tableFor(supplies, amountMinor, notesMax);
  let at = amountMinor / stepMinor;
  if ((fewest[at] ?? UNREACHABLE) > notesMax) return null;
  const mix: NoteCount[] = [];
  for (let supply = supplies.length - 1; supply >= 0; supply -= 1) {
    const { denominationMinor } = supplies[supply]!;
    const count = taken[supply]![at]!;
    if (count > 0) mix.unshift({ denominationMinor: denominationMinor as MinorUnits, count });
    at -= (count * denominationMinor) / stepMinor;
  }
  return mix;
}

function tableFor(supplies: readonly Supply[], maxMinor: number, notesMax: number): Table {
  const stepMinor = stepOf(supplies) || 1;
  const size = Math.floor(maxMinor / stepMinor) + 1;
  let fewest = new Uint32Array(size).fill(UNREACHABLE);
  fewest[0] = 0;
  const taken: Uint16Array[] = [];
  for (const { denominationMinor, count } of supplies) {
    const stride = denominationMinor / stepMinor;
    const here = new Uint16Array(size);
    const next = new Uint32Array(fewest);
    for (let amount = stride; amount < size; amount += 1) {
      const most = Math.min(count, notesMax, Math.floor(amount / stride));
      for (let notes = 1; notes <= most; notes += 1) {
        const rest = fewest[amount - notes * stride]!;
        if (rest !== UNREACHABLE && rest + notes < next[amount]!) {
          next[amount] = rest + notes;
          here[amount] = notes;
        }
      }
    }
    fewest = next;
    taken.push(here);
  }
  return { stepMinor, fewest, taken };
}

/** Greatest common divisor of the denominations; 0 when there are none. */
function stepOf(supplies: readonly Supply[]): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  return supplies.reduce((step, { denominationMinor }) => gcd(step, denominationMinor), 0);
}
