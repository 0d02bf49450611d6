/** What attackers have of the people in the clips: pictures with a good face in them, and where in them the face is. */
import type { FaceObservation } from '../../src-main/vision/observation.ts';
import type { ClipName, Clips, Image } from './clips.ts';
import type { Light } from './optics.ts';
import { HEIGHT, WIDTH } from './optics.ts';

/** Looks at a frame as a terminal does, without embedding; null where it would not compare what it sees. */
export type FaceFinder = (pixels: Uint8Array) => Promise<FaceObservation | null>;

/** Which moments of the clips may be used: thresholds are chosen on those of "tuning", rates are reported on the others. */
export type Part = 'tuning' | 'reported';

export interface Moment {
  readonly clip: ClipName;
  readonly index: number;
}

export interface Subject extends Moment {
  readonly image: Image;
  readonly face: FaceObservation;
}

/** The man of two clips, in the first half of each, is there to choose thresholds; the rest and the other man to report rates. */
export function momentIn(
  part: Part,
  clips: Clips,
  frames: number,
  random: () => number,
  only?: readonly ClipName[],
): Moment {
  const own: readonly ClipName[] = ['cap12_edit.webm', 'cap13_edit2.webm'];
  const names = only ?? (part === 'tuning' || random() < 0.5 ? own : (['franck.webm'] as const));
  const clip = names[Math.floor(random() * names.length)]!;
  const whole = clips.length(clip);
  const half = whole >> 1;
  const from = part === 'reported' && clip !== 'franck.webm' ? half : 0;
  const to = part === 'tuning' ? half : whole;
  return { clip, index: from + Math.floor(random() * Math.max(1, to - from - frames)) };
}

const TRIES = 40;

/** A moment with a face good enough to compare: what somebody would choose who wants to be taken for that person. */
export async function subjectIn(
  part: Part,
  clips: Clips,
  frames: number,
  random: () => number,
  find: FaceFinder,
  only?: readonly ClipName[],
): Promise<Subject> {
  for (let i = 0; i < TRIES; i++) {
    const moment = momentIn(part, clips, frames, random, only);
    const image = await clips.frame(moment.clip, moment.index);
    const face = await find(rgbaOf(image));
    if (face) return { ...moment, image, face };
  }
  throw new Error(`no good face in ${TRIES} moments of the clips`);
}

export function rgbaOf({ rgb, width, height }: Image): Uint8Array {
  const pixels = new Uint8Array(4 * width * height);
  for (let from = 0, to = 0; to < pixels.length; from += 3, to += 4) {
    pixels[to] = rgb[from]!;
    pixels[to + 1] = rgb[from + 1]!;
    pixels[to + 2] = rgb[from + 2]!;
    pixels[to + 3] = 255;
  }
  return pixels;
}

export function lightOf({ rgb }: Image): Light {
  return Float32Array.from(rgb);
}

/** Part of a picture around its face, in the proportions given: what is printed, or shown upright on a phone. */
export interface Crop {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** @param widths of the face's box that the crop is wide; less where the picture ends. */
export function cropAround({ face, image }: Subject, widths: number, aspect: number): Crop {
  const { box } = face;
  let width = Math.min(widths * box.width, image.width);
  let height = width / aspect;
  if (height > image.height) {
    height = image.height;
    width = height * aspect;
  }
  const x = Math.min(Math.max(box.x + box.width / 2 - width / 2, 0), image.width - width);
  const y = Math.min(Math.max(box.y + box.height / 2 - height / 2, 0), image.height - height);
  return { x: Math.round(x), y: Math.round(y), width: Math.floor(width), height: Math.floor(height) };
}

/** @param margin around it, of one colour, in pixels: a print's white edge, a screen's bezel. */
export function cut(
  image: Image,
  crop: Crop,
  margin = 0,
  colour: readonly [number, number, number] = [255, 255, 255],
): Image {
  const width = crop.width + 2 * margin;
  const height = crop.height + 2 * margin;
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < rgb.length; i++) rgb[i] = colour[i % 3]!;
  for (let y = 0; y < crop.height; y++) {
    const from = 3 * ((crop.y + y) * image.width + crop.x);
    rgb.set(image.rgb.subarray(from, from + 3 * crop.width), 3 * ((y + margin) * width + margin));
  }
  return { width, height, rgb };
}

/** The camera's frame has this size; everything rendered has it too. */
export const FRAME = { width: WIDTH, height: HEIGHT };
