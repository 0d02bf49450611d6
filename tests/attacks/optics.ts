/**
 * What lies between a picture and a frame: a hand that holds it, the surface it is on, and the terminal's camera. Rendered, not filmed:
 * perspective, bending, screens' pixel grids and light, sensor noise are there; what a renderer does not know is not.
 */

import { seeded } from '../../scripts/random.ts';
import { FRAME_HEIGHT_PX, FRAME_WIDTH_PX } from '../../src-renderer/camera/frame-size.ts';
import type { Image } from './clips.ts';

export const WIDTH = FRAME_WIDTH_PX;
export const HEIGHT = FRAME_HEIGHT_PX;

/** Light that falls on the sensor: RGB, 0…255, three numbers a pixel. */
export type Light = Float32Array;

/** Where a frame's pixel lies on a picture, in its pixels; false where it shows something else. */
export type Surface = (x: number, y: number, onto: { u: number; v: number }) => boolean;

/** A value that goes to and fro about 0 over time in seconds, about ±1: slow drift of a hand, and a little tremor. */
export function unsteady(random: () => number): (seconds: number) => number {
  const waves = [
    { size: 0.6, hertz: 0.15 + 0.35 * random() },
    { size: 0.35, hertz: 0.5 + 0.6 * random() },
    { size: 0.05, hertz: 3 + 4 * random() },
  ].map((wave) => ({ ...wave, phase: 2 * Math.PI * random() }));
  return (seconds) =>
    waves.reduce((sum, { size, hertz, phase }) => sum + size * Math.sin(2 * Math.PI * hertz * seconds + phase), 0);
}

/** How a flat thing is held: radians, and the place of its middle in the frame. */
export interface Hold {
  readonly x: number;
  readonly y: number;
  readonly turn: number;
  readonly slantX: number;
  readonly slantY: number;
  /** Frame pixels per picture pixel. */
  readonly scale: number;
}

/** Of a camera of about 50° across. */
export const FOCAL_PX = 700;

/** The frame's view of a plane: the inverse of its homography. */
export function plane(hold: Hold, picture: { readonly width: number; readonly height: number }): Surface {
  const { sin, cos } = Math;
  const [ct, st] = [cos(hold.turn), sin(hold.turn)];
  const [cx, sx] = [cos(hold.slantX), sin(hold.slantX)];
  const [cy, sy] = [cos(hold.slantY), sin(hold.slantY)];
  // Columns of the rotation (turn, then slants) that take the picture's two axes into the room.
  const right = [cy * ct, cx * st + sx * sy * ct, sx * st - cx * sy * ct];
  const down = [-cy * st, cx * ct - sx * sy * st, sx * ct + cx * sy * st];
  const depth = FOCAL_PX / hold.scale;
  const h = [
    [FOCAL_PX * right[0]!, FOCAL_PX * down[0]!, 0],
    [FOCAL_PX * right[1]!, FOCAL_PX * down[1]!, 0],
    [right[2]!, down[2]!, depth],
  ];
  const [[a, b], [c, d], [e, f, g]] = h as [[number, number], [number, number], [number, number, number]];
  return (x, y, onto) => {
    // (a·u + b·v, c·u + d·v) = (x, y) · (e·u + f·v + g), two equations in u and v.
    const X = x - hold.x;
    const Y = y - hold.y;
    const [p, q, r, s] = [a - X * e, b - X * f, c - Y * e, d - Y * f];
    const determinant = p * s - q * r;
    if (Math.abs(determinant) < 1e-9) return false;
    onto.u = (g * (X * s - Y * q)) / determinant + picture.width / 2;
    onto.v = (g * (Y * p - X * r)) / determinant + picture.height / 2;
    return inside(onto, picture);
  };
}

/**
 * A sheet bent like part of a cylinder.
 * @param bend radians between the normals at its middle and its edge; the sign says whether the middle is nearer.
 * @param axis of the cylinder, radians from upright.
 */
export function cylinder(
  hold: Hold & { readonly bend: number; readonly axis: number },
  picture: { readonly width: number; readonly height: number },
): Surface {
  const [ct, st] = [Math.cos(hold.turn + hold.axis), Math.sin(hold.turn + hold.axis)];
  const [ca, sa] = [Math.cos(hold.axis), Math.sin(hold.axis)];
  const curvature = Math.abs(hold.bend) < 1e-3 ? 1e-3 : hold.bend / (picture.width / 2);
  const depth = FOCAL_PX / hold.scale;
  return (x, y, onto) => {
    const dx = x - hold.x;
    const dy = y - hold.y;
    const across = (ct * dx + st * dy) / FOCAL_PX;
    const along = (ct * dy - st * dx) / FOCAL_PX;
    let z = 0;
    let arc = 0;
    for (let i = 0; i < 4; i++) {
      const sine = curvature * across * (depth + z) - Math.sin(hold.slantY);
      if (Math.abs(sine) >= 0.99) return false;
      const angle = Math.asin(sine);
      arc = (angle + hold.slantY) / curvature;
      z = (Math.cos(hold.slantY) - Math.cos(angle)) / curvature;
    }
    const far = along * (depth + z) * (1 + hold.slantX * along);
    onto.u = ca * arc - sa * far + picture.width / 2;
    onto.v = sa * arc + ca * far + picture.height / 2;
    return inside(onto, picture);
  };
}

const inside = ({ u, v }: { u: number; v: number }, { width, height }: { width: number; height: number }) =>
  u >= 0 && v >= 0 && u < width && v < height;

/** How a surface gives a picture back. */
export interface Medium {
  /** What black and white of the picture become, of 255, per channel. */
  readonly black: readonly [number, number, number];
  readonly white: readonly [number, number, number];
  readonly gamma: number;
  /** A screen's pixel grid; its beat with the sensor's own is the moiré. */
  readonly grid: { readonly pitchPx: number; readonly depth: number; readonly turn: number } | null;
  /** Stripes of a screen that is lit by pulses: share of the light, period in rows, and phase. */
  readonly banding: { readonly depth: number; readonly periodPx: number; readonly phase: number } | null;
  readonly glare: Glare | null;
}

/** Reflection of a lamp or a window, at a place of the frame. */
export interface Glare {
  /** Light that it adds, of 255. */
  readonly strength: number;
  readonly x: number;
  readonly y: number;
  /** How gently it ends, px: the standard deviation of its edge. */
  readonly radiusPx: number;
  /** What lies within: half the length and breadth of a tube or a window, px, and how it is turned. Absent: a point. */
  readonly lamp?: { readonly halfLengthPx: number; readonly halfBreadthPx: number; readonly turn: number };
}

/** Exactly what the picture has: no surface in between. */
export const NO_MEDIUM: Medium = {
  black: [0, 0, 0],
  white: [255, 255, 255],
  gamma: 1,
  grid: null,
  banding: null,
  glare: null,
};

const WAVE = Float32Array.from({ length: 1024 }, (_, i) => Math.cos((2 * Math.PI * i) / 1024));
const wave = (turns: number) => WAVE[((turns - Math.floor(turns)) * 1024) | 0]!;

/** Draws a picture that a surface shows over what was there. */
export function show(light: Light, picture: Image, surface: Surface, medium: Medium = NO_MEDIUM): void {
  const tones = [0, 1, 2].map((channel) =>
    Float32Array.from({ length: 256 }, (_, i) => {
      const [black, white] = [medium.black[channel]!, medium.white[channel]!];
      return black + (white - black) * (i / 255) ** medium.gamma;
    }),
  );
  const { rgb, width, height } = picture;
  const { grid, banding, glare } = medium;
  const gridCos = grid ? Math.cos(grid.turn) / grid.pitchPx : 0;
  const gridSin = grid ? Math.sin(grid.turn) / grid.pitchPx : 0;
  const onto = { u: 0, v: 0 };
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    const stripe = banding ? 1 + banding.depth * wave(y / banding.periodPx + banding.phase) : 1;
    for (let x = 0; x < WIDTH; x++, at += 3) {
      if (!surface(x + 0.5, y + 0.5, onto)) continue;
      const u = Math.min(Math.max(onto.u - 0.5, 0), width - 1.001);
      const v = Math.min(Math.max(onto.v - 0.5, 0), height - 1.001);
      const u0 = u | 0;
      const v0 = v | 0;
      const fu = u - u0;
      const fv = v - v0;
      const from = 3 * (v0 * width + u0);
      const below = from + 3 * width;
      const reflected = glare ? reflection(glare, x - glare.x, y - glare.y) : 0;
      const rows = grid ? wave(gridCos * y - gridSin * x) : 0;
      const columns = grid ? gridCos * x + gridSin * y : 0;
      for (let channel = 0; channel < 3; channel++) {
        const tone = tones[channel]!;
        const top = tone[rgb[from + channel]!]! * (1 - fu) + tone[rgb[from + 3 + channel]!]! * fu;
        const bottom = tone[rgb[below + channel]!]! * (1 - fu) + tone[rgb[below + 3 + channel]!]! * fu;
        let value = (top * (1 - fv) + bottom * fv) * stripe;
        // Stripes of red, green and blue side by side, rows of all three.
        if (grid) value *= 1 + grid.depth * (wave(columns + channel / 3) + 0.6 * rows);
        light[at + channel] = value + reflected;
      }
    }
  }
}

/** Adds to what is there light that falls on it in one place, as sun through a window: a strength of 1 doubles it. */
export function shineOn(light: Light, beam: Glare): void {
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const more = 1 + reflection(beam, x - beam.x, y - beam.y);
      for (const end = at + 3; at < end; at++) light[at]! *= more;
    }
  }
}

function reflection({ strength, radiusPx, lamp }: Glare, dx: number, dy: number): number {
  if (!lamp) return strength * Math.exp(-(dx * dx + dy * dy) / (2 * radiusPx ** 2));
  const [cos, sin] = [Math.cos(lamp.turn), Math.sin(lamp.turn)];
  const along = Math.max(0, Math.abs(cos * dx + sin * dy) - lamp.halfLengthPx);
  const across = Math.max(0, Math.abs(cos * dy - sin * dx) - lamp.halfBreadthPx);
  return strength * Math.exp(-(along * along + across * across) / (2 * radiusPx ** 2));
}

/** A room out of focus, made of any picture: its light and its colours, without its faces. */
export function blurredRoom(picture: Image, random: () => number): Light {
  const cells = 20;
  const columns = Math.ceil(WIDTH / cells);
  const rows = Math.ceil(HEIGHT / cells);
  const coarse = new Float32Array(columns * rows * 3);
  const counts = new Float32Array(columns * rows);
  const flip = random() < 0.5;
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const column = Math.floor(((flip ? picture.width - 1 - x : x) / picture.width) * columns);
      // A face lies in the middle: what is beside and above it is the room.
      const cell = Math.floor((0.5 * y * rows) / picture.height) * columns + column;
      counts[cell]!++;
      for (let channel = 0; channel < 3; channel++)
        coarse[3 * cell + channel]! += picture.rgb[3 * (y * picture.width + x) + channel]!;
    }
  }
  for (let i = 0; i < coarse.length; i++) coarse[i]! /= counts[Math.floor(i / 3)]! || 1;
  for (let row = Math.ceil(rows / 2); row < rows; row++) {
    coarse.copyWithin(3 * row * columns, 3 * (rows - 1 - row) * columns, 3 * (rows - row) * columns);
  }
  const light = new Float32Array(3 * WIDTH * HEIGHT);
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    const cy = Math.min(Math.max(y / cells - 0.5, 0), rows - 1.001);
    for (let x = 0; x < WIDTH; x++) {
      const cx = Math.min(Math.max(x / cells - 0.5, 0), columns - 1.001);
      const from = 3 * ((cy | 0) * columns + (cx | 0));
      const [fx, fy] = [cx % 1, cy % 1];
      for (let channel = 0; channel < 3; channel++, at++) {
        const i = from + channel;
        const below = i + 3 * columns;
        light[at] =
          (coarse[i]! * (1 - fx) + coarse[i + 3]! * fx) * (1 - fy) +
          (coarse[below]! * (1 - fx) + coarse[below + 3]! * fx) * fy;
      }
    }
  }
  return light;
}

export interface Exposure {
  readonly gain: number;
  /** Standard deviation of the noise at middle grey, of 255; 0 is no sensor at all. */
  readonly noise: number;
  /** Share of the light that a lens spreads to each neighbour, 0…0.25. */
  readonly spread: number;
}

const GAUSSIANS = 1 << 19;
let gaussians: Float32Array | null = null;

/** Standard normal values, drawn once (Box and Muller). */
function noiseTable(): Float32Array {
  if (gaussians) return gaussians;
  const random = seeded(0x5e45);
  gaussians = new Float32Array(GAUSSIANS);
  for (let i = 0; i < GAUSSIANS; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    gaussians[i] = radius * Math.cos(angle);
    gaussians[i + 1] = radius * Math.sin(angle);
  }
  return gaussians;
}

/** One frame as the camera page delivers it: RGBA. Photon noise grows with the root of the light. */
export function expose(light: Light, { gain, noise, spread }: Exposure, random: () => number): Uint8Array {
  const seen = spread > 0 ? spreadOut(light, spread) : light;
  const table = noiseTable();
  const pixels = new Uint8ClampedArray(4 * WIDTH * HEIGHT);
  for (let y = 0, from = 0, to = 0; y < HEIGHT; y++) {
    let grain = Math.floor(random() * GAUSSIANS);
    for (let x = 0; x < WIDTH; x++, to += 4) {
      for (let channel = 0; channel < 3; channel++, from++) {
        const value = gain * seen[from]!;
        grain = (grain + 1) & (GAUSSIANS - 1);
        const sigma = noise === 0 ? 0 : noise * Math.sqrt(0.3 + 0.7 * Math.max(0, value / 128));
        pixels[to + channel] = value + sigma * table[grain]!;
      }
      pixels[to + 3] = 255;
    }
  }
  return new Uint8Array(pixels.buffer);
}

function spreadOut(light: Light, share: number): Light {
  const across = new Float32Array(light.length);
  const both = new Float32Array(light.length);
  const own = 1 - 2 * share;
  const row = 3 * WIDTH;
  for (let start = 0; start < light.length; start += row) {
    const last = start + row - 3;
    for (let i = start; i < start + row; i++) {
      const left = i >= start + 3 ? i - 3 : i;
      const right = i < last ? i + 3 : i;
      across[i] = own * light[i]! + share * (light[left]! + light[right]!);
    }
  }
  for (let start = 0; start < light.length; start += row) {
    const above = start > 0 ? -row : 0;
    const below = start + row < light.length ? row : 0;
    for (let i = start; i < start + row; i++) {
      both[i] = own * across[i]! + share * (across[i + above]! + across[i + below]!);
    }
  }
  return both;
}
