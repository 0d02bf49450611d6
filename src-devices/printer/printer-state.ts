/** What the printer remembers without power, and what XFS4IoT says of it. Paper is counted in print jobs: a receipt is one, or few. */
import { z } from 'zod';

export const PrinterState = z.strictObject({
  /** Print jobs there is paper for. */
  paper: z.int().nonnegative(),
  /** Receipts ever begun; names the next one. */
  begun: z.int().nonnegative(),
  /** The receipt on the print head, not yet given out. */
  printing: z.string().nullable(),
  /** The receipt at the exit, not yet taken. */
  atExit: z.string().nullable(),
  jammed: z.boolean(),
  /** Receipts pulled back in since the last service. */
  retracted: z.int().nonnegative(),
});
export type PrinterState = z.infer<typeof PrinterState>;

/** One roll. */
export const PAPER_FULL = 300;
/** At this many the roll is nearly at its end. */
export const PAPER_LOW = 20;

export const NEW_PRINTER: PrinterState = {
  paper: PAPER_FULL,
  begun: 0,
  printing: null,
  atExit: null,
  jammed: false,
  retracted: 0,
};

export function paperOf({ paper, jammed }: PrinterState): 'full' | 'low' | 'out' | 'jammed' {
  return jammed ? 'jammed' : thresholdOf(paper);
}

export function thresholdOf(paper: number): 'full' | 'low' | 'out' {
  return paper === 0 ? 'out' : paper <= PAPER_LOW ? 'low' : 'full';
}

export function mediaOf({ printing, atExit, jammed }: PrinterState): 'present' | 'notPresent' | 'jammed' {
  return jammed ? 'jammed' : printing !== null || atExit !== null ? 'present' : 'notPresent';
}
