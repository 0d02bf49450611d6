/**
 * Presentation attack detection over a sequence of observations (ISO/IEC 30107-3 terms). Pure: what the frames show, weighed
 * as the liveness model's manifest says. Any cue that speaks against a living face decides: attack. Only when none does, the
 * face moves in itself, not in the eyes alone, and the passive model agrees, over enough frames, is it live; until then
 * nothing is decided.
 */
import type { LivenessEvidence } from '../../src-contract/match-result.ts';
import { motionBesideEyes, motionExcess } from './flatness.ts';
import type { Box, LivenessCalibration, LivenessCues, Observation } from './observation.ts';
import { cutsIn, isRepeated, largestDifference, type Moment } from './repetition.ts';
import { type NoiseSighting, unchangedShare } from './sensor-noise.ts';

/** One frame with exactly one chosen face, and what it says about life. */
interface Sighting {
  readonly atMs: number;
  readonly cues: LivenessCues;
  readonly landmarks: Float32Array;
  readonly box: Box;
  /** Of the frame, px. */
  readonly width: number;
  readonly height: number;
}

const momentOf = ({ atMs, cues, landmarks, box }: Sighting): Moment => ({
  ...{ atMs, cellMeans: cues.cellMeans, landmarks, faceWidth: box.width },
});

const noiseOf = ({ atMs, cues, box, width, height }: Sighting): NoiseSighting => ({
  ...{ atMs, points: cues.points, face: box, width, height },
});

/** Weighs the frames of one look, oldest first. Frames without a chosen face say nothing; a long gap starts anew. */
export function weighLiveness(sequence: readonly Observation[], calibration: LivenessCalibration): LivenessEvidence {
  const sightings = afterLastGap(sightingsOf(sequence), calibration.gapMsMax);
  const frames = sightings.length;
  if (frames === 0) return { frames, passive: null, cues: [], decision: 'undecided' };
  const passive = mean(sightings.map((sighting) => sighting.cues.passive));
  // A frame that came twice, as when a decoder falls behind, says nothing new: it must neither hurry a decision nor look
  // like a face that holds still.
  const distinct = sightings.filter((sighting, i) => i === 0 || !sameFrame(sighting, sightings[i - 1]!, calibration));
  const spanMs = distinct.at(-1)!.atMs - distinct[0]!.atMs;
  const enough = distinct.length >= calibration.framesMin && spanMs >= calibration.spanMsMin;
  const patches = distinct.map((sighting) => sighting.cues.patch);
  const excess = enough ? motionExcess(patches) : null;
  const { flat, besideEyes } = calibration;
  const cues: string[] = [];
  if (isFrozen(sightings, calibration)) cues.push('frozen-feed');
  if (enough && hasBorder(sightings, calibration)) cues.push('paper-border');
  if (enough && hasStripes(sightings, calibration)) cues.push('screen-grid');
  const cells = distinct.map((sighting) => sighting.cues.cellMeans);
  if (isNoiseless(distinct, calibration)) cues.push('noiseless-feed');
  if (isRepeated(cells, calibration.repeated)) cues.push('repeated-feed');
  if (cutsIn(distinct.map(momentOf), calibration.cuts) >= calibration.cuts.countMin) cues.push('cut-feed');
  if (excess !== null && excess <= flat.attackMax && spanMs >= flat.spanMsMin) cues.push('flat-motion');
  if (enough && passive <= calibration.passive.attackMax) cues.push('passive-model');
  const moves = excess !== null && excess >= flat.liveMin && passive >= calibration.passive.liveMin;
  // Costs most of all, so it is asked last and only before a face is called living.
  const beside = moves && cues.length === 0 ? motionBesideEyes(patches) : null;
  if (beside !== null && beside <= besideEyes.attackMax && spanMs >= besideEyes.spanMsMin) cues.push('sheet-motion');
  const live = beside !== null && beside >= besideEyes.liveMin;
  return { frames, passive, cues, decision: cues.length > 0 ? 'attack' : live ? 'live' : 'undecided' };
}

function sightingsOf(sequence: readonly Observation[]): Sighting[] {
  return sequence.flatMap((observation) => {
    const face = observation.chosen === null ? undefined : observation.faces[observation.chosen];
    if (!face?.liveness) return [];
    const { liveness: cues, landmarks, box } = face;
    const { capturedAtMs: atMs, width, height } = observation;
    return [{ atMs, cues, landmarks, box, width, height }];
  });
}

function afterLastGap(sightings: readonly Sighting[], gapMsMax: number): readonly Sighting[] {
  for (let i = sightings.length - 1; i > 0; i--) {
    if (sightings[i]!.atMs - sightings[i - 1]!.atMs > gapMsMax) return sightings.slice(i);
  }
  return sightings;
}

/** A camera's noise alone changes every frame; a picture that stands still for this long is not a camera's. */
function isFrozen(sightings: readonly Sighting[], calibration: LivenessCalibration): boolean {
  let sinceMs = sightings[0]!.atMs;
  for (let i = 1; i < sightings.length; i++) {
    const { atMs } = sightings[i]!;
    if (!sameFrame(sightings[i]!, sightings[i - 1]!, calibration)) sinceMs = atMs;
    else if (atMs - sinceMs >= calibration.frozen.spanMsMin) return true;
  }
  return false;
}

function sameFrame(one: Sighting, other: Sighting, { frozen }: LivenessCalibration): boolean {
  return (
    one.cues.frameDigest === other.cues.frameDigest ||
    largestDifference(one.cues.cellMeans, other.cues.cellMeans) <= frozen.meanDifferenceMax
  );
}

function isNoiseless(sightings: readonly Sighting[], { noiseless }: LivenessCalibration): boolean {
  const share = unchangedShare(sightings.map(noiseOf), noiseless);
  return share !== null && share >= noiseless.shareMin;
}

function hasBorder(sightings: readonly Sighting[], { border }: LivenessCalibration): boolean {
  const bordered = sightings.filter((sighting) => sighting.cues.border >= border.strengthMin).length;
  return bordered >= border.frameShareMin * sightings.length;
}

function hasStripes(sightings: readonly Sighting[], { stripes }: LivenessCalibration): boolean {
  const striped = sightings.filter((sighting) => sighting.cues.stripes >= stripes.strengthMin).length;
  return striped >= stripes.frameShareMin * sightings.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
