/** From a detector's raw output to faces: threshold, non-maximum suppression, largest first, and which one is meant. */
import type { Manifests } from './manifest.ts';
import type { Box } from './observation.ts';

export interface Detection {
  readonly box: Box;
  readonly confidence: number;
}

type Decode = Manifests['detector']['decode'];

/** Scores n × classes, boxes n × 4 as fractions of the frame. Largest face first. */
export function decodeDetections(
  scores: Float32Array,
  boxes: Float32Array,
  decode: Decode,
  frame: { width: number; height: number },
): Detection[] {
  const candidates: Detection[] = [];
  for (let i = 0, at = decode.faceClass; at < scores.length; i++, at += decode.classes) {
    const confidence = scores[at]!;
    if (!(confidence >= decode.confidenceMin)) continue;
    const x = boxes[4 * i]! * frame.width;
    const y = boxes[4 * i + 1]! * frame.height;
    const width = boxes[4 * i + 2]! * frame.width - x;
    const height = boxes[4 * i + 3]! * frame.height - y;
    if (width > 1 && height > 1) candidates.push({ box: { x, y, width, height }, confidence: Math.min(confidence, 1) });
  }
  candidates.sort((one, other) => other.confidence - one.confidence);
  const kept: Detection[] = [];
  for (const candidate of candidates) {
    if (kept.length === decode.facesMax) break;
    if (kept.every((face) => overlap(face.box, candidate.box) <= decode.overlapMax)) kept.push(candidate);
  }
  return kept.sort((one, other) => area(other.box) - area(one.box));
}

/** Intersection over union. */
export function overlap(one: Box, other: Box): number {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (area(one) + area(other) - shared);
}

const area = (box: Box): number => box.width * box.height;

/** A second face of at least this share of the largest one's area could as well be the customer. People standing behind
 *  at a terminal appear smaller than a half in width: below a quarter in area. */
const COMPARABLE_AREA = 0.3;

/** Index of the face that is meant, when it clearly is one; faces are largest first. */
export function chooseFace(faces: readonly Detection[]): number | null {
  if (faces.length === 0) return null;
  const second = faces[1];
  return second && area(second.box) >= COMPARABLE_AREA * area(faces[0]!.box) ? null : 0;
}

/** Index of the face nearest the middle, in its own widths: whom a portrait shows, whoever else is in it. A terminal never asks so. */
export function middleFace(
  faces: readonly Detection[],
  frame: { readonly width: number; readonly height: number },
): number | null {
  const distance = ({ box }: Detection) =>
    Math.hypot(box.x + box.width / 2 - frame.width / 2, box.y + box.height / 2 - frame.height / 2) / box.width;
  let nearest: number | null = null;
  for (const [i, face] of faces.entries()) {
    if (nearest === null || distance(face) < distance(faces[nearest]!)) nearest = i;
  }
  return nearest;
}
