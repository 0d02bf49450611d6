/** Whether a face is good enough to compare, and what to tell the customer when it is not. */
import type { LookHint } from '../../src-contract/screen.ts';
import type { Box, FaceQuality, Pose, QualityProblem } from './observation.ts';

/**
 * What a good face is. Angles are what the pose estimate can promise (about five degrees); sizes follow ISO/IEC 19794-5's
 * 60 px between the eyes for enrolment photographs, relaxed to what the comparison still separates people at.
 */
export const QUALITY_LIMITS = {
  interEyePxMin: 30,
  /** Share of the frame's height the face box may take before it no longer fits with chin and forehead. */
  heightShareMax: 0.85,
  /** Distance of the face's centre from the frame's, in frame widths and heights. */
  offCentreXMax: 0.3,
  offCentreYMax: 0.3,
  yawDegMax: 30,
  /** Wider than yaw: cameras sit above or below the screen, and the estimate is coarsest here. */
  pitchDegMax: 45,
  rollDegMax: 25,
  sharpnessMin: 12,
  exposureMin: 45,
  exposureMax: 215,
  /** A face without fine steps whose middle is darker than this lacks light rather than rest: against a window it is dull, not
   *  blurred, and bright beside. */
  dullExposureMax: 80,
  /** Share of the box outside the frame. */
  cutOffMax: 0.06,
} as const;

export interface QualityInput {
  readonly box: Box;
  readonly interEyePx: number;
  readonly pose: Pose;
  /** Brightness, 0…255, of the aligned crop. */
  readonly luma: Float32Array;
  readonly lumaSide: number;
  readonly frame: { readonly width: number; readonly height: number };
}

export function assessQuality(face: QualityInput): FaceQuality {
  const limits = QUALITY_LIMITS;
  const { sharpness, exposure, middle } = measureLuma(face.luma, face.lumaSide);
  const blurred = sharpness < limits.sharpnessMin;
  const [offX, offY] = offCentre(face.box, face.frame);
  const { pose } = face;
  const found: readonly [QualityProblem, boolean][] = [
    ['too-small', face.interEyePx < limits.interEyePxMin],
    ['too-large', face.box.height > limits.heightShareMax * face.frame.height],
    ['cut-off', outsideShare(face.box, face.frame) > limits.cutOffMax],
    ['off-centre', Math.abs(offX) > limits.offCentreXMax || Math.abs(offY) > limits.offCentreYMax],
    ['turned', Math.abs(pose.yawDeg) > limits.yawDegMax || Math.abs(pose.pitchDeg) > limits.pitchDegMax],
    ['tilted', Math.abs(pose.rollDeg) > limits.rollDegMax],
    ['dark', exposure < limits.exposureMin || (blurred && middle < limits.dullExposureMax)],
    ['bright', exposure > limits.exposureMax],
    ['blurred', blurred],
  ];
  const problems = found.filter(([, is]) => is).map(([problem]) => problem);
  const share = (value: number, full: number) => Math.min(Math.max(value / full, 0), 1);
  const score =
    share(face.interEyePx, 2 * limits.interEyePxMin) *
    (1 - 0.5 * share(Math.abs(pose.yawDeg), limits.yawDegMax)) *
    (1 - 0.5 * share(Math.abs(pose.pitchDeg), limits.pitchDegMax)) *
    (0.5 + 0.5 * share(sharpness, 8 * limits.sharpnessMin)) *
    (problems.length === 0 ? 1 : 0.3);
  return { problems, interEyePx: face.interEyePx, sharpness, exposure, score };
}

/** Mean, mean of the inner half either way, and variance of the 4-neighbour Laplacian: a blurred face has no fine steps. */
export function measureLuma(luma: Float32Array, side: number): { sharpness: number; exposure: number; middle: number } {
  let sum = 0;
  for (let i = 0; i < luma.length; i++) sum += luma[i]!;
  let total = 0;
  let squares = 0;
  for (let v = 1; v < side - 1; v++) {
    for (let i = v * side + 1; i < (v + 1) * side - 1; i++) {
      const laplacian = luma[i - 1]! + luma[i + 1]! + luma[i - side]! + luma[i + side]! - 4 * luma[i]!;
      total += laplacian;
      squares += laplacian * laplacian;
    }
  }
  const n = (side - 2) * (side - 2);
  let inner = 0;
  const from = side >> 2;
  const to = side - from;
  for (let v = from; v < to; v++) for (let i = v * side + from; i < v * side + to; i++) inner += luma[i]!;
  const middle = inner / (to - from) ** 2;
  return { sharpness: squares / n - (total / n) ** 2, exposure: sum / luma.length, middle };
}

/** The face's centre minus the frame's, in frame widths and heights. */
function offCentre(box: Box, frame: { width: number; height: number }): [number, number] {
  return [(box.x + box.width / 2) / frame.width - 0.5, (box.y + box.height / 2) / frame.height - 0.5];
}

function outsideShare(box: Box, frame: { width: number; height: number }): number {
  const width = Math.max(0, Math.min(box.x + box.width, frame.width) - Math.max(box.x, 0));
  const height = Math.max(0, Math.min(box.y + box.height, frame.height) - Math.max(box.y, 0));
  return 1 - (width * height) / (box.width * box.height);
}

/**
 * The one thing to say. The picture is not mirrored: a face at the picture's left is a person who stands too far to their
 * own right, so they are asked to move to their left, which is the picture's right.
 */
export function hintFor(
  faces: number,
  chosen: { readonly box: Box; readonly quality: FaceQuality } | null,
  frame: { readonly width: number; readonly height: number },
): LookHint | null {
  if (faces === 0) return 'nobody-there';
  if (!chosen) return 'one-person-only';
  const worst = chosen.quality.problems[0] ?? null;
  switch (worst) {
    case null:
      return null;
    case 'too-small':
      return 'come-closer';
    case 'too-large':
      return 'step-back';
    case 'off-centre':
    case 'cut-off': {
      const [x, y] = offCentre(chosen.box, frame);
      if (Math.abs(x) >= Math.abs(y)) return x < 0 ? 'move-left' : 'move-right';
      return y < 0 ? 'move-down' : 'move-up';
    }
    case 'turned':
    case 'tilted':
      return 'look-straight';
    case 'dark':
      return 'more-light';
    case 'bright':
      return 'less-light';
    case 'blurred':
      return 'hold-still';
  }
}
