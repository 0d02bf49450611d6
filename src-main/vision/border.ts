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

/** Cells with a clear step: place from the face's centre and gradient, side by side; `count` of each are filled. */
interface Edges {
  readonly count: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly gx: Float32Array;
  readonly gy: Float32Array;
}

/** 0…1: how completely the three best of four sides, at one common angle, are seen. */
export function borderStrength(grid: Grid, face: Box): number {
  const width = face.width / grid.cellPx;
  const height = face.height / grid.cellPx;
  const edges = findEdges(grid, face);
  const across = new Side(width, height);
  const along = new Side(height, width);
  let best = 0;
  for (let i = 0; i < ANGLES; i++) {
    const angle = ((i * ANGLE_DEG_STEP - ANGLE_DEG_MAX) * Math.PI) / 180;
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    const [right, left] = across.strengths(edges, cos, sin);
    const [below, above] = along.strengths(edges, -sin, cos);
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
  const x = new Float32Array(room);
  const y = new Float32Array(room);
  const gx = new Float32Array(room);
  const gy = new Float32Array(room);
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
      count++;
    }
  }
  return { count, x, y, gx, gy };
}

/** The two opposite sides that lie `reach` cells per face box away; a side runs `breadth` cells per face box. */
class Side {
  readonly #offsetMin: number;
  readonly #offsets: number;
  readonly #half: number;
  readonly #length: number;
  /** Which pass last saw an edge at [line][place along it]: rising and falling steps of either side are kept apart. */
  readonly #seen: Uint16Array;
  readonly #counts: Uint16Array;
  #pass = 0;

  constructor(reach: number, breadth: number) {
    this.#offsetMin = Math.floor(OFFSET_MIN * reach);
    this.#offsets = Math.ceil(OFFSET_MAX * reach) - this.#offsetMin + 1;
    this.#half = Math.ceil(HALF_LENGTH * breadth);
    this.#length = 2 * this.#half + 1;
    this.#seen = new Uint16Array(4 * this.#offsets * this.#length);
    this.#counts = new Uint16Array(4 * this.#offsets);
  }

  /** Of the side in direction (dx, dy) and of its opposite: the share of the best line's length that shows an edge. */
  strengths(edges: Edges, dx: number, dy: number): [number, number] {
    const counts = this.#counts.fill(0);
    const pass = ++this.#pass;
    for (let i = 0; i < edges.count; i++) {
      const gx = edges.gx[i]!;
      const gy = edges.gy[i]!;
      const step = gx * dx + gy * dy;
      const size = Math.abs(step);
      if (size < STEP_MIN || size < 2 * Math.abs(gy * dx - gx * dy)) continue;
      const x = edges.x[i]!;
      const y = edges.y[i]!;
      const distance = x * dx + y * dy;
      const line = Math.round(Math.abs(distance)) - this.#offsetMin;
      const place = Math.round(y * dx - x * dy) + this.#half;
      if (line < 0 || line >= this.#offsets || place < 0 || place >= this.#length) continue;
      const bin = ((distance < 0 ? 2 : 0) + (step < 0 ? 1 : 0)) * this.#offsets + line;
      const cell = bin * this.#length + place;
      if (this.#seen[cell] === pass) continue;
      this.#seen[cell] = pass;
      counts[bin]!++;
    }
    const best = (from: number) => {
      let most = 0;
      for (let i = from * this.#offsets; i < (from + 2) * this.#offsets; i++) most = Math.max(most, counts[i]!);
      return most / this.#length;
    };
    return [best(0), best(2)];
  }
}
