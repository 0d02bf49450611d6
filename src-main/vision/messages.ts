/** What passes between vision.ts and its worker thread. Both ends are ours and of one build: typed, not parsed. */
import type { ErrorCode } from '../errors.ts';
import type { Manifests } from './manifest.ts';
import type { Observation } from './observation.ts';

export interface WorkerStart {
  readonly manifests: Manifests;
  readonly weightsDir: string;
  readonly threads: number;
}

export interface LookRequest {
  readonly kind: 'look';
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly sequence: number;
  readonly capturedAtMs: number;
  readonly embedding: boolean;
  /** By the embedder before as well. */
  readonly before: boolean;
  /** RGBA; handed over, and back with the answer. */
  readonly pixels: ArrayBuffer;
}

/** Finish what you have, free the models, and end. */
export interface EndRequest {
  readonly kind: 'end';
}

export type WorkerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string }
  | {
      readonly kind: 'observation';
      readonly id: number;
      readonly observation: Observation;
      readonly pixels: ArrayBuffer;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly pixels: ArrayBuffer };
