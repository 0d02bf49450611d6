/**
 * Whose account number it is, for people this terminal holds: learned from the bank when somebody said who they are, so that it is asked
 * once for each of them and not with every visit. Only numbers that were keyed in here and confirmed by a face are known. At rest is a
 * keyed hash of a number under a key of its own from the data key, beside the person's id, until the person is erased.
 */
import { createHmac, hkdfSync, type KeyObject } from 'node:crypto';
import type { Uuid } from '../../src-contract/primitives.ts';
import type { TemplateStore } from './template-store.ts';

export interface AccountNumbers {
  /** Null where it was not learned. */
  personWith(accountNumber: string): Uuid | null;
  keep(accountNumber: string, personId: Uuid): void;
}

/** RFC 5869's info. */
const PURPOSE = 'kaopass-account-numbers';

export function accountNumbers(
  store: Pick<TemplateStore, 'personUnder' | 'keepUnder'>,
  dataKey: KeyObject,
): AccountNumbers {
  // Most days nobody keys in a number.
  let key: Buffer | null = null;
  const tagOf = (accountNumber: string) => {
    key ??= Buffer.from(hkdfSync('sha256', dataKey, new Uint8Array(0), PURPOSE, 32));
    return createHmac('sha256', key).update(accountNumber).digest();
  };
  return {
    personWith: (accountNumber) => store.personUnder(tagOf(accountNumber)),
    keep: (accountNumber, personId) => store.keepUnder(tagOf(accountNumber), personId),
  };
}
