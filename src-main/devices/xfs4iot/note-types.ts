/**
 * What the device's note ids mean. An id like "type10000JPY1" looks readable and is opaque: only CashManagement.GetBankNoteTypes
 * says which note it is (XFS4IoT 2024-3, data conventions). A count under an id that nobody explained is kept as "others", so
 * that notes of unknown worth are seen and never valued.
 */
import { NOTHING, one, plus, type Tally } from '../tally.ts';
import { toMinor } from './amounts.ts';
import type { CompletionPayload, Counts } from './client/index.ts';

/** Note id → denomination in minor units of the terminal's currency. */
export type NoteTypes = ReadonlyMap<string, number>;

export interface Counted {
  readonly notes: Tally;
  /** Items that are no notes of the terminal's currency, or that nobody can value. */
  readonly others: number;
}

/** Levels of notes (XFS4IoT note levels). What a customer is credited for is genuine: counterfeits, suspects and inked notes
 *  are kept as evidence and not paid for. */
const LEVELS = { any: ['fit', 'unfit', 'suspect', 'counterfeit', 'inked'], genuine: ['fit', 'unfit'] } as const;

type BankNoteItems = NonNullable<CompletionPayload<'CashManagement.GetBankNoteTypes'>['items']>;

export function noteTypesOf(items: BankNoteItems, currency: string): NoteTypes {
  const types = new Map<string, number>();
  for (const [id, { cashItem }] of Object.entries(items)) {
    if (cashItem?.currency !== currency || cashItem.value === undefined) continue;
    const denominationMinor = toMinor(cashItem.value, currency);
    if (denominationMinor !== null && denominationMinor > 0) types.set(id, denominationMinor);
  }
  return types;
}

/** Missing counts are none. */
export function counted(counts: Counts | undefined, types: NoteTypes, levels: keyof typeof LEVELS = 'any'): Counted {
  let notes = NOTHING;
  let others = counts?.unrecognized ?? 0;
  for (const [id, perLevel] of Object.entries(counts?.items ?? {})) {
    const of = (names: readonly (keyof typeof perLevel)[]) =>
      names.reduce((sum, level) => sum + (perLevel[level] ?? 0), 0);
    const denominationMinor = types.get(id);
    const wanted = denominationMinor === undefined ? 0 : of(LEVELS[levels]);
    if (denominationMinor !== undefined) notes = plus(notes, one(denominationMinor, wanted));
    others += of(LEVELS.any) - wanted;
  }
  return { notes, others };
}
