/**
 * Whether a face moves in itself. Patches of several frames are laid over one of them as exactly as a projective map and
 * a change of light can (B. D. Lucas, T. Kanade, IJCAI 1981, solved by Gauss–Newton). A flat picture, however it is held,
 * drifts, turns or is lit, then leaves nothing but noise; a living face leaves blinks, glances, the mouth, and the nose
 * that turns before the cheeks.
 *
 * A lamp's reflection that runs over a glossy picture moves in it as well. What is brighter than skin, and than it was at another time of
 * the look, is therefore left out, and a face must move in what remains; where too little does, nothing is said.
 *
 * A second measure leaves out the eyes and lets the map bend (every term up to the square): a bent sheet, a picture with holes for
 * living eyes, and a still that is warped as if its head turned leave nothing there either.
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
/** Affine map (6), gain and offset of the light, and the two slopes of perspective … */
const UNKNOWNS_PLANE = 10;
/** … or, in their place, three squares for either coordinate. */
const UNKNOWNS_SURFACE = 14;
const MAP_UNKNOWNS_MAX = 14;
/** Places of the patch that are laid over each other. */
const EVERYWHERE = new Uint8Array(SIDE * SIDE).fill(1);
/** Around the eyes, as the patch is aligned by them (pipeline.ts): as wide as holes in a picture would have to be. */
const EYES = { row: 19, columns: [14, 48], halfWidth: 14, halfHeight: 10 } as const;
const BESIDE_EYES = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
  const high = Math.abs(Math.floor(i / SIDE) - EYES.row) < EYES.halfHeight;
  return high && EYES.columns.some((column) => Math.abs((i % SIDE) - column) < EYES.halfWidth) ? 0 : 1;
});

/** Skin in its light: three quarters of a patch are no brighter, in the patch of which that is least. */
const SKIN_QUANTILE = 0.75;
/** What is brighter than skin by this much of it, and so many of 255 more, … */
const LIT_FACTOR = 1.15;
const LIT_MORE = 10;
/** … and so much brighter than the same place in another patch, is lit by something else … */
const CHANGED_FACTOR = 1.05;
const CHANGED_MORE = 6;
/** … and so is what lies this near, px: a reflection's edge fades. */
const LIT_REACH = 7;
/** Fewer places than this more or less are as good. */
const LIT_HARDLY = 80;
/** A patch that is lit so in more of it than this cannot be laid over another. */
const LIT_SHARE_MAX = 0.6;

interface Fit {
  /** A bent sheet's map in place of a flat one's. */
  readonly bends: boolean;
  readonly places: Uint8Array;
}

/**
 * How much the patches, oldest first, differ from one of them beyond flat motion and noise, as a share of the patch's own
 * contrast; null with fewer than three that can be compared.
 */
export function motionExcess(patches: readonly Float32Array[]): number | null {
  return excessOver(patches, { bends: false, places: EVERYWHERE });
}

/** The same beside the eyes, and beyond what a bent sheet or a smooth warp explains. */
export function motionBesideEyes(patches: readonly Float32Array[]): number | null {
  return excessOver(patches, { bends: true, places: BESIDE_EYES });
}

function excessOver(patches: readonly Float32Array[], fit: Fit): number | null {
  if (patches.length < 3) return null;
  const count = Math.min(PICKS, patches.length);
  const picks = Array.from({ length: count }, (_, i) => patches[Math.round((i * (patches.length - 1)) / (count - 1))]!);
  const unlit = unlitPlaces(picks);
  const most = Math.max(...unlit.map(sizeOf));
  const middle = count >> 1;
  const chosen =
    sizeOf(unlit[middle]!) >= most - LIT_HARDLY ? middle : unlit.findIndex((places) => sizeOf(places) === most);
  const reference = picks[chosen]!;
  const contrast = deviation(reference, unlit[chosen]!);
  if (contrast < 1) return 0;
  const excesses = picks
    .flatMap((pick, i) => {
      const places = fit.places.map((place, at) => place & unlit[i]![at]! & unlit[chosen]![at]!);
      if (i === chosen || sizeOf(places) < (1 - LIT_SHARE_MAX) * sizeOf(fit.places)) return [];
      return [excess(residual(reference, pick, { ...fit, places }), places) / contrast];
    })
    .sort((one, other) => one - other);
  return excesses.length < 2 ? null : excesses[Math.floor(QUANTILE * (excesses.length - 1))]!;
}

/** Of each patch the places that no lamp's reflection brightens: 1, the others 0. */
function unlitPlaces(patches: readonly Float32Array[]): Uint8Array[] {
  const skin = Math.min(...patches.map(skinOf));
  const least = patches[0]!.slice();
  for (const patch of patches) for (let at = 0; at < least.length; at++) least[at] = Math.min(least[at]!, patch[at]!);
  // Where skin shines in every patch it is no reflection that moves.
  const limits = least.map((level) => Math.max(LIT_FACTOR * skin + LIT_MORE, CHANGED_FACTOR * level + CHANGED_MORE));
  return patches.map((patch) => {
    const unlit = EVERYWHERE.slice();
    for (let row = 0, at = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++, at++) {
        if (patch[at]! <= limits[at]!) continue;
        const left = Math.max(0, column - LIT_REACH);
        const right = Math.min(SIDE - 1, column + LIT_REACH);
        for (let v = Math.max(0, row - LIT_REACH); v <= Math.min(SIDE - 1, row + LIT_REACH); v++) {
          unlit.fill(0, v * SIDE + left, v * SIDE + right + 1);
        }
      }
    }
    return unlit;
  });
}

/** From every seventh place, in turn in every column: enough, and soon sorted. */
function skinOf(patch: Float32Array): number {
  const some = patch.filter((_, at) => at % 7 === 0).sort();
  return some[Math.floor(SKIN_QUANTILE * some.length)]!;
}

const sizeOf = (places: Uint8Array) => places.reduce((sum, place) => sum + place, 0);

function deviation(values: Float32Array, places: Uint8Array): number {
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    if (places[i] === 0) continue;
    count++;
    sum += values[i]!;
    squares += values[i]! ** 2;
  }
  return count === 0 ? 0 : Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

/** RMS over blocks of the differences, less what noise of this size leaves there. */
function excess(differences: Float32Array, places: Uint8Array): number {
  let pixelSquares = 0;
  let pixels = 0;
  let blockSquares = 0;
  let blocks = 0;
  for (let top = MARGIN; top < SIDE - MARGIN; top += BLOCK) {
    for (let left = MARGIN; left < SIDE - MARGIN; left += BLOCK) {
      let sum = 0;
      let squares = 0;
      let inside = 0;
      for (let v = top; v < top + BLOCK; v++) {
        for (let at = v * SIDE + left; at < v * SIDE + left + BLOCK; at++) {
          sum += differences[at]!;
          squares += differences[at]! ** 2;
          inside += places[at]!;
        }
      }
      if (inside < BLOCK * BLOCK) continue;
      pixelSquares += squares;
      pixels += BLOCK * BLOCK;
      blockSquares += (sum / (BLOCK * BLOCK)) ** 2;
      blocks++;
    }
  }
  return Math.sqrt(Math.max(0, blockSquares / blocks - (NOISE_IN_BLOCK * NOISE_IN_BLOCK * pixelSquares) / pixels));
}

/** image − template after the best map and change of light; 0 where the map leaves the image, and where it is not looked at. */
function residual(template: Float32Array, image: Float32Array, { bends, places }: Fit): Float32Array {
  const differences = new Float32Array(SIDE * SIDE);
  const unknowns = bends ? UNKNOWNS_SURFACE : UNKNOWNS_PLANE;
  // About the centre: x′ = (p0·x + p1·y + p2) / w, y′ = (p3·x + p4·y + p5) / w, w = 1 + p8·x + p9·y; where it bends, instead of
  // the division, x′ + p8·x² + p9·xy + p10·y² and y′ + p11·x² + p12·xy + p13·y², squares in half sides.
  // image ≈ p6·template + p7.
  const p = new Float64Array(MAP_UNKNOWNS_MAX);
  p[0] = 1;
  p[4] = 1;
  p[6] = 1;
  const gradient = new Float64Array(unknowns);
  let converged = false;
  for (let iteration = 0; ; iteration++) {
    const last = converged || iteration === ITERATIONS_MAX;
    const affine = iteration < ITERATIONS_AFFINE;
    const count = affine ? 8 : unknowns;
    const normal = new Float64Array(unknowns * unknowns);
    const right = new Float64Array(unknowns);
    differences.fill(0);
    for (let v = MARGIN; v < SIDE - MARGIN; v++) {
      const y = v - SIDE / 2;
      for (let u = MARGIN; u < SIDE - MARGIN; u++) {
        if (places[v * SIDE + u] === 0) continue;
        const x = u - SIDE / 2;
        const w = bends ? 1 : 1 + p[8]! * x + p[9]! * y;
        let toX = (p[0]! * x + p[1]! * y + p[2]!) / w;
        let toY = (p[3]! * x + p[4]! * y + p[5]!) / w;
        const xx = (x * x) / (SIDE / 2);
        const xy = (x * y) / (SIDE / 2);
        const yy = (y * y) / (SIDE / 2);
        if (bends) {
          toX += p[8]! * xx + p[9]! * xy + p[10]! * yy;
          toY += p[11]! * xx + p[12]! * xy + p[13]! * yy;
        }
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
        const difference = seen - p[6]! * shade - p[7]!;
        differences[v * SIDE + u] = difference;
        if (last) continue;
        const gx = ((i01 - i00) * (1 - fy) + (i11 - i10) * fy) / w;
        const gy = ((i10 - i00) * (1 - fx) + (i11 - i01) * fx) / w;
        gradient[0] = gx * x;
        gradient[1] = gx * y;
        gradient[2] = gx;
        gradient[3] = gy * x;
        gradient[4] = gy * y;
        gradient[5] = gy;
        gradient[6] = -shade;
        gradient[7] = -1;
        if (bends && !affine) {
          gradient[8] = gx * xx;
          gradient[9] = gx * xy;
          gradient[10] = gx * yy;
          gradient[11] = gy * xx;
          gradient[12] = gy * xy;
          gradient[13] = gy * yy;
        } else if (!affine) {
          const along = -(gx * toX + gy * toY);
          gradient[8] = along * x;
          gradient[9] = along * y;
        }
        for (let i = 0; i < count; i++) {
          const slope = gradient[i]!;
          right[i]! -= slope * difference;
          for (let j = 0; j <= i; j++) normal[i * unknowns + j]! += slope * gradient[j]!;
        }
      }
    }
    if (last) return differences;
    // Keeps the other terms where they are while their slopes are 0.
    for (let i = count; i < unknowns; i++) normal[i * unknowns + i] = 1;
    const step = solve(normal, right);
    for (let i = 0; i < unknowns; i++) p[i]! += step[i]!;
    converged = !affine && largestShift(step, bends) < CONVERGED_PX;
  }
}

/** How far a step of the map moves a pixel at most, about. */
function largestShift(step: Float64Array, bends: boolean): number {
  const half = SIDE / 2;
  const most = (from: number, to: number) => Math.max(...step.subarray(from, to).map(Math.abs));
  const linear = Math.max(most(0, 2), most(3, 5)) * half;
  const further = bends ? most(8, 14) * half : most(8, 10) * half * half;
  return linear + further + Math.max(Math.abs(step[2]!), Math.abs(step[5]!));
}

/** Cholesky's method on the lower triangle; a step of nothing when the patch does not determine one. */
function solve(matrix: Float64Array, right: Float64Array): Float64Array {
  const n = right.length;
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
