import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '../../scripts/random.ts';
import { FRAME_MS, framesOf, type Gesture, MOVEMENTS, normals, REST } from './challenge.fixture.ts';
import { judgeMovement, MOVEMENT_MS_MAX, type Movement, type MovementFrame } from './movement.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const movements = fc.constantFrom(...MOVEMENTS);
const noise = (seed: number) => normals(seeded(seed));
const judge = (movement: Movement, frames: readonly MovementFrame[]) => judgeMovement(movement, frames, REST, 0);
/** What a person makes of what they were asked for. */
const gesture = (movement: Movement) =>
  fc.record({
    movement: fc.constant(movement),
    fromMs: fc.integer({ min: 400, max: 4_000 }),
    // A quarter of it up, a quarter down: eyes that stay closed for half a second take a second in all.
    lastsMs: fc.integer({ min: 1_200, max: 2_400 }),
    // So much that noise, which is cut off at 3.5 standard deviations, never takes what is held below 1.
    much: fc.double({ min: 1.5, max: 2, noNaN: true }),
  });
/** Pairs of which the second is another movement than the first, and does not belong to it. */
const another = movements.chain((asked) =>
  fc.tuple(
    fc.constant(asked),
    fc.constantFrom(...MOVEMENTS.filter((other) => other !== asked && !(asked === 'nod' && other === 'blink'))),
  ),
);

describe('a movement that was asked for', () => {
  it('is seen, whoever makes it and however fast', () => {
    fc.assert(
      fc.property(movements.chain(gesture), seeds, (made, seed) => {
        expect(judge(made.movement, framesOf([made], 7_500, noise(seed)))).toMatchObject({ is: 'passed' });
      }),
      { numRuns: 80 },
    );
  });

  it('is not seen in a face that rests, blinks by itself and talks', () => {
    fc.assert(
      fc.property(movements, seeds, (asked, seed) => {
        const fraction = seeded(seed);
        const habits: Gesture[] = Array.from({ length: 6 }, (_, i) => ({
          movement: i % 2 ? 'blink' : 'mouth',
          fromMs: 300 + 1_200 * i + 400 * fraction(),
          lastsMs: i % 2 ? 350 : 700,
          much: i % 2 ? 1.2 : 0.7 * fraction(),
        }));
        const frames = framesOf(habits, MOVEMENT_MS_MAX + 200, normals(fraction));
        expect(judge(asked, frames)).toEqual({ is: 'late' });
      }),
      { numRuns: 80 },
    );
  });

  it('is not another one, alone or before it', () => {
    fc.assert(
      fc.property(
        another.chain(([asked, other]) => fc.tuple(fc.constant(asked), gesture(other), gesture(asked))),
        seeds,
        ([asked, other, right], seed) => {
          const clear = { ...other, much: 2.6 };
          expect(judge(asked, framesOf([clear], MOVEMENT_MS_MAX + 200, noise(seed))).is).not.toBe('passed');
          const late = { ...right, fromMs: clear.fromMs + clear.lastsMs };
          // Closed eyes belong to nodding, and are no movement against the others: they do not spoil what comes after them.
          if (clear.movement === 'blink' || (asked === 'mouth' && clear.movement === 'nod')) return;
          expect(judge(asked, framesOf([clear, late], MOVEMENT_MS_MAX, noise(seed)))).toMatchObject({ is: 'wrong' });
        },
      ),
      { numRuns: 80 },
    );
  });

  it('does not count when it was under way before it was asked for', () => {
    fc.assert(
      fc.property(movements.chain(gesture), seeds, (made, seed) => {
        const early = { ...made, fromMs: -made.lastsMs / 2 };
        expect(judge(early.movement, framesOf([early], 7_500, noise(seed)))).toEqual({
          is: 'wrong',
          why: 'under way before it was asked for',
        });
      }),
      { numRuns: 50 },
    );
  });

  it('is not done before the face is back at rest', () => {
    const frames = framesOf([{ movement: 'turn-left', fromMs: 500, lastsMs: 2_000, much: 1.5 }], 3_000, () => 0);
    const until = (ms: number) => judge('turn-left', frames.slice(0, Math.floor(ms / FRAME_MS)));
    expect(until(1_800)).toEqual({ is: 'open', progress: 1 });
    expect(until(3_000)).toMatchObject({ is: 'passed' });
  });

  it('is not one frame that went wrong', () => {
    const frames = framesOf([], 2_000, () => 0);
    const spoilt = frames.map((frame, i) =>
      i === 10 ? { ...frame, signals: { ...REST, yawDeg: 40, mouth: 0.9 } } : frame,
    );
    for (const asked of MOVEMENTS) expect(judge(asked, spoilt).is).toBe('open');
  });

  it('comes too late after its time', () => {
    const late = { movement: 'nod', fromMs: MOVEMENT_MS_MAX - 500, lastsMs: 1_200, much: 1.5 } as const;
    expect(
      judge(
        'nod',
        framesOf([late], MOVEMENT_MS_MAX + 2_000, () => 0),
      ),
    ).toEqual({ is: 'late' });
  });
});
