import { expect, test } from 'vitest';
import { plainCalibration } from '../../src-main/gallery/gallery.fixture.ts';
import { policyRates } from './policy-rates.ts';

test('a policy’s rate costs whoever scores below what the calibration says has it', () => {
  // A tenth of score is a power of ten: 1e-3 at 0.3, 1e-4 at 0.4.
  const genuine = { scores: Float32Array.of(0.25, 0.35, 0.45, 0.9), people: Uint32Array.of(0, 1, 2, 3) };
  const rates = policyRates(genuine, plainCalibration);
  expect(rates.map(({ rate, fnmr }) => [rate, fnmr])).toEqual([
    [1e-3, 0.25],
    [1e-4, 0.5],
    [1e-5, 0.75],
    [1e-6, 0.75],
  ]);
  expect(rates.map(({ score }) => Number(score.toFixed(6)))).toEqual([0.3, 0.4, 0.5, 0.6]);
  for (const { fnmr, limits } of rates) {
    expect(limits!.low).toBeLessThanOrEqual(fnmr!);
    expect(limits!.high).toBeGreaterThanOrEqual(fnmr!);
  }
  // With the safety factor a rate takes a higher score.
  const safer = policyRates(genuine, { ...plainCalibration, safetyFactor: 10 });
  expect(safer[0]!.score).toBeCloseTo(0.4, 6);
});

test('says nothing where nobody has a second photograph', () => {
  const nobody = { scores: new Float32Array(0), people: new Uint32Array(0) };
  expect(policyRates(nobody, plainCalibration)[0]).toMatchObject({ fnmr: null, limits: null });
});
