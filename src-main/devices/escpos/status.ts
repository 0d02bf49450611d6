/**
 * What a printer says about itself, bit by bit: the answers to DLE EOT 1 to 4, the four bytes of Automatic Status Back (GS a) and the
 * answer to GS r (Epson ESC/POS Command Reference, status commands). A bit that a manual calls reserved is not read.
 */

export type Paper = 'full' | 'low' | 'out' | 'unknown';
/** In the order of the ESC/POS reference: what a person clears, what only a mechanic does, what passes by itself. */
export type PrinterFault = 'cutter' | 'recoverable' | 'unrecoverable' | 'autoRecoverable';

/** What is known of a printer now. Null is not known, because it was not asked or has no such sensor. */
export interface Condition {
  readonly online: boolean | null;
  readonly paper: Paper;
  readonly coverOpen: boolean | null;
  /** Stands still for lack of paper. */
  readonly stopped: boolean | null;
  /** Somebody holds the feed button. */
  readonly feeding: boolean | null;
  readonly fault: PrinterFault | null;
  /** Level of the drawer connector's pin 3. Which level means open is a matter of the drawer. */
  readonly drawerPinHigh: boolean | null;
}

export const UNKNOWN: Condition = {
  online: null,
  paper: 'unknown',
  coverOpen: null,
  stopped: null,
  feeding: null,
  fault: null,
  drawerPinHigh: null,
};

/** DLE EOT n: which of the four questions. */
export type RealTimeQuestion = 1 | 2 | 3 | 4;

/** DLE EOT n, answer 0xx1xx10. */
export function afterRealTime(was: Condition, question: RealTimeQuestion, byte: number): Condition {
  const bit = (index: number) => (byte & (1 << index)) !== 0;
  switch (question) {
    case 1:
      return { ...was, drawerPinHigh: bit(2), online: !bit(3) };
    case 2: {
      const fault = bit(6) ? was.fault : null;
      return { ...was, coverOpen: bit(2), feeding: bit(3), stopped: bit(5), fault };
    }
    case 3:
      return { ...was, fault: faultOf(bit(3), bit(2), bit(5), bit(6)) };
    case 4:
      // Each sensor has two bits; some printers set but one.
      return { ...was, paper: bit(5) || bit(6) ? 'out' : bit(2) || bit(3) ? 'low' : 'full' };
  }
}

/** Automatic Status Back, 0xx1xx00 and three of 0xx0xxxx. */
export function afterAsb(was: Condition, block: readonly [number, number, number, number]): Condition {
  const [first, second, third] = block;
  const bit = (byte: number, index: number) => (byte & (1 << index)) !== 0;
  const paper = paperOf(third);
  return {
    ...was,
    drawerPinHigh: bit(first, 2),
    online: !bit(first, 3),
    coverOpen: bit(first, 5),
    feeding: bit(first, 6),
    stopped: paper === 'out',
    fault: faultOf(bit(second, 3), bit(second, 2), bit(second, 5), bit(second, 6)),
    paper,
  };
}

/** GS r 1, answer 0xx0xxxx: bits 0 and 1 near the end, 2 and 3 at it. The third byte of ASB has the same. */
export function paperOf(byte: number): Exclude<Paper, 'unknown'> {
  return byte & 0x0c ? 'out' : byte & 0x03 ? 'low' : 'full';
}

function faultOf(cutter: boolean, recoverable: boolean, unrecoverable: boolean, auto: boolean): PrinterFault | null {
  if (unrecoverable) return 'unrecoverable';
  if (cutter) return 'cutter';
  if (recoverable) return 'recoverable';
  return auto ? 'autoRecoverable' : null;
}

/** What keeps it from printing, worst first, and in words; null when nothing does. */
export function obstacle(condition: Condition): {
  readonly kind: 'paperOut' | 'coverOpen' | PrinterFault | 'offline';
  readonly message: string;
} | null {
  const { fault } = condition;
  if (fault === 'unrecoverable') {
    return { kind: fault, message: 'the printer reports an error that only repair clears: switch it off and on once' };
  }
  if (condition.coverOpen) return { kind: 'coverOpen', message: "the printer's cover is open" };
  if (fault === 'cutter') {
    return { kind: fault, message: 'the cutter is stuck: open the cover and take out the paper in its way' };
  }
  if (fault === 'recoverable')
    return { kind: fault, message: 'the printer reports a jam: open the cover and clear it' };
  if (condition.paper === 'out' || condition.stopped) return { kind: 'paperOut', message: 'out of paper' };
  if (fault === 'autoRecoverable') {
    return {
      kind: fault,
      message: "the print head is too hot or the voltage wrong; it goes on by itself when that's over",
    };
  }
  if (condition.online === false) {
    return {
      kind: 'offline',
      message: condition.feeding ? 'somebody holds the feed button' : 'the printer is offline and does not say why',
    };
  }
  return null;
}
