/**
 * XFS4IoT 2024-3, StorageCashCounts: how many items of each type and level. On the wire the fixed key `unrecognized` stands
 * beside the type ids; here they are apart.
 */
import { z } from 'zod';
import { count, isObject, type JsonObject } from './lenient.ts';

/** Ids of cash items are opaque: resolve them with CashManagement.GetBankNoteTypes. */
export const ITEM_ID = /^type[0-9A-Z]+$/;

const Levels = z.object({ fit: count, unfit: count, suspect: count, counterfeit: count, inked: count });

export const Counts = z
  .preprocess(
    (raw) => (isObject(raw) ? apart(raw) : raw),
    z.object({ unrecognized: count, items: z.record(z.string(), Levels) }),
  )
  .optional();
export type Counts = NonNullable<z.output<typeof Counts>>;

function apart(raw: JsonObject): JsonObject {
  return {
    unrecognized: raw['unrecognized'],
    items: Object.fromEntries(Object.entries(raw).filter(([name]) => ITEM_ID.test(name))),
  };
}

/** Whether these are counts at the top level of a payload, as CashIn of 2021-1 and SubCashInEvent have them. */
export function holdsCounts(payload: JsonObject): boolean {
  return Object.keys(payload).some((name) => name === 'unrecognized' || ITEM_ID.test(name));
}
