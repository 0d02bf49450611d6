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
import { TerminalError } from '../errors.ts';
import type { Calibration } from '../vision/observation.ts';
import { alikeMax, estimatedFmr, singleFmr } from './fmr.ts';
import { fuse } from './fusion.ts';
import { type FaceKind, presentedFaces } from './presented-faces.ts';
import { protectionFrom } from './protection.ts';
import { dot, ExactSearch, type Neighbour } from './search.ts';
import { type Erasure, openTemplateStore, type StoredTemplate } from './template-store.ts';

/** What a 1:N search came to. The comparison goes into the match result either way. */
type Identification =
  | {
      readonly outcome: 'match';
      readonly personId: Uuid;
      readonly comparison: Comparison;
      /** Somebody known looks so much like this person, or this probe is so much like somebody else, that only the PIN tells them
       *  apart. */
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
  /** The most similar person when the two would be mistaken for each other (single comparison) with at most this rate, and whether so
   *  many are that alike that the reference itself must be poor; asked before somebody is enrolled. */
  lookAlike(
    embedding: Float32Array,
    lookAlikeFmr: number,
  ): { readonly personId: Uuid; readonly likeTooMany: boolean } | null;
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
  /** A template that was asked for cannot be read. Its person is not compared, and the file is condemned: it cannot be opened again. Told once. */
  readonly onDamaged?: (error: TerminalError) => void;
}

/** Of the squared length of a unit vector in float32; anything further off was not normalised. */
const UNIT_LENGTH_TOLERANCE = 1e-3;

/** Presented faces as like an erased person as this are taken for theirs, and go with them: one in a thousand strangers. */
const FORGET_LIKE_FMR = 1e-3;

/** Up to so many people every template is opened at the start. Beyond, a template is authenticated when it is asked for. */
const OPENED_AT_START_UP_TO = 20_000;

/** Rosters on disk: people that are compared are under the name of what they are compared in. */
const ASIDE = 'aside';

/**
 * By how many times a stranger reaches the second-best score more often than the best one, where the face alone says which of the two
 * it is. A rate rather than a difference of scores, so that a larger gallery, whose second is nearer by chance, needs a surer first.
 */
const MARGIN = 100;

/** Opens the gallery and decrypts what is searched into memory. Throws GALLERY_UNREADABLE naming the file or row, deleting nothing. */
export function openGallery(options: GalleryOptions): Gallery {
  const { path, dataKey, protectionSeed, protectionVersion, modelSha256, dimensions, calibration, chance } = options;
  const protection = protectionFrom(protectionSeed, dimensions);
  const store = openTemplateStore({ path, dataKey, chance });
  const search = new ExactSearch(dimensions);
  /** Held, and not compared: one unusable template must not keep the feed from what follows it, such as an erasure. */
  const setAside = new ExactSearch(0);
  const rosters: ReadonlyMap<string, ExactSearch> = new Map([
    [`${modelSha256} ${protectionVersion} ${dimensions}`, search],
    [ASIDE, setAside],
  ]);
  /** Who was named as a look-alike, by how many. */
  const namedBy = new Map<Uuid, number>();

  const erased = new Set<Uuid>(store.erasures().map(({ personId }) => personId));

  const comparable = (template: Omit<StoredTemplate, 'personId' | 'lookAlikeOf'>) =>
    template.modelSha256 === modelSha256 && template.protectionVersion === protectionVersion;
  const count = (named: Uuid | null, by: 1 | -1) => {
    if (named) namedBy.set(named, (namedBy.get(named) ?? 0) + by);
  };
  const presented = presentedFaces({
    store,
    seed: protectionSeed,
    dimensions,
    chance,
    fmrAt: (score) => singleFmr(calibration, score),
  });

  const rosterOf = (personId: Uuid) => [search, setAside].find((roster) => roster.has(personId)) ?? null;
  /** Out of memory. Returns how to undo it; null when nobody was there. */
  const forget = (personId: Uuid): (() => void) | null => {
    const roster = rosterOf(personId);
    if (!roster) return null;
    const lookAlikeOf = roster.lookAlikeOf(personId);
    const restore = roster.delete(personId);
    count(lookAlikeOf, -1);
    return () => {
      count(lookAlikeOf, 1);
      restore?.();
    };
  };
  /** Into memory. Whoever is already there is replaced. Returns how to undo it. */
  const learn = ({ personId, lookAlikeOf }: StoredTemplate, vector: Float32Array | null): (() => void) => {
    const restore = forget(personId);
    const remove = vector
      ? search.add(personId, vector, lookAlikeOf)
      : setAside.add(personId, new Float32Array(0), lookAlikeOf);
    count(lookAlikeOf, 1);
    return () => {
      count(lookAlikeOf, -1);
      remove();
      restore?.();
    };
  };

  const vectorIn = (template: StoredTemplate) => (comparable(template) ? vectorOf(template.values, dimensions) : null);

  let damaged = false;
  /** The template as it is on disk. */
  const exact = (personId: Uuid): Float32Array | null => {
    let error = new TerminalError(
      'GALLERY_UNREADABLE',
      `the gallery ${path}: the template of person ${personId} is missing`,
    );
    try {
      const stored = store.template(personId);
      const vector = stored && vectorIn(stored);
      if (vector) return vector;
    } catch (cause) {
      if (!(cause instanceof TerminalError) || cause.code !== 'GALLERY_UNREADABLE') throw cause;
      error = cause;
    }
    if (!damaged) {
      damaged = true;
      condemn(error);
    }
    return null;
  };
  const condemn = (error: TerminalError) => {
    try {
      store.condemn(error.message);
    } catch (cause) {
      // Too damaged to say so: then the next start finds it by itself.
      if (!(cause instanceof TerminalError)) throw cause;
    }
    options.onDamaged?.(error);
  };

  /** Presentations that were as like somebody who goes as two of their own would be. */
  const forgetTriesOf = (personId: Uuid): void => {
    const template = search.has(personId) ? exact(personId) : null;
    if (template) presented.forgetLike(template, (score) => singleFmr(calibration, score) <= FORGET_LIKE_FMR);
  };

  /** Changes file and memory together: both, or neither. `change` collects how to undo what it does in memory. */
  const commit = (change: (undo: (() => void)[]) => void): void => {
    const undo: (() => void)[] = [];
    const saved: (() => void)[] = [];
    try {
      store.commit(() => {
        change(undo);
        for (const [name, roster] of rosters) saved.push(store.packs.save(name, roster));
      });
    } catch (cause) {
      for (const restore of undo.reverse()) restore();
      throw cause;
    }
    for (const done of saved) done();
  };

  /** Every row opens, and each is in its roster: as many as there are. */
  const checkRows = (): void => {
    let rows = 0;
    for (const template of store.all()) {
      rows += 1;
      const roster = vectorIn(template) ? search : setAside;
      if (roster.has(template.personId) && roster.lookAlikeOf(template.personId) === template.lookAlikeOf) continue;
      throw new TerminalError('GALLERY_UNREADABLE', `the gallery ${path}: person ${template.personId} is in no pack`);
    }
    const packed = search.size + setAside.size;
    if (rows === packed) return;
    throw new TerminalError(
      'GALLERY_UNREADABLE',
      `the gallery ${path} has ${rows} templates, and ${packed} in its packs`,
    );
  };
  /** From an older Kaopass, or packed for another model: once, from the rows. */
  const packAnew = (): void => {
    for (const template of store.all()) learn(template, vectorIn(template));
    commit(() => store.packs.clear());
  };

  try {
    const why = store.condemned();
    if (why) throw new TerminalError('GALLERY_UNREADABLE', why);
    if (store.packs.names().join() === [...rosters.keys()].sort().join()) {
      for (const [name, roster] of rosters) {
        store.packs.load(name, roster);
        for (const [, named] of roster.lookAlikes()) count(named, 1);
      }
      if (search.size + setAside.size <= OPENED_AT_START_UP_TO) checkRows();
    } else packAnew();
  } catch (cause) {
    store.close();
    throw cause;
  }

  /** The probe against everybody. */
  const compare = (probe: Float32Array) => {
    const [best, runnerUp] = search.nearest(probe, 2, exact);
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
    search.lookAlikeOf(one) === other || search.lookAlikeOf(other) === one;
  /** Whether the best is better than the second by the margin. Two beyond the calibration's floor are not told apart by it. */
  const isClear = (best: Neighbour, runnerUp: Neighbour | undefined): boolean =>
    runnerUp === undefined || singleFmr(calibration, runnerUp.score) >= MARGIN * singleFmr(calibration, best.score);
  /** Whether this person was named as looking like another, names one, or has one in the gallery. */
  const needsPin = (personId: Uuid, lookAlikeFmr: number): boolean => {
    if (search.lookAlikeOf(personId) || (namedBy.get(personId) ?? 0) > 0) return true;
    const template = exact(personId);
    const [, other] = template ? search.nearest(template, 2, exact) : [];
    return other !== undefined && singleFmr(calibration, other.score) < lookAlikeFmr;
  };

  const eraseWithin = (erasure: Erasure, undo: (() => void)[]): void => {
    store.erase(erasure);
    const restore = forget(erasure.personId);
    if (restore) undo.push(restore);
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
      const pinAlways = !isClear(best, runnerUp) || needsPin(best.key, lookAlikeFmr);
      return { outcome: 'match', personId: best.key, comparison, pinAlways };
    },
    lookAlike: (embedding, lookAlikeFmr) => {
      const most = alikeMax(search.size, lookAlikeFmr);
      const alike = search
        .nearest(protection.protect(embedding), most + 1, exact)
        .filter(({ score }) => singleFmr(calibration, score) <= lookAlikeFmr);
      return alike[0] ? { personId: alike[0].key, likeTooMany: alike.length > most } : null;
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
      if (erased.has(personId)) return;
      commit((undo) => {
        if (store.put(stored)) undo.push(learn(stored, vector));
      });
    },
    erase: (personId) => {
      forgetTriesOf(personId);
      const known = rosterOf(personId) !== null;
      commit((undo) => eraseWithin({ personId, cursor: null }, undo));
      erased.add(personId);
      return known;
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
      commit((undo) => {
        for (const change of changes) {
          if ('kind' in change) eraseWithin(change, undo);
          else if (store.put(change.stored)) undo.push(learn(change.stored, change.vector));
        }
        store.setCursor(next);
      });
      for (const change of changes) if ('kind' in change) erased.add(change.personId);
    },
    close: () => store.close(),
  };
}

/** The vector in a template; null when it has not the dimensions, or not unit length. Contract and processor agree on
 *  little endian: Node.js has no big-endian build among those Kaopass runs on. */
function vectorOf(values: Uint8Array, dimensions: number): Float32Array | null {
  if (values.length !== dimensions * 4) return null;
  const vector = new Float32Array(new Uint8Array(values).buffer);
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.abs(squares - 1) < UNIT_LENGTH_TOLERANCE ? vector : null;
}
