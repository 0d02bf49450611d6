import { expect, it, test } from 'vitest';
import { seeded } from '../../scripts/random.ts';
import { CHALLENGES_DEFAULT, type ChallengeKind } from '../../src-contract/challenge.ts';
import type { FaceObservation, Observation } from '../vision/observation.ts';
import { FRAME_MS, heightAt, litColours, moved, pointsOf, REST } from './challenge.fixture.ts';
import { SCREEN_COLOURS } from './light.ts';
import type { Movement } from './movement.ts';
import { beginRun, decline, demanded, evidenceOf, observed, type Run, type RunRules, screenColour } from './run.ts';
import type { Signals } from './signals.ts';

const ME = Float32Array.of(1, 0);
const ANOTHER = Float32Array.of(0, 1);
const rulesOf = (seed: number): RunRules => ({ samePerson: (a, b) => a[0] === b[0], fraction: seeded(seed) });
const terms = (kinds: readonly ChallengeKind[], more = {}) => ({
  ...CHALLENGES_DEFAULT,
  ...{ kinds: [...kinds], stepsMin: 1, stepsMax: 1 },
  ...more,
});

interface Sight {
  readonly signals?: Signals;
  readonly embedding?: Float32Array | null;
  readonly colour?: string | null;
  readonly x?: number;
  readonly cellMeans?: Float32Array;
  readonly nobody?: boolean;
}

function observationAt(atMs: number, sight: Sight = {}): Observation {
  const { signals = REST, embedding = ME, colour = null, x = 200, cellMeans = new Float32Array(4) } = sight;
  const { yawDeg, pitchDeg } = signals;
  const face: FaceObservation = {
    box: { x, y: 120, width: 200, height: 240 },
    confidence: 1,
    landmarks: pointsOf(signals),
    pose: { yawDeg, pitchDeg, rollDeg: 0 },
    quality: { problems: [], interEyePx: 80, sharpness: 100, exposure: 128, score: 1 },
    liveness: {
      ...{ passive: 1, border: 0, stripes: 0, frameDigest: String(atMs), cellMeans },
      ...{ points: new Uint8Array(0), patch: new Float32Array(0) },
    },
    colours: litColours(colour),
    embedding,
  };
  const faces = sight.nobody ? [] : [face];
  const chosen = sight.nobody ? null : 0;
  return { sequence: 1, capturedAtMs: atMs, width: 640, height: 480, faces, chosen, hint: null, stageMs: {} };
}

/** Shows frames for so long; what they show may depend on the run. */
function watched(
  run: Run,
  rules: RunRules,
  lastsMs: number,
  sight: (run: Run, sinceMs: number) => Sight = () => ({}),
): Run {
  const fromMs = (run.previous?.capturedAtMs ?? 1_000) + FRAME_MS;
  let now = run;
  for (let ms = 0; ms < lastsMs && now.outcome === null; ms += FRAME_MS) {
    now = observed(now, observationAt(fromMs + ms, sight(now, ms)), rules);
  }
  return now;
}

/** At rest until something is asked for. */
function untilAsked(run: Run, rules: RunRules): Run {
  let now = run;
  for (let i = 0; i < 60 && demanded(now) === null && now.outcome === null; i++) now = watched(now, rules, FRAME_MS);
  return now;
}

const making = (movement: Movement) => (_: Run, sinceMs: number) => ({
  signals: moved(movement, heightAt({ movement, fromMs: 500, lastsMs: 1_600, much: 1.6 }, sinceMs)),
});
const outcomes = (run: Run) => evidenceOf(run).steps.map((step) => [step.try, step.demand, step.outcome]);

test('two steps are asked for one after the other, each from rest, and passed', () => {
  const rules = rulesOf(1);
  let run = beginRun(terms(['nod', 'mouth'], { stepsMin: 2, stepsMax: 2 }), ME, rules);
  for (let step = 0; step < 2; step++) {
    run = untilAsked(run, rules);
    run = watched(run, rules, 2_500, making(demanded(run) as Movement));
  }
  expect(run.outcome).toBe('passed');
  expect(outcomes(run)).toEqual(run.plan.map((demand) => [1, demand, 'passed']));
});

test('the wrong movement costs the try, and the last try ends it', () => {
  const rules = rulesOf(2);
  let run = beginRun(terms(['nod']), ME, rules);
  run = watched(untilAsked(run, rules), rules, 2_500, making('mouth'));
  expect(run.outcome).toBeNull();
  run = watched(untilAsked(run, rules), rules, 2_500, making('turn-left'));
  expect(run.outcome).toBe('failed');
  expect(outcomes(run)).toEqual([
    [1, 'nod', 'wrong'],
    [2, 'nod', 'wrong'],
  ]);
});

it('asks for nothing while the face moves, and for how long it must rest is left to chance', () => {
  const rules = rulesOf(3);
  const restless = watched(beginRun(terms(['nod']), ME, rules), rules, 10_000, (_, ms) => ({
    signals: moved('turn-left', ms % 900 < 300 ? 1 : 0),
  }));
  expect(demanded(restless)).toBeNull();
  expect(restless.steps).toEqual([]);
  const waits = [4, 5, 6, 7].map((seed) => untilAsked(beginRun(terms(['nod']), ME, rulesOf(seed)), rulesOf(seed)));
  expect(new Set(waits.map(({ previous }) => previous?.capturedAtMs)).size).toBeGreaterThan(2);
});

test.each<[string, Sight, string]>([
  ['a picture that changes as a whole', { cellMeans: new Float32Array(4).fill(90) }, 'lost'],
  ['a face that is suddenly elsewhere', { x: 400 }, 'lost'],
  ['another face', { embedding: ANOTHER }, 'other-face'],
])('%s between two frames is not taken for the same person', (_what, sight, outcome) => {
  const rules = rulesOf(8);
  const run = watched(untilAsked(beginRun(terms(['nod']), ME, rules), rules), rules, FRAME_MS, () => sight);
  expect(outcomes(run)).toEqual([[1, 'nod', outcome]]);
});

test('a face that goes away is waited for before anything is asked, and costs the try afterwards', () => {
  const rules = rulesOf(9);
  const gone = () => ({ nobody: true });
  const before = watched(beginRun(terms(['nod']), ME, rules), rules, 3_000, gone);
  expect(before.steps).toEqual([]);
  const after = watched(untilAsked(before, rules), rules, 3_000, gone);
  expect(outcomes(after)).toEqual([[1, 'nod', 'lost']]);
});

test('a movement made by one face and finished by another does not pass', () => {
  const rules = rulesOf(10);
  const asked = untilAsked(beginRun(terms(['nod']), ME, rules), rules);
  const run = watched(asked, rules, 3_000, (now, ms) => ({
    ...making('nod')(now, ms),
    // Too far down to be compared, and then somebody else.
    embedding: ms > 1_000 ? ANOTHER : ME,
  }));
  expect(outcomes(run)).toEqual([[1, 'nod', 'other-face']]);
});

test('light is shown colour by colour, and passes when it comes back', () => {
  const rules = rulesOf(11);
  const colours = new Set<string>();
  const run = watched(untilAsked(beginRun(terms(['light']), ME, rules), rules), rules, 6_000, (now) => {
    const colour = screenColour(now);
    if (colour) colours.add(colour);
    return { colour: colour && SCREEN_COLOURS[colour] };
  });
  expect(colours.size).toBe(3);
  expect(outcomes(run)).toEqual([[1, 'light', 'passed']]);
  const dark = watched(untilAsked(beginRun(terms(['light']), ME, rules), rules), rules, 6_000);
  expect(outcomes(dark)).toEqual([[1, 'light', 'late']]);
});

test('the first "I can’t do this" is free, each further one costs the try, and at the end there is nothing left', () => {
  const rules = rulesOf(12);
  let run = untilAsked(beginRun(terms(['nod', 'mouth', 'light']), ME, rules), rules);
  const declined: unknown[] = [];
  while (run.outcome === null) {
    const demand = demanded(run)!;
    declined.push([demand, run.try]);
    run = untilAsked(decline(run, demand, rules), rules);
  }
  expect(declined.map((one) => (one as [string, number])[1])).toEqual([1, 1, 2]);
  expect(run.outcome).toBe('failed');
});

test('a demand that is not shown cannot be declined', () => {
  const rules = rulesOf(13);
  const run = untilAsked(beginRun(terms(['nod', 'light']), ME, rules), rules);
  expect(decline(run, 'blink', rules)).toBe(run);
});
