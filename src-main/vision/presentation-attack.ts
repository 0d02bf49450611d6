/**
 * Presentation attack detection over a sequence of observations (ISO/IEC 30107-3 terms). Pure: what the frames show, weighed
 * as the liveness model's manifest says. Any cue that speaks against a living face decides: attack. Only when none does
 * the face moves in itself and the passive model agrees, over enough frames, is it live; until then nothing is decided.
 */
import type { LivenessEvidence } from '../../src-contract/match-result.ts';
import { motionExcess } from './flatness.ts';
import type { LivenessCalibration, LivenessCues, Observation } from './observation.ts';

/** One frame with exactly one chosen face, and what it says about life. */
interface Sighting {
  readonly atMs: number;
  readonly cues: LivenessCues;
}

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
  const excess = enough ? motionExcess(distinct.map((sighting) => sighting.cues.patch)) : null;
  const { flat } = calibration;
  const cues: string[] = [];
  if (isFrozen(sightings, calibration)) cues.push('frozen-feed');
  if (enough && hasBorder(sightings, calibration)) cues.push('paper-border');
  if (excess !== null && excess <= flat.attackMax && spanMs >= flat.spanMsMin) cues.push('flat-motion');
  if (enough && passive <= calibration.passive.attackMax) cues.push('passive-model');
  const live = excess !== null && excess >= flat.liveMin && passive >= calibration.passive.liveMin;
  return { frames, passive, cues, decision: cues.length > 0 ? 'attack' : live ? 'live' : 'undecided' };
}

function sightingsOf(sequence: readonly Observation[]): Sighting[] {
  return sequence.flatMap((observation) => {
    const face = observation.chosen === null ? undefined : observation.faces[observation.chosen];
    return face?.liveness ? [{ atMs: observation.capturedAtMs, cues: face.liveness }] : [];
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

function largestDifference(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length || one.length === 0) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < one.length; i++) largest = Math.max(largest, Math.abs(one[i]! - other[i]!));
  return largest;
}

function hasBorder(sightings: readonly Sighting[], { border }: LivenessCalibration): boolean {
  const bordered = sightings.filter((sighting) => sighting.cues.border >= border.strengthMin).length;
  return bordered >= border.frameShareMin * sightings.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
