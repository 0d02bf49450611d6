/** The goods a checkout knows: barcode → names and price. A shop brings its own file; the demonstration's is beside this. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Language, Money } from '../../src-contract/primitives.ts';
import { TerminalError } from '../errors.ts';
import { explainIssues } from './config.ts';

export const Goods = z.strictObject({
  /** GTIN as the scanner reports it: EAN-13, EAN-8 or UPC-A digits. */
  barcode: z.string().regex(/^\d{8,14}$/, 'a GTIN of 8 to 14 digits'),
  names: z.record(Language, z.string().min(1).max(60)),
  price: Money,
});
export type Goods = z.infer<typeof Goods>;

/** Throws TerminalError CONFIG_INVALID that names the file and the field. */
export function loadGoods(path: string): ReadonlyMap<string, Goods> {
  let list: Goods[];
  try {
    list = z.array(Goods).parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? explainIssues(cause) : (cause as Error).message;
    throw new TerminalError('CONFIG_INVALID', `${path}: ${why}`, { cause });
  }
  const goods = new Map<string, Goods>();
  for (const [index, one] of list.entries()) {
    if (goods.has(one.barcode)) {
      throw new TerminalError('CONFIG_INVALID', `${path}: ${index}.barcode: ${one.barcode} is in the list twice`);
    }
    goods.set(one.barcode, one);
  }
  return goods;
}
