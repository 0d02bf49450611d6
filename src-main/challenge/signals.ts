/**
 * What one frame says about a movement: four numbers of the face's 68 points. Each is compared with the same person's own rest a
 * moment before, so that neither the camera's place nor the shape of a face counts.
 */
import type { Observation } from '../vision/observation.ts';

export interface Signals {
  /** Degrees; the person's own left is positive. */
  readonly yawDeg: number;
  /** Degrees; down is positive. */
  readonly pitchDeg: number;
  /** How far the eyes are open, as height by width: T. Soukupová, J. Čech, "Real-Time Eye Blink Detection using Facial Landmarks",
   *  CVWW 2016, equation 1; mean of both. */
  readonly eyes: number;
  /** The same of the gap between the lips. */
  readonly mouth: number;
}

/** Null where no face was chosen or its points were not found. */
export function signalsOf(observation: Observation): Signals | null {
  const face = observation.chosen === null ? undefined : observation.faces[observation.chosen];
  if (!face?.pose || face.landmarks.length < 2 * 68) return null;
  const points = face.landmarks;
  const eyes = (opening(points, 36, [37, 38], 39, [41, 40]) + opening(points, 42, [43, 44], 45, [47, 46])) / 2;
  const mouth = opening(points, 60, [61, 62, 63], 64, [67, 66, 65]);
  const { yawDeg, pitchDeg } = face.pose;
  return [yawDeg, pitchDeg, eyes, mouth].every(Number.isFinite) ? { yawDeg, pitchDeg, eyes, mouth } : null;
}

/** Mean distance of each upper point from the lower one beneath it, by the distance of the corners. */
function opening(
  points: Float32Array,
  corner: number,
  upper: readonly number[],
  otherCorner: number,
  lower: readonly number[],
): number {
  const distance = (a: number, b: number) =>
    Math.hypot(points[2 * a]! - points[2 * b]!, points[2 * a + 1]! - points[2 * b + 1]!);
  const heights = upper.reduce((sum, point, i) => sum + distance(point, lower[i]!), 0) / upper.length;
  return heights / distance(corner, otherCorner);
}

/** The median of each: what this person looks like at rest, whatever one frame made of it. */
export function restOf(frames: readonly Signals[]): Signals {
  const median = (of: (signals: Signals) => number): number => {
    const sorted = frames.map(of).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  return {
    yawDeg: median(({ yawDeg }) => yawDeg),
    pitchDeg: median(({ pitchDeg }) => pitchDeg),
    eyes: median(({ eyes }) => eyes),
    mouth: median(({ mouth }) => mouth),
  };
}
