/** The device's own proof of what became of a dispense (XFS4IoT response token of CashDispenser.GetPresentStatus, 8.7). */
import { NO_EARLIER_STACKS, type PresentRecord } from '../notes/cash-state.ts';
import { worth } from '../notes/tally.ts';
import { writeAmount, writeToken } from './token.ts';

/** `nonce` is the host's, fresh for each call. Amounts are in yen, whose minor unit is the yen, and of all stacks of the token. */
export function presentToken(record: PresentRecord | null, nonce: string, key: Uint8Array): string {
  const yen = (minor: number) => writeAmount({ currency: 'JPY', minor });
  const earlier = record?.earlier ?? NO_EARLIER_STACKS;
  const known = record?.state !== 'unknown' && earlier.presented !== null;
  const presented = (record?.state === 'presented' ? worth(record.presented) : 0) + (earlier.presented ?? 0);
  const wasRetracted = record?.wasRetracted || earlier.wasRetracted;
  const fields: [string, string][] = [];
  if (record?.tokenHmac) fields.push(['DISPENSEID', record.tokenHmac]);
  fields.push(['DISPENSED1', yen((record ? worth(record.dispensed) : 0) + earlier.dispensed)]);
  // What the device does not know it does not say: a host that reads no YES and no NO has to look for itself.
  if (known) fields.push(['PRESENTED1', presented > 0 ? 'YES' : 'NO']);
  if (known && presented > 0) fields.push(['PRESENTEDAMOUNT1', yen(presented)]);
  fields.push(['RETRACTED1', wasRetracted ? 'YES' : 'NO']);
  if (record && wasRetracted) {
    const uncounted = record.retracted === null || earlier.retracted === null;
    fields.push(['RETRACTEDAMOUNT1', uncounted ? '?' : yen(worth(record.retracted ?? {}) + (earlier.retracted ?? 0))]);
  }
  return writeToken(nonce, fields, key);
}
