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

interface Edge {
  readonly x: number;
  readonly y: number;
  readonly gx: number;
  readonly gy: number;
}

/** 0…1: how completely the three best of four sides, at one common angle, are seen. */
export function borderStrength(grid: Grid, face: Box): number {
  const width = face.width / grid.cellPx;
  const height = face.height / grid.cellPx;
  const edges = findEdges(
    grid,
    (face.x + face.width / 2) / grid.cellPx - 0.5,
    (face.y + face.height / 2) / grid.cellPx - 0.5,
  );
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

/** Cells with a clear step, seen from the face's centre. */
function findEdges(grid: Grid, centreX: number, centreY: number): Edge[] {
  const { values, width, height } = grid;
  const edges: Edge[] = [];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1, at = y * width + 1; x < width - 1; x++, at++) {
      const gx = (values[at + 1]! - values[at - 1]!) / 2;
      const gy = (values[at + width]! - values[at - width]!) / 2;
      if (gx * gx + gy * gy >= STEP_MIN * STEP_MIN) edges.push({ x: x - centreX, y: y - centreY, gx, gy });
    }
  }
  return edges;
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
  strengths(edges: readonly Edge[], dx: number, dy: number): [number, number] {
    const counts = this.#counts.fill(0);
    const pass = ++this.#pass;
    for (const edge of edges) {
      const step = edge.gx * dx + edge.gy * dy;
      const size = Math.abs(step);
      if (size < STEP_MIN || size < 2 * Math.abs(edge.gy * dx - edge.gx * dy)) continue;
      const distance = edge.x * dx + edge.y * dy;
      const line = Math.round(Math.abs(distance)) - this.#offsetMin;
      const place = Math.round(edge.y * dx - edge.x * dy) + this.#half;
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
