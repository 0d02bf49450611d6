/**
 * Feeds that are put together: the same pictures again, or one still picture after another. Frames are compared by the mean brightness
 * of coarse cells, which a sensor's noise hardly moves and a person who breathes does.
 */
import type { LivenessCalibration } from './observation.ts';

/** Largest difference of a cell, of 255; infinite between grids of different size. */
export function largestDifference(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length || one.length === 0) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < one.length; i++) largest = Math.max(largest, Math.abs(one[i]! - other[i]!));
  return largest;
}

/** Stops at the first cell that differs by more. */
function within(one: Float32Array, other: Float32Array, differenceMax: number): boolean {
  if (one.length !== other.length || one.length === 0) return false;
  for (let i = 0; i < one.length; i++) if (Math.abs(one[i]! - other[i]!) > differenceMax) return false;
  return true;
}

/** Whether what was shown comes again, though it had moved on: forwards, as in a loop, or backwards. Frames oldest first. */
export function isRepeated(frames: readonly Float32Array[], rules: LivenessCalibration['repeated']): boolean {
  const { meanDifferenceMax, movedMin, framesApartMin, pairsMin } = rules;
  let pairs = 0;
  for (let later = framesApartMin; later < frames.length; later++) {
    for (let earlier = 0; earlier <= later - framesApartMin; earlier++) {
      if (!within(frames[earlier]!, frames[later]!, meanDifferenceMax)) continue;
      const moved = frames
        .slice(earlier + 1, later)
        .some((between) => !within(frames[earlier]!, between, movedMin) && !within(frames[later]!, between, movedMin));
      if (moved && ++pairs >= pairsMin) return true;
    }
  }
  return false;
}

/** One frame of a sequence, as far as a cut shows. */
export interface Moment {
  readonly atMs: number;
  readonly cellMeans: Float32Array;
  /** The face's 68 points, x0, y0, x1 …, and its width, px. */
  readonly landmarks: Float32Array;
  readonly faceWidth: number;
}

/** Mean way of the points from one frame to the next, as a share of the face's width. */
function wayOf(one: Moment, next: Moment): number {
  const [from, to] = [one.landmarks, next.landmarks];
  let sum = 0;
  for (let i = 0; i + 1 < from.length; i += 2) sum += Math.hypot(to[i]! - from[i]!, to[i + 1]! - from[i + 1]!);
  return from.length === 0 ? 0 : sum / (from.length / 2) / one.faceWidth;
}

/**
 * How often everything stands still, is another picture with the face elsewhere, and stands still again, frame by frame. A light that
 * changes moves no face; frames with others missing between say nothing. Oldest first.
 */
export function cutsIn(frames: readonly Moment[], rules: LivenessCalibration['cuts']): number {
  const steps = frames.slice(1).map((frame, i) => {
    const before = frames[i]!;
    const follows = frame.atMs - before.atMs <= rules.stepMsMax;
    const size = largestDifference(before.cellMeans, frame.cellMeans);
    return {
      still: follows && size <= rules.stillMax,
      cut: follows && size >= rules.stepMin && wayOf(before, frame) >= rules.wayMin,
    };
  });
  return steps.filter((step, i) => step.cut && steps[i - 1]?.still && steps[i + 1]?.still).length;
}
