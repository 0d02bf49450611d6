/**
 * Straight edges around a face, as of a sheet of paper or a screen held up: lines that stand square to each other and
 * frame the face. A wall's corner or a door behind a person gives one or two such lines, seldom three that agree.
 *
 * A Hough transform limited to what a sheet could be: each cell with a clear step in brightness votes, at the angles its
 * gradient allows, for a line at some distance on one of the face's four sides.
 */
import type { Grid } from './frame-scan.ts';
import type { Box } from './observation.ts';

/** Brightness step, of 255 and per cell, that counts as an edge: below print on white, above shading and noise. */
const STEP_MIN = 7;
/** How far from the face's centre a side is looked for, in face boxes. */
const OFFSET_MIN = 0.6;
const OFFSET_MAX = 2.4;
/** Half of the length over which a side must be seen, in face boxes. */
const HALF_LENGTH = 0.75;
const ANGLE_DEG_MAX = 24;
const ANGLE_DEG_STEP = 2;
const ANGLES = (2 * ANGLE_DEG_MAX) / ANGLE_DEG_STEP + 1;
/** A gradient votes for lines to which it stands square within this: tan 26.6° is 1/2. A little more, for an angle known to 0.09°. */
const SQUARE_DEG_MAX = 26.7;
const RADIANS = Array.from({ length: ANGLES }, (_, i) => ((i * ANGLE_DEG_STEP - ANGLE_DEG_MAX) * Math.PI) / 180);
const COS = Float64Array.from(RADIANS, Math.cos);
const SIN = Float64Array.from(RADIANS, Math.sin);
/** Cells, farther than any is from a face. */
const FAR = 1 << 16;
const SIN_MAX = Math.sin((ANGLE_DEG_MAX * Math.PI) / 180);
const COS_MIN = Math.cos((ANGLE_DEG_MAX * Math.PI) / 180);

/** Cells with a clear step: place from the face's centre, gradient and its angle, side by side; the first `count` of each. */
interface Edges {
  readonly count: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly gx: Float32Array;
  readonly gy: Float32Array;
  /** −90 … 90, to a tenth: it does not matter which way the step goes. */
  readonly deg: Float64Array;
}

/** Memory used again and again: nothing in it outlives a call. */
let edgesBefore: Omit<Edges, 'count'> | null = null;
let seenBefore = new Uint32Array(0);

/**
 * 0…1: how completely the three best of four sides, at one common angle, are seen; exact from `strengthMin` on. Below, where it does not
 * count, it may be less than what is answered: with no side so strong right or left of the face, the other two are not looked for.
 */
export function borderStrength(grid: Grid, face: Box, strengthMin: number): number {
  const width = face.width / grid.cellPx;
  const height = face.height / grid.cellPx;
  const edges = findEdges(grid, face);
  const across = new Sides(edges, { reach: width, breadth: height, quarterTurn: false });
  const rightAndLeft = RADIANS.map((_, i) => across.strengths(i));
  const strongest = Math.max(...rightAndLeft.flat());
  if (strongest < strengthMin) return strongest;
  const along = new Sides(edges, { reach: height, breadth: width, quarterTurn: true });
  let best = 0;
  for (let i = 0; i < ANGLES; i++) {
    const [right, left] = rightAndLeft[i]!;
    const [below, above] = along.strengths(i);
    const [first, second, third] = [right, left, below, above].sort((one, other) => other - one) as [
      number,
      number,
      number,
      number,
    ];
    best = Math.max(best, Math.min(third, (first + second + third) / 3));
  }
  return best;
}

/** Only as far out as a side is looked for: beyond that nothing can vote. */
function findEdges(grid: Grid, face: Box): Edges {
  const { values, width, height, cellPx } = grid;
  const centreX = (face.x + face.width / 2) / cellPx - 0.5;
  const centreY = (face.y + face.height / 2) / cellPx - 0.5;
  const farthest = Math.hypot(OFFSET_MAX + 1, HALF_LENGTH + 1) * (Math.max(face.width, face.height) / cellPx);
  const left = Math.max(1, Math.floor(centreX - farthest));
  const top = Math.max(1, Math.floor(centreY - farthest));
  const right = Math.min(width - 1, Math.ceil(centreX + farthest));
  const bottom = Math.min(height - 1, Math.ceil(centreY + farthest));
  const room = width * height;
  if (edgesBefore?.x.length !== room) {
    const floats = () => new Float32Array(room);
    edgesBefore = { x: floats(), y: floats(), gx: floats(), gy: floats(), deg: new Float64Array(room) };
  }
  const { x, y, gx, gy, deg } = edgesBefore;
  let count = 0;
  for (let v = top; v < bottom; v++) {
    for (let u = left, at = v * width + left; u < right; u++, at++) {
      const dx = (values[at + 1]! - values[at - 1]!) / 2;
      const dy = (values[at + width]! - values[at - width]!) / 2;
      if (dx * dx + dy * dy < STEP_MIN * STEP_MIN) continue;
      x[count] = u - centreX;
      y[count] = v - centreY;
      gx[count] = dx;
      gy[count] = dy;
      deg[count] = degreesOf(dx, dy);
      count++;
    }
  }
  return { count, x, y, gx, gy, deg };
}

/** Of a gradient, to 0.09 degrees (S. Rajan et al., Efficient approximations for the arctangent function, 2006): it only tells which angles are worth a look. */
function degreesOf(x: number, y: number): number {
  const steep = Math.abs(y) > Math.abs(x);
  const slope = steep ? x / y : y / x;
  const size = Math.abs(slope);
  const deg = slope * (45 - (size - 1) * (14.02 + 3.79 * size));
  return steep ? (slope < 0 ? -90 : 90) - deg : deg;
}

function clearedPlaces(count: number): Uint32Array {
  if (seenBefore.length < count) seenBefore = new Uint32Array(count);
  else seenBefore.fill(0, 0, count);
  return seenBefore;
}

/** The two opposite sides that lie `reach` cells per face box away, at every angle; a side runs `breadth` cells per face box. */
class Sides {
  readonly #offsets: number;
  readonly #length: number;
  /** Votes of each line: angle by angle, rising and falling steps of either side kept apart. */
  readonly #counts: Uint16Array;

  /** @param quarterTurn sides below and above rather than right and left. */
  constructor(edges: Edges, { reach, breadth, quarterTurn }: { reach: number; breadth: number; quarterTurn: boolean }) {
    const offsetMin = Math.floor(OFFSET_MIN * reach);
    const offsets = Math.ceil(OFFSET_MAX * reach) - offsetMin + 1;
    const half = Math.ceil(HALF_LENGTH * breadth);
    const length = 2 * half + 1;
    this.#offsets = offsets;
    this.#length = length;
    this.#counts = new Uint16Array(ANGLES * 4 * offsets);
    /** At which angles an edge was seen at [line][place along it], a bit each: a place votes once. */
    const seen = clearedPlaces(4 * offsets * length);
    const counts = this.#counts;
    /** Beyond the first and the last line, and the ends of all, with half a cell for rounding and as much to be sure. */
    const [nearest, farthest, longest] = [offsetMin - 1, offsetMin + offsets, half + 1];
    const turnedDeg = quarterTurn ? 90 : 0;
    for (let edge = 0; edge < edges.count; edge++) {
      const x = edges.x[edge]!;
      const y = edges.y[edge]!;
      const out = Math.abs(quarterTurn ? y : x);
      const aside = Math.abs(quarterTurn ? x : y);
      // Most edges are no use at any angle: within the face, too far out, or beyond a side's ends.
      if (out + aside * SIN_MAX < nearest || out * COS_MIN - aside * SIN_MAX > farthest) continue;
      if (aside * COS_MIN - out * SIN_MAX > longest) continue;
      const gx = edges.gx[edge]!;
      const gy = edges.gy[edge]!;
      // The gradient's angle from the side's direction, −90° … 90°.
      let deg = edges.deg[edge]! - turnedDeg;
      if (deg < -90) deg += 180;
      const from = Math.max(0, Math.ceil((deg - SQUARE_DEG_MAX + ANGLE_DEG_MAX) / ANGLE_DEG_STEP));
      const to = Math.min(ANGLES - 1, Math.floor((deg + SQUARE_DEG_MAX + ANGLE_DEG_MAX) / ANGLE_DEG_STEP));
      for (let i = from; i <= to; i++) {
        const cos = COS[i]!;
        const sin = SIN[i]!;
        const dx = quarterTurn ? -sin : cos;
        const dy = quarterTurn ? cos : sin;
        const step = gx * dx + gy * dy;
        const size = Math.abs(step);
        if (size < STEP_MIN || size < 2 * Math.abs(gy * dx - gx * dy)) continue;
        const distance = x * dx + y * dy;
        // Rounded by cutting off, for which they must not be negative: Math.round takes several times as long.
        const line = ((Math.abs(distance) + 0.5) | 0) - offsetMin;
        const place = ((y * dx - x * dy + (half + FAR + 0.5)) | 0) - FAR;
        if (line < 0 || line >= offsets || place < 0 || place >= length) continue;
        const bin = ((distance < 0 ? 2 : 0) + (step < 0 ? 1 : 0)) * offsets + line;
        const cell = bin * length + place;
        const bit = 1 << i;
        if ((seen[cell]! & bit) !== 0) continue;
        seen[cell]! |= bit;
        counts[i * 4 * offsets + bin]!++;
      }
    }
  }

  /** Of the side in the direction of an angle and of its opposite: the share of the best line's length that shows an edge. */
  strengths(angle: number): [number, number] {
    const best = (from: number) => {
      const start = (angle * 4 + from) * this.#offsets;
      let most = 0;
      for (let i = start; i < start + 2 * this.#offsets; i++) most = Math.max(most, this.#counts[i]!);
      return most / this.#length;
    };
    return [best(0), best(2)];
  }
}
