/**
 * Whether a face moves in itself. Patches of several frames are laid over one of them as exactly as a projective map and
 * a change of light can (B. D. Lucas, T. Kanade, IJCAI 1981, solved by Gauss–Newton). A flat picture, however it is held,
 * drifts, turns or is lit, then leaves nothing but noise; a living face leaves blinks, glances, the mouth, and the nose
 * that turns before the cheeks.
 */
import { PATCH_SIDE } from './observation.ts';

const SIDE = PATCH_SIDE;
/** Left out on each side, so that small shifts stay inside the patch. */
const MARGIN = 4;
const ITERATIONS_MAX = 10;
/** The first fit shift, turn and scale only: perspective, let loose on a patch still far off, may lead astray. */
const ITERATIONS_AFFINE = 3;
/** Steps that move no pixel by more than this are the last, px. */
const CONVERGED_PX = 0.02;
/** Frames compared; evenly spread over the sequence. */
const PICKS = 8;
/** Of the differences to the reference, sorted, the one that counts: a quarter may be chance (a blink, a lost fit). */
const QUANTILE = 0.75;
const BLOCK = 4;
/** What pixel noise (of the sensor and of resampling) leaves of its own size after averaging over a block: measured on
 *  rendered pictures with and without added noise, 0.38 to 0.42. */
const NOISE_IN_BLOCK = 0.42;
/** Projective map (8), gain and offset of the light. */
const UNKNOWNS = 10;

/**
 * How much the patches, oldest first, differ from one of them beyond flat motion and noise, as a share of the patch's own
 * contrast; null with fewer than three.
 */
export function motionExcess(patches: readonly Float32Array[]): number | null {
  if (patches.length < 3) return null;
  const count = Math.min(PICKS, patches.length);
  const picks = Array.from({ length: count }, (_, i) => patches[Math.round((i * (patches.length - 1)) / (count - 1))]!);
  const reference = picks[count >> 1]!;
  const contrast = deviation(reference);
  if (contrast < 1) return 0;
  const excesses = picks
    .filter((pick) => pick !== reference)
    .map((pick) => excess(residual(reference, pick)) / contrast)
    .sort((one, other) => one - other);
  return excesses[Math.floor(QUANTILE * (excesses.length - 1))]!;
}

function deviation(values: Float32Array): number {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  return Math.sqrt(Math.max(0, squares / values.length - (sum / values.length) ** 2));
}

/** RMS over blocks of the differences, less what noise of this size leaves there. */
function excess(differences: Float32Array): number {
  let pixelSquares = 0;
  let pixels = 0;
  let blockSquares = 0;
  let blocks = 0;
  for (let top = MARGIN; top < SIDE - MARGIN; top += BLOCK) {
    for (let left = MARGIN; left < SIDE - MARGIN; left += BLOCK) {
      let sum = 0;
      for (let v = top; v < top + BLOCK; v++) {
        for (let at = v * SIDE + left; at < v * SIDE + left + BLOCK; at++) {
          sum += differences[at]!;
          pixelSquares += differences[at]! ** 2;
        }
      }
      pixels += BLOCK * BLOCK;
      blockSquares += (sum / (BLOCK * BLOCK)) ** 2;
      blocks++;
    }
  }
  return Math.sqrt(Math.max(0, blockSquares / blocks - (NOISE_IN_BLOCK * NOISE_IN_BLOCK * pixelSquares) / pixels));
}

/** image − template after the best projective map and change of light; 0 where the map leaves the image. */
function residual(template: Float32Array, image: Float32Array): Float32Array {
  const differences = new Float32Array(SIDE * SIDE);
  // x′ = (p0·x + p1·y + p2) / w, y′ = (p3·x + p4·y + p5) / w, w = 1 + p6·x + p7·y about the centre;
  // image ≈ p8·template + p9.
  let p = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0];
  const gradient = new Float64Array(UNKNOWNS);
  let converged = false;
  for (let iteration = 0; ; iteration++) {
    const last = converged || iteration === ITERATIONS_MAX;
    const affine = iteration < ITERATIONS_AFFINE;
    const normal = new Float64Array(UNKNOWNS * UNKNOWNS);
    const right = new Float64Array(UNKNOWNS);
    differences.fill(0);
    for (let v = MARGIN; v < SIDE - MARGIN; v++) {
      const y = v - SIDE / 2;
      for (let u = MARGIN; u < SIDE - MARGIN; u++) {
        const x = u - SIDE / 2;
        const w = 1 + p[6]! * x + p[7]! * y;
        const toX = (p[0]! * x + p[1]! * y + p[2]!) / w;
        const toY = (p[3]! * x + p[4]! * y + p[5]!) / w;
        const sx = toX + SIDE / 2;
        const sy = toY + SIDE / 2;
        if (!(sx >= 0 && sy >= 0 && sx < SIDE - 1 && sy < SIDE - 1)) continue;
        const x0 = sx | 0;
        const y0 = sy | 0;
        const fx = sx - x0;
        const fy = sy - y0;
        const at = y0 * SIDE + x0;
        const i00 = image[at]!;
        const i01 = image[at + 1]!;
        const i10 = image[at + SIDE]!;
        const i11 = image[at + SIDE + 1]!;
        const shade = template[v * SIDE + u]!;
        const seen = (i00 * (1 - fx) + i01 * fx) * (1 - fy) + (i10 * (1 - fx) + i11 * fx) * fy;
        const difference = seen - p[8]! * shade - p[9]!;
        differences[v * SIDE + u] = difference;
        if (last) continue;
        const gx = ((i01 - i00) * (1 - fy) + (i11 - i10) * fy) / w;
        const gy = ((i10 - i00) * (1 - fx) + (i11 - i01) * fx) / w;
        const along = affine ? 0 : -(gx * toX + gy * toY);
        gradient[0] = gx * x;
        gradient[1] = gx * y;
        gradient[2] = gx;
        gradient[3] = gy * x;
        gradient[4] = gy * y;
        gradient[5] = gy;
        gradient[6] = along * x;
        gradient[7] = along * y;
        gradient[8] = -shade;
        gradient[9] = -1;
        for (let i = 0; i < UNKNOWNS; i++) {
          const slope = gradient[i]!;
          right[i]! -= slope * difference;
          for (let j = 0; j <= i; j++) normal[i * UNKNOWNS + j]! += slope * gradient[j]!;
        }
      }
    }
    if (last) return differences;
    // Keeps the perspective where it is while its slopes are 0.
    if (affine) for (const i of [6, 7]) normal[i * UNKNOWNS + i] = 1;
    const step = solve(normal, right);
    p = p.map((value, i) => value + step[i]!);
    converged = !affine && largestShift(step) < CONVERGED_PX;
  }
}

/** How far a step of the map moves a pixel at most, about. */
function largestShift(step: Float64Array): number {
  const half = SIDE / 2;
  const linear = Math.max(...[0, 1, 3, 4].map((i) => Math.abs(step[i]!))) * half;
  const perspective = Math.max(Math.abs(step[6]!), Math.abs(step[7]!)) * half * half;
  return linear + perspective + Math.max(Math.abs(step[2]!), Math.abs(step[5]!));
}

/** Cholesky's method on the lower triangle; a step of nothing when the patch does not determine one. */
function solve(matrix: Float64Array, right: Float64Array): Float64Array {
  const n = UNKNOWNS;
  const l = matrix;
  const x = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = l[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i !== j) l[i * n + j] = sum / l[j * n + j]!;
      else if (sum > 1e-6) l[i * n + i] = Math.sqrt(sum);
      else return new Float64Array(n);
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= l[i * n + k]! * x[k]!;
    x[i]! /= l[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= l[k * n + i]! * x[k]!;
    x[i]! /= l[i * n + i]!;
  }
  return x;
}
