/**
 * Hard conditions put on a photograph: what a terminal's camera would have made of the same face in bad light, in motion, behind
 * glasses or a mask, too far away. Drawn, not photographed: they show what a condition takes away, not all that comes with it.
 */
import type { Picture } from './frame.ts';

/** 68 points (iBUG 300-W order), x0, y0, x1 …, in pixels of the picture. */
type Landmarks = Float32Array;
/** New pixels of the same size, or moved, turned and scaled content. */
type Degrade = (picture: Picture, landmarks: Landmarks, random: () => number, stranger: Picture) => Picture;

export interface Condition {
  readonly name: string;
  /** In the words of the card. */
  readonly strength: string;
  readonly apply: Degrade;
}

/** Each pixel's colours from its old ones and its place. */
function recoloured(
  { width, height, pixels }: Picture,
  colour: (value: number, x: number, y: number, channel: number) => number,
): Picture {
  const out = new Uint8ClampedArray(pixels);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      for (let channel = 0; channel < 3; channel++) out[at + channel] = colour(pixels[at + channel]!, x, y, channel);
    }
  }
  return { width, height, pixels: new Uint8Array(out.buffer) };
}

/** The picture seen through a map from its new pixels to its old ones; black where there was nothing. */
function moved(picture: Picture, from: (x: number, y: number) => readonly [number, number]): Picture {
  const { width, height, pixels } = picture;
  const out = new Uint8ClampedArray(pixels.length);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const [u, v] = from(x, y);
      out[at + 3] = 255;
      if (u < 0 || v < 0 || u > width - 1 || v > height - 1) continue;
      const [u0, v0] = [Math.min(Math.floor(u), width - 2), Math.min(Math.floor(v), height - 2)];
      const [fu, fv] = [u - u0, v - v0];
      const i = 4 * (v0 * width + u0);
      const below = i + 4 * width;
      for (let c = 0; c < 3; c++) {
        const top = pixels[i + c]! * (1 - fu) + pixels[i + 4 + c]! * fu;
        out[at + c] = top * (1 - fv) + (pixels[below + c]! * (1 - fu) + pixels[below + 4 + c]! * fu) * fv;
      }
    }
  }
  return { width, height, pixels: new Uint8Array(out.buffer) };
}

const point = (landmarks: Landmarks, i: number) => ({ x: landmarks[2 * i]!, y: landmarks[2 * i + 1]! });
function middle(landmarks: Landmarks, from: number, to: number): { x: number; y: number } {
  const points = Array.from({ length: to - from }, (_, i) => point(landmarks, from + i));
  return {
    x: points.reduce((sum, { x }) => sum + x, 0) / points.length,
    y: points.reduce((sum, { y }) => sum + y, 0) / points.length,
  };
}
const eyes = (landmarks: Landmarks) => [middle(landmarks, 36, 42), middle(landmarks, 42, 48)] as const;
const apart = (landmarks: Landmarks) => {
  const [left, right] = eyes(landmarks);
  return Math.hypot(right.x - left.x, right.y - left.y);
};
const centre = (landmarks: Landmarks) => middle(landmarks, 0, 68);

/** Standard normal (Box and Muller). */
const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** @param light share that is left; the sensor's noise does not get less. */
const lowLight =
  (light: number): Degrade =>
  (picture, _, random) =>
    recoloured(picture, (value) => light * value + 4 * normal(random));

/** A window behind: everything around the face bright, the face dark, and a veil of stray light over it. */
const backlight =
  (light: number, veil: number): Degrade =>
  (picture, landmarks) => {
    const { x: cx, y: cy } = centre(landmarks);
    const radius = 1.35 * apart(landmarks);
    return recoloured(picture, (value, x, y) => {
      const away = Math.hypot((x - cx) / radius, (y - cy) / (1.35 * radius));
      const outside = 1 / (1 + Math.exp(-14 * (away - 1)));
      return (1 - outside) * (light * value + veil) + outside * (200 + 0.22 * value);
    });
  };

/** Sideways and a little down. */
const motionBlur =
  (lengthPx: number): Degrade =>
  ({ width, height, pixels }) => {
    const out = new Uint8ClampedArray(pixels);
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at += 4) {
        const sums = [0, 0, 0];
        for (let k = 0; k < lengthPx; k++) {
          const u = Math.min(Math.max(x + k - (lengthPx >> 1), 0), width - 1);
          const v = Math.min(Math.max(y + Math.round(0.3 * (k - (lengthPx >> 1))), 0), height - 1);
          for (let c = 0; c < 3; c++) sums[c]! += pixels[4 * (v * width + u) + c]!;
        }
        for (let c = 0; c < 3; c++) out[at + c] = sums[c]! / lengthPx;
      }
    }
    return { width, height, pixels: new Uint8Array(out.buffer) };
  };

/** Rims around both eyes with a bridge and temples. @param tint what the lenses let through, and how much they reflect. */
const glasses =
  (tint: number, reflection: number): Degrade =>
  (picture, landmarks) => {
    const [left, right] = eyes(landmarks);
    const distance = apart(landmarks);
    const [cos, sin] = [(right.x - left.x) / distance, (right.y - left.y) / distance];
    const mid = { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 };
    const rim = 0.045;
    return recoloured(picture, (value, x, y) => {
      // In distances between the eyes, level with them.
      const u = (cos * (x - mid.x) + sin * (y - mid.y)) / distance;
      const v = (cos * (y - mid.y) - sin * (x - mid.x)) / distance;
      const side = Math.abs(u) - 0.5;
      const oval = ((side / 0.36) ** 4 + ((v - 0.04) / 0.27) ** 4) ** 0.25;
      if (Math.abs(oval - 1) < rim / 0.3) return 25;
      if (oval < 1) return tint * value + (side + v > 0.02 && side + v < 0.16 ? reflection : 0);
      const bridge = Math.abs(u) < 0.16 && Math.abs(v + 0.04) < rim;
      const temple = side > 0.36 && Math.abs(u) < 1.1 && Math.abs(v + 0.06) < rim;
      return bridge || temple ? 25 : value;
    });
  };

/** A surgical mask: from the bridge of the nose (or below the nose) along the jaw, with folds. */
const mask =
  (noseRow: 28 | 33): Degrade =>
  (picture, landmarks) => {
    const jaw = Array.from({ length: 13 }, (_, i) => point(landmarks, 2 + i));
    const outline = [...jaw, point(landmarks, noseRow)];
    const distance = apart(landmarks);
    const top = point(landmarks, noseRow).y;
    const tones = [172, 200, 214];
    const bottom = Math.max(...outline.map(({ y }) => y));
    return recoloured(picture, (value, x, y, channel) => {
      if (y < top - distance || y > bottom || !within(outline, x, y)) return value;
      const fold = 10 * Math.sin((2 * Math.PI * (y - top)) / (0.28 * distance));
      return tones[channel]! + fold - 0.12 * Math.abs(x - point(landmarks, 30).x);
    });
  };

function within(outline: readonly { x: number; y: number }[], x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = outline.length - 1; i < outline.length; j = i++) {
    const [a, b] = [outline[i]!, outline[j]!];
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}

/** Scaled about the face, which comes to the frame's middle; smaller ones are averaged, as a lens does. */
function scaledTo(picture: Picture, landmarks: Landmarks, scale: number): Picture {
  let { width, height, pixels } = picture;
  let rest = scale;
  const at = centre(landmarks);
  let { x: cx, y: cy } = at;
  while (rest <= 0.5) {
    const half = new Uint8Array(width * height);
    const [w, h] = [width >> 1, height >> 1];
    for (let y = 0, to = 0; y < h; y++) {
      for (let x = 0; x < w; x++, to += 4) {
        const i = 4 * (2 * y * width + 2 * x);
        for (let c = 0; c < 4; c++)
          half[to + c] =
            (pixels[i + c]! + pixels[i + 4 + c]! + pixels[i + 4 * width + c]! + pixels[i + 4 * width + 4 + c]!) / 4;
      }
    }
    [width, height, pixels, rest, cx, cy] = [w, h, half.subarray(0, 4 * w * h), 2 * rest, cx / 2, cy / 2];
  }
  const framed = new Uint8Array(4 * picture.width * picture.height);
  for (let y = 0; y < height; y++)
    framed.set(pixels.subarray(4 * y * width, 4 * (y + 1) * width), 4 * y * picture.width);
  const inFrame = { width: picture.width, height: picture.height, pixels: framed };
  return moved(inFrame, (x, y) => {
    const u = (x - picture.width / 2) / rest + cx;
    const v = (y - picture.height / 2) / rest + cy;
    return u > width - 1 || v > height - 1 ? [-1, -1] : [u, v];
  });
}

/** @param betweenEyes px in the frame. */
const distant =
  (betweenEyes: number): Degrade =>
  (picture, landmarks) =>
    scaledTo(picture, landmarks, betweenEyes / apart(landmarks));

const tilted =
  (degrees: number): Degrade =>
  (picture, landmarks, random) => {
    const turn = (degrees * Math.PI * (random() < 0.5 ? 1 : -1)) / 180;
    const { x: cx, y: cy } = centre(landmarks);
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    const [w, h] = [picture.width / 2, picture.height / 2];
    return moved(picture, (x, y) => [cos * (x - w) - sin * (y - h) + cx, sin * (x - w) + cos * (y - h) + cy]);
  };

/** @param share of the face's width that is outside the frame. */
const atEdge =
  (share: number): Degrade =>
  (picture, landmarks) => {
    const xs = Array.from({ length: 68 }, (_, i) => landmarks[2 * i]!);
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const shift = left + share * (right - left);
    return moved(picture, (x, y) => [x + shift, y]);
  };

/** Somebody else behind, at the left. @param size of their photograph, as a share of this one's. */
const bystander =
  (size: number): Degrade =>
  (picture, _, __, stranger) => {
    const shifted = moved(picture, (x, y) => [x - 80, y]);
    const out = shifted.pixels.slice();
    const bars = (picture.width - picture.height) / 2;
    const side = Math.round(size * picture.height);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side && x < 2 * bars; x++) {
        const u = Math.round(bars + x / size);
        const from = 4 * (Math.round(y / size) * picture.width + u);
        out.set(stranger.pixels.subarray(from, from + 3), 4 * ((y + 20) * picture.width + x));
      }
    }
    return { ...shifted, pixels: out };
  };

/** Strength rises within a name. */
export const CONDITIONS: readonly Condition[] = [
  { name: 'low light', strength: '30 % of the light', apply: lowLight(0.3) },
  { name: 'low light', strength: '12 % of the light', apply: lowLight(0.12) },
  { name: 'backlight', strength: 'face at 45 %', apply: backlight(0.45, 15) },
  { name: 'backlight', strength: 'face at 20 %, veil', apply: backlight(0.2, 35) },
  { name: 'motion blur', strength: '9 px', apply: motionBlur(9) },
  { name: 'motion blur', strength: '21 px', apply: motionBlur(21) },
  { name: 'glasses', strength: 'clear, reflecting', apply: glasses(0.92, 60) },
  { name: 'glasses', strength: 'dark', apply: glasses(0.12, 25) },
  { name: 'mask', strength: 'below the nose', apply: mask(33) },
  { name: 'mask', strength: 'over the nose', apply: mask(28) },
  { name: 'far', strength: '30 px between the eyes', apply: distant(30) },
  { name: 'far', strength: '18 px', apply: distant(18) },
  { name: 'near', strength: '160 px', apply: distant(160) },
  { name: 'near', strength: '240 px', apply: distant(240) },
  { name: 'tilted', strength: '20°', apply: tilted(20) },
  { name: 'tilted', strength: '40°', apply: tilted(40) },
  { name: 'at the edge', strength: '10 % of the face outside', apply: atEdge(0.1) },
  { name: 'at the edge', strength: '30 %', apply: atEdge(0.3) },
  { name: 'somebody behind', strength: 'at a third of the size', apply: bystander(1 / 3) },
];
