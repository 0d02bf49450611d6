/** Where a face is and how it is turned: crops, the five points, the similarity transform to a reference, the pose. */
import type { SquareCrop } from './manifest.ts';
import type { Box, Pose } from './observation.ts';
import type { Affine } from './resample.ts';

export type Points = readonly (readonly [number, number])[];

/** The square a manifest's crop takes around a box, in frame pixels. */
export function squareAround(box: Box, crop: SquareCrop, frame: { width: number; height: number }): Box {
  let side = crop.factor * Math.max(box.width, box.height);
  const centreX = box.x + box.width / 2;
  const centreY = box.y + box.height / 2;
  if (crop.outside === 'replicate') return { x: centreX - side / 2, y: centreY - side / 2, width: side, height: side };
  side = Math.min(side, frame.width, frame.height);
  const x = Math.min(Math.max(centreX - side / 2, 0), frame.width - side);
  const y = Math.min(Math.max(centreY - side / 2, 0), frame.height - side);
  return { x, y, width: side, height: side };
}

/** Mean of some of the 68 points. */
function centre(landmarks: Float32Array, ...indices: number[]): [number, number] {
  let x = 0;
  let y = 0;
  for (const i of indices) {
    x += landmarks[2 * i]!;
    y += landmarks[2 * i + 1]!;
  }
  return [x / indices.length, y / indices.length];
}

/** Left eye, right eye, nose tip, left and right mouth corner, of iBUG-68 points; "left" is the picture's left. */
export function fivePoints(landmarks: Float32Array): Points {
  return [
    centre(landmarks, 37, 38, 40, 41),
    centre(landmarks, 43, 44, 46, 47),
    centre(landmarks, 30),
    centre(landmarks, 48, 60),
    centre(landmarks, 54, 64),
  ];
}

export function interEyeDistance(points: Points): number {
  return Math.hypot(points[1]![0] - points[0]![0], points[1]![1] - points[0]![1]);
}

/**
 * The map that samples a square around the points, turned so that the eyes lie level, on a width × height target. Its side is factor × the
 * larger extent of the turned points.
 */
export function levelMap(landmarks: Float32Array, factor: number, width: number, height: number): Affine {
  const [left, right] = fivePoints(landmarks);
  const angle = Math.atan2(right![1] - left![1], right![0] - left![0]);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  let uMin = Number.POSITIVE_INFINITY;
  let uMax = Number.NEGATIVE_INFINITY;
  let vMin = Number.POSITIVE_INFINITY;
  let vMax = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < landmarks.length; i += 2) {
    const u = cos * landmarks[i]! + sin * landmarks[i + 1]!;
    const v = cos * landmarks[i + 1]! - sin * landmarks[i]!;
    uMin = Math.min(uMin, u);
    uMax = Math.max(uMax, u);
    vMin = Math.min(vMin, v);
    vMax = Math.max(vMax, v);
  }
  const side = factor * Math.max(uMax - uMin, vMax - vMin);
  const across = side / width;
  const down = side / height;
  // The first target pixel's centre, turned back.
  const u = (uMin + uMax - side + across) / 2;
  const v = (vMin + vMax - side + down) / 2;
  return {
    ...{ a: cos * across, b: -sin * down, x: cos * u - sin * v - 0.5 },
    ...{ c: sin * across, d: cos * down, y: sin * u + cos * v - 0.5 },
  };
}

/**
 * Least-squares similarity (rotation, scale, shift; no mirroring) that takes `from` to `to`: S. Umeyama, IEEE PAMI 13(4),
 * 1991, which in the plane has this closed form.
 */
export function similarity(from: Points, to: Points): Affine {
  const n = from.length;
  let fx = 0;
  let fy = 0;
  let tx = 0;
  let ty = 0;
  for (let i = 0; i < n; i++) {
    fx += from[i]![0] / n;
    fy += from[i]![1] / n;
    tx += to[i]![0] / n;
    ty += to[i]![1] / n;
  }
  let along = 0;
  let across = 0;
  let spread = 0;
  for (let i = 0; i < n; i++) {
    const x = from[i]![0] - fx;
    const y = from[i]![1] - fy;
    const u = to[i]![0] - tx;
    const v = to[i]![1] - ty;
    along += x * u + y * v;
    across += x * v - y * u;
    spread += x * x + y * y;
  }
  const cos = spread > 0 ? along / spread : 1;
  const sin = spread > 0 ? across / spread : 0;
  return { a: cos, b: -sin, x: tx - cos * fx + sin * fy, c: sin, d: cos, y: ty - sin * fx - cos * fy };
}

/** The map that samples a crop on which `points` lie as on `reference`: fitted on the crop, as embedders are trained. */
export function alignment(points: Points, reference: Points): Affine {
  return invert(similarity(points, reference));
}

function invert(map: Affine): Affine {
  const determinant = map.a * map.d - map.b * map.c || 1e-9;
  const a = map.d / determinant;
  const b = -map.b / determinant;
  const c = -map.c / determinant;
  const d = map.a / determinant;
  return { a, b, x: -a * map.x - b * map.y, c, d, y: -c * map.x - d * map.y };
}

export function apply(map: Affine, x: number, y: number): [number, number] {
  return [map.a * x + map.b * y + map.x, map.c * x + map.d * y + map.y];
}

/**
 * A generic head in face widths, x to the picture's right, y down, z towards the camera: outer eye corners, nose tip, mouth
 * corners, chin (iBUG 36, 45, 30, 48, 54, 8). Proportions after the six-point head of common head-pose examples; good to
 * about five degrees, which is what hints and quality need.
 */
const HEAD: readonly (readonly [index: number, x: number, y: number, z: number])[] = [
  [36, -225, -170, -135],
  [45, 225, -170, -135],
  [30, 0, 0, 0],
  [48, -150, 150, -125],
  [54, 150, 150, -125],
  [8, 0, 330, -65],
];

/** The pose under scaled orthographic projection: the affine fit's two rows, made a rotation. */
export function poseOf(landmarks: Float32Array): Pose {
  const n = HEAD.length;
  const mean = [0, 0, 0];
  let u0 = 0;
  let v0 = 0;
  for (const [index, x, y, z] of HEAD) {
    mean[0]! += x / n;
    mean[1]! += y / n;
    mean[2]! += z / n;
    u0 += landmarks[2 * index]! / n;
    v0 += landmarks[2 * index + 1]! / n;
  }
  const gram = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  const rowU = [0, 0, 0];
  const rowV = [0, 0, 0];
  for (const [index, x, y, z] of HEAD) {
    const p = [x - mean[0]!, y - mean[1]!, z - mean[2]!];
    const u = landmarks[2 * index]! - u0;
    const v = landmarks[2 * index + 1]! - v0;
    for (let i = 0; i < 3; i++) {
      rowU[i]! += u * p[i]!;
      rowV[i]! += v * p[i]!;
      for (let j = 0; j < 3; j++) gram[3 * i + j]! += p[i]! * p[j]!;
    }
  }
  const r1 = solve3(gram, rowU);
  const r2 = solve3(gram, rowV);
  const scale = (Math.hypot(...r1) + Math.hypot(...r2)) / 2 || 1;
  const degrees = 180 / Math.PI;
  const clamp = (value: number) => Math.min(Math.max(value, -1), 1);
  return {
    yawDeg: Math.asin(clamp(r1[2]! / scale)) * degrees,
    pitchDeg: Math.asin(clamp(r2[2]! / scale)) * degrees,
    rollDeg: Math.atan2(r2[0]! - r1[1]!, r1[0]! + r2[1]!) * degrees,
  };
}

/** Cramer's rule; the head above is not flat, so the determinant is never 0. */
function solve3(m: readonly number[], v: readonly number[]): [number, number, number] {
  const det = (a: number[]) =>
    a[0]! * (a[4]! * a[8]! - a[5]! * a[7]!) -
    a[1]! * (a[3]! * a[8]! - a[5]! * a[6]!) +
    a[2]! * (a[3]! * a[7]! - a[4]! * a[6]!);
  const whole = det([...m]);
  const column = (k: number) => m.map((value, i) => (i % 3 === k ? v[Math.floor(i / 3)]! : value));
  return [det(column(0)) / whole, det(column(1)) / whole, det(column(2)) / whole];
}
