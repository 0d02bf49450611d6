/** The messages of XFS4IoT 2024-3, Keyboard. */
import { z } from 'zod';
import { type CommandContext, command, done, failed, type Interface, type Outcome } from '../command.ts';
import type { EntryOrder } from './entry.ts';
import { LAYOUT } from './layout.ts';

export interface KeyboardActs {
  enter(mode: 'pin' | 'data', order: EntryOrder, context: CommandContext): Promise<Outcome>;
}

/** More keys than any keyboard has. */
const KEYS_MAX = 100;
const Length = z.int().min(0).max(1_000);
const activeKeys = z
  .record(z.string().max(20), z.object({ terminate: z.boolean().nullish() }).nullable())
  .refine((keys) => Object.keys(keys).length <= KEYS_MAX, `at most ${KEYS_MAX} keys`);
const entry = { maxLen: Length, autoEnd: z.boolean().nullish(), echo: z.string().nullish(), activeKeys };
const BeepMode = z.object({ active: z.boolean().nullish(), inactive: z.boolean().nullish() });

export function keyboardInterface(acts: KeyboardActs): Interface {
  return {
    name: 'Keyboard',
    events: ['Keyboard.EnterDataEvent', 'Keyboard.KeyEvent'],
    capabilities: () => ({
      autoBeep: {
        activeAvailable: false,
        activeSelectable: false,
        inactiveAvailable: false,
        inactiveSelectable: false,
      },
    }),
    commands: {
      'Keyboard.GetLayout': command(
        z.object({ entryMode: z.enum(['data', 'pin', 'secure']).nullish() }),
        ({ entryMode }) => {
          if (entryMode === 'secure') return failed('modeNotSupported', 'keys are not entered at this device');
          return done({ layout: entryMode ? { [entryMode]: LAYOUT[entryMode] } : LAYOUT });
        },
        { withoutDevice: true },
      ),
      'Keyboard.PinEntry': command(z.object({ ...entry, minLen: Length }), (order, context) =>
        acts.enter('pin', order, context),
      ),
      'Keyboard.DataEntry': command(z.object(entry), (order, context) => acts.enter('data', order, context)),
      'Keyboard.KeypressBeep': command(z.object({ mode: BeepMode.nullish() }), () => done()),
      'Keyboard.Reset': command(z.object({}), () => done()),
    },
  };
}
