/**
 * Who keeps trying at this terminal: presented faces, grouped without knowing whose they are. A face is kept only when a look led to
 * nobody, or to somebody whom it does not resemble as surely as that person's own face does: its protected embedding, sealed as
 * templates are, never an image, at most {@link FACES_MAX} of them, each forgotten a stated time after it was last seen. What
 * leaves the terminal is a pseudonym: 128 random bits, or for a person's own face a keyed hash of the person's id, the same everywhere.
 */
import { createHmac } from 'node:crypto';
import { type AttemptRules, ownFaceText, PSEUDONYM_BYTES } from '../../src-contract/attempts.ts';
import type { Chance } from '../clock.ts';
import type { ProtectionChange } from './protection.ts';
import { dot } from './search.ts';
import type { StoredFace, TemplateStore } from './template-store.ts';

/** More than stand before one terminal in a day; when it is full, the one not seen for longest goes. */
const FACES_MAX = 500;
const PAUSE_DOUBLINGS_MAX = 6;

export interface PresentedFaces {
  /** The face that this probe is, if it was kept; null for a new one. */
  find(look: Look, rules: AttemptRules): { readonly face: string; readonly pausedUntil: number } | null;
  /** Its pseudonym, keeping a new one. */
  keep(look: Look, rules: AttemptRules): string;
  /** The same, and a look of it led to nobody. */
  refused(look: Look, rules: AttemptRules): string;
  /** Whatever is older than the rules allow. */
  forgetOld(at: number, rules: Pick<AttemptRules, 'forgetAfterMs'>): void;
  /** Those that resemble a template that goes. */
  forgetLike(template: Float32Array, sameAs: (score: number) => boolean): void;
  /** The pseudonym of a person's own face. */
  ownFaceOf(personId: string): string;
  /**
   * Goes over to another matrix, within a commit: every face is stored anew under it, and pseudonyms of own faces come from its seed.
   * Pseudonyms of the others are drawn by chance and stay. Returns what to call once the commit is done.
   */
  changeTo(next: ProtectedBy, change: Pick<ProtectionChange, 'forward'>): () => void;
}

/** Which matrix probes come under, and its seed. */
export interface ProtectedBy {
  readonly version: string;
  readonly seed: Uint8Array;
}

/**
 * "live": somebody stood there. "attack": a presentation attack, which shows the face of its victim and not of who tries. The two are
 * kept apart: what was done with somebody's picture must not make them rest.
 */
export type FaceKind = 'live' | 'attack';

export interface Look {
  readonly kind: FaceKind;
  /** Protected. */
  readonly probe: Float32Array;
  /** Wall time, ms. */
  readonly at: number;
}

interface Face extends StoredFace {
  readonly vector: Float32Array;
}

export function presentedFaces(options: {
  readonly store: Pick<TemplateStore, 'faces' | 'putFace' | 'dropFaces' | 'commit'>;
  /** The newest the terminal has. */
  readonly protectedBy: ProtectedBy;
  /** Where another matrix came before, and faces may still be under it: its name, and how to leave it. */
  readonly before: { readonly version: string; readonly change: Pick<ProtectionChange, 'forward'> } | null;
  readonly dimensions: number;
  readonly chance: Chance;
  /** Rate at which strangers reach a score, for one comparison. */
  readonly fmrAt: (score: number) => number;
}): PresentedFaces {
  const { store, dimensions, chance, fmrAt, before } = options;
  let { protectedBy } = options;
  const faces = new Map<string, Face>();
  const under = (face: Face, vector: Float32Array, protectionVersion: string): Face => ({
    ...face,
    protectionVersion,
    vector,
    values: new Uint8Array(Float32Array.from(vector).buffer),
  });
  const late: Face[] = [];
  const lost: string[] = [];
  for (const stored of store.faces()) {
    // Of another model: nothing to compare it with.
    if (stored.values.length !== dimensions * 4) continue;
    const face: Face = { ...stored, vector: new Float32Array(Uint8Array.from(stored.values).buffer) };
    const version = stored.protectionVersion ?? before?.version ?? protectedBy.version;
    if (version === protectedBy.version) faces.set(stored.face, face);
    else if (version === before?.version)
      late.push(under(face, before.change.forward(face.vector), protectedBy.version));
    else lost.push(stored.face);
  }
  // A change was taken up, and the power went before its commit.
  if (late.length > 0) store.commit(() => void late.map((face) => store.putFace(face)));
  for (const face of late) faces.set(face.face, face);
  // Under a matrix that is gone: nobody can be compared with them any more.
  if (lost.length > 0) store.dropFaces(lost);

  const drop = (gone: readonly Face[]): void => {
    if (gone.length === 0) return;
    store.dropFaces(gone.map(({ face }) => face));
    for (const { face } of gone) faces.delete(face);
  };
  const save = (face: Face): string => {
    store.putFace(face);
    faces.set(face.face, face);
    return face.face;
  };
  // A clock that was set back must not keep a face for longer.
  const forgetOld = (at: number, { forgetAfterMs }: Pick<AttemptRules, 'forgetAfterMs'>) =>
    drop([...faces.values()].filter(({ lastAt }) => Math.abs(at - lastAt) > forgetAfterMs));

  const same = ({ kind, probe, at }: Look, rules: AttemptRules): Face | null => {
    forgetOld(at, rules);
    let nearest: { face: Face; score: number } | null = null;
    for (const face of faces.values()) {
      if (face.kind !== kind) continue;
      const score = dot(probe, face.vector);
      if (!nearest || score > nearest.score) nearest = { face, score };
    }
    return nearest && fmrAt(nearest.score) <= rules.sameFaceFmr ? nearest.face : null;
  };
  const makeRoom = () => {
    const oldestFirst = [...faces.values()].sort((a, b) => a.lastAt - b.lastAt);
    drop(oldestFirst.slice(0, Math.max(0, faces.size - FACES_MAX + 1)));
  };
  const seen = (look: Look, rules: AttemptRules): Face => {
    const known = same(look, rules);
    if (known) return { ...known, lastAt: look.at };
    makeRoom();
    const { kind, probe, at } = look;
    return {
      face: Buffer.from(chance.bytes(PSEUDONYM_BYTES)).toString('base64url'),
      kind,
      protectionVersion: protectedBy.version,
      values: new Uint8Array(Float32Array.from(probe).buffer),
      vector: probe,
      refusals: 0,
      refusedSince: at,
      pauses: 0,
      pausedUntil: 0,
      lastAt: at,
    };
  };

  return {
    find: (look, rules) => {
      const known = same(look, rules);
      return known && { face: known.face, pausedUntil: known.pausedUntil };
    },
    keep: (look, rules) => save(seen(look, rules)),
    refused: (look, rules) => {
      const { at } = look;
      const face = seen(look, rules);
      const anew = at - face.refusedSince > rules.refusedLooksMs || at < face.refusedSince;
      const refusals = (anew ? 0 : face.refusals) + 1;
      if (refusals < rules.refusedLooks)
        return save({ ...face, refusals, refusedSince: anew ? at : face.refusedSince });
      const pausedUntil = at + rules.refusedPauseMs * 2 ** Math.min(face.pauses, PAUSE_DOUBLINGS_MAX);
      return save({ ...face, refusals: 0, refusedSince: pausedUntil, pauses: face.pauses + 1, pausedUntil });
    },
    forgetOld,
    forgetLike: (template, sameAs) => drop([...faces.values()].filter(({ vector }) => sameAs(dot(template, vector)))),
    ownFaceOf: (personId) =>
      createHmac('sha256', protectedBy.seed)
        .update(ownFaceText(personId))
        .digest()
        .subarray(0, PSEUDONYM_BYTES)
        .toString('base64url'),
    changeTo: (next, { forward }) => {
      const converted = [...faces.values()].map((face) => under(face, forward(face.vector), next.version));
      for (const face of converted) store.putFace(face);
      return () => {
        for (const face of converted) faces.set(face.face, face);
        protectedBy = next;
      };
    },
  };
}
