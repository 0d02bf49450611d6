/**
 * How a cash machine fails, as data (XFS4IoT digest, 22.9). The code of the mechanisms asks for these where hardware would
 * fail; `says` is the documentation and what the control page shows.
 */
import { z } from 'zod';
import { faultKind } from '../faults.ts';

const notes = z.int().min(0).max(500);

export const pickFailure = faultKind(
  'pickFailure',
  'A dispense stops after so many notes: the unit seems empty, or its feed fails (inoperative until Reset). The notes picked lie on the stacker.',
  { afterNotes: notes.default(0), failure: z.enum(['empty', 'error']).default('error') },
);
export const noteRejected = faultKind(
  'noteRejected',
  'The first notes of a dispense fail the check and go to the reject unit; others are picked instead.',
  { notes: notes.min(1).default(1) },
);
export const dispenseJam = faultKind(
  'dispenseJam',
  'A dispense jams after so many notes on the stacker; the next note is stuck in the transport. Reset clears it.',
  { afterNotes: notes.default(0) },
);
export const shutterStuck = faultKind(
  'shutterStuck',
  'A shutter that should move does not: at the output or the input, when opening or when closing. Reset frees it.',
  { position: z.enum(['output', 'input']).default('output'), when: z.enum(['opening', 'closing']).default('opening') },
);
export const presentError = faultKind(
  'presentError',
  'A present fails: nothing reached the customer, only some notes did (the rest jams), or the device does not know. With `unknown`, `accessible` says what is true.',
  {
    kind: z.enum(['noItems', 'items', 'unknown']),
    accessibleNotes: notes.default(1),
    accessible: z.boolean().default(true),
  },
);
export const takenDuringRetract = faultKind(
  'takenDuringRetract',
  'While notes are drawn back, a customer pulls some of them out.',
  { notes: notes.min(1).default(1) },
);
export const retractUnitFull = faultKind(
  'retractUnitFull',
  'A retract finds room for so many notes only; the rest stays where it is.',
  { roomNotes: notes.default(0) },
);
export const uncountedRetract = faultKind(
  'uncountedRetract',
  'A retract is not counted: the unit says how many operations there were, not what came in.',
  {},
);
export const escrowFull = faultKind('escrowFull', 'A cash-in finds room for so many notes in escrow only.', {
  roomNotes: notes.default(0),
});
export const refuseNotes = faultKind(
  'refuseNotes',
  'A cash-in refuses the first notes of the bunch for this reason, whatever they are.',
  {
    notes: notes.min(1).default(1),
    reason: z
      .enum([
        'cashInUnitFull',
        'invalidBill',
        'depositFailure',
        'commonInputComponentFailure',
        'invalidBunch',
        'counterfeit',
      ])
      .default('invalidBill'),
  },
);
export const foreignItems = faultKind(
  'foreignItems',
  'Things that are no paper lie at a position: a cash-in gives everything back, a retract stops. A person has to clear them.',
  { position: z.enum(['output', 'input']).default('input') },
);
export const cashInJam = faultKind(
  'cashInJam',
  'A cash-in jams after so many notes were counted; the others are stuck in the transport.',
  { afterNotes: notes.default(0) },
);
export const cashInEndJam = faultKind(
  'cashInEndJam',
  'Storing jams after so many notes; so many more are stuck in the transport, the rest stays in escrow.',
  { afterNotes: notes.default(0), stuckNotes: notes.min(1).default(1) },
);
export const rollbackJam = faultKind(
  'rollbackJam',
  'A rollback jams after so many notes lie in the customer’s reach; the rest is stuck in the transport.',
  { afterNotes: notes.default(0) },
);
export const sensorOff = faultKind(
  'sensorOff',
  'Nobody notices that notes were taken: no event, the position still counts as full and the shutter stays open until Reset or Retract.',
  { position: z.enum(['output', 'input']).default('output') },
);
export const nonceTimeout = faultKind(
  'nonceTimeout',
  'The device forgets its nonce, at a dispense before the token is looked at.',
  {},
);
export const keysMissing = faultKind(
  'keysMissing',
  'The keys of end-to-end security are lost, at a dispense before the token is looked at, until an operator loads them.',
  {},
);

export const CASH_FAULTS = [
  pickFailure,
  noteRejected,
  dispenseJam,
  shutterStuck,
  presentError,
  takenDuringRetract,
  retractUnitFull,
  uncountedRetract,
  escrowFull,
  refuseNotes,
  foreignItems,
  cashInJam,
  cashInEndJam,
  rollbackJam,
  sensorOff,
  nonceTimeout,
  keysMissing,
];
