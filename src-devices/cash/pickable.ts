/** What a unit's feed would pick next. */
import type { Unit } from '../notes/cash-state.ts';

/** Null when nothing is in the unit, whatever its counts say. */
export function pickable(unit: Unit): string | null {
  return Object.entries(unit.notes).find(([, count]) => count > 0)?.[0] ?? null;
}
