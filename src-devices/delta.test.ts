import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { delta } from './delta.ts';
import type { Payload } from './envelope.ts';

/** How a client merges (XFS4IoT, 7.2): field by field, and `positions` by position. */
function merge(into: Payload, change: Payload): Payload {
  const merged: Record<string, unknown> = { ...into };
  for (const [key, value] of Object.entries(change)) {
    const was = merged[key];
    if (Array.isArray(value) && Array.isArray(was)) {
      merged[key] = was.map((entry) => ({ ...entry, ...value.find(({ position }) => position === entry.position) }));
    } else if (typeof value === 'object' && value !== null && typeof was === 'object' && was !== null) {
      merged[key] = merge(was as Payload, value as Payload);
    } else merged[key] = value;
  }
  return merged;
}

const status = fc.record({
  common: fc.record({ device: fc.constantFrom('online', 'offline'), exchange: fc.constantFrom('active', 'inactive') }),
  cashDispenser: fc.record({
    intermediateStacker: fc.constantFrom('empty', 'notEmpty'),
    positions: fc.tuple(
      fc.record({ position: fc.constant('outLeft'), shutter: fc.constantFrom('open', 'closed') }),
      fc.record({
        position: fc.constant('outCenter'),
        shutter: fc.constantFrom('open', 'closed'),
        positionStatus: fc.constantFrom('empty', 'notEmpty'),
      }),
    ),
  }),
});

describe('the delta of a status', () => {
  test('merged into what was, gives what is; and is null when nothing changed', () => {
    fc.assert(
      fc.property(status, status, (before, after) => {
        const change = delta(before, after);
        expect(merge(before, change ?? {})).toEqual(after);
        expect(change === null).toBe(JSON.stringify(before) === JSON.stringify(after));
      }),
    );
  });

  test('has the changed position only, with the field that changed', () => {
    const at = (shutter: string) => ({
      positions: [
        { position: 'a', shutter: 'open', transport: 'ok' },
        { position: 'b', shutter, transport: 'ok' },
      ],
    });
    expect(delta(at('open'), at('closed'))).toEqual({ positions: [{ position: 'b', shutter: 'closed' }] });
  });
});
