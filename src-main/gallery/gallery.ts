/**
 * The people this terminal knows: protected templates, encrypted at rest, searched exactly. Whoever calls it never sees a
 * score turned into a decision without a false-match rate (design, invariant 5).
 *
 * While the platform changes its protecting matrix two generations are held: each person is under the old matrix or under the new one,
 * in a roster of its own, and a probe is protected by both and compared in both. Converting somebody moves them from the one to
 * the other in one commit, on disk and in memory, so that at no moment anybody is in neither, in both, or under the wrong one.
 */
import type { KeyObject } from 'node:crypto';
import type { AttemptRules } from '../../src-contract/attempts.ts';
import type { GalleryAnswer, ProtectedTemplate } from '../../src-contract/bank-api.ts';
import type { Comparison } from '../../src-contract/match-result.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import { atOnce, inPieces } from '../../src-contract/protection.ts';
import type { Chance } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { Calibration } from '../vision/observation.ts';
import { accountNumbers } from './account-numbers.ts';
import { type Candidate, decide, type Identification, type Rates } from './decision.ts';
import { alikeMax, isLookAlike, singleFmr } from './fmr.ts';
import { fuse } from './fusion.ts';
import { type FaceKind, presentedFaces } from './presented-faces.ts';
import { growChange, type Protection, type ProtectionChange, protectionFrom } from './protection.ts';
import { dot, ExactSearch, type Neighbour } from './search.ts';
import { type Erasure, openTemplateStore, type StoredTemplate } from './template-store.ts';

/** The templates of one embedder, as the bank's feed fills them. */
export interface FedGallery {
  /** The embedder: as templates name it. */
  readonly modelSha256: string;
  /** Templates that can be compared. */
  readonly size: number;
  /** Templates held that can't be compared: another model's, under another protection, or not a unit vector. */
  readonly notComparable: number;
  /** Where the bank's feed was left; 0 before the first pull. */
  readonly cursor: number;
  /** Names of the matrices people here are under, oldest first: two during a change, else one. New templates are under the last. */
  readonly protections: readonly string[];
  /** Applies one page of the bank's feed, and its cursor, in one commit. */
  applyFeed(page: GalleryAnswer): void;
}

export interface Gallery extends Pick<FedGallery, 'size' | 'protections'> {
  /** One for each embedder that people here are under, the newest first. */
  readonly feeds: readonly FedGallery[];
  /** Whether anybody is under an embedder before the newest: only then a probe under that one can change an answer. */
  readonly needsBefore: boolean;
  /** Who is this? `embedding` is the newest model's own (unprotected, any length but zero), `before` the same look's under the one
   *  before; null where there is none. A match when its estimated rate over all that was searched is at most maxFmr. */
  identify(embedding: Float32Array, rates: Rates, before?: Float32Array | null): Identification;
  /**
   * Is this the person they say they are? The one comparison with this person's template: the gallery's own, or the one that is offered
   * where it has none; that one is forgotten again. Null where neither can be compared.
   */
  verify(
    embedding: Float32Array,
    personId: Uuid,
    offered: ProtectedTemplate | null,
    before?: Float32Array | null,
  ): { readonly comparison: Comparison; readonly template: 'gallery' | 'bank' } | null;
  /** Whose account number it is, where the bank said so before; null otherwise, and for who is not held. */
  personWithNumber(accountNumber: string): Uuid | null;
  /** What the bank said, for the next time. Kept of people who are held. */
  keepNumber(accountNumber: string, personId: Uuid): void;
  /** The most similar person when any stranger of the whole gallery would be as alike with at most this rate, null when nobody is; and
   *  whether so many are as alike as single strangers are at it that the reference itself must be poor. Asked before an enrolment. */
  lookAlike(
    embedding: Float32Array,
    lookAlikeFmr: number,
    before?: Float32Array | null,
  ): { readonly personId: Uuid | null; readonly likeTooMany: boolean };
  /** Single-comparison rate at which two different people's embeddings are as similar as these two. */
  fmrBetween(a: Float32Array, b: Float32Array): number;
  /** One template of several frames of one face; see fusion.ts. */
  fuse(embeddings: readonly Float32Array[]): Float32Array;
  /** How many are still under the old matrix of a change. */
  readonly unconverted: number;
  /**
   * Takes up another matrix. From then on probes are compared under both, and templates are made under the new one; those that were set
   * aside because they were under it come back. Growing the matrix pauses often. Throws when a change is under way.
   */
  beginProtection(next: ProtectionSecret, pause: () => Promise<void>): Promise<void>;
  /** Brings some people under the new matrix, in one commit. Everybody can be matched before, meanwhile and after. */
  convert(count: number): void;
  /** Ends the change: the old matrix is overwritten, and no template under it is left on the disk. Throws while anybody is unconverted. */
  endProtection(): void;
  /** What the bank gets of a face: protected, normalised, encoded. */
  protectedTemplate(embedding: Float32Array): ProtectedTemplate;
  /** The same under the embedder before; null where nobody is under one. */
  templateBefore(before: Float32Array | null): ProtectedTemplate | null;
  /** Whether the person of a match is to be moved to the newest embedder by this look: known under the one before alone, with nobody
   *  near, and with a reference that is not like too many. */
  movesOver(embedding: Float32Array, found: Identification, lookAlikeFmr: number): boolean;
  /** What is held of somebody under an embedder, under the newest matrix; null where nothing is. */
  templateOf(personId: Uuid, modelSha256: string): ProtectedTemplate | null;
  /** Forgets somebody's template under one embedder. They are not erased. */
  retire(personId: Uuid, modelSha256: string): void;
  /** Stores one person's template (a repeat replaces it), outside the feed: for somebody just enrolled or moved here. */
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
  /** The pseudonym of a face that was taken for this person with this score. Kept unless it surely is the person's own.
   *  @param match `model`: under which embedder; the newest where it is not given. */
  matchedFace(
    embedding: Float32Array,
    match: { readonly personId: Uuid; readonly score: number | null; readonly model?: string | null },
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
  close(): void;
}

/** The gallery of one embedder; with what two of them need of each other (two-embedders.ts). */
export interface OneGallery extends Gallery, FedGallery {
  has(personId: Uuid): boolean;
  /** The most similar, best first. */
  nearest(embedding: Float32Array, wanted: number): readonly Candidate[];
  /** Whether this person was named as looking like another, names one, or has one here. */
  needsPin(personId: Uuid, lookAlikeFmr: number): boolean;
  /** Whether one of the two was said to look like the other. */
  declaredAlike(one: Uuid, other: Uuid): boolean;
  /** Rate at which a stranger reaches this score in one comparison. */
  fmrAt(score: number): number;
}

/** A protecting matrix: its name, and the 32 bytes it grows from. */
export interface ProtectionSecret {
  readonly version: string;
  readonly seed: Uint8Array;
}

export interface GalleryOptions {
  /** The database file; made when missing. */
  readonly path: string;
  readonly dataKey: KeyObject;
  /** 32 bytes, from the activation. */
  readonly protectionSeed: Uint8Array;
  readonly protectionVersion: string;
  /** The matrix that a change under way leads to. */
  readonly nextProtection?: ProtectionSecret | null;
  /** The embedder in use, as templates name it. */
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

/** People under one matrix. */
interface Generation {
  readonly version: string;
  readonly protection: Protection;
  readonly search: ExactSearch;
}

/** A change under way: from the first generation to the second. */
interface Change {
  readonly matrix: ProtectionChange;
  readonly from: Generation;
  readonly to: Generation;
}

/** Opens the gallery and decrypts what is searched into memory. Throws GALLERY_UNREADABLE naming the file or row, deleting nothing. */
export function openGallery(options: GalleryOptions): OneGallery {
  const { path, dataKey, modelSha256, dimensions, calibration, chance } = options;
  // Copies: overwritten here when they are not needed any more.
  const given = { version: options.protectionVersion, seed: Uint8Array.from(options.protectionSeed) };
  const next = options.nextProtection && {
    version: options.nextProtection.version,
    seed: Uint8Array.from(options.nextProtection.seed),
  };
  const store = openTemplateStore({ path, dataKey, chance });
  const generationOf = (version: string, protection: Protection, expected = 0): Generation => ({
    version,
    protection,
    search: new ExactSearch(dimensions, expected),
  });
  /** Whose templates are made and asked for now. */
  let current = generationOf(given.version, protectionFrom(given.seed, dimensions));
  let change: Change | null = null;
  if (next) {
    const { protection, change: matrix } = atOnce(growChange({ from: given.seed, to: next.seed }, dimensions));
    change = { matrix, from: current, to: generationOf(next.version, protection) };
    current = change.to;
  }
  /** Needed for the way to the next one. */
  let currentSeed: Uint8Array = next?.seed ?? given.seed;
  if (next) given.seed.fill(0);
  /** Oldest first. */
  const generations = (): readonly Generation[] => (change ? [change.from, change.to] : [current]);
  /** Held, and not compared: one unusable template must not keep the feed from what follows it, such as an erasure. */
  const setAside = new ExactSearch(0);
  const nameOf = (version: string) => `${modelSha256} ${version} ${dimensions}`;
  const rosters = (): readonly (readonly [string, ExactSearch])[] => [
    ...generations().map(({ version, search }) => [nameOf(version), search] as const),
    [ASIDE, setAside],
  ];
  /** Everybody who is compared. */
  const sizeOfAll = () => generations().reduce((sum, { search }) => sum + search.size, 0);
  /** Who was named as a look-alike, by how many. */
  const namedBy = new Map<Uuid, number>();

  const erased = new Set<Uuid>(store.erasures().map(({ personId }) => personId));

  /** Under which matrix a template of this model is; null when it can't be compared. */
  const generationFor = (template: Pick<StoredTemplate, 'modelSha256' | 'protectionVersion'>): Generation | null =>
    template.modelSha256 === modelSha256
      ? (generations().find(({ version }) => version === template.protectionVersion) ?? null)
      : null;
  const count = (named: Uuid | null, by: 1 | -1) => {
    if (named) namedBy.set(named, (namedBy.get(named) ?? 0) + by);
  };
  const presented = presentedFaces({
    store,
    protectedBy: next ?? given,
    before: change && { version: change.from.version, change: change.matrix },
    dimensions,
    chance,
    fmrAt: (score) => singleFmr(calibration, score),
  });

  const numbers = accountNumbers(store, dataKey);

  const generationWith = (personId: Uuid) => generations().find(({ search }) => search.has(personId)) ?? null;
  const rosterOf = (personId: Uuid) => generationWith(personId)?.search ?? (setAside.has(personId) ? setAside : null);
  const lookAlikeOf = (personId: Uuid) => rosterOf(personId)?.lookAlikeOf(personId) ?? null;
  /** Out of memory. Returns how to undo it; null when nobody was there. */
  const forget = (personId: Uuid): (() => void) | null => {
    const roster = rosterOf(personId);
    if (!roster) return null;
    const alike = roster.lookAlikeOf(personId);
    const restore = roster.delete(personId);
    count(alike, -1);
    return () => {
      count(alike, 1);
      restore?.();
    };
  };
  /** Into memory, where it can be compared or aside. Whoever is already there is replaced. Returns how to undo it. */
  const learn = ({ personId, lookAlikeOf: alike }: StoredTemplate, found: Placed | null): (() => void) => {
    const restore = forget(personId);
    const remove = found
      ? found.generation.search.add(personId, found.vector, alike)
      : setAside.add(personId, new Float32Array(0), alike);
    count(alike, 1);
    return () => {
      count(alike, -1);
      remove();
      restore?.();
    };
  };

  /** A template's vector, and the generation it is compared in; null when it can't be. */
  const placed = (template: Omit<StoredTemplate, 'personId' | 'lookAlikeOf'>): Placed | null => {
    const generation = generationFor(template);
    const vector = generation && vectorOf(template.values, dimensions);
    return vector && { generation, vector };
  };

  let damaged = false;
  /** The template as it is on disk. Nothing but what is under the generation's own matrix comes back. */
  const exactIn =
    (generation: Generation) =>
    (personId: Uuid): Float32Array | null => {
      const found = readable(personId);
      if (found?.placed?.generation === generation) return found.placed.vector;
      if (found) damage(`the template of person ${personId} is under protection ${found.stored.protectionVersion}`);
      return null;
    };
  /** Null for one that is damaged, which is told. */
  const readable = (personId: Uuid): { stored: StoredTemplate; placed: Placed | null } | null => {
    try {
      const stored = store.template(personId);
      if (stored) return { stored, placed: placed(stored) };
      damage(`the template of person ${personId} is missing`);
    } catch (cause) {
      if (!(cause instanceof TerminalError) || cause.code !== 'GALLERY_UNREADABLE') throw cause;
      condemn(cause);
    }
    return null;
  };
  const damage = (what: string) => condemn(new TerminalError('GALLERY_UNREADABLE', `the gallery ${path}: ${what}`));
  const condemn = (error: TerminalError) => {
    if (damaged) return;
    damaged = true;
    try {
      store.condemn(error.message);
    } catch (cause) {
      // Too damaged to say so: then the next start finds it by itself.
      if (!(cause instanceof TerminalError)) throw cause;
    }
    options.onDamaged?.(error);
  };

  /** A vector under one generation's matrix as it is under another's. */
  const carried = (vector: Float32Array, from: Generation, to: Generation): Float32Array => {
    if (from === to) return vector;
    if (!change) throw new Error('two matrices, and no way between them');
    return to === change.to ? change.matrix.forward(vector) : change.matrix.back(vector);
  };
  /** The most similar of everybody, whichever matrix they are under. `probeFor` gives the probe under each. */
  const nearest = (probeFor: (generation: Generation) => Float32Array, wanted: number): readonly Neighbour[] => {
    const found = generations().map((generation) =>
      generation.search.size === 0 ? [] : generation.search.nearest(probeFor(generation), wanted, exactIn(generation)),
    );
    return found.length === 1
      ? found[0]!
      : found
          .flat()
          .sort((a, b) => b.score - a.score)
          .slice(0, wanted);
  };
  const nearestTo = (embedding: Float32Array, wanted: number) =>
    nearest(({ protection }) => protection.protect(embedding), wanted);

  /** Presentations that were as like somebody who goes as two of their own would be. */
  const forgetTriesOf = (personId: Uuid): void => {
    const generation = generationWith(personId);
    const template = generation && exactIn(generation)(personId);
    if (!template) return;
    // Presented faces are under the newest matrix.
    const likeness = carried(template, generation, current);
    presented.forgetLike(likeness, (score) => singleFmr(calibration, score) <= FORGET_LIKE_FMR);
  };

  /** Changes file and memory together: both, or neither. `change` collects how to undo what it does in memory. */
  const commit = (change: (undo: (() => void)[]) => void): void => {
    const undo: (() => void)[] = [];
    const saved: (() => void)[] = [];
    try {
      store.commit(() => {
        change(undo);
        for (const [name, roster] of rosters()) saved.push(store.packs.save(name, roster));
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
      const roster = placed(template)?.generation.search ?? setAside;
      if (roster.has(template.personId) && roster.lookAlikeOf(template.personId) === template.lookAlikeOf) continue;
      throw new TerminalError('GALLERY_UNREADABLE', `the gallery ${path}: person ${template.personId} is in no pack`);
    }
    checkCount(rows);
  };
  const checkCount = (rows: number): void => {
    const packed = sizeOfAll() + setAside.size;
    if (rows === packed) return;
    throw new TerminalError(
      'GALLERY_UNREADABLE',
      `the gallery ${path} has ${rows} templates, and ${packed} in its packs`,
    );
  };
  /** From an older Kaopass, or packed for another model: once, from the rows. */
  const packAnew = (): void => {
    for (const template of store.all()) learn(template, placed(template));
    commit(() => store.packs.clear());
  };
  /**
   * Which rosters the file has: 'all' of them; 'begun' or 'ended' where a change was taken up and the power went before the file had heard
   * of it, or after the file was done with it; 'others' otherwise.
   */
  const rostersThere = (): 'all' | 'begun' | 'ended' | 'others' => {
    const there = store.packs.names().join();
    const are = (...names: string[]) => there === names.sort().join();
    if (are(...rosters().map(([name]) => name))) return 'all';
    if (change && are(nameOf(change.from.version), ASIDE)) return 'begun';
    if (change && are(nameOf(change.to.version), ASIDE)) return 'ended';
    return 'others';
  };
  const loadPacks = (): void => {
    const there = rostersThere();
    if (there === 'others') {
      packAnew();
      return;
    }
    const names = store.packs.names();
    for (const [name, roster] of rosters()) {
      if (!names.includes(name)) continue;
      store.packs.load(name, roster);
      for (const [, named] of roster.lookAlikes()) count(named, 1);
    }
    if (sizeOfAll() + setAside.size <= OPENED_AT_START_UP_TO) checkRows();
    else if (there !== 'all') checkCount(store.count());
    if (there !== 'all') commit(takeBack);
  };
  /** Those that were set aside and are under a matrix that is known now. */
  const takeBack = (undo: (() => void)[]): void => {
    for (const personId of setAside.last(setAside.size)) {
      const found = readable(personId);
      if (found?.placed) undo.push(learn(found.stored, found.placed));
    }
  };

  try {
    const why = store.condemned();
    if (why) throw new TerminalError('GALLERY_UNREADABLE', why);
    loadPacks();
  } catch (cause) {
    store.close();
    throw cause;
  }

  const fmrAt = (score: number) => singleFmr(calibration, score);
  const candidates = (embedding: Float32Array, wanted: number): readonly Candidate[] =>
    nearestTo(embedding, wanted).map(({ key, score }) => ({
      personId: key,
      score,
      model: modelSha256,
      fmr: fmrAt(score),
    }));
  const declaredAlike = (one: Uuid, other: Uuid): boolean => lookAlikeOf(one) === other || lookAlikeOf(other) === one;
  /** Whether this person was named as looking like another, names one, or has one in the gallery. */
  const needsPin = (personId: Uuid, lookAlikeFmr: number): boolean => {
    if (lookAlikeOf(personId) || (namedBy.get(personId) ?? 0) > 0) return true;
    const home = generationWith(personId);
    const template = home && exactIn(home)(personId);
    const [, other] = template ? nearest((generation) => carried(template, home, generation), 2) : [];
    return other !== undefined && isLookAlike(calibration, other.score, sizeOfAll() - 1, lookAlikeFmr);
  };

  const eraseWithin = (erasure: Erasure, undo: (() => void)[]): void => {
    store.erase(erasure);
    const restore = forget(erasure.personId);
    if (restore) undo.push(restore);
  };

  const taken = (personId: Uuid, template: ProtectedTemplate, alike: Uuid | null): StoredTemplate => ({
    personId,
    modelSha256: template.modelSha256,
    protectionVersion: template.protectionVersion,
    lookAlikeOf: alike,
    values: Buffer.from(template.values, 'base64url'),
  });

  /** The file's part of taking up another matrix, and what of it is in memory. */
  const takeUp = (next: ProtectionSecret, grown: { protection: Protection; change: ProtectionChange }): void => {
    const before = current;
    const to = generationOf(next.version, grown.protection, before.search.size);
    change = { matrix: grown.change, from: before, to };
    current = to;
    let changed: () => void = () => undefined;
    try {
      commit((undo) => {
        takeBack(undo);
        changed = presented.changeTo(next, grown.change);
      });
    } catch (cause) {
      change = null;
      current = before;
      throw cause;
    }
    changed();
    currentSeed.fill(0);
    currentSeed = next.seed;
  };

  const retireWithin = (personId: Uuid, undo: (() => void)[]): void => {
    store.remove(personId);
    const restore = forget(personId);
    if (restore) undo.push(restore);
  };

  const gallery: OneGallery = {
    modelSha256,
    get feeds() {
      return [gallery];
    },
    needsBefore: false,
    get size() {
      return sizeOfAll();
    },
    has: (personId) => rosterOf(personId) !== null,
    nearest: candidates,
    needsPin,
    declaredAlike,
    fmrAt,
    templateBefore: () => null,
    movesOver: () => false,
    templateOf: (personId, model) => {
      const home = model === modelSha256 ? generationWith(personId) : null;
      const vector = home && exactIn(home)(personId);
      if (!home || !vector) return null;
      const values = Buffer.from(carried(vector, home, current).slice().buffer).toString('base64url');
      return { values, dimensions, modelSha256, protectionVersion: current.version };
    },
    retire: (personId, model) => {
      if (model === modelSha256) commit((undo) => retireWithin(personId, undo));
    },
    get notComparable() {
      return setAside.size;
    },
    get cursor() {
      return store.cursor();
    },
    identify: (embedding, rates) =>
      decide(
        candidates(embedding, 2),
        { templates: sizeOfAll(), declaredAlike, needsPin: (personId) => needsPin(personId, rates.lookAlikeFmr) },
        rates,
      ),
    verify: (embedding, personId, offered) => {
      const home = generationWith(personId);
      const own = home && exactIn(home)(personId);
      const claimed = own ? { generation: home, vector: own } : offered && placed(taken(personId, offered, null));
      if (!claimed) return null;
      const score = dot(claimed.generation.protection.protect(embedding), claimed.vector);
      claimed.vector.fill(0);
      const estimatedFmr = singleFmr(calibration, score);
      const comparison = { score, runnerUpScore: null, gallerySize: 1, estimatedFmr, model: modelSha256 };
      return { comparison, template: own ? 'gallery' : 'bank' };
    },
    personWithNumber: (accountNumber) => {
      const personId = numbers.personWith(accountNumber);
      return personId && generationWith(personId) ? personId : null;
    },
    keepNumber: (accountNumber, personId) => {
      if (generationWith(personId)) numbers.keep(accountNumber, personId);
    },
    lookAlike: (embedding, lookAlikeFmr) => {
      const size = sizeOfAll();
      const most = alikeMax(size, lookAlikeFmr);
      const near = nearestTo(embedding, most + 1);
      const [best] = near;
      return {
        personId: best && isLookAlike(calibration, best.score, size, lookAlikeFmr) ? best.key : null,
        likeTooMany: near.filter(({ score }) => singleFmr(calibration, score) <= lookAlikeFmr).length > most,
      };
    },
    fmrBetween: (a, b) => singleFmr(calibration, dot(fuse([a]), fuse([b]))),
    fuse,
    // Float32 as this processor has it, which is little endian: see vectorOf.
    protectedTemplate: (embedding) => ({
      values: Buffer.from(current.protection.protect(embedding).buffer).toString('base64url'),
      dimensions,
      modelSha256,
      protectionVersion: current.version,
    }),
    get protections() {
      return generations().map(({ version }) => version);
    },
    get unconverted() {
      return change?.from.search.size ?? 0;
    },
    beginProtection: async (next, pause) => {
      const refuse = () => {
        if (change) throw new Error(`the change to protection ${change.to.version} is under way`);
        if (next.version === current.version) throw new Error(`protection ${next.version} is the one in use`);
      };
      refuse();
      const grown = await inPieces(growChange({ from: currentSeed, to: next.seed }, dimensions), pause);
      refuse();
      takeUp({ version: next.version, seed: Uint8Array.from(next.seed) }, grown);
    },
    convert: (count) => {
      if (!change) return;
      const { from, to, matrix } = change;
      const found = from.search.last(count).map((personId) => ({ personId, read: readable(personId) }));
      commit((undo) => {
        for (const { personId, read } of found) {
          if (read?.placed?.generation === from) {
            const vector = matrix.forward(read.placed.vector);
            const values = new Uint8Array(vector.buffer);
            const stored = { ...read.stored, protectionVersion: to.version, values };
            store.put(stored);
            undo.push(learn(stored, { generation: to, vector }));
            continue;
          }
          // Damaged, and told: the next start pulls everybody anew. Until then this person is held and not compared, as before.
          if (read) damage(`the template of person ${personId} is under protection ${read.stored.protectionVersion}`);
          const alike = from.search.lookAlikeOf(personId);
          const restore = from.search.delete(personId);
          undo.push(() => restore?.());
          undo.push(setAside.add(personId, new Float32Array(0), alike));
        }
      });
    },
    endProtection: () => {
      if (!change) return;
      const { from, to, matrix } = change;
      if (from.search.size > 0)
        throw new Error(`${from.search.size} people are still under protection ${from.version}`);
      store.commit(() => store.packs.drop(nameOf(from.version)));
      store.scrub();
      matrix.destroy();
      from.protection.destroy();
      current = to;
      change = null;
    },
    put: (personId, template, lookAlikeOf) => {
      const stored = taken(personId, template, lookAlikeOf);
      if (erased.has(personId)) return;
      commit((undo) => {
        if (store.put(stored)) undo.push(learn(stored, placed(stored)));
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
      const probe = current.protection.protect(embedding);
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
      return presented.keep({ kind: 'live', probe: current.protection.protect(embedding), at }, rules);
    },
    refusedFace: (embedding, kind, at, rules) =>
      presented.refused({ kind, probe: current.protection.protect(embedding), at }, rules),
    ownFace: (personId) => presented.ownFaceOf(personId),
    forgetOldFaces: (at, rules) => presented.forgetOld(at, rules),
    acknowledged: (personId) => store.commit(() => store.acknowledged(personId)),
    applyFeed: ({ entries, next }) => {
      const news = entries.map((entry) =>
        entry.kind === 'put' ? taken(entry.personId, entry.template, entry.lookAlikeOf) : entry,
      );
      for (const one of news) if ('kind' in one && one.kind === 'erase') forgetTriesOf(one.personId);
      commit((undo) => {
        for (const one of news) {
          if ('kind' in one) {
            if (one.kind === 'erase') eraseWithin(one, undo);
            else retireWithin(one.personId, undo);
          } else if (store.put(one)) undo.push(learn(one, placed(one)));
        }
        store.setCursor(next);
      });
      for (const one of news) if ('kind' in one && one.kind === 'erase') erased.add(one.personId);
    },
    close: () => store.close(),
  };
  return gallery;
}

interface Placed {
  readonly generation: Generation;
  readonly vector: Float32Array;
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
