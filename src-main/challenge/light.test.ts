import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '../../scripts/random.ts';
import type { Colour } from '../vision/observation.ts';
import { FRAME_MS, normals } from './challenge.fixture.ts';
import {
  DELAY_MS_MAX,
  drawPattern,
  judgeLight,
  type LightColour,
  type LightFrame,
  PATTERNS,
  SCREEN_COLOURS,
  SEGMENT_MS,
  type Shown,
} from './light.ts';

const shownAs = (pattern: readonly LightColour[]): Shown[] =>
  pattern.map((colour, i) => ({ fromMs: i * SEGMENT_MS, colour }));
const UNTIL_MS = 6 * SEGMENT_MS;

interface Scene {
  /** What the screen adds to the face, as a share of the room's light; 0.2 is a screen at arm's length in a lit room. */
  readonly faceShare: number;
  readonly backgroundShare: number;
  readonly delayMs: number;
  /** Of the mean colour, 0…255. */
  readonly noise: number;
  /** The camera's white balance, in log units over the whole time. */
  readonly drift: number;
}
const ORDINARY: Scene = { faceShare: 0.2, backgroundShare: 0.03, delayMs: 250, noise: 0.6, drift: 0.1 };
const SKIN: Colour = [140, 100, 82];
const WALL: Colour = [120, 122, 118];

/** Frames of a face before a screen that shows this pattern. */
function framesOf(pattern: readonly LightColour[], scene: Scene, normal: () => number): LightFrame[] {
  const lasts = UNTIL_MS + DELAY_MS_MAX;
  return Array.from({ length: Math.floor(lasts / FRAME_MS) }, (_, i) => {
    const atMs = i * FRAME_MS;
    const at = Math.floor((atMs - scene.delayMs) / SEGMENT_MS);
    const colour = pattern[Math.min(Math.max(at, 0), pattern.length - 1)]!;
    const lit = (of: Colour, share: number) =>
      of.map((value, channel) => {
        const screen =
          (Number.parseInt(SCREEN_COLOURS[colour].slice(1 + 2 * channel, 3 + 2 * channel), 16) / 255) ** 2.2;
        const balance = Math.exp(((channel - 1) * scene.drift * atMs) / lasts);
        return value * balance * (1 + share * screen) ** (1 / 2.2) + scene.noise * normal();
      }) as unknown as Colour;
    return { atMs, colours: { face: lit(SKIN, scene.faceShare), background: lit(WALL, scene.backgroundShare) } };
  });
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

describe('the light of the screen', () => {
  it('is found on a face, whatever the pattern, the delay and the white balance', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.record({
          faceShare: fc.double({ min: 0.1, max: 0.6, noNaN: true }),
          delayMs: fc.integer({ min: 60, max: 700 }),
          drift: fc.double({ min: -0.2, max: 0.2, noNaN: true }),
        }),
        (seed, more) => {
          const fraction = seeded(seed);
          const pattern = drawPattern(fraction);
          const frames = framesOf(pattern, { ...ORDINARY, ...more }, normals(fraction));
          expect(judgeLight(shownAs(pattern), UNTIL_MS, frames)).toMatchObject({ is: 'passed' });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is not found where only noise is, or where the screen adds nothing', () => {
    fc.assert(
      fc.property(seeds, fc.constantFrom(0, 3), (seed, noise) => {
        const fraction = seeded(seed);
        const pattern = drawPattern(fraction);
        const frames = framesOf(pattern, { ...ORDINARY, faceShare: 0, backgroundShare: 0, noise }, normals(fraction));
        expect(judgeLight(shownAs(pattern), UNTIL_MS, frames)).toEqual({ is: 'late' });
      }),
      { numRuns: 40 },
    );
  });

  it('is not found in a recording of a face that was lit by another pattern', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const fraction = seeded(seed);
        const pattern = drawPattern(fraction);
        const recorded = drawPattern(fraction);
        fc.pre(recorded.some((colour, i) => colour !== pattern[i]));
        const frames = framesOf(recorded, ORDINARY, normals(fraction));
        expect(judgeLight(shownAs(pattern), UNTIL_MS, frames)).toEqual({ is: 'late' });
      }),
      { numRuns: 40 },
    );
  });

  it('is not found when face and background change alike, as in a picture that is tinted as a whole', () => {
    const pattern = drawPattern(seeded(1));
    const frames = framesOf(
      pattern,
      { ...ORDINARY, faceShare: 0.2, backgroundShare: 0.2, noise: 0.1 },
      normals(seeded(2)),
    );
    expect(judgeLight(shownAs(pattern), UNTIL_MS, frames)).toEqual({ is: 'late' });
  });

  it('is found without a background, and not with too few frames or a face that is too bright to have a colour', () => {
    const pattern = drawPattern(seeded(3));
    const frames = framesOf(pattern, ORDINARY, normals(seeded(4)));
    const judge = (changed: readonly LightFrame[]) => judgeLight(shownAs(pattern), UNTIL_MS, changed).is;
    expect(
      judge(frames.map(({ atMs, colours }) => ({ atMs, colours: colours && { ...colours, background: null } }))),
    ).toBe('passed');
    expect(judge(frames.filter((_, i) => i % 5 === 0))).toBe('late');
    expect(judge(frames.map(({ atMs }) => ({ atMs, colours: { face: [255, 255, 255], background: null } })))).toBe(
      'late',
    );
  });

  it('has as many patterns as it says, none of which shows a colour twice in a row', () => {
    const seen = new Set<string>();
    const fraction = seeded(5);
    let repeated = 0;
    for (let i = 0; i < 2_000; i++) {
      const pattern = drawPattern(fraction);
      if (pattern.some((colour, at) => at > 0 && colour === pattern[at - 1])) repeated++;
      seen.add(pattern.join());
    }
    expect(repeated).toBe(0);
    expect(seen.size).toBe(PATTERNS);
    expect(PATTERNS).toBe(96);
  });

  it('changes less than three times a second, so that it never flashes (WCAG 2.3.1)', () => {
    expect(1000 / SEGMENT_MS).toBeLessThan(3);
  });
});
