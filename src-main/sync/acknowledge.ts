/**
 * Receipts for people this terminal was told to forget: one for each, though power may fail between any two steps. Gallery and
 * journal are two files, so nothing is committed to both at once; the order makes up for it.
 *
 * 1. The gallery takes the template away and notes the erasure, unacknowledged, in one commit (for the feed's erasures together with
 *    the cursor: the feed does not bring them twice, and need not).
 * 2. The journal stores the signed receipt and its message to the bank in one commit, unless it has one of this person.
 * 3. The gallery notes that the erasure is acknowledged.
 *
 * Cut before 1, the feed (or the journal's open opt-out) brings the erasure again. Cut between 1 and 2, the erasure is still
 * unacknowledged and step 2 is due. Cut between 2 and 3, step 2 comes again and finds its receipt. A receipt is never signed before
 * its template is gone, and never twice: the person's id is the key of the journal's table. Should the gallery's file be lost, the
 * feed begins anew and brings every erasure; the journal's receipts stand, and whom they name is not taken in again.
 */
import type { Uuid } from '../../src-contract/primitives.ts';
import type { Gallery } from '../gallery/gallery.ts';
import type { Journal, JournaledTransaction } from '../journal/journal.ts';

interface Files {
  readonly gallery: Pick<Gallery, 'unacknowledged' | 'acknowledged' | 'isErased' | 'erase'>;
  readonly journal: Pick<Journal, 'openTransactions' | 'recordErasureReceipt' | 'erasedPeople'>;
}

/** At the start: whoever has a receipt stays forgotten, though the gallery be new. */
export function keepErased({ gallery, journal }: Files): void {
  for (const personId of journal.erasedPeople()) {
    if (!gallery.isErased(personId)) gallery.erase(personId);
  }
}

/** Writes every receipt that is due, and says how many. One whose person is in the middle of a transaction waits for its end. */
export async function acknowledgeErasures({ gallery, journal }: Files): Promise<number> {
  const erasures = gallery.unacknowledged();
  if (erasures.length === 0) return 0;
  const open = journal.openTransactions();
  let written = 0;
  for (const erasure of erasures) {
    if (open.some((transaction) => mayCharge(transaction, erasure.personId))) continue;
    await journal.recordErasureReceipt(erasure);
    gallery.acknowledged(erasure.personId);
    written += 1;
  }
  return written;
}

/**
 * Pending authority: what could still charge the person's face here. With the template gone nobody new is taken for them; what is left
 * is a transaction that was begun before and has not ended. A deposit brings them money. A suspect one has happened, and waits for
 * a person to say how. What stands in the outbox has happened, too.
 */
function mayCharge({ service, personId, state }: JournaledTransaction, erased: Uuid): boolean {
  return personId === erased && service !== 'deposit' && state !== 'suspect';
}
