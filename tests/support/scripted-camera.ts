/** A camera and its vision, replaced at the session's port: whoever stands before it is seen at 15 frames per second. */
import type { LivenessEvidence } from '../../src-contract/match-result.ts';
import type { LookHint } from '../../src-contract/screen.ts';
import { pointsOf } from '../../src-main/challenge/challenge.fixture.ts';
import type { Signals } from '../../src-main/challenge/signals.ts';
import type { Clock } from '../../src-main/clock.ts';
import { cosineOf, facesFrom } from '../../src-main/gallery/gallery.fixture.ts';
import type { FaceColours, FaceObservation, Observation } from '../../src-main/vision/observation.ts';

/** Fewer than a real model has, since the protecting matrix is made anew with each start; enough that strangers stay strangers. */
export const DIMENSIONS = 128;
const FRAME_MS = 1000 / 15;
const faces = facesFrom(77, DIMENSIONS);

export interface Seen {
  readonly embedding: Float32Array;
  readonly live: boolean;
  /** False for a face that is seen and can't be compared. */
  readonly good: boolean;
}
/** Who stands before the camera; nobody when empty. */
export type Scene = readonly Seen[];

export const newFace = (): Float32Array => faces.next();
/** Somebody whose face compares with this cosine. */
export const resembling = (face: Float32Array, cosine: number): Float32Array => faces.near(face, cosine);
export const living = (embedding: Float32Array): Seen => ({ embedding, live: true, good: true });
export const pictureOf = (embedding: Float32Array): Seen => ({ embedding, live: false, good: true });
export const blurred = (embedding: Float32Array): Seen => ({ embedding, live: true, good: false });

/** What a face does at a moment of the camera's clock, ms. */
export type Acting = (atMs: number) => { readonly signals: Signals; readonly colours: FaceColours };

interface CameraOptions {
  readonly frameMs: number;
  /** A face as one frame has it. */
  readonly near: (face: Float32Array, cosine: number) => Float32Array;
}

export class ScriptedCamera {
  readonly #clock: Clock;
  readonly #options: CameraOptions;
  scene: Scene = [];
  /** What who stands there does; they stand still when nothing is said. */
  acting: Acting | null = null;
  /** Seen by another embedder, and by the one before: the same components in another order, so that the two compare at chance. */
  nextEmbedder = false;
  /** A camera that sends nothing more. */
  silent = false;
  #sequence = 0;
  #watchers = 0;

  constructor(clock: Clock, options: CameraOptions = { frameMs: FRAME_MS, near: faces.near }) {
    this.#clock = clock;
    this.#options = options;
  }

  get watched(): boolean {
    return this.#watchers > 0;
  }

  readonly watch = (listener: (observation: Observation) => void): (() => void) => {
    const { frameMs } = this.#options;
    let callOff = () => {};
    let stopped = false;
    const look = () => {
      if (stopped) return;
      if (!this.silent) listener(this.#observe());
      callOff = this.#clock.after(frameMs, look);
    };
    this.#watchers += 1;
    callOff = this.#clock.after(frameMs, look);
    return () => {
      if (!stopped) this.#watchers -= 1;
      stopped = true;
      callOff();
    };
  };

  #acts(): Partial<FaceObservation> {
    return this.acting ? acted(this.acting(this.#clock.monotonicMs())) : {};
  }

  #embedded(face: FaceObservation): FaceObservation {
    const { embedding } = face;
    if (!this.nextEmbedder || !embedding) return face;
    return { ...face, embedding: embedding.toReversed(), embeddingBefore: embedding };
  }

  #observe(): Observation {
    this.#sequence += 1;
    const several = this.scene.length > 1;
    const hint: LookHint | null = several ? 'one-person-only' : this.scene.length === 0 ? 'nobody-there' : null;
    return {
      sequence: this.#sequence,
      capturedAtMs: this.#clock.monotonicMs(),
      width: 640,
      height: 480,
      faces: this.scene.map((seen, at) => ({
        ...this.#embedded(faceOf(seen, this.#sequence, at, this.#options.near)),
        ...this.#acts(),
      })),
      chosen: this.scene.length === 1 ? 0 : null,
      hint,
      stageMs: {},
    };
  }
}

function acted({ signals, colours }: ReturnType<Acting>) {
  const { yawDeg, pitchDeg } = signals;
  return { landmarks: pointsOf(signals), pose: { yawDeg, pitchDeg, rollDeg: 0 }, colours };
}

function faceOf(
  { embedding, live, good }: Seen,
  sequence: number,
  at: number,
  near: CameraOptions['near'],
): FaceObservation {
  return {
    box: { x: 200 + at * 220, y: 120, width: 200, height: 240 },
    confidence: 0.98,
    landmarks: new Float32Array(136),
    pose: { yawDeg: 0, pitchDeg: 0, rollDeg: 0 },
    quality: {
      problems: good ? [] : ['blurred'],
      interEyePx: 80,
      sharpness: 100,
      exposure: 128,
      score: 0.5 + (sequence % 7) / 20,
    },
    liveness: {
      passive: live ? 0.97 : 0.03,
      border: 0,
      stripes: 0,
      frameDigest: sequence.toString(16).padStart(16, '0'),
      cellMeans: new Float32Array(4),
      points: new Uint8Array(4),
      patch: new Float32Array(4),
    },
    // The same face is a little another one in each frame.
    embedding: good ? near(embedding, 0.97) : null,
  };
}

const LIVENESS_FRAMES_MIN = 6;

/** Life as the scene says it. Weighing real cues is the vision's own matter, and its own tests'. */
export function weighScriptedLiveness(frames: readonly Observation[]): LivenessEvidence {
  const passive = frames.flatMap((frame) => {
    const face = frame.chosen === null ? undefined : frame.faces[frame.chosen];
    return face?.liveness ? [face.liveness.passive] : [];
  });
  if (passive.length === 0) return { frames: 0, passive: null, cues: [], decision: 'undecided' };
  const mean = passive.reduce((sum, one) => sum + one, 0) / passive.length;
  const attack = passive.length >= LIVENESS_FRAMES_MIN && mean < 0.5;
  const live = passive.length >= LIVENESS_FRAMES_MIN && mean >= 0.5;
  return {
    frames: passive.length,
    passive: mean,
    cues: attack ? ['passive-model'] : [],
    decision: attack ? 'attack' : live ? 'live' : 'undecided',
  };
}

export const sameScriptedPerson = (a: Float32Array, b: Float32Array): boolean => cosineOf(a, b) > 0.3;
