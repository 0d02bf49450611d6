/**
 * People under two embedders: a gallery each, with its own file, feed, matrix rosters and calibration. A probe is embedded by both and
 * searched in both; templates of the two are never compared with each other, nor are scores. Somebody may be in both: then the surer of
 * their two comparisons counts. What is told of faces that are nobody's is kept under the newest embedder alone.
 */
import type { Uuid } from '../../src-contract/primitives.ts';
import { type Candidate, decide } from './decision.ts';
import type { Gallery, OneGallery } from './gallery.ts';

export function underTwo(newest: OneGallery, before: OneGallery): Gallery {
  const both = [newest, before] as const;
  const isErased = (personId: Uuid) => both.some((one) => one.isErased(personId));
  const declaredAlike = (one: Uuid, other: Uuid) => both.some((gallery) => gallery.declaredAlike(one, other));
  /** Where somebody is found twice, as they are found more surely; of two that are equally sure, under the newest. */
  const merged = (embedding: Float32Array, probe: Float32Array | null): readonly Candidate[] => {
    const found = [...newest.nearest(embedding, 2), ...(probe ? before.nearest(probe, 2) : [])];
    // A stable sort: each search's own order, and the newest first, wherever the rates are equal.
    const best = found.filter(({ personId }) => !isErased(personId)).sort((a, b) => a.fmr - b.fmr);
    const seen = new Set<Uuid>();
    return best.filter(({ personId }) => !seen.has(personId) && seen.add(personId));
  };
  /** The one that is less far in a change of the matrix: what it has not begun is still to be begun. */
  const lessFar = () => (before.protections.length < newest.protections.length ? before : newest);

  return {
    feeds: both,
    get needsBefore() {
      return before.size > 0;
    },
    get size() {
      return newest.size + before.size;
    },
    identify: (embedding, rates, probe = null) =>
      decide(
        merged(embedding, probe),
        {
          templates: newest.size + (probe ? before.size : 0),
          declaredAlike,
          needsPin: (personId) => both.some((one) => one.has(personId) && one.needsPin(personId, rates.lookAlikeFmr)),
        },
        rates,
      ),
    // One comparison, under the newest embedder that there is a template of theirs for.
    verify: (embedding, personId, offered, probe = null) =>
      newest.verify(embedding, personId, offered) ?? (probe && before.verify(probe, personId, offered)),
    personWithNumber: (number) => newest.personWithNumber(number) ?? before.personWithNumber(number),
    keepNumber: (number, personId) => {
      for (const one of both) if (one.has(personId)) one.keepNumber(number, personId);
    },
    lookAlike: (embedding, lookAlikeFmr, probe = null) => {
      const now = newest.lookAlike(embedding, lookAlikeFmr);
      const then = probe && before.lookAlike(probe, lookAlikeFmr);
      return {
        personId: now.personId ?? then?.personId ?? null,
        likeTooMany: now.likeTooMany || then?.likeTooMany === true,
      };
    },
    movesOver: (embedding, found, lookAlikeFmr) =>
      found.outcome === 'match' &&
      found.comparison.model === before.modelSha256 &&
      found.clear &&
      !newest.has(found.personId) &&
      !newest.lookAlike(embedding, lookAlikeFmr).likeTooMany,
    fmrBetween: newest.fmrBetween,
    fuse: newest.fuse,
    get protections() {
      return lessFar().protections;
    },
    get unconverted() {
      return newest.unconverted + before.unconverted;
    },
    beginProtection: async (next, pause) => {
      for (const one of both) {
        if (!one.protections.includes(next.version)) await one.beginProtection(next, pause);
      }
    },
    convert: (count) => (newest.unconverted > 0 ? newest : before).convert(count),
    endProtection: () => {
      for (const one of both) one.endProtection();
    },
    protectedTemplate: newest.protectedTemplate,
    templateBefore: (probe) => (probe && before.size > 0 ? before.protectedTemplate(probe) : null),
    templateOf: (personId, model) => newest.templateOf(personId, model) ?? before.templateOf(personId, model),
    retire: (personId, model) => {
      for (const one of both) one.retire(personId, model);
    },
    put: (personId, template, lookAlikeOf) => {
      if (isErased(personId)) return;
      const home = template.modelSha256 === before.modelSha256 ? before : newest;
      home.put(personId, template, lookAlikeOf);
    },
    // Each in its own file: cut between the two, whoever asked for it asks again (session/opt-out.ts, the feeds, sync/acknowledge.ts).
    erase: (personId) => both.map((one) => one.erase(personId)).includes(true),
    isErased,
    // A receipt says that nothing is left: both have to have forgotten.
    unacknowledged: () => {
      const waiting = new Map(
        both.flatMap((one) => one.unacknowledged()).map((erasure) => [erasure.personId, erasure]),
      );
      return [...waiting.values()].filter(({ personId }) => both.every((one) => one.isErased(personId)));
    },
    acknowledged: (personId) => {
      for (const one of both) one.acknowledged(personId);
    },
    tries: newest.tries,
    matchedFace: (embedding, match, at, rules) => {
      if (match.model !== before.modelSha256) return newest.matchedFace(embedding, match, at, rules);
      const surely = match.score !== null && before.fmrAt(match.score) <= rules.sameFaceFmr;
      return surely
        ? newest.ownFace(match.personId)
        : newest.matchedFace(embedding, { personId: match.personId, score: null }, at, rules);
    },
    refusedFace: newest.refusedFace,
    ownFace: newest.ownFace,
    forgetOldFaces: (at, rules) => {
      for (const one of both) one.forgetOldFaces(at, rules);
    },
    close: () => {
      for (const one of both) one.close();
    },
  };
}
