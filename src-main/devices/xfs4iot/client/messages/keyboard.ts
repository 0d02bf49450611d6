/** XFS4IoT 2024-3, Keyboard. In PIN mode no digit leaves the device: a digit press is a KeyEvent without `digit`. */
import { z } from 'zod';
import { bool, count, integer, nothing, ofCommand, oneOf, text } from './lenient.ts';

export const ENTRY_COMPLETIONS = [
  'auto',
  'enter',
  'cancel',
  'continue',
  'clear',
  'backspace',
  'fdk',
  'help',
  'fk',
  'contFdk',
] as const;

const ActiveKeys = z.record(z.string(), z.object({ terminate: bool }));

const Frame = z.object({
  xPos: integer,
  yPos: integer,
  xSize: integer,
  ySize: integer,
  float: z.object({ x: bool, y: bool }).optional(),
  keys: z
    .array(z.object({ xPos: integer, yPos: integer, xSize: integer, ySize: integer, key: text, shiftKey: text }))
    .optional(),
});
const Frames = z.array(Frame).optional();
const Layout = z.object({ data: Frames, pin: Frames, secure: Frames });

export const keyboardCommands = {
  /** Asked without a mode: with one, some services look at their first layout only. */
  'Keyboard.GetLayout': {
    payload: z.object({ entryMode: z.enum(['data', 'pin', 'secure']).optional() }),
    completion: z.object({ layout: Layout.optional() }),
  },
  'Keyboard.PinEntry': {
    payload: z.object({
      /** 0: no minimum. */
      minLen: z.int().nonnegative(),
      /** 0: no maximum. */
      maxLen: z.int().nonnegative(),
      autoEnd: bool,
      echo: text,
      activeKeys: ActiveKeys,
    }),
    /** `digits` is the truth about the length; key events are decoration. */
    completion: z.object({ digits: z.int().nonnegative(), completion: oneOf(ENTRY_COMPLETIONS) }),
  },
  'Keyboard.DataEntry': {
    payload: z.object({ maxLen: z.int().nonnegative(), autoEnd: bool, activeKeys: ActiveKeys }),
    completion: z.object({
      keys: count,
      pinKeys: z.array(z.object({ completion: oneOf(ENTRY_COMPLETIONS), digit: text })).optional(),
      completion: oneOf(ENTRY_COMPLETIONS),
    }),
  },
  'Keyboard.KeypressBeep': {
    payload: z.object({ mode: z.object({ active: bool, inactive: bool }) }),
    completion: nothing,
  },
  'Keyboard.Reset': { payload: nothing, completion: nothing },
} as const;

export const keyboardEvents = {
  /** The device is ready: only now ask the customer. */
  'Keyboard.EnterDataEvent': ofCommand(nothing),
  'Keyboard.KeyEvent': ofCommand(z.object({ completion: oneOf(ENTRY_COMPLETIONS), digit: text })),
  'Keyboard.LayoutEvent': ofCommand(Layout),
} as const;
