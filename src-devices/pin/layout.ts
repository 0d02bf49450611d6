/** Where the keys of the PIN device are: four columns, digits as on a telephone, functions at the right. */
import type { Payload } from '../envelope.ts';
import type { Key } from './entry.ts';

const ROWS: readonly (readonly (Key | null)[])[] = [
  ['one', 'two', 'three', 'cancel'],
  ['four', 'five', 'six', 'clear'],
  ['seven', 'eight', 'nine', 'backspace'],
  [null, 'zero', null, 'enter'],
];
/** Tenths of a millimetre; for a hard keyboard the standard leaves the unit to the device. */
const KEY_SIZE = 180;
const GAP = 40;

const frame: Payload = {
  xPos: 0,
  yPos: 0,
  xSize: 4 * (KEY_SIZE + GAP),
  ySize: 4 * (KEY_SIZE + GAP),
  keys: ROWS.flatMap((row, y) =>
    row.flatMap((key, x) =>
      key === null
        ? []
        : [{ xPos: x * (KEY_SIZE + GAP), yPos: y * (KEY_SIZE + GAP), xSize: KEY_SIZE, ySize: KEY_SIZE, key }],
    ),
  ),
};

/** Keyboard.GetLayout's `layout`, by entry mode. This device does not enter keys (`secure`). */
export const LAYOUT: Readonly<Record<'data' | 'pin', readonly Payload[]>> = { data: [frame], pin: [frame] };
