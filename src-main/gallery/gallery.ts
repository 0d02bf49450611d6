/**
 * The people this terminal knows: protected templates, encrypted at rest, searched exactly. Whoever calls it never sees a
 * score turned into a decision without a false-match rate (design, invariant 5).
 */
import type { KeyObject } from 'node:crypto';
import type { AttemptRules } from '../../src-contract/attempts.ts';
import type { GalleryAnswer, ProtectedTemplate } from '../../src-contract/bank-api.ts';
import type { Comparison } from '../../src-contract/match-result.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import type { Chance } from '../clock.ts';
import type { Calibration } from '../vision/observation.ts';
import { estimatedFmr, singleFmr } from './fmr.ts';
import { fuse } from './fusion.ts';
import { type FaceKind, presentedFaces } from './presented-faces.ts';
import { protectionFrom } from './protection.ts';
import { dot, ExactSearch } from './search.ts';
import { type Erasure, openTemplateStore, type StoredTemplate } from './template-store.ts';

/** What a 1:N search came to. The comparison goes into the match result either way. */
type Identification =
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
  /** Templates held that can't be compared: another model's, under another protection, or not a unit vector. */
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
  /** Forgets a person for good: whatever the feed or an enrolment brings of them later is not taken. For who told this terminal
   *  so; durable when it returns. True when they were known. */
  erase(personId: Uuid): boolean;
  /** Whether this terminal was told to forget the person. Nothing may be charged to their face any more. */
  isErased(personId: Uuid): boolean;
  /** Erasures for which no receipt was written yet, oldest first. Of none of them is anything left on the disk. */
  unacknowledged(): readonly Erasure[];
  /** How the tries of this face stand: whether it has to rest, and whether its picture was held up so often that the PIN is wanted
   *  with it. Wall times, ms; 0 where not. `face` is its pseudonym if it was kept. */
  tries(
    embedding: Float32Array,
    at: number,
    rules: AttemptRules,
  ): { readonly face: string | null; readonly pausedUntil: number; readonly pinUntil: number };
  /** The pseudonym of a face that was taken for this person with this score. Kept unless it surely is the person's own. */
  matchedFace(
    embedding: Float32Array,
    match: { readonly personId: Uuid; readonly score: number | null },
    at: number,
    rules: AttemptRules,
  ): string;
  /** The pseudonym of a face whose look led to nobody, kept and counted. */
  refusedFace(embedding: Float32Array, kind: FaceKind, at: number, rules: AttemptRules): string;
  /** The pseudonym of a person's own face, the same at every terminal. */
  ownFace(personId: Uuid): string;
  /** Forgets presented faces that are older than the rules allow. */
  forgetOldFaces(at: number, rules: AttemptRules): void;
  /** The journal has the receipt. */
  acknowledged(personId: Uuid): void;
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

/** Of the squared length of a unit vector in float32; anything further off was not normalised. */
const UNIT_LENGTH_TOLERANCE = 1e-3;

/** Presented faces as like an erased person as this are taken for theirs, and go with them: one in a thousand strangers. */
const FORGET_LIKE_FMR = 1e-3;

interface Known {
  readonly lookAlikeOf: Uuid | null;
}

/** Opens the gallery and decrypts it into memory. Throws GALLERY_UNREADABLE naming the file or row, deleting nothing. */
export function openGallery(options: GalleryOptions): Gallery {
  const { path, dataKey, protectionSeed, protectionVersion, modelSha256, dimensions, calibration, chance } = options;
  const protection = protectionFrom(protectionSeed, dimensions);
  const store = openTemplateStore({ path, dataKey, chance });
  const search = new ExactSearch<Uuid>(dimensions);
  const people = new Map<Uuid, Known>();
  /** Held, and not compared: one unusable template must not keep the feed from what follows it, such as an erasure. */
  const setAside = new Set<Uuid>();
  /** Who was named as a look-alike, by how many. */
  const namedBy = new Map<Uuid, number>();

  const erased = new Set<Uuid>(store.erasures().map(({ personId }) => personId));

  const comparable = (template: Omit<StoredTemplate, 'personId' | 'lookAlikeOf'>) =>
    template.modelSha256 === modelSha256 && template.protectionVersion === protectionVersion;
  const count = (named: Uuid | null | undefined, by: 1 | -1) => {
    if (named) namedBy.set(named, (namedBy.get(named) ?? 0) + by);
  };
  const presented = presentedFaces({
    store,
    seed: protectionSeed,
    dimensions,
    chance,
    fmrAt: (score) => singleFmr(calibration, score),
  });

  const forget = (personId: Uuid): boolean => {
    count(people.get(personId)?.lookAlikeOf, -1);
    search.delete(personId);
    setAside.delete(personId);
    return people.delete(personId);
  };
  /** Into memory. Whoever is already there is replaced. */
  const learn = ({ personId, lookAlikeOf }: StoredTemplate, vector: Float32Array | null): void => {
    forget(personId);
    people.set(personId, { lookAlikeOf });
    count(lookAlikeOf, 1);
    if (vector) search.set(personId, vector);
    else setAside.add(personId);
  };

  /** Presentations that were as like somebody who goes as two of their own would be. */
  const forgetTriesOf = (personId: Uuid): void => {
    const template = search.get(personId);
    if (template) presented.forgetLike(template, (score) => singleFmr(calibration, score) <= FORGET_LIKE_FMR);
  };

  try {
    for (const template of store.all())
      learn(template, comparable(template) ? vectorOf(template.values, dimensions) : null);
  } catch (cause) {
    store.close();
    throw cause;
  }

  /** The probe against everybody. */
  const compare = (probe: Float32Array) => {
    const [best, runnerUp] = search.nearest(probe, 2);
    const fmrAt = (score: number) => estimatedFmr(calibration, score, search.size);
    const comparison: Comparison = {
      score: best?.score ?? null,
      runnerUpScore: runnerUp?.score ?? null,
      gallerySize: search.size,
      estimatedFmr: best ? fmrAt(best.score) : null,
    };
    return { best, runnerUp, fmrAt, comparison };
  };
  const declaredAlike = (one: Uuid, other: Uuid): boolean =>
    people.get(one)?.lookAlikeOf === other || people.get(other)?.lookAlikeOf === one;
  /** Whether this person was named as looking like another, names one, or has one in the gallery. */
  const needsPin = (personId: Uuid, lookAlikeFmr: number): boolean => {
    if (people.get(personId)?.lookAlikeOf || (namedBy.get(personId) ?? 0) > 0) return true;
    const template = search.get(personId);
    const [, other] = template ? search.nearest(template, 2) : [];
    return other !== undefined && singleFmr(calibration, other.score) < lookAlikeFmr;
  };

  const taken = (personId: Uuid, template: ProtectedTemplate, lookAlikeOf: Uuid | null) => {
    const values = Buffer.from(template.values, 'base64url');
    const { modelSha256: model, protectionVersion: version } = template;
    const stored = { personId, modelSha256: model, protectionVersion: version, lookAlikeOf, values };
    return { stored, vector: comparable(stored) ? vectorOf(values, dimensions) : null };
  };

  return {
    get size() {
      return search.size;
    },
    get notComparable() {
      return setAside.size;
    },
    get cursor() {
      return store.cursor();
    },
    identify: (embedding, { maxFmr, lookAlikeFmr }) => {
      const { best, runnerUp, fmrAt, comparison } = compare(protection.protect(embedding));
      if (!best || fmrAt(best.score) > maxFmr) return { outcome: 'nobody', comparison };
      const rivals = runnerUp !== undefined && fmrAt(runnerUp.score) <= maxFmr;
      if (rivals && !declaredAlike(best.key, runnerUp.key)) return { outcome: 'look-alikes', comparison };
      return {
        outcome: 'match',
        personId: best.key,
        comparison,
        pinAlways: rivals || needsPin(best.key, lookAlikeFmr),
      };
    },
    lookAlike: (embedding, lookAlikeFmr) => {
      const { best, comparison } = compare(protection.protect(embedding));
      if (!best || singleFmr(calibration, best.score) > lookAlikeFmr) return null;
      return { personId: best.key, comparison };
    },
    fmrBetween: (a, b) => singleFmr(calibration, dot(fuse([a]), fuse([b]))),
    fuse,
    // Float32 as this processor has it, which is little endian: see vectorOf.
    protectedTemplate: (embedding) => ({
      values: Buffer.from(protection.protect(embedding).buffer).toString('base64url'),
      dimensions,
      modelSha256,
      protectionVersion,
    }),
    put: (personId, template, lookAlikeOf) => {
      const { stored, vector } = taken(personId, template, lookAlikeOf);
      store.commit(() => void store.put(stored));
      if (!erased.has(personId)) learn(stored, vector);
    },
    erase: (personId) => {
      forgetTriesOf(personId);
      store.commit(() => store.erase({ personId, cursor: null }));
      erased.add(personId);
      return forget(personId);
    },
    isErased: (personId) => erased.has(personId),
    unacknowledged: () => {
      const waiting = store.unacknowledged();
      if (waiting.length > 0) store.scrub();
      return waiting;
    },
    tries: (embedding, at, rules) => {
      const probe = protection.protect(embedding);
      const live = presented.find({ kind: 'live', probe, at }, rules);
      const attack = presented.find({ kind: 'attack', probe, at }, rules);
      return {
        face: live?.face ?? null,
        pausedUntil: live?.pausedUntil ?? 0,
        pinUntil: attack?.pausedUntil ?? 0,
      };
    },
    matchedFace: (embedding, { personId, score }, at, rules) => {
      if (score !== null && singleFmr(calibration, score) <= rules.sameFaceFmr) return presented.ownFaceOf(personId);
      return presented.keep({ kind: 'live', probe: protection.protect(embedding), at }, rules);
    },
    refusedFace: (embedding, kind, at, rules) =>
      presented.refused({ kind, probe: protection.protect(embedding), at }, rules),
    ownFace: (personId) => presented.ownFaceOf(personId),
    forgetOldFaces: (at, rules) => presented.forgetOld(at, rules),
    acknowledged: (personId) => store.commit(() => store.acknowledged(personId)),
    applyFeed: ({ entries, next }) => {
      const changes = entries.map((entry) =>
        entry.kind === 'put' ? taken(entry.personId, entry.template, entry.lookAlikeOf) : entry,
      );
      for (const change of changes) if ('kind' in change) forgetTriesOf(change.personId);
      store.commit(() => {
        for (const change of changes) {
          if ('kind' in change) store.erase(change);
          else store.put(change.stored);
        }
        store.setCursor(next);
      });
      for (const change of changes) {
        if ('kind' in change) {
          erased.add(change.personId);
          forget(change.personId);
        } else if (!erased.has(change.stored.personId)) learn(change.stored, change.vector);
      }
    },
    close: () => store.close(),
  };
}

/** The vector in a template; null when it has not the dimensions, or not unit length. Contract and processor agree on
 *  little endian: Node.js has no big-endian build among those Kaopass runs on. */
function vectorOf(values: Uint8Array, dimensions: number): Float32Array | null {
  if (values.length !== dimensions * 4) return null;
  const vector = new Float32Array(Uint8Array.from(values).buffer);
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.abs(squares - 1) < UNIT_LENGTH_TOLERANCE ? vector : null;
}
