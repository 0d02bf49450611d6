/** What transactions did to the notes in a machine, and what is left to explain. Pure; counts and notes are the devices' own. */
import { z } from 'zod';
import type { CloseCash } from '../../src-contract/day-close.ts';
import { MinorUnits } from '../../src-contract/primitives.ts';
import type { CountedUnit, Ended, Notes } from '../journal/day-closes.ts';

const NoteList = z.array(z.object({ denominationMinor: z.int(), count: z.int() })).catch([]);
/** Of a payout's last event: what the dispenser said. */
const PaidOut = z.object({
  status: z.object({ presented: NoteList, retracted: NoteList, rejected: NoteList }).optional().catch(undefined),
});
/** Of a deposit's last event, when notes given back were retracted. */
const Retracted = z.object({ retracted: NoteList });
const Stored = z.object({ notes: NoteList });

const MIXED = 'mixed';

/** Notes per denomination; of units that hold several, together. */
export function notesIn(units: readonly CountedUnit[]): Notes {
  return sum(units.map(({ denominationMinor, count }) => ({ [denominationMinor ?? MIXED]: count })));
}

export function sum(all: readonly Notes[]): Notes {
  const total: Record<string, number> = {};
  for (const notes of all) for (const [what, count] of Object.entries(notes)) total[what] = (total[what] ?? 0) + count;
  return total;
}

export function less(a: Notes, b: Notes): Notes {
  const all = sum([a, Object.fromEntries(Object.entries(b).map(([what, count]) => [what, -count]))]);
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count !== 0));
}

/** What the ended transactions did to the units, by what the devices said of each. */
export function moved(ended: readonly Ended[], units: readonly CountedUnit[]): Notes {
  return sum(ended.map((one) => movedBy(one, units)));
}

function movedBy({ service, state, detail }: Ended, units: readonly CountedUnit[]): Notes {
  if (service === 'withdraw') {
    const { status } = PaidOut.parse(detail);
    if (!status) return {};
    // Picked from its cassette is what could be taken and what was rejected; what came back lies among mixed notes.
    const picked = [...status.presented, ...status.rejected];
    const back = [...status.retracted, ...status.rejected];
    return sum([
      ...picked.map(({ denominationMinor, count }) => ({ [denominationMinor]: -count })),
      ...back.map(({ count }) => ({ [MIXED]: count })),
    ]);
  }
  if (service === 'deposit' && state === 'stored') {
    const own = (denomination: number) =>
      units.some(
        ({ kind, denominationMinor }) =>
          denominationMinor === denomination && (kind === 'cashIn' || kind === 'recycle'),
      );
    return sum(
      Stored.parse(detail).notes.map(({ denominationMinor, count }) => ({
        [own(denominationMinor) ? denominationMinor : MIXED]: count,
      })),
    );
  }
  if (service === 'deposit' && state === 'retracted') {
    return sum(Retracted.parse(detail).retracted.map(({ count }) => ({ [MIXED]: count })));
  }
  return {};
}

/** What deposits put in, per denomination that has a unit of its own: that may have been full, and the notes lie among mixed ones. */
export function mayHaveOverflowed(ended: readonly Ended[]): Notes {
  const stored = ended.filter(({ service, state }) => service === 'deposit' && state === 'stored');
  return sum(
    stored.flatMap(({ detail }) =>
      Stored.parse(detail).notes.map(({ denominationMinor, count }) => ({ [denominationMinor]: count })),
    ),
  );
}

interface Reckoned {
  readonly opening: Notes;
  readonly exchanged: Notes;
  readonly moved: Notes;
  readonly closing: Notes;
}

/** As many notes as are missing in a unit of their own, are too many among mixed ones, and were put in by deposits, overflowed. */
export function withOverflow(given: Reckoned, overflow: Notes): Reckoned {
  const over = less(given.closing, sum([given.opening, given.exchanged, given.moved]));
  let spare = over[MIXED] ?? 0;
  const shifts: Notes[] = [];
  for (const [key, most] of Object.entries(overflow)) {
    const count = Math.min(-(over[key] ?? 0), most, spare);
    if (count <= 0) continue;
    spare -= count;
    shifts.push({ [key]: -count, [MIXED]: count });
  }
  return { ...given, moved: sum([given.moved, ...shifts]) };
}

/** One row a denomination; mixed units last. */
export function reckon(given: Reckoned): CloseCash[] {
  const keys = [...new Set(Object.values(given).flatMap((notes) => Object.keys(notes)))];
  const rank = (key: string) => (key === MIXED ? Number.POSITIVE_INFINITY : Number(key));
  return keys
    .sort((a, b) => rank(a) - rank(b))
    .map((key) => {
      const opening = given.opening[key] ?? 0;
      const exchanged = given.exchanged[key] ?? 0;
      const movedHere = given.moved[key] ?? 0;
      const closing = given.closing[key] ?? 0;
      return {
        denominationMinor: key === MIXED ? null : MinorUnits.parse(Number(key)),
        opening,
        exchanged,
        moved: movedHere,
        closing,
        difference: closing - opening - exchanged - movedHere,
      };
    });
}
