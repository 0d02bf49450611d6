/**
 * The people this terminal knows: protected templates, encrypted at rest, searched exactly. Whoever calls it never sees a
 * score turned into a decision without a false-match rate (design, invariant 5).
 */
import type { KeyObject } from 'node:crypto';
import type { GalleryAnswer, ProtectedTemplate } from '../../src-contract/bank-api.ts';
import type { Comparison } from '../../src-contract/match-result.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import type { Chance } from '../clock.ts';
import type { Calibration } from '../vision/observation.ts';

/** What a 1:N search came to. The comparison goes into the match result either way. */
export type Identification =
  | {
      readonly outcome: 'match';
      readonly personId: Uuid;
      readonly comparison: Comparison;
      /** Somebody known looks so much like this person that only the PIN tells them apart. */
      readonly pinAlways: boolean;
    }
  | { readonly outcome: 'nobody'; readonly comparison: Comparison }
  /** Two people would be believed, and nobody has said that they look alike. */
  | { readonly outcome: 'look-alikes'; readonly comparison: Comparison };

export interface Gallery {
  /** People that can be compared. */
  readonly size: number;
  /** Templates held that can't be compared: another model's, or under another protection. */
  readonly notComparable: number;
  /** Where the bank's feed was left; 0 before the first pull. */
  readonly cursor: number;
  /** Who is this? `embedding` is the model's own (unprotected, any length but zero). A match when its estimated rate over
   *  the whole gallery is at most maxFmr. */
  identify(embedding: Float32Array, rates: { readonly maxFmr: number; readonly lookAlikeFmr: number }): Identification;
  /** The most similar person when the two would be mistaken for each other (single comparison) with at most this rate;
   *  asked before somebody is enrolled. */
  lookAlike(embedding: Float32Array, lookAlikeFmr: number): { personId: Uuid; comparison: Comparison } | null;
  /** Single-comparison rate at which two different people's embeddings are as similar as these two. */
  fmrBetween(a: Float32Array, b: Float32Array): number;
  /** One template of several frames of one face; see fusion.ts. */
  fuse(embeddings: readonly Float32Array[]): Float32Array;
  /** What the bank gets of a face: protected, normalised, encoded. */
  protectedTemplate(embedding: Float32Array): ProtectedTemplate;
  /** Stores one person's template (a repeat replaces it), outside the feed: for somebody just enrolled here. */
  put(personId: Uuid, template: ProtectedTemplate, lookAlikeOf: Uuid | null): void;
  /** Forgets a person. True when they were known. */
  erase(personId: Uuid): boolean;
  /** Applies one page of the bank's feed, and its cursor, in one commit. */
  applyFeed(page: GalleryAnswer): void;
  close(): void;
}

export interface GalleryOptions {
  /** The database file; made when missing. */
  readonly path: string;
  readonly dataKey: KeyObject;
  /** 32 bytes, from the activation. */
  readonly protectionSeed: Uint8Array;
  readonly protectionVersion: string;
  /** SHA-256 of the embedding model in use, lower-case hex. */
  readonly modelSha256: string;
  readonly dimensions: number;
  readonly calibration: Calibration;
  readonly chance: Chance;
}

/** Opens the gallery and decrypts it into memory. Throws GALLERY_UNREADABLE naming the file or row, deleting nothing. */
export declare function openGallery(options: GalleryOptions): Gallery;
