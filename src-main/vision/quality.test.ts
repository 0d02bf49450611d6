import { describe, expect, test } from 'vitest';
import { assessQuality, hintFor, measureLuma, QUALITY_LIMITS, type QualityInput } from './quality.ts';

const SIDE = 112;
const FRAME = { width: 640, height: 480 };
const FRONTAL = { yawDeg: 0, pitchDeg: 0, rollDeg: 0 };

/** Brightness with fine detail of some strength around a mean. */
function texture(mean: number, strength: number): Float32Array {
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => mean + (((i * 7919) % 13) - 6) * strength);
}

function face(change: Partial<QualityInput> = {}): QualityInput {
  return {
    box: { x: 250, y: 140, width: 140, height: 190 },
    interEyePx: 70,
    pose: FRONTAL,
    luma: texture(120, 2),
    lumaSide: SIDE,
    frame: FRAME,
    ...change,
  };
}

function seen(change: Partial<QualityInput>) {
  const input = face(change);
  const quality = assessQuality(input);
  return { problems: quality.problems, hint: hintFor(1, { box: input.box, quality }, FRAME) };
}

describe('quality', () => {
  test('of a near, frontal, sharp, well-lit face in the middle is good', () => {
    expect(seen({})).toEqual({ problems: [], hint: null });
  });

  test.each<[string, Partial<QualityInput>, string[], string]>([
    ['too far', { interEyePx: QUALITY_LIMITS.interEyePxMin - 1 }, ['too-small'], 'come-closer'],
    ['too near', { box: { x: 160, y: 20, width: 320, height: 430 } }, ['too-large'], 'step-back'],
    ['turned away', { pose: { ...FRONTAL, yawDeg: -40 } }, ['turned'], 'look-straight'],
    ['tilted', { pose: { ...FRONTAL, rollDeg: 35 } }, ['tilted'], 'look-straight'],
    ['in the dark', { luma: texture(25, 2) }, ['dark'], 'more-light'],
    ['in glaring light', { luma: texture(235, 2) }, ['bright'], 'less-light'],
    ['blurred', { luma: texture(120, 0.05) }, ['blurred'], 'hold-still'],
    ['dull, as before a window', { luma: texture(60, 0.05) }, ['dark', 'blurred'], 'more-light'],
    ['at the left edge', { box: { x: 5, y: 140, width: 110, height: 150 } }, ['off-centre'], 'move-left'],
    ['at the right edge', { box: { x: 525, y: 140, width: 110, height: 150 } }, ['off-centre'], 'move-right'],
    ['half outside', { box: { x: 250, y: -60, width: 140, height: 190 } }, ['cut-off', 'off-centre'], 'move-down'],
  ])('of a face %s says so', (_, change, problems, hint) => {
    expect(seen(change)).toEqual({ problems, hint });
  });

  test('ranks a near face above a far one, and a frontal one above a turned one', () => {
    const score = (change: Partial<QualityInput>) => assessQuality(face(change)).score;
    expect(score({})).toBeGreaterThan(score({ interEyePx: 35 }));
    expect(score({})).toBeGreaterThan(score({ pose: { ...FRONTAL, yawDeg: 20 } }));
    expect(score({ interEyePx: 20 })).toBeLessThan(score({ interEyePx: 31 }));
  });

  test('measures an even grey as without detail', () => {
    expect(measureLuma(new Float32Array(SIDE * SIDE).fill(90), SIDE)).toEqual({
      sharpness: 0,
      exposure: 90,
      middle: 90,
    });
  });
});

describe('hint', () => {
  test('asks for one person when several could be meant', () => {
    expect(hintFor(2, null, FRAME)).toBe('one-person-only');
  });

  test('says that nobody is there', () => {
    expect(hintFor(0, null, FRAME)).toBe('nobody-there');
  });
});
