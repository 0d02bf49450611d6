/** What can be made to go wrong in the receipt printer alone. */
import { faultKind } from '../faults.ts';

export const paperOut = faultKind(
  'paperOut',
  'The paper ends at a PrintRaw: errorCode paperOut, and out until paper is loaded.',
  {},
);
export const paperLow = faultKind('paperLow', 'After a PrintRaw the roll is nearly at its end.', {});
export const paperJam = faultKind(
  'paperJam',
  'The paper jams at a PrintRaw: errorCode paperJammed, and jammed until a Reset or a hand clears it.',
  {},
);
export const ejectJam = faultKind(
  'ejectJam',
  'The receipt jams on its way out at a ControlMedia: errorCode mediaJammed, and jammed until a Reset or a hand clears it.',
  {},
);

export const PRINTER_FAULTS = [paperOut, paperLow, paperJam, ejectJam];
