/**
 * Whether there is a sensor behind a feed. Where a picture has detail, a sensor's noise changes it from frame to frame by a level or
 * more of 255. Single points may come out the same for a second by chance, or by a camera's own filter against noise, but they lie
 * scattered: where of a whole part of the picture nothing changes, it was drawn or kept, not seen. So what animates a face in a
 * photograph is seen by what it leaves alone, however much of the picture it moves.
 *
 * Only points with detail count: a smooth wall may come out of a camera's own JPEG coder the same again and again, and so may what is
 * black or blown out.
 */
import type { Box, LivenessCalibration } from './observation.ts';
import type { Raster } from './resample.ts';

/** Points across the frame's longer side, about. */
const POINTS_ACROSS = 64;
/** A point has detail where the pixel this far right of it or below … */
const BESIDE_PX = 3;
/** … differs by this much, of 255. */
const DETAIL_MIN = 6;
const DARKEST = 20;
const BRIGHTEST = 235;
/** The face's box with this much of its sides around it is left out: an animated face moves there. */
const FACE_MARGIN = 0.1;
/** Side of a part of the picture, points, and how many with detail it takes to say anything: 8 independent points that each come out
 *  the same one time in three do so together less than once in 6,000. */
const PART_SIDE = 8;
const PART_POINTS_MIN = 8;

const spacingOf = (width: number, height: number) =>
  Math.max(BESIDE_PX + 1, Math.round(Math.max(width, height) / POINTS_ACROSS));

/** Green of points on a coarse grid, row by row; 0 where a point has no detail. */
export function detailPoints({ width, height, words }: Raster): Uint8Array<ArrayBuffer> {
  const spacing = spacingOf(width, height);
  const columns = Math.floor(width / spacing);
  const rows = Math.floor(height / spacing);
  const points = new Uint8Array(columns * rows);
  // So far from the cell's corner that what is compared lies in it.
  const inset = Math.floor((spacing - BESIDE_PX) / 2);
  for (let row = 0, to = 0; row < rows; row++) {
    let at = (row * spacing + inset) * width + inset;
    for (let column = 0; column < columns; column++, to++, at += spacing) {
      const green = (words[at]! >> 8) & 255;
      if (green < DARKEST || green > BRIGHTEST) continue;
      const right = (words[at + BESIDE_PX]! >> 8) & 255;
      const below = (words[at + BESIDE_PX * width]! >> 8) & 255;
      if (Math.abs(right - green) >= DETAIL_MIN || Math.abs(below - green) >= DETAIL_MIN) points[to] = green;
    }
  }
  return points;
}

/** One frame of a sequence, as far as noise shows. */
export interface NoiseSighting {
  readonly atMs: number;
  readonly points: Uint8Array;
  readonly face: Box;
  /** Of the frame, px. */
  readonly width: number;
  readonly height: number;
}

/**
 * Of the points beside the face that have detail, the share that lies in parts of the picture of which nothing changed at all in the last
 * spanMs, ms; null where the frames don't go back so far, are fewer than framesMin or of different size, or where fewer than pointsMin
 * points have detail. Oldest first.
 */
export function unchangedShare(
  frames: readonly NoiseSighting[],
  rules: Pick<LivenessCalibration['noiseless'], 'spanMs' | 'framesMin' | 'pointsMin'>,
): number | null {
  const newest = frames.at(-1);
  const from = frames.findLastIndex((frame) => newest!.atMs - frame.atMs >= rules.spanMs);
  if (!newest || from === -1 || frames.length - from < rules.framesMin) return null;
  const earlier = frames.slice(from, -1);
  const { points, width, height, face } = newest;
  if (earlier.some((frame) => frame.width !== width || frame.height !== height)) return null;
  const spacing = spacingOf(width, height);
  const columns = Math.floor(width / spacing);
  const [reachX, reachY] = [(0.5 + FACE_MARGIN) * face.width, (0.5 + FACE_MARGIN) * face.height];
  let detailed = 0;
  const partsAcross = Math.ceil(columns / PART_SIDE);
  const parts = new Map<number, { points: number; changed: boolean }>();
  for (let i = 0; i < points.length; i++) {
    if (points[i] === 0) continue;
    const [column, row] = [i % columns, Math.floor(i / columns)];
    const x = (column + 0.5) * spacing - face.x - face.width / 2;
    const y = (row + 0.5) * spacing - face.y - face.height / 2;
    if (Math.abs(x) < reachX && Math.abs(y) < reachY) continue;
    detailed++;
    const number = Math.floor(row / PART_SIDE) * partsAcross + Math.floor(column / PART_SIDE);
    const part = parts.get(number) ?? { points: 0, changed: false };
    parts.set(number, part);
    part.points++;
    part.changed ||= earlier.some((frame) => frame.points[i] !== points[i]);
  }
  if (detailed < rules.pointsMin) return null;
  let unchanged = 0;
  for (const part of parts.values()) if (!part.changed && part.points >= PART_POINTS_MIN) unchanged += part.points;
  return unchanged / detailed;
}
