/** A change of the protecting matrix in one terminal's gallery: everybody is matched at every step, whatever comes between. */
import { createSecretKey } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ATTEMPTS_DEFAULT } from '../../src-contract/attempts.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import { atOnce } from '../../src-contract/protection.ts';
import { systemChance } from '../clock.ts';
import { cosineOf, facesFrom, plainCalibration } from './gallery.fixture.ts';
import { type GalleryOptions, type OneGallery, openGallery } from './gallery.ts';
import { inspectGallery } from './inspection.ts';
import { growChange, protectionFrom } from './protection.ts';
import { dot, ExactSearch } from './search.ts';

const DIMENSIONS = 64;
const PEOPLE = 72;
const MODEL = 'a'.repeat(64);
const rates = { maxFmr: 1e-4, lookAlikeFmr: 1e-5 };
const secret = (n: number) => ({ version: `p${n}-test`, seed: new Uint8Array(32).fill(n) });
const noPause = async () => {};
const faces = facesFrom(17, DIMENSIONS);
const id = () => systemChance.id();

let directory: string;
let gallery: OneGallery;
let people: Map<Uuid, Float32Array>;

const open = (options: Partial<GalleryOptions> = {}) =>
  openGallery({
    path: join(directory, 'gallery.sqlite'),
    dataKey: createSecretKey(new Uint8Array(32).fill(1)),
    protectionSeed: secret(1).seed,
    protectionVersion: secret(1).version,
    modelSha256: MODEL,
    dimensions: DIMENSIONS,
    calibration: plainCalibration,
    chance: systemChance,
    ...options,
  });
/** What a bank would send of somebody: their template under this matrix. */
const templateUnder = (n: number, face: Float32Array) => ({
  values: Buffer.from(protectionFrom(secret(n).seed, DIMENSIONS).protect(face).buffer).toString('base64url'),
  dimensions: DIMENSIONS,
  modelSha256: MODEL,
  protectionVersion: secret(n).version,
});
const put = (cursor: number, personId: Uuid, n: number, face: Float32Array) => ({
  entries: [{ kind: 'put' as const, cursor, personId, template: templateUnder(n, face), lookAlikeOf: null }],
  ...{ next: cursor, more: false },
});
/** The scores of everybody, each of whom is found; each is looked for with another look of the same face. */
const scoresOfAll = () =>
  [...people].map(([personId, face]) => {
    const found = gallery.identify(face, rates);
    expect(found, personId).toMatchObject({ outcome: 'match', personId });
    expect(found.comparison.gallerySize).toBe(people.size);
    return found.comparison;
  });
const enrol = () => {
  const [personId, face] = [id(), faces.next()];
  gallery.put(personId, gallery.protectedTemplate(face), null);
  people.set(personId, face);
  return personId;
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kaopass-change-'));
  gallery = open();
  people = new Map(Array.from({ length: PEOPLE }, () => [id(), faces.next()]));
  gallery.applyFeed({
    entries: [...people].map(([personId, face], n) => put(n + 1, personId, 1, face).entries[0]!),
    ...{ next: PEOPLE, more: false },
  });
});
afterEach(async () => {
  gallery.close();
  await rm(directory, { recursive: true, force: true });
});

describe('a change of the matrix', () => {
  test('has everybody matched after every batch, with the same scores, and whoever comes or goes meanwhile', async () => {
    const before = scoresOfAll();
    await gallery.beginProtection(secret(2), noPause);
    expect(gallery.protections).toEqual(['p1-test', 'p2-test']);
    const check = () => {
      scoresOfAll().forEach((comparison, n) => {
        if (!before[n]) return;
        expect(comparison.score).toBeCloseTo(before[n].score!, 6);
        if (people.size === PEOPLE) expect(comparison.runnerUpScore).toBeCloseTo(before[n].runnerUpScore!, 6);
      });
    };
    check();
    gallery.convert(30);
    expect(inspectGallery(join(directory, 'gallery.sqlite'))).toMatchObject({
      templates: PEOPLE,
      leaving: { protection: 'p1-test', templates: PEOPLE - 30 },
    });
    check();
    // Somebody registers here, the feed brings one under either matrix, and one of each side withdraws consent.
    enrol();
    for (const n of [1, 2]) {
      const [personId, face] = [id(), faces.next()];
      gallery.applyFeed(put(PEOPLE + n, personId, n, face));
      people.set(personId, face);
    }
    const [first, last] = [[...people.keys()][5]!, [...people.keys()][PEOPLE - 5]!];
    for (const gone of [first, last]) {
      const face = people.get(gone)!;
      gallery.erase(gone);
      people.delete(gone);
      expect(gallery.identify(face, rates).outcome).toBe('nobody');
    }
    before.length = 0;
    while (gallery.unconverted > 0) {
      const left = gallery.unconverted;
      gallery.convert(30);
      expect(gallery.unconverted).toBe(Math.max(0, left - 30));
      check();
    }
    gallery.endProtection();
    expect(gallery.protections).toEqual(['p2-test']);
    expect(inspectGallery(join(directory, 'gallery.sqlite'))).toMatchObject({ leaving: null });
    check();
    gallery.close();
    gallery = open({ protectionSeed: secret(2).seed, protectionVersion: secret(2).version });
    expect(gallery.notComparable).toBe(0);
    check();
  });

  test('goes on after the power went at any of its steps', async () => {
    const path = join(directory, 'gallery.sqlite');
    const next = { nextProtection: secret(2) };
    /** What a restart finds if the power goes now: what is committed. */
    const again = async (options: Partial<GalleryOptions>) => {
      const copy = await mkdtemp(join(directory, 'cut-'));
      for (const part of ['', '-wal']) await copyFile(path + part, join(copy, `gallery.sqlite${part}`));
      const running = gallery;
      gallery = open({ path: join(copy, 'gallery.sqlite'), ...options });
      scoresOfAll();
      const { protections } = gallery;
      while (gallery.unconverted > 0) gallery.convert(100);
      gallery.endProtection();
      scoresOfAll();
      expect(gallery.notComparable).toBe(0);
      gallery.close();
      gallery = running;
      return protections;
    };
    const both = ['p1-test', 'p2-test'];
    // Told of the new matrix, and the file not yet.
    expect(await again(next)).toEqual(both);
    await gallery.beginProtection(secret(2), noPause);
    expect(await again(next)).toEqual(both);
    gallery.convert(34);
    expect(await again(next)).toEqual(both);
    gallery.convert(PEOPLE);
    expect(await again(next)).toEqual(both);
    gallery.endProtection();
    // The file is done, and the key store has both seeds still; then the new one alone.
    expect(await again(next)).toEqual(both);
    expect(await again({ protectionSeed: secret(2).seed, protectionVersion: 'p2-test' })).toEqual(['p2-test']);
  });

  test('leaves file and memory as they were when a batch cannot be written', async () => {
    gallery.close();
    let full = false;
    const bytes = (length: number) => {
      if (full) throw new Error('the disk is full');
      return systemChance.bytes(length);
    };
    gallery = open({ chance: { ...systemChance, bytes } });
    full = true;
    await expect(gallery.beginProtection(secret(2), noPause)).rejects.toThrow('the disk is full');
    expect(gallery.protections).toEqual(['p1-test']);
    scoresOfAll();
    full = false;
    await gallery.beginProtection(secret(2), noPause);
    full = true;
    expect(() => gallery.convert(10)).toThrow('the disk is full');
    expect(gallery.unconverted).toBe(PEOPLE);
    scoresOfAll();
    full = false;
    gallery.convert(PEOPLE);
    scoresOfAll();
  });

  test('never compares under a wrong matrix: one that is not known is set aside until it is', async () => {
    const [personId, face] = [id(), faces.next()];
    gallery.applyFeed(put(PEOPLE + 1, personId, 2, face));
    expect(gallery.notComparable).toBe(1);
    expect(gallery.identify(face, rates).outcome).toBe('nobody');
    scoresOfAll();
    await gallery.beginProtection(secret(2), noPause);
    people.set(personId, face);
    expect(gallery.notComparable).toBe(0);
    scoresOfAll();
  });

  test('is begun one at a time, and does not end before everybody is over', async () => {
    await expect(gallery.beginProtection(secret(1), noPause)).rejects.toThrow('p1-test is the one in use');
    await gallery.beginProtection(secret(2), noPause);
    await expect(gallery.beginProtection(secret(3), noPause)).rejects.toThrow('change to protection p2-test');
    expect(() => gallery.endProtection()).toThrow(`${PEOPLE} people are still under protection p1-test`);
  });

  test('keeps look-alikes, and who looks too like somebody under the other matrix needs the PIN', async () => {
    const [one, other] = [...people.keys()];
    const near = faces.near(people.get(other!)!, 0.55);
    const twin = id();
    gallery.put(twin, gallery.protectedTemplate(near), one!);
    people.set(twin, near);
    const pins = () =>
      [one, other, twin].map((who) => {
        // A stranger among all of them would come as near as 0.55 with a rate of 2e-4.
        const found = gallery.identify(people.get(who!)!, { maxFmr: 1e-4, lookAlikeFmr: 1e-3 });
        return found.outcome === 'match' && found.pinAlways;
      });
    expect(pins()).toEqual([true, true, true]);
    await gallery.beginProtection(secret(2), noPause);
    expect(pins()).toEqual([true, true, true]);
    // The twin came last, and is the first to go over.
    gallery.convert(1);
    expect(pins()).toEqual([true, true, true]);
    gallery.convert(PEOPLE);
    expect(pins()).toEqual([true, true, true]);
  });

  test('takes presented faces over with their pauses and pseudonyms, and erases those like a person on either side', async () => {
    const stranger = faces.next();
    const at = 1_000_000;
    const { refusedLooks } = ATTEMPTS_DEFAULT;
    const look = () => gallery.refusedFace(stranger, 'live', at, ATTEMPTS_DEFAULT);
    const face = look();
    for (let n = 1; n < refusedLooks; n++) expect(look()).toBe(face);
    const before = gallery.tries(stranger, at, ATTEMPTS_DEFAULT);
    expect(before.pausedUntil).toBeGreaterThan(at);
    await gallery.beginProtection(secret(2), noPause);
    expect(gallery.tries(stranger, at, ATTEMPTS_DEFAULT)).toEqual(before);
    // Somebody not yet converted withdraws consent, and their own refused look goes with them.
    const [personId, own] = [...people][0]!;
    const refused = gallery.refusedFace(own, 'live', at, ATTEMPTS_DEFAULT);
    expect(gallery.tries(own, at, ATTEMPTS_DEFAULT).face).toBe(refused);
    gallery.erase(personId);
    expect(gallery.tries(own, at, ATTEMPTS_DEFAULT).face).toBeNull();
    gallery.convert(PEOPLE);
    gallery.endProtection();
    gallery.close();
    gallery = open({ protectionSeed: secret(2).seed, protectionVersion: secret(2).version });
    expect(gallery.tries(stranger, at, ATTEMPTS_DEFAULT)).toEqual(before);
  });

  test('leaves nothing under the old matrix in the file, and who has the old seed matches nobody', async () => {
    const rows = () => {
      const db = new Database(join(directory, 'gallery.sqlite'), { readonly: true });
      const found = db.prepare('SELECT DISTINCT protection_version FROM templates').pluck().all();
      const names = db.prepare('SELECT name FROM rosters').pluck().all();
      db.close();
      return { found, names };
    };
    const db = new Database(join(directory, 'gallery.sqlite'), { readonly: true });
    const sealed = db.prepare<[], Buffer>('SELECT sealed FROM templates').pluck().all();
    db.close();
    await gallery.beginProtection(secret(2), noPause);
    while (gallery.unconverted > 0) gallery.convert(64);
    gallery.endProtection();
    expect(rows()).toEqual({ found: ['p2-test'], names: [`${MODEL} p2-test ${DIMENSIONS}`, 'aside'] });
    const files = await Promise.all(['', '-wal'].map((part) => readFile(join(directory, `gallery.sqlite${part}`))));
    for (const one of sealed) for (const file of files) expect(file.includes(one.subarray(0, 32))).toBe(false);
    gallery.close();
    gallery = open();
    expect([gallery.size, gallery.notComparable]).toEqual([0, PEOPLE]);
  });
});

describe('ten changes one after the other', () => {
  test('move no score by more than float32 rounds, and a search answers as a plain float scan does', () => {
    const protections = Array.from({ length: 11 }, (_, n) => protectionFrom(secret(n + 1).seed, DIMENSIONS));
    const embeddings = [...people.values()];
    let templates = embeddings.map((face) => protections[0]!.protect(face));
    let worst = 0;
    for (let n = 1; n <= 10; n++) {
      const { change } = atOnce(growChange({ from: secret(n).seed, to: secret(n + 1).seed }, DIMENSIONS));
      const previous = templates;
      templates = templates.map(change.forward);
      expect(cosineOf(change.back(templates[0]!), previous[0]!)).toBeCloseTo(1, 6);
      // The one before, whose seed somebody has, says nothing of this one.
      const linked = templates.map((template, i) => Math.abs(cosineOf(template, previous[i]!)));
      expect(linked.reduce((sum, value) => sum + value, 0) / PEOPLE).toBeLessThan(3 / Math.sqrt(DIMENSIONS));
      templates.forEach((template, i) => {
        const fresh = protections[n]!.protect(embeddings[i]!);
        worst = Math.max(worst, ...template.map((value, at) => Math.abs(value - fresh[at]!)));
      });
    }
    // Float32 has a step of 6e-8 at 0.5: ten roundings, and never more than a score is told apart by.
    expect(worst).toBeLessThan(1e-6);
    // Int8 is made from float32 each time, so that its error is that of one quantisation; the search makes up for it.
    const search = new ExactSearch(DIMENSIONS);
    const held = new Map([...people.keys()].map((personId, n) => [personId, templates[n]!]));
    for (const [personId, template] of held) search.add(personId, template);
    for (const probe of embeddings.slice(0, 10).map((face) => protections[10]!.protect(faces.near(face, 0.5)))) {
      const scan = [...held].map(([key, template]) => ({ key, score: dot(probe, template) }));
      const best = scan.sort((a, b) => b.score - a.score).slice(0, 3);
      expect(search.nearest(probe, 3, (key) => held.get(key) ?? null)).toEqual(best);
    }
  });
});
