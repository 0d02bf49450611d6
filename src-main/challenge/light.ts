/**
 * Whether colours that the screen showed came back from a face. The screen is a lamp before the person; what it adds to the face's
 * colour follows its pattern a moment later, what a recording shows does not.
 *
 * Method. The colour of the inner face is taken as log(red/green) and log(blue/green), in which the skin's own colour and the
 * brightness are constants; the same of the background is subtracted, so that the camera's white balance, the room's light and a tint
 * over the whole picture cancel. This is compared with what each colour of the screen adds, for every delay that screen, camera and
 * vision can have together: normalised correlation over both values. Then the same is done for every other pattern that might have been
 * shown in the same moments. Passed is only what is like the pattern shown more than like any other: who does not see the screen
 * passes by one chance in {@link PATTERNS}, whatever they show, and the correlation and its size must do besides.
 *
 * Colours change every {@link SEGMENT_MS}: fewer than two changes a second, far below three flashes a second (WCAG 2.2, 2.3.1).
 */
import type { FaceColours } from '../vision/observation.ts';
import type { Verdict } from './movement.ts';

export const LIGHT_COLOURS = ['red', 'green', 'blue'] as const;
export type LightColour = (typeof LIGHT_COLOURS)[number];

/** As the screen shows them: bright, and none of them the saturated red that WCAG counts flashes of by itself. */
export const SCREEN_COLOURS: Readonly<Record<LightColour, `#${string}`>> = {
  red: '#ff5a4d',
  green: '#3ee07a',
  blue: '#4d7dff',
};

/** How long each colour stands, ms. */
export const SEGMENT_MS = 650;
export const SEGMENTS = 6;
/** Patterns there are: any colour first, then always another one than before. */
export const PATTERNS = LIGHT_COLOURS.length * (LIGHT_COLOURS.length - 1) ** (SEGMENTS - 1);
/** Longest delay from the terminal's decision to the frame that shows it, ms: line, drawing and fading, display, exposure, vision. */
export const DELAY_MS_MAX = 800;
const DELAY_MS_STEP = 40;
/** The screen fades from one colour to the next, ms (src-renderer/screens/challenge.css). */
const FADE_MS = 200;

/** Least normalised correlation with the pattern shown. */
const CORRELATION_MIN = 0.7;
/** Least size of what came back, in log units per unit of the screen's colour: below it is noise of the camera. */
const GAIN_MIN = 0.004;
/** Fewer frames decide nothing: about five a second. */
const FRAMES_MIN = 18;
/** Darker than this, of 255, a channel says nothing of colour; brighter, it is clipped. */
const CHANNEL_MIN = 6;
const CHANNEL_MAX = 250;

/** One colour and since when it was shown, of the camera's clock. The last one's end is the pattern's. */
export interface Shown {
  readonly fromMs: number;
  readonly colour: LightColour;
}

export interface LightFrame {
  readonly atMs: number;
  readonly colours: FaceColours | null;
}

/** @param fraction uniform in [0, 1) */
export function drawPattern(fraction: () => number): readonly LightColour[] {
  const pattern: LightColour[] = [];
  for (let i = 0; i < SEGMENTS; i++) {
    const possible = LIGHT_COLOURS.filter((colour) => colour !== pattern.at(-1));
    pattern.push(possible[Math.floor(fraction() * possible.length)]!);
  }
  return pattern;
}

/** @param shown the whole pattern. @param untilMs when its last colour ended. */
export function judgeLight(shown: readonly Shown[], untilMs: number, frames: readonly LightFrame[]): Verdict {
  const seen = frames.flatMap(({ atMs, colours }) => {
    const at = colours && chromaticity(colours);
    return at ? [{ atMs, ...at }] : [];
  });
  if (seen.length < FRAMES_MIN) return { is: 'late' };
  const truth = shown.map(({ colour }) => colour);
  const starts = shown.map(({ fromMs }) => fromMs);
  let best: Fit & { readonly pattern: readonly LightColour[] } = { correlation: -1, gain: 0, pattern: [] };
  for (let delayMs = 0; delayMs <= DELAY_MS_MAX; delayMs += DELAY_MS_STEP) {
    const response = responseOf(starts, untilMs, seen, delayMs);
    for (const pattern of everyPattern()) {
      const fit = fitOf(response, pattern);
      if (fit.correlation > best.correlation) best = { ...fit, pattern };
    }
  }
  const same = best.pattern.every((colour, i) => colour === truth[i]);
  return same && best.correlation >= CORRELATION_MIN && best.gain >= GAIN_MIN
    ? { is: 'passed', atMs: frames.at(-1)!.atMs }
    : { is: 'late' };
}

/** Null where the face says nothing of colour. A background that is too dark or too bright is left out. */
function chromaticity({ face, background }: FaceColours): { u: number; v: number } | null {
  const of = ([red, green, blue]: FaceColours['face']) =>
    [red, green, blue].every((channel) => channel >= CHANNEL_MIN && channel <= CHANNEL_MAX)
      ? { u: Math.log(red / green), v: Math.log(blue / green) }
      : null;
  const front = of(face);
  if (!front) return null;
  const back = background && of(background);
  return back ? { u: front.u - back.u, v: front.v - back.v } : front;
}

/** What a screen of each colour adds in linear light, as red − green and blue − green. */
const ADDS: Readonly<Record<LightColour, readonly [u: number, v: number]>> = (() => {
  const linear = (hex: string) => (Number.parseInt(hex, 16) / 255) ** 2.2;
  const of = (colour: LightColour) => {
    const hex = SCREEN_COLOURS[colour];
    const green = linear(hex.slice(3, 5));
    return [linear(hex.slice(1, 3)) - green, linear(hex.slice(5, 7)) - green] as const;
  };
  return { red: of('red'), green: of('green'), blue: of('blue') };
})();

/**
 * All that a fit with any pattern needs of the frames: which share of each segment every frame shows, summed up. A pattern's signal at
 * a frame is Σ share × ADDS[colour], so its sums with itself and with what was seen are made of these.
 */
interface Response {
  readonly frames: number;
  /** Σ over frames of share i × share j. */
  readonly overlaps: readonly (readonly number[])[];
  /** Σ of share i. */
  readonly shares: readonly number[];
  /** Σ of share i × what was seen, mean taken off. */
  readonly withU: readonly number[];
  readonly withV: readonly number[];
  /** Σ of the squares of what was seen, mean taken off. */
  readonly power: number;
}

function responseOf(
  starts: readonly number[],
  untilMs: number,
  seen: readonly { readonly atMs: number; readonly u: number; readonly v: number }[],
  delayMs: number,
): Response {
  const first = starts[0]! + delayMs;
  const used = seen.filter(({ atMs }) => atMs >= first && atMs <= untilMs + delayMs);
  const meanU = used.reduce((sum, { u }) => sum + u, 0) / (used.length || 1);
  const meanV = used.reduce((sum, { v }) => sum + v, 0) / (used.length || 1);
  const n = starts.length;
  const overlaps = starts.map(() => new Array<number>(n).fill(0));
  const shares = new Array<number>(n).fill(0);
  const withU = new Array<number>(n).fill(0);
  const withV = new Array<number>(n).fill(0);
  let power = 0;
  for (const { atMs, u, v } of used) {
    const share = sharesAt(starts, atMs - delayMs);
    power += (u - meanU) ** 2 + (v - meanV) ** 2;
    for (let i = 0; i < n; i++) {
      if (share[i] === 0) continue;
      shares[i]! += share[i]!;
      withU[i]! += share[i]! * (u - meanU);
      withV[i]! += share[i]! * (v - meanV);
      for (let j = 0; j < n; j++) overlaps[i]![j]! += share[i]! * share[j]!;
    }
  }
  return { frames: used.length, overlaps, shares, withU, withV, power };
}

/** Of each segment, how much of it the screen shows at a moment: one all of it, or two while it fades. */
function sharesAt(starts: readonly number[], atMs: number): number[] {
  const share = starts.map(() => 0);
  let now = 0;
  while (now + 1 < starts.length && starts[now + 1]! <= atMs) now++;
  const faded = now === 0 ? 1 : Math.min(1, (atMs - starts[now]!) / FADE_MS);
  share[now] = faded;
  if (now > 0) share[now - 1] = 1 - faded;
  return share;
}

interface Fit {
  readonly correlation: number;
  readonly gain: number;
}

function fitOf({ frames, overlaps, shares, withU, withV, power }: Response, pattern: readonly LightColour[]): Fit {
  if (frames < FRAMES_MIN || power === 0) return { correlation: -1, gain: 0 };
  let meanU = 0;
  let meanV = 0;
  let squares = 0;
  let product = 0;
  for (let i = 0; i < pattern.length; i++) {
    const [u, v] = ADDS[pattern[i]!];
    meanU += (shares[i]! * u) / frames;
    meanV += (shares[i]! * v) / frames;
    product += withU[i]! * u + withV[i]! * v;
    for (let j = 0; j < pattern.length; j++) {
      const [otherU, otherV] = ADDS[pattern[j]!];
      squares += overlaps[i]![j]! * (u * otherU + v * otherV);
    }
  }
  const spread = squares - frames * (meanU * meanU + meanV * meanV);
  if (spread <= 1e-9) return { correlation: -1, gain: 0 };
  return { correlation: product / Math.sqrt(spread * power), gain: product / spread };
}

let patterns: readonly (readonly LightColour[])[] | null = null;
function everyPattern(): readonly (readonly LightColour[])[] {
  patterns ??= Array.from({ length: SEGMENTS }).reduce<LightColour[][]>(
    (begun) =>
      begun.flatMap((pattern) =>
        LIGHT_COLOURS.filter((colour) => colour !== pattern.at(-1)).map((colour) => [...pattern, colour]),
      ),
    [[]],
  );
  return patterns;
}
