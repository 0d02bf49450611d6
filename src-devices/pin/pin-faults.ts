/** What can be made to go wrong in the PIN device alone. */
import { faultKind } from '../faults.ts';

export const entryTimeout = faultKind(
  'entryTimeout',
  'The PIN device ends an entry by its own time limit (errorCode entryTimeout).',
  {},
);
export const pinKeyLost = faultKind(
  'pinKeyLost',
  'The key for a PIN block has no value at the moment it is needed (errorCode keyNoValue).',
  {},
);

export const PIN_FAULTS = [entryTimeout, pinKeyLost];
