/** XFS4IoT 2024-3, Lights. Lights that are not mentioned stay as they are. */
import { z } from 'zod';
import { isObject, type JsonObject, nothing } from './lenient.ts';

export const FLASH_RATES = ['off', 'slow', 'medium', 'quick', 'continuous'] as const;
export const LIGHT_COLORS = ['red', 'green', 'yellow', 'blue', 'cyan', 'magenta', 'white'] as const;

const Light = z.object({
  flashRate: z.enum(FLASH_RATES),
  color: z.enum(LIGHT_COLORS).optional(),
  direction: z.enum(['entry', 'exit']).optional(),
});

/** 2021-1: one object per light, with the position as a property; only one position a light. */
function onePosition(payload: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(payload).map(([light, positions]) => {
      const first = isObject(positions) ? Object.entries(positions)[0] : undefined;
      return [light, first && isObject(first[1]) ? { position: first[0], ...first[1] } : positions];
    }),
  );
}

export const lightsCommands = {
  'Lights.SetLight': {
    /** Per light (`notesDispenser`, …), per position (`default`, …). */
    payload: z.record(z.string(), z.record(z.string(), Light)),
    completion: nothing,
    write1: onePosition,
  },
} as const;
