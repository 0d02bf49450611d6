/** The notes this machine knows, and how XFS4IoT counts them. */
import { z } from 'zod';

/** XFS4IoT note levels of an identified note. */
export const LEVELS = ['fit', 'unfit', 'suspect', 'counterfeit', 'inked'] as const;
export type Level = (typeof LEVELS)[number];

export interface NoteType {
  /** XFS4IoT cash item id; opaque to clients. */
  readonly id: string;
  readonly noteId: number;
  readonly currency: 'JPY';
  /** Major units. */
  readonly value: number;
}

/** Notes of the Bank of Japan in circulation. The machine knows the ¥2,000 note and has no unit of its own for it. */
export const NOTE_TYPES: readonly NoteType[] = [1_000, 2_000, 5_000, 10_000].map((value, index) => ({
  id: `type${value}JPY1`,
  noteId: index + 1,
  currency: 'JPY',
  value,
}));

export const typeOfValue = (value: number): NoteType | undefined => NOTE_TYPES.find((type) => type.value === value);

/** One kind of paper: `type1000JPY1/fit`, or `unrecognized` for what is no money to the machine. */
export const ItemKey = z
  .string()
  .refine(
    (key) => key === 'unrecognized' || NOTE_TYPES.some(({ id }) => LEVELS.some((level) => key === `${id}/${level}`)),
    'is no kind of note this machine knows',
  );

export const UNRECOGNIZED = 'unrecognized';
export const itemKey = (type: NoteType, level: Level = 'fit'): string => `${type.id}/${level}`;

/** Type and level of an item; null for what is not recognised. */
export function itemOf(key: string): { readonly type: NoteType; readonly level: Level } | null {
  const [id, level] = key.split('/');
  const type = NOTE_TYPES.find((each) => each.id === id);
  return type ? { type, level: level as Level } : null;
}

/** Value of one, major units; 0 for what is not recognised. */
export const itemValue = (key: string): number => itemOf(key)?.type.value ?? 0;
