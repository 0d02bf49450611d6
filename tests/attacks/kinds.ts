/**
 * Presentations as a terminal's camera would see them: people, and attacks of seventeen kinds, rendered from the demonstration's clips. The
 * same seed gives the same frames. Strength, size, light and motion of each are drawn anew, so that a rate over many means something.
 */
import sharp from 'sharp';
import { seeded } from '../../scripts/random.ts';
import type { Clips, Image } from './clips.ts';
import {
  blurredRoom,
  cylinder,
  type Exposure,
  expose,
  FOCAL_PX,
  type Glare,
  HEIGHT,
  type Hold,
  type Medium,
  NO_MEDIUM,
  plane,
  type Surface,
  shineOn,
  show,
  unsteady,
  WIDTH,
} from './optics.ts';
import { cropAround, cut, type FaceFinder, lightOf, momentIn, type Part, rgbaOf, subjectIn } from './subjects.ts';

export const FPS = 15;

export interface Studio {
  readonly clips: Clips;
  readonly find: FaceFinder;
  readonly part: Part;
  /** Frames that a presentation has. */
  readonly frames: number;
}

/** A frame as the camera page delivers it, RGBA, WIDTH × HEIGHT; asked for one after the other. */
export type Film = (index: number) => Promise<Uint8Array>;
type Maker = (studio: Studio, random: () => number) => Promise<Film>;

export interface Kind {
  readonly name: string;
  readonly bonaFide: boolean;
  readonly film: Maker;
}

const between = (random: () => number, low: number, high: number) => low + (high - low) * random();
const either = (random: () => number, share = 0.5) => random() < share;

/** What a camera at a terminal does in this light. */
const exposureIn = (random: () => number): Exposure => ({
  gain: between(random, 0.75, 1.2),
  noise: between(random, 0.8, 3),
  spread: between(random, 0, 0.12),
});

/** A paper print: less contrast than the picture, a tint. */
const paperIn = (random: () => number): Medium => {
  const tint = between(random, -8, 8);
  const white = between(random, 200, 245);
  const black = between(random, 12, 40);
  return {
    ...NO_MEDIUM,
    black: [black, black, black],
    white: [white + tint, white, white - tint],
    gamma: between(random, 0.85, 1.15),
  };
};

interface Screen {
  readonly medium: Medium;
  at(seconds: number, offset: { x: number; y: number }): Medium;
}

/** A display: a grid that beats with the sensor, a glow in its black, pulses, a reflection that wanders against the hand. */
function screenIn(random: () => number): Screen {
  const glow = between(random, 4, 22);
  const white = between(random, 215, 262);
  const cold = between(random, 0, 14);
  const grid = either(random, 0.8)
    ? { pitchPx: between(random, 0.4, 2.7), depth: between(random, 0.02, 0.12), turn: between(random, -0.06, 0.06) }
    : null;
  const banding = either(random)
    ? { depth: between(random, 0.02, 0.1), periodPx: between(random, 120, 500), hertz: between(random, 0.2, 4) }
    : null;
  const glare = either(random, 0.6)
    ? {
        strength: between(random, 15, 90),
        x: between(random, 0.2, 0.8) * WIDTH,
        y: between(random, 0.1, 0.7) * HEIGHT,
        radiusPx: between(random, 25, 90),
      }
    : null;
  const medium: Medium = {
    ...NO_MEDIUM,
    black: [glow, glow, glow + cold / 2],
    white: [white - cold, white, white + cold],
    gamma: between(random, 0.85, 1.25),
    grid,
  };
  return {
    medium,
    at: (seconds, offset) => ({
      ...medium,
      banding: banding && { depth: banding.depth, periodPx: banding.periodPx, phase: banding.hertz * seconds },
      glare: glare && { ...glare, x: glare.x - 1.5 * offset.x, y: glare.y - 1.5 * offset.y },
    }),
  };
}

interface Hand {
  /** How it holds what it holds at a time, about a place and a scale. */
  at(seconds: number): Hold;
}

/** @param reach how far it strays, px. */
function handIn(
  random: () => number,
  middle: { x: number; y: number; scale: number },
  reach = between(random, 3, 22),
): Hand {
  const [x, y, near, turn, slantX, slantY] = Array.from({ length: 6 }, () => unsteady(random)) as [
    ...Array<ReturnType<typeof unsteady>>,
  ] as ReturnType<typeof unsteady>[];
  const slant = between(random, 0.02, 0.22);
  const lean = { x: between(random, -0.15, 0.15), y: between(random, -0.2, 0.2), turn: between(random, -0.1, 0.1) };
  const rolls = between(random, 0.01, 0.06);
  return {
    at: (seconds) => ({
      x: middle.x + reach * x!(seconds),
      y: middle.y + reach * y!(seconds),
      scale: middle.scale * (1 + 0.0025 * reach * near!(seconds)),
      turn: lean.turn + rolls * turn!(seconds),
      slantX: lean.x + slant * slantX!(seconds),
      slantY: lean.y + slant * slantY!(seconds),
    }),
  };
}

const MIDDLE = { x: WIDTH / 2, y: HEIGHT / 2 };

const dark: readonly [number, number, number] = [14, 14, 16];

/** A person: the clip itself, nearer or less near, with this camera's noise and light, and with what else falls on it. */
const personIn =
  (beamIn: (random: () => number, face: { readonly x: number; readonly y: number }) => Glare | null): Maker =>
  async ({ clips, find, part, frames }, random) => {
    const { clip, index } = momentIn(part, clips, frames, random);
    const face = await find(rgbaOf(await clips.frame(clip, index)));
    const exposure = { ...exposureIn(random), noise: between(random, 0.5, 3), spread: between(random, 0, 0.06) };
    // Whom the terminal would ask to step back would do so.
    const zoom = Math.max(1, Math.min(between(random, 1, 1.3), face ? (0.75 * HEIGHT) / face.box.height : 1));
    const room = { x: (zoom - 1) * WIDTH, y: (zoom - 1) * HEIGHT };
    const [left, top] = [room.x * between(random, 0.2, 0.8), room.y * between(random, 0.2, 0.8)];
    const still: Surface = (x, y, onto) => {
      onto.u = (x + left) / zoom;
      onto.v = (y + top) / zoom;
      return true;
    };
    const centre = face ? { x: face.box.x + face.box.width / 2, y: face.box.y + face.box.height / 2 } : MIDDLE;
    const beam = beamIn(random, { x: zoom * centre.x - left, y: zoom * centre.y - top });
    return async (i) => {
      const light = new Float32Array(3 * WIDTH * HEIGHT);
      show(light, await clips.frame(clip, index + i), still);
      if (beam) shineOn(light, beam);
      return expose(light, exposure, random);
    };
  };

const person = personIn(() => null);

/** Somebody on whom sun through a window falls, in one place, which stays where it is while they move. */
const personInSun = personIn((random, face) => {
  const [long, broad] = [between(random, 20, 120), between(random, 10, 80)];
  return {
    strength: between(random, 0.4, 2),
    x: face.x + between(random, -90, 90),
    y: face.y + between(random, -100, 100),
    radiusPx: between(random, 3, 20),
    lamp: { halfLengthPx: long, halfBreadthPx: broad, turn: Math.PI * random() },
  };
});

/** A print in a hand, with a white edge or without. */
const heldPhoto: Maker = async ({ clips, find, part }, random) => {
  const subject = await subjectIn(part, clips, 1, random, find);
  const crop = cropAround(subject, between(random, 1.8, 3), between(random, 0.7, 1));
  const margin = either(random) ? Math.round(0.05 * crop.width) : 0;
  const photo = cut(subject.image, crop, margin);
  const hand = handIn(random, { ...MIDDLE, scale: between(random, 110, 190) / subject.face.box.width });
  const medium = paperIn(random);
  const room = blurredRoom(subject.image, random);
  const exposure = exposureIn(random);
  return async (i) => {
    const light = room.slice();
    show(light, photo, plane(hand.at(i / FPS), photo), medium);
    return expose(light, exposure, random);
  };
};

/** A print that is bent, more and less, to look as deep as a face. */
const bentPhoto: Maker = async ({ clips, find, part }, random) => {
  const subject = await subjectIn(part, clips, 1, random, find);
  const crop = cropAround(subject, between(random, 1.8, 3), between(random, 0.7, 1));
  const photo = cut(subject.image, crop, either(random) ? Math.round(0.05 * crop.width) : 0);
  const hand = handIn(random, { ...MIDDLE, scale: between(random, 110, 190) / subject.face.box.width });
  const medium = paperIn(random);
  const room = blurredRoom(subject.image, random);
  const exposure = exposureIn(random);
  const axis = either(random, 0.7) ? between(random, -0.15, 0.15) : between(random, 0.4, 1.1);
  const bend = { mean: between(random, 0.1, 0.5), change: between(random, 0.1, 0.4), at: unsteady(random) };
  return async (i) => {
    const light = room.slice();
    const held = { ...hand.at(i / FPS), axis, bend: bend.mean + bend.change * bend.at(i / FPS) };
    show(light, photo, cylinder(held, photo), medium);
    return expose(light, exposure, random);
  };
};

/** A print before a living face, with holes where its eyes are. The holes follow the face behind, as a mask that is tied on. */
const cutOutEyes: Maker = async (studio, random) => {
  const { clips, find, part, frames } = studio;
  const subject = await subjectIn(part, clips, 1, random, find);
  const others =
    subject.clip === 'franck.webm' ? (['cap12_edit.webm', 'cap13_edit2.webm'] as const) : (['franck.webm'] as const);
  // Only the eyes of the other man are seen: they may be from any part of his clip.
  const attacker = await subjectIn(
    'reported',
    clips,
    frames,
    random,
    find,
    part === 'tuning' ? ['cap13_edit2.webm'] : others,
  );
  const crop = cropAround(subject, between(random, 1.8, 3), between(random, 0.7, 1));
  const photo = cut(subject.image, crop);
  const eyes = eyesOf(subject.face.landmarks).map(({ x, y, width }) => ({ x: x - crop.x, y: y - crop.y, width }));
  const hand = handIn(random, { ...MIDDLE, scale: between(random, 110, 190) / subject.face.box.width });
  const hole = between(random, 0.62, 0.85);
  const medium = paperIn(random);
  const room = blurredRoom(subject.image, random);
  const exposure = exposureIn(random);
  let behind = eyesOf(attacker.face.landmarks);
  return async (i) => {
    const light = room.slice();
    const surface = plane(hand.at(i / FPS), photo);
    show(light, photo, surface, medium);
    const image = await clips.frame(attacker.clip, attacker.index + i);
    const seen = await find(rgbaOf(image));
    if (seen) {
      const now = eyesOf(seen.landmarks);
      behind = behind.map((eye, k) => ({
        x: 0.6 * eye.x + 0.4 * now[k]!.x,
        y: 0.6 * eye.y + 0.4 * now[k]!.y,
        width: 0.8 * eye.width + 0.2 * now[k]!.width,
      }));
    }
    const through: Surface = (x, y, onto) => {
      if (!surface(x, y, onto)) return false;
      for (const [k, eye] of eyes.entries()) {
        const dx = (onto.u - eye.x) / (hole * eye.width);
        const dy = (onto.v - eye.y) / (0.55 * hole * eye.width);
        if (dx * dx + dy * dy >= 1) continue;
        const other = behind[k]!;
        const scale = other.width / eye.width;
        onto.u = other.x + (onto.u - eye.x) * scale;
        onto.v = other.y + (onto.v - eye.y) * scale;
        return onto.u >= 0 && onto.v >= 0 && onto.u < WIDTH && onto.v < HEIGHT;
      }
      return false;
    };
    show(light, image, through);
    return expose(light, exposure, random);
  };
};

/** Middle and width of either eye, of 68 points. */
function eyesOf(landmarks: Float32Array): { x: number; y: number; width: number }[] {
  return [36, 42].map((first) => {
    const points = Array.from({ length: 6 }, (_, i) => [landmarks[2 * (first + i)]!, landmarks[2 * (first + i) + 1]!]);
    const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis]!, 0) / 6;
    return {
      x: mean(0),
      y: mean(1),
      width: Math.hypot(points[3]![0]! - points[0]![0]!, points[3]![1]! - points[0]![1]!),
    };
  });
}

/** A clip on a screen in a hand. */
const replayOn =
  (shape: (random: () => number) => { aspect: number; tall: number; bezel: number }): Maker =>
  async ({ clips, find, part, frames }, random) => {
    const subject = await subjectIn(part, clips, frames, random, find);
    const { aspect, tall, bezel } = shape(random);
    const crop = cropAround(subject, 10, aspect);
    const margin = Math.round(bezel * crop.height);
    const hand = handIn(random, { ...MIDDLE, scale: (tall * HEIGHT) / crop.height });
    const screen = screenIn(random);
    const room = blurredRoom(subject.image, random);
    const exposure = exposureIn(random);
    return async (i) => {
      const light = room.slice();
      const picture = cut(await clips.frame(subject.clip, subject.index + i), crop, margin, dark);
      const hold = hand.at(i / FPS);
      const offset = { x: hold.x - MIDDLE.x, y: hold.y - MIDDLE.y };
      show(light, picture, plane(hold, picture), screen.at(i / FPS, offset));
      return expose(light, exposure, random);
    };
  };

const phoneReplay = replayOn((random) => ({
  aspect: between(random, 0.5, 0.75),
  tall: between(random, 0.75, 1.1),
  bezel: between(random, 0.02, 0.06),
}));
const tabletReplay = replayOn((random) => ({
  aspect: 4 / 3,
  tall: between(random, 0.65, 0.95),
  bezel: between(random, 0.03, 0.08),
}));

/** So near that no edge is in view. */
const fillingScale = (random: () => number, faceWidth: number) =>
  Math.max(1.25, Math.min(between(random, 1.25, 1.6), (0.7 * HEIGHT) / (1.3 * faceWidth)));

const beyond =
  (surface: Surface): Surface =>
  (x, y, onto) => {
    surface(x, y, onto);
    return true;
  };

/** A print so near that it fills the frame. */
const nearPhoto: Maker = async ({ clips, find, part }, random) => {
  const { image, face } = await subjectIn(part, clips, 1, random, find);
  const hand = handIn(
    random,
    { ...centredOn(face.box, 1.25), scale: fillingScale(random, face.box.width) },
    between(random, 2, 12),
  );
  const medium = paperIn(random);
  const exposure = exposureIn(random);
  return async (i) => {
    const light = new Float32Array(3 * WIDTH * HEIGHT);
    show(light, image, beyond(plane(hand.at(i / FPS), image)), medium);
    return expose(light, exposure, random);
  };
};

/** A screen so near that it fills the frame. */
const nearReplay: Maker = async ({ clips, find, part, frames }, random) => {
  const { clip, index, face } = await subjectIn(part, clips, frames, random, find);
  const middle = centredOn(face.box, 1.25);
  const hand = handIn(random, { ...middle, scale: fillingScale(random, face.box.width) }, between(random, 2, 12));
  const screen = screenIn(random);
  const exposure = exposureIn(random);
  return async (i) => {
    const light = new Float32Array(3 * WIDTH * HEIGHT);
    const image = await clips.frame(clip, index + i);
    const hold = hand.at(i / FPS);
    const offset = { x: hold.x - middle.x, y: hold.y - middle.y };
    show(light, image, beyond(plane(hold, image)), screen.at(i / FPS, offset));
    return expose(light, exposure, random);
  };
};

/** Where the middle of a picture has to be for its face to be in the middle of the frame, as far as it still fills it. */
function centredOn(
  box: { x: number; y: number; width: number; height: number },
  scale: number,
): { x: number; y: number } {
  const reach = { x: ((scale - 1) / 2) * WIDTH * 0.7, y: ((scale - 1) / 2) * HEIGHT * 0.7 };
  const limit = (value: number, most: number) => Math.min(Math.max(value, -most), most);
  return {
    x: WIDTH / 2 - limit((box.x + box.width / 2 - WIDTH / 2) * scale, reach.x),
    y: HEIGHT / 2 - limit((box.y + box.height / 2 - HEIGHT / 2) * scale, reach.y),
  };
}

/** What a lamp or a window leaves on glass or glossy paper: it lies still in the room, so that it runs over what tilts, twice as far. */
function lampIn(random: () => number): (hold: Hold) => Glare {
  const place = { x: between(random, 0.3, 0.7) * WIDTH, y: between(random, 0.2, 0.6) * HEIGHT };
  const mirrored = 2 * FOCAL_PX * between(random, 0.3, 0.8);
  const strength = between(random, 60, 260);
  const radiusPx = between(random, 4, 40);
  const shape = Math.floor(3 * random());
  const [long, broad] = [between(random, 40, 160), between(random, 6, 40)];
  const turn = between(random, -0.6, 0.6) + (either(random) ? Math.PI / 2 : 0);
  // A bulb, a tube, a window.
  const sides = [
    { halfLengthPx: broad, halfBreadthPx: broad },
    { halfLengthPx: long, halfBreadthPx: broad / 2 },
    { halfLengthPx: long, halfBreadthPx: 0.6 * long },
  ][shape]!;
  return ({ slantX, slantY }) => ({
    strength,
    x: place.x + mirrored * slantY,
    y: place.y - mirrored * slantX,
    radiusPx,
    lamp: { ...sides, turn },
  });
}

/** A glossy print in a hand under a lamp, near enough to fill the frame or not. */
const glossyPhoto: Maker = async ({ clips, find, part }, random) => {
  const subject = await subjectIn(part, clips, 1, random, find);
  const near = either(random);
  const crop = cropAround(
    subject,
    near ? 10 : between(random, 1.8, 3),
    near ? WIDTH / HEIGHT : between(random, 0.7, 1),
  );
  const photo = cut(subject.image, crop);
  const { box } = subject.face;
  const middle = near
    ? { ...centredOn(box, 1.25), scale: fillingScale(random, box.width) }
    : { ...MIDDLE, scale: between(random, 110, 190) / box.width };
  const hand = handIn(random, middle, near ? between(random, 2, 12) : undefined);
  const medium = paperIn(random);
  const lamp = lampIn(random);
  const room = blurredRoom(subject.image, random);
  const exposure = exposureIn(random);
  return async (i) => {
    const hold = hand.at(i / FPS);
    const surface = plane(hold, photo);
    const light = room.slice();
    show(light, photo, near ? beyond(surface) : surface, { ...medium, glare: lamp(hold) });
    return expose(light, exposure, random);
  };
};

/** A screen of glass under a lamp, so fine that the camera does not see its grid, its edges in view or not. */
const glossyReplay: Maker = async ({ clips, find, part, frames }, random) => {
  const { clip, index, face } = await subjectIn(part, clips, frames, random, find);
  const near = either(random);
  const middle = near
    ? { ...centredOn(face.box, 1.25), scale: fillingScale(random, face.box.width) }
    : { ...MIDDLE, scale: between(random, 0.7, 0.95) };
  const hand = handIn(random, middle, between(random, 2, 12));
  const screen = { ...screenIn(random).medium, grid: null };
  const lamp = lampIn(random);
  const room = blurredRoom(await clips.frame(clip, index), random);
  const margin = near ? 0 : Math.round(between(random, 0.03, 0.08) * HEIGHT);
  const exposure = exposureIn(random);
  return async (i) => {
    const hold = hand.at(i / FPS);
    const image = await clips.frame(clip, index + i);
    const picture = cut(image, { x: 0, y: 0, width: image.width, height: image.height }, margin, dark);
    const surface = plane(hold, picture);
    const light = room.slice();
    show(light, picture, near ? beyond(surface) : surface, { ...screen, glare: lamp(hold) });
    return expose(light, exposure, random);
  };
};

/** Photographs of one person, one after the other before the camera. */
const slideshow: Maker = async ({ clips, find, part }, random) => {
  const first = await subjectIn(part, clips, 1, random, find);
  const subjects = [first];
  while (subjects.length < 12) subjects.push(await subjectIn(part, clips, 1, random, find, [first.clip]));
  const every = 1 + Math.floor(random() * 6);
  const medium = paperIn(random);
  const exposure = exposureIn(random);
  return async (i) => {
    const { image } = subjects[Math.floor(i / every) % subjects.length]!;
    const light = new Float32Array(3 * WIDTH * HEIGHT);
    show(light, image, beyond(plane({ ...MIDDLE, scale: 1, turn: 0, slantX: 0, slantY: 0 }, image)), medium);
    return expose(light, exposure, random);
  };
};

/** How a feed that is no camera's hands a picture on: exactly, encoded anew, or with noise put on it. */
function handedOn(random: () => number, way = Math.floor(3 * random())): (image: Image) => Promise<Uint8Array> {
  const quality = Math.round(between(random, 75, 95));
  const noise = between(random, 0.5, 2);
  return async (image) => {
    if (way === 0) return rgbaOf(image);
    if (way === 2) return expose(lightOf(image), { gain: 1, noise, spread: 0 }, random);
    const { width, height, rgb } = image;
    const encoded = await sharp(rgb, { raw: { width, height, channels: 3 } })
      .jpeg({ quality })
      .toBuffer();
    return new Uint8Array(await sharp(encoded).ensureAlpha().raw().toBuffer());
  };
}

/** A second or two of a clip in place of the camera, again and again, or to and fro. */
const loop: Maker = async ({ clips, find, part }, random) => {
  const period = Math.round(between(random, 6, 30));
  const { clip, index } = await subjectIn(part, clips, period, random, find);
  const toAndFro = either(random, 0.4);
  const hand = handedOn(random);
  return async (i) => {
    const step = i % (toAndFro ? 2 * period - 2 : period);
    return await hand(await clips.frame(clip, index + (step < period ? step : 2 * period - 2 - step)));
  };
};

/** One frame in place of the camera, for ever; encoded anew each time, or a little brighter and darker. */
const frozen: Maker = async ({ clips, find, part }, random) => {
  const { image } = await subjectIn(part, clips, 1, random, find);
  const hand = handedOn(random);
  return () => hand(image);
};

/** A clip in place of the camera. */
const injected: Maker = async ({ clips, find, part, frames }, random) => {
  const { clip, index } = await subjectIn(part, clips, frames, random, find);
  const hand = handedOn(random);
  return async (i) => hand(await clips.frame(clip, index + i));
};

/** Ways of handing on that put no noise on it. */
const asItIs = (random: () => number) => handedOn(random, Math.floor(2 * random()));
const withNoise = (random: () => number) => handedOn(random, 2);

/** A photograph in place of the camera whose face a program moves: what is around it stands still. The motion is a living face's. */
const animatedPhoto =
  (handed: typeof asItIs): Maker =>
  async ({ clips, find, part, frames }, random) => {
    const { clip, index, image, face } = await subjectIn(part, clips, frames, random, find);
    const { box } = face;
    const reach = between(random, 0.7, 1);
    const hand = handed(random);
    return async (i) => {
      const now = await clips.frame(clip, index + i);
      const rgb = image.rgb.slice();
      for (let y = 0, at = 0; y < HEIGHT; y++) {
        const dy = (y - box.y - box.height / 2) / (reach * box.height);
        for (let x = 0; x < WIDTH; x++) {
          const dx = (x - box.x - box.width / 2) / (reach * box.width);
          // All of the middle, nothing beyond the rim, faded between.
          const share = Math.min(Math.max(4 * (1 - Math.hypot(dx, dy)), 0), 1);
          for (let channel = 0; channel < 3; channel++, at++) {
            if (share > 0) rgb[at] = share * now.rgb[at]! + (1 - share) * rgb[at]!;
          }
        }
      }
      return await hand({ width: WIDTH, height: HEIGHT, rgb });
    };
  };

/** Side of what a video encoder leaves as it was when little changes, px. */
const BLOCK_PX = 16;

/** A clip in place of the camera, without noise: blocks that hardly change stay as they were, as in a video call. */
const denoised: Maker = async ({ clips, find, part, frames }, random) => {
  const { clip, index } = await subjectIn(part, clips, frames, random, find);
  const changeMin = between(random, 1.5, 5);
  const hand = asItIs(random);
  let shown: Uint8Array | null = null;
  return async (i) => {
    const { rgb } = await clips.frame(clip, index + i);
    const before = shown;
    const next = rgb.slice();
    for (let top = 0; before && top < HEIGHT; top += BLOCK_PX) {
      for (let left = 0; left < WIDTH; left += BLOCK_PX) {
        const rows = Array.from({ length: BLOCK_PX }, (_, row) => 3 * ((top + row) * WIDTH + left));
        let change = 0;
        for (const from of rows) {
          for (let at = from; at < from + 3 * BLOCK_PX; at++) change += Math.abs(rgb[at]! - before[at]!);
        }
        if (change >= changeMin * 3 * BLOCK_PX * BLOCK_PX) continue;
        for (const from of rows) next.set(before.subarray(from, from + 3 * BLOCK_PX), from);
      }
    }
    shown = next;
    return await hand({ width: WIDTH, height: HEIGHT, rgb: next });
  };
};

/** One frame in place of the camera, warped as if the head turned and the mouth moved, along paths without a tremor. */
const smoothWarp: Maker = async ({ clips, find, part }, random) => {
  const { image, face } = await subjectIn(part, clips, 1, random, find);
  const { box } = face;
  const centre = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const mouth = { x: face.landmarks[2 * 66]!, y: face.landmarks[2 * 66 + 1]! };
  const depthPx = between(random, 2, 10);
  const mouthPx = either(random, 0.7) ? between(random, 1, 6) : 0;
  const [hertz, second, speech] = [between(random, 0.2, 0.8), between(random, 0.1, 0.5), between(random, 0.5, 1.5)];
  const phase = 2 * Math.PI * random();
  const hand = handedOn(random);
  return async (i) => {
    const turns = 2 * Math.PI * (i / FPS);
    const nod = { x: depthPx * Math.sin(hertz * turns + phase), y: 0.5 * depthPx * Math.sin(second * turns) };
    const open = mouthPx * Math.sin(speech * turns);
    const light = new Float32Array(3 * WIDTH * HEIGHT);
    show(light, image, (x, y, onto) => {
      const [dx, dy] = [(x - centre.x) / box.width, (y - centre.y) / box.height];
      const near = Math.exp(-3 * (dx * dx + dy * dy));
      const [mx, my] = [(x - mouth.x) / (0.35 * box.width), (y - mouth.y) / (0.3 * box.height)];
      onto.u = x - near * nod.x;
      onto.v = y - near * nod.y - open * my * Math.exp(-2 * (mx * mx + my * my));
      return true;
    });
    const rgb = new Uint8Array(Uint8ClampedArray.from(light).buffer);
    return await hand({ width: WIDTH, height: HEIGHT, rgb });
  };
};

export const KINDS: readonly Kind[] = [
  { name: 'person', bonaFide: true, film: person },
  { name: 'person in patches of sun', bonaFide: true, film: personInSun },
  { name: 'held photo', bonaFide: false, film: heldPhoto },
  { name: 'bent photo', bonaFide: false, film: bentPhoto },
  { name: 'photo with cut-out eyes', bonaFide: false, film: cutOutEyes },
  { name: 'photo filling the frame', bonaFide: false, film: nearPhoto },
  { name: 'glossy photo under a lamp', bonaFide: false, film: glossyPhoto },
  { name: 'photos in turn', bonaFide: false, film: slideshow },
  { name: 'phone replay', bonaFide: false, film: phoneReplay },
  { name: 'tablet replay', bonaFide: false, film: tabletReplay },
  { name: 'replay filling the frame', bonaFide: false, film: nearReplay },
  { name: 'glass screen under a lamp', bonaFide: false, film: glossyReplay },
  { name: 'frozen feed', bonaFide: false, film: frozen },
  { name: 'looped feed', bonaFide: false, film: loop },
  { name: 'smoothly warped still', bonaFide: false, film: smoothWarp },
  { name: 'animated photograph', bonaFide: false, film: animatedPhoto(asItIs) },
  { name: 'animated photograph with noise', bonaFide: false, film: animatedPhoto(withNoise) },
  { name: 'denoised recording', bonaFide: false, film: denoised },
  { name: 'injected recording', bonaFide: false, film: injected },
];

/** One presentation of a kind, from a seed. */
export async function filmOf(kind: Kind, seed: number, studio: Studio): Promise<Film> {
  const salt = [...kind.name].reduce((sum, char) => (31 * sum + char.charCodeAt(0)) >>> 0, 7);
  const offset = studio.part === 'tuning' ? 0 : 0x10000;
  return await kind.film(studio, seeded((salt + offset + seed) >>> 0));
}
