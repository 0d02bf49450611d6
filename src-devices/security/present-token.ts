/** The device's own proof of what became of a dispense (XFS4IoT response token of CashDispenser.GetPresentStatus, 8.7). */
import type { PresentRecord } from '../notes/cash-state.ts';
import { worth } from '../notes/tally.ts';
import { writeAmount, writeToken } from './token.ts';

/** `nonce` is the host's, fresh for each call. Amounts are in yen, whose minor unit is the yen. */
export function presentToken(record: PresentRecord | null, nonce: string, key: Uint8Array): string {
  const yen = (minor: number) => writeAmount({ currency: 'JPY', minor });
  const presented = record?.state === 'presented';
  const fields: [string, string][] = [];
  if (record?.tokenHmac) fields.push(['DISPENSEID', record.tokenHmac]);
  fields.push(['DISPENSED1', yen(record ? worth(record.dispensed) : 0)]);
  // What the device does not know it does not say: a host that reads no YES and no NO has to look for itself.
  if (record?.state !== 'unknown') fields.push(['PRESENTED1', presented ? 'YES' : 'NO']);
  if (presented) fields.push(['PRESENTEDAMOUNT1', yen(worth(record!.presented))]);
  fields.push(['RETRACTED1', record?.wasRetracted ? 'YES' : 'NO']);
  if (record?.wasRetracted) {
    fields.push(['RETRACTEDAMOUNT1', record.retracted === null ? '?' : yen(worth(record.retracted))]);
  }
  return writeToken(nonce, fields, key);
}
