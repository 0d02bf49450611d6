import { describe, expect, test } from 'vitest';
import { estimatedFmr } from '../../src-main/gallery/fmr.ts';
import { seeded } from '../random.ts';
import { checkOnHalves, fitCalibration } from './calibration.ts';
import { type Impostors, ScoreKeeper } from './scores.ts';

const PEOPLE = 300;

/** Scores 0.2 + excess, by the inverse of the law's distribution, between people by chance. */
function impostorsOf(count: number, excess: (share: number) => number): Impostors {
  const keeper = new ScoreKeeper(count);
  const random = seeded(11);
  for (let k = 0; k < count; k++) {
    const one = Math.floor(random() * PEOPLE);
    const other = (one + 1 + Math.floor(random() * (PEOPLE - 1))) % PEOPLE;
    keeper.impostor(0.2 + excess((k + 0.5) / count), one, other);
  }
  return keeper.done().impostors;
}
const options = () => ({ safetyFactor: 3, replicas: 10, random: seeded(2) });

describe('the calibration', () => {
  const COUNT = 200_000;
  const SCALE = 0.03;
  const exponential = impostorsOf(COUNT, (share) => -SCALE * Math.log(share));

  test('finds the scale of an exponential tail, and never claims less than the law has', () => {
    const { calibration, fit } = fitCalibration(exponential, PEOPLE, options());
    expect(fit?.scale).toBeCloseTo(SCALE, 3);
    expect(fit?.shape).toBeCloseTo(0, 1);
    expect(fit!.scaleHigh).toBeGreaterThanOrEqual(fit!.scale);
    for (const log10Fmr of [-1, -2, -3, -4, -5, -6]) {
      const score = 0.2 - SCALE * Math.log(10 ** log10Fmr);
      const claimed = estimatedFmr(calibration, score, 1);
      expect(claimed).toBeGreaterThanOrEqual(10 ** log10Fmr * 2.9);
      expect(claimed).toBeLessThan(10 ** log10Fmr * 20);
    }
  });

  test('goes two decades past the rule of three, and no further', () => {
    const { calibration } = fitCalibration(exponential, PEOPLE, options());
    expect(calibration.floorLog10Fmr).toBeCloseTo(Math.log10(3 / COUNT) - 2, 2);
    expect(calibration.points.at(-1)?.log10Fmr).toBe(calibration.floorLog10Fmr);
    expect(estimatedFmr(calibration, 1, 1)).toBeCloseTo(3 * 10 ** calibration.floorLog10Fmr, 15);
  });

  test('of a tail with an end finds that it has one, and over-states it', () => {
    // Generalised Pareto with shape −0.5 and its end 0.2 above: uniform to the power of a half, turned round.
    const { fit, calibration } = fitCalibration(
      impostorsOf(COUNT, (share) => 0.2 * (1 - Math.sqrt(share))),
      PEOPLE,
      options(),
    );
    expect(fit?.shape).toBeCloseTo(-0.5, 1);
    expect(estimatedFmr(calibration, 0.4, 1)).toBeGreaterThan(0);
  });

  test('claims nothing beyond what was counted where the tail is heavier', () => {
    // Pareto: shape 0.5.
    const heavy = impostorsOf(COUNT, (share) => 0.0005 * (share ** -0.5 - 1));
    const { fit, calibration } = fitCalibration(heavy, PEOPLE, options());
    expect(fit!.shapeLow).toBeGreaterThan(0);
    expect(calibration.floorLog10Fmr).toBeCloseTo(Math.log10(3 / COUNT), 2);
  });

  test('of one half of the people is kept by the other', () => {
    const claims = checkOnHalves(exponential, new Uint32Array(PEOPLE).fill(1), options());
    expect(claims.map(({ claimed }) => claimed)).toEqual([1e-2, 1e-3, 1e-4, 1e-5]);
    for (const { claimed, measured } of claims) expect(measured).toBeLessThanOrEqual(claimed);
    expect(claims[0]!.measured).toBeGreaterThan(0.2e-2);
  });
});
