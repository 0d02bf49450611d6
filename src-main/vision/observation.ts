/**
 * What the vision worker says about one frame. It knows nothing of people: no gallery, no names, no memory of other frames.
 * Lengths are pixels of the frame, angles degrees, times the camera's monotonic ms.
 */
import type { Frame } from '../../src-contract/frame.ts';
import type { LookHint } from '../../src-contract/screen.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Why a face is not good enough to compare, worst first. Empty means good. */
export type QualityProblem =
  | 'too-small'
  | 'too-large'
  | 'off-centre'
  | 'turned'
  | 'tilted'
  | 'blurred'
  | 'dark'
  | 'bright'
  | 'cut-off';

export interface FaceQuality {
  readonly problems: readonly QualityProblem[];
  /** Distance between the eyes, px. */
  readonly interEyePx: number;
  /** Variance of the Laplacian over the aligned crop's luma; larger is sharper. */
  readonly sharpness: number;
  /** Mean luma of the aligned crop, 0…255. */
  readonly exposure: number;
  /** One number to choose the best frames by, 0…1. */
  readonly score: number;
}

export interface Pose {
  readonly yawDeg: number;
  readonly pitchDeg: number;
  readonly rollDeg: number;
}

/** What one frame shows for or against a living face; src-main/vision/presentation-attack.ts weighs a sequence of them. */
export interface LivenessCues {
  /** The passive model's probability that this is a living face, 0…1. */
  readonly passive: number;
  /** Strength, 0…1, of straight edges around the face as of a sheet or a screen. */
  readonly border: number;
  /** How far, in powers of ten, the strongest fine stripe on the face exceeds what is beside it in the spectrum (fine-stripes.ts): a
   *  screen's pixels beating with the camera's. */
  readonly stripes: number;
  /** 64-bit hash of the frame's raw pixels, hex: a camera never delivers the same twice. */
  readonly frameDigest: string;
  /** Mean brightness, 0…255, of the frame's cells (a coarse grid, row by row): nearly equal from frame to frame when a feed
   *  is frozen and only encoded anew. */
  readonly cellMeans: Float32Array;
  /** Brightness, 1…255, of points of the frame that have detail, on a coarse grid, 0 for the others (sensor-noise.ts): a sensor's noise
   *  changes them. A picture of a person, like the next. */
  readonly points: Uint8Array;
  /** PATCH_SIDE × PATCH_SIDE brightness, 0…255, of the inner face, aligned by its landmarks: tells a face that moves in
   *  itself from a flat picture that only moves as a whole. A picture of a person: never logged, never stored. */
  readonly patch: Float32Array;
}

/** Side of {@link LivenessCues.patch}. */
export const PATCH_SIDE = 64;

/** How {@link LivenessCues} are weighed: the liveness model's manifest states it, together with how it was measured. */
export interface LivenessCalibration {
  /** How and on what these numbers were chosen, for the auditor. */
  readonly measured: string;
  /** A decision needs this many frames that differ … */
  readonly framesMin: number;
  /** … over this long, ms … */
  readonly spanMsMin: number;
  /** … without a gap longer than this, ms; only what follows the last gap counts. */
  readonly gapMsMax: number;
  /** Mean of the passive model: at least liveMin speaks for life, below attackMax against it. */
  readonly passive: { readonly liveMin: number; readonly attackMax: number };
  /** Frozen: no change between frames for this long, ms; no change is the same digest, or no cell mean changed by more. */
  readonly frozen: { readonly spanMsMin: number; readonly meanDifferenceMax: number };
  /** A sheet's or screen's edge: border strength counted from strengthMin in this share of the frames. */
  readonly border: { readonly strengthMin: number; readonly frameShareMin: number };
  /** Motion of the face in itself, as a share of its contrast (flatness.ts): from liveMin on it may be a face; a flat
   *  picture when it is still no more than attackMax after spanMsMin, ms. */
  readonly flat: { readonly attackMax: number; readonly liveMin: number; readonly spanMsMin: number };
  /** The same beside the eyes and beyond what a bent sheet explains. */
  readonly besideEyes: { readonly attackMax: number; readonly liveMin: number; readonly spanMsMin: number };
  /** A screen's grid: stripes counted from strengthMin in this share of the frames. */
  readonly stripes: { readonly strengthMin: number; readonly frameShareMin: number };
  /** A loop: so many pairs of frames, framesApartMin or more apart, of which no cell mean differs by more than meanDifferenceMax,
   *  though one in between differs from them by movedMin. */
  readonly repeated: {
    readonly meanDifferenceMax: number;
    readonly movedMin: number;
    readonly framesApartMin: number;
    readonly pairsMin: number;
  };
  /** Pictures in turn: so many steps of stepMin or more (cell means) from one frame to the next within stepMsMax, ms, on which the face's
   *  points go wayMin of its width or more, with steps of no more than stillMax before and after. */
  readonly cuts: {
    readonly stepMin: number;
    readonly wayMin: number;
    readonly stillMax: number;
    readonly stepMsMax: number;
    readonly countMin: number;
  };
  /** No sensor: of the points with detail beside the face, pointsMin or more, shareMin lies in parts of the picture of which nothing changed
   *  over framesMin or more frames of the last spanMs, ms. */
  readonly noiseless: {
    readonly spanMs: number;
    readonly framesMin: number;
    readonly pointsMin: number;
    readonly shareMin: number;
  };
}

/** Mean red, green and blue, 0…255. */
export type Colour = readonly [red: number, green: number, blue: number];

export interface FaceColours {
  /** Of the inner face. */
  readonly face: Colour;
  /** Of what is neither the face nor the body below it; null where nothing else is in the frame. */
  readonly background: Colour | null;
}

export interface FaceObservation {
  readonly box: Box;
  /** Detector's confidence, 0…1. */
  readonly confidence: number;
  /** 68 points (iBUG 300-W order), x0,y0,x1,y1 …; empty for faces that were not chosen. */
  readonly landmarks: Float32Array;
  readonly pose: Pose | null;
  readonly quality: FaceQuality | null;
  readonly liveness: LivenessCues | null;
  /** What a lamp before the person would change (src-main/challenge/light.ts); absent for faces that were not chosen. */
  readonly colours?: FaceColours;
  /** Unit length, the embedding model's dimensions, unprotected; null unless asked for, chosen and of good quality. */
  readonly embedding: Float32Array | null;
  /** The same by the embedder before; null unless that was asked for too, and there is one. */
  readonly embeddingBefore?: Float32Array | null;
}

export interface Observation {
  readonly sequence: number;
  readonly capturedAtMs: number;
  readonly width: number;
  readonly height: number;
  /** Largest first. */
  readonly faces: readonly FaceObservation[];
  /** Index of the face the session is about: the largest, when it clearly is; null when nobody is or several could be. */
  readonly chosen: number | null;
  /** The most useful thing to tell the customer; null when the frame is good. */
  readonly hint: LookHint | null;
  /** Ms spent in each stage, for the benchmark and the technician. */
  readonly stageMs: Readonly<Record<string, number>>;
}

/** What a look is for. The embedding costs most of a look's time. */
export interface Wants {
  /** Default true. */
  readonly embedding?: boolean;
  /** By the embedder before as well, where there is one. Default false. */
  readonly before?: boolean;
}

/** An embedder, as templates name it (manifest.ts, embedderId), with its own calibration and dimensions. */
export interface Embedder {
  readonly modelSha256: string;
  readonly dimensions: number;
  readonly calibration: Calibration;
}

/** The worker, from the main thread's side. One frame at a time. */
export interface Vision {
  /** Checksums of the loaded models by role, for match results. */
  readonly models: readonly { readonly role: string; readonly sha256: string }[];
  /** What templates are made with now. */
  readonly embedder: Embedder;
  /** What people have templates of who were not moved yet; null where there is one embedder. */
  readonly embedderBefore: Embedder | null;
  /** How the liveness cues of its observations are to be weighed. */
  readonly liveness: LivenessCalibration;
  /**
   * Looks at one frame; the frame stays the caller's. Throws TerminalError FRAME_INVALID or VISION_FAILED; rejects with the
   * signal's reason. One look at a time: asking while another is under way throws VISION_FAILED.
   */
  observe(frame: Frame, signal: AbortSignal, wants?: Wants): Promise<Observation>;
  close(): Promise<void>;
}

/** How a comparison score becomes a false-match rate, as the model's manifest says it was measured. */
export interface Calibration {
  /** Points of the curve, scores rising; log10 of the single-comparison FMR at that score, interpolated between,
   *  extrapolated along the last segment. Never reported below floorLog10Fmr: the manifest says what supports that. */
  readonly points: readonly { readonly score: number; readonly log10Fmr: number }[];
  readonly floorLog10Fmr: number;
  /** Multiplies every rate, for the difference between the calibration's faces and a terminal's. */
  readonly safetyFactor: number;
}
