/** How many notes a machine can still take in: what its units and its escrow hold, against what is in them. Pure. */
import type { MinorUnits } from '../../src-contract/primitives.ts';
import type { CashUnit } from './cash-dispenser.ts';

export interface CashRoom {
  /** Notes that surely fit in one deposit, of whichever kinds it takes now: 0 when it takes none; null when nothing it says bounds them. */
  readonly notesMax: number | null;
  /** The units hold fewer than one deposit may bring. */
  readonly scarce: boolean;
  /** Denominations it takes by itself and has no room for now, ascending. */
  readonly full: readonly MinorUnits[];
}

/** Notes of a customary escrow, where a device does not say how many its own holds. */
const ESCROW_NOTES = 200;

/**
 * Notes of a denomination go to units of their own and, when those are full or there are none, to units of mixed notes. So what fits
 * whichever notes are brought is the mixed units' room and the least of the others'; denominations without any are named instead.
 * @param escrowNotesMax what the escrow holds in one transaction; null when the device does not say.
 */
export function roomIn(units: readonly CashUnit[], escrowNotesMax: number | null): CashRoom {
  let mixed = 0;
  const own = new Map<MinorUnits, number>();
  for (const unit of units) {
    if (unit.kind !== 'recycle' && unit.kind !== 'cashIn') continue;
    if (unit.denominationMinor === null) mixed += roomOf(unit);
    else own.set(unit.denominationMinor, (own.get(unit.denominationMinor) ?? 0) + roomOf(unit));
  }
  const open = [...own.values()].filter((room) => room > 0);
  const storage = mixed + (open.length > 0 ? Math.min(...open) : 0);
  const notesMax = Math.min(storage, escrowNotesMax ?? Number.POSITIVE_INFINITY);
  return {
    notesMax: Number.isFinite(notesMax) ? notesMax : null,
    scarce: storage < (escrowNotesMax ?? ESCROW_NOTES),
    full:
      mixed > 0
        ? []
        : [...own].flatMap(([denomination, room]) => (room > 0 ? [] : [denomination])).sort((a, b) => a - b),
  };
}

/** Infinite for a unit that is not full and does not say how much it holds, or counts more than it could. */
function roomOf({ state, count, capacity, takesIn = state !== 'inoperative' }: CashUnit): number {
  if (state === 'full' || state === 'missing' || !takesIn) return 0;
  return capacity > count ? capacity - count : Number.POSITIVE_INFINITY;
}
