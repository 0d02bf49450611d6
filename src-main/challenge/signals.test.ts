import { expect, it } from 'vitest';
import type { Observation } from '../vision/observation.ts';
import { pointsOf } from './challenge.fixture.ts';
import { restOf, signalsOf } from './signals.ts';

const seen = (landmarks: Float32Array, chosen: number | null = 0): Observation =>
  ({ chosen, faces: [{ landmarks, pose: { yawDeg: 3, pitchDeg: -20, rollDeg: 1 } }] }) as unknown as Observation;

it('takes height by width of eyes and lips, whatever the size of the face', () => {
  const found = signalsOf(seen(pointsOf({ eyes: 0.3, mouth: 0.2 })));
  expect(found).toMatchObject({ yawDeg: 3, pitchDeg: -20 });
  expect(found?.eyes).toBeCloseTo(0.3, 5);
  expect(found?.mouth).toBeCloseTo(0.2, 5);
  const larger = pointsOf({ eyes: 0, mouth: 0.9 }).map((value) => value * 3);
  expect(signalsOf(seen(larger))?.eyes).toBe(0);
  expect(signalsOf(seen(larger))?.mouth).toBeCloseTo(0.9, 5);
});

it('says nothing of a face that was not chosen, or has no points', () => {
  expect(signalsOf(seen(pointsOf({ eyes: 0.3, mouth: 0 }), null))).toBeNull();
  expect(signalsOf(seen(new Float32Array(0)))).toBeNull();
  expect(signalsOf(seen(new Float32Array(136)))).toBeNull();
});

it('takes for rest what most frames show, whatever one made of it', () => {
  const rest = { yawDeg: 1, pitchDeg: -20, eyes: 0.3, mouth: 0.02 };
  const blink = { yawDeg: 30, pitchDeg: 0, eyes: 0, mouth: 0.9 };
  expect(restOf([rest, blink, rest, rest])).toEqual(rest);
});
