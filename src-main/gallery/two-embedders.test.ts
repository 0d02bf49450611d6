/**
 * Two embedders are two unrelated spaces here: a person's directions in them are drawn independently, so that anything compared across them
 * is at chance, as it is with real models.
 */
import { createSecretKey } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../src-bank/policy.ts';
import type { Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import { systemChance } from '../clock.ts';
import type { Alarm } from '../journal/journal.ts';
import type { Calibration, Embedder } from '../vision/observation.ts';
import { estimatedFmr, singleFmr } from './fmr.ts';
import { facesFrom, plainCalibration } from './gallery.fixture.ts';
import type { Gallery, OneGallery } from './gallery.ts';
import { openGalleries } from './open-galleries.ts';

const [OLD_DIMENSIONS, NEW_DIMENSIONS] = [96, 128];
/** Steeper: the same score is surer under the newer embedder. */
const steep: Calibration = {
  ...plainCalibration,
  points: [
    { score: 0, log10Fmr: 0 },
    { score: 0.8, log10Fmr: -10 },
  ],
};
const OLD: Embedder = { modelSha256: 'a1'.repeat(32), dimensions: OLD_DIMENSIONS, calibration: plainCalibration };
const NEW: Embedder = { modelSha256: 'b2'.repeat(32), dimensions: NEW_DIMENSIONS, calibration: steep };
const rates = { maxFmr: 1e-4, lookAlikeFmr: 1e-6 };
const seeds = [1, 2].map((fill) => new Uint8Array(32).fill(fill));
const [oldFaces, newFaces] = [facesFrom(71, OLD_DIMENSIONS), facesFrom(72, NEW_DIMENSIONS)];

interface Person {
  readonly id: Uuid;
  readonly old: Float32Array;
  readonly new: Float32Array;
}

let directory: string;
let gallery: Gallery;
let alarms: Alarm[];
let cursor = 0;
const person = (): Person => ({ id: systemChance.id(), old: oldFaces.next(), new: newFaces.next() });
const places = () => ({ gallery: join(directory, 'gallery.sqlite'), galleryBefore: join(directory, 'before.sqlite') });
const open = (embedder: Embedder, embedderBefore: Embedder | null) =>
  openGalleries({
    places: places(),
    embedders: { embedder, embedderBefore },
    shared: {
      dataKey: createSecretKey(Buffer.alloc(32, 3)),
      protectionSeed: seeds[0]!,
      protectionVersion: 'p1',
      chance: systemChance,
    },
    onAlarm: (alarm) => void alarms.push(alarm),
  });
/** As the feed of the one embedder brings it. */
const fed = (
  who: Person,
  under: 'old' | 'new',
  kind: 'put' | 'retire' | 'erase' = 'put',
  lookAlikeOf: Uuid | null = null,
) => {
  const one = gallery.feeds.at(under === 'old' ? -1 : 0) as OneGallery;
  cursor += 1;
  const at = { cursor, personId: who.id };
  const entry =
    kind === 'put' ? { kind, ...at, template: one.protectedTemplate(who[under]), lookAlikeOf } : { kind, ...at };
  one.applyFeed({ entries: [entry], next: cursor, more: false });
};
const look = (who: Person, { sure = 0.8 } = {}) => ({
  new: newFaces.near(who.new, sure),
  old: oldFaces.near(who.old, sure),
});
const found = (probe: { new: Float32Array; old: Float32Array | null }) => gallery.identify(probe.new, rates, probe.old);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kaopass-two-'));
  alarms = [];
  gallery = open(NEW, OLD);
});
afterEach(() => {
  gallery.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('people under two embedders', () => {
  test('are each found in the space they have a template in, and the result says in which', () => {
    const [moved, not] = [person(), person()];
    fed(moved, 'new');
    fed(not, 'old');
    expect(found(look(moved))).toMatchObject({ personId: moved.id, comparison: { model: NEW.modelSha256 } });
    expect(found(look(not))).toMatchObject({ personId: not.id, comparison: { model: OLD.modelSha256 } });
    // Without the older probe nobody is found by chance in the other space.
    expect(found({ ...look(not), old: null })).toMatchObject({ outcome: 'nobody', comparison: { gallerySize: 1 } });
  });

  test('are searched twice, and the stated rate is that of all comparisons together', () => {
    const people = Array.from({ length: 7 }, person);
    for (const [n, who] of people.entries()) fed(who, n < 5 ? 'old' : 'new');
    const result = found(look(people[0]!, { sure: 0.7 }));
    const { comparison } = result;
    const alone = estimatedFmr(plainCalibration, comparison.score!, 5);
    const chanceElsewhere = 1 - (1 - singleFmr(plainCalibration, comparison.score!)) ** 2;
    expect(comparison.gallerySize).toBe(7);
    expect(comparison.estimatedFmr).toBeCloseTo(alone + chanceElsewhere - alone * chanceElsewhere, 15);
    expect(comparison.estimatedFmr).toBeGreaterThan(alone);
  });

  test('count once where they have both templates, by the surer comparison', () => {
    const who = person();
    fed(who, 'old');
    fed(who, 'new');
    expect(found(look(who))).toMatchObject({
      personId: who.id,
      pinAlways: false,
      comparison: { model: NEW.modelSha256 },
    });
    // A bad new reference: the old one still stands for them.
    const probe = { new: newFaces.next(), old: look(who).old };
    expect(found(probe)).toMatchObject({
      personId: who.id,
      comparison: { model: OLD.modelSha256, runnerUpScore: null },
    });
  });

  test('who are as sure in one space as somebody else is in the other are not told apart', () => {
    const [one, other] = [person(), person()];
    fed(one, 'new');
    fed(other, 'old');
    const probe = { new: look(one, { sure: 0.95 }).new, old: look(other, { sure: 0.95 }).old };
    expect(found(probe)).toMatchObject({ outcome: 'look-alikes', comparison: { runnerUpScore: null } });
  });

  test('are moved when they are known by the older one alone, clearly, and by a good look', () => {
    const [who, moved, twin] = [person(), person(), person()];
    for (const one of [who, moved]) fed(one, 'old');
    fed(moved, 'new');
    const moves = (one: Person, probe = look(one)) => gallery.movesOver(probe.new, found(probe), rates.lookAlikeFmr);
    expect([moves(who), moves(moved)]).toEqual([true, false]);
    expect(moves(who, { new: newFaces.next(), old: oldFaces.next() })).toBe(false);
    fed({ ...twin, old: oldFaces.near(who.old, 0.99) }, 'old', 'put', who.id);
    expect(moves(who)).toBe(false);
  });

  test('lose the old template by the feed, and stay known by the new one', () => {
    const who = person();
    fed(who, 'old');
    expect(gallery.needsBefore).toBe(true);
    gallery.put(who.id, gallery.protectedTemplate(who.new), null);
    fed(who, 'old', 'retire');
    expect([gallery.needsBefore, gallery.isErased(who.id), gallery.size]).toEqual([false, false, 1]);
    expect(found({ ...look(who), old: null })).toMatchObject({ personId: who.id });
  });

  test('are forgotten under both at once, and a receipt is due when both have', () => {
    const who = person();
    fed(who, 'old');
    fed(who, 'new');
    fed(who, 'new', 'erase');
    expect(found(look(who)).outcome).toBe('nobody');
    expect(gallery.unacknowledged()).toEqual([]);
    gallery.erase(who.id);
    expect(gallery.unacknowledged()).toMatchObject([{ personId: who.id }]);
    gallery.acknowledged(who.id);
    expect([gallery.size, gallery.unacknowledged()]).toEqual([0, []]);
    gallery.put(who.id, gallery.protectedTemplate(who.new), null);
    expect(gallery.size).toBe(0);
  });

  test('are matched at every step of a change of the matrix, in either space', async () => {
    const people = Array.from({ length: 4 }, person);
    for (const who of people) fed(who, 'old');
    for (const who of people.slice(0, 2)) fed(who, 'new');
    const all = () => people.every((who) => found(look(who)).outcome === 'match');
    await gallery.beginProtection({ version: 'p2', seed: seeds[1]! }, async () => {});
    expect(gallery.protections).toEqual(['p1', 'p2']);
    for (; gallery.unconverted > 0; gallery.convert(1)) expect(all()).toBe(true);
    gallery.endProtection();
    expect([gallery.protections, all()]).toEqual([['p2'], true]);
    expect(gallery.templateOf(people[0]!.id, OLD.modelSha256)).toMatchObject({ protectionVersion: 'p2' });
  });

  test('a face that wore its welcome out rests, whichever space knows it', () => {
    const who = person();
    fed(who, 'old');
    const at = 1_000 as WallTimeMs;
    const { attempts } = DEFAULT_POLICY;
    const own = gallery.matchedFace(who.new, { personId: who.id, score: 0.9, model: OLD.modelSha256 }, at, attempts);
    expect(own).toBe(gallery.ownFace(who.id));
    // Under the newer calibration this score would be sure; it is the older one's.
    const unsure = { personId: who.id, score: 0.2, model: OLD.modelSha256 };
    expect(gallery.matchedFace(who.new, unsure, at, attempts)).not.toBe(own);
  });
});

describe('the files of two embedders', () => {
  const known = (who: Person) => found(look(who)).outcome === 'match';

  test('when another embedder comes into use the file goes over to the older place, with everybody in it', () => {
    gallery.close();
    rmSync(places().gallery);
    rmSync(places().galleryBefore);
    gallery = open(OLD, null);
    const who = person();
    gallery.put(who.id, gallery.protectedTemplate(who.old), null);
    gallery.close();
    gallery = open(NEW, OLD);
    expect([known(who), gallery.feeds.map(({ size }) => size), alarms]).toEqual([true, [0, 1], []]);
    gallery.put(who.id, gallery.protectedTemplate(who.new), null);
    // Back again, if the newer one does not do.
    gallery.close();
    gallery = open(OLD, NEW);
    expect(gallery.feeds.map(({ modelSha256, size }) => [modelSha256, size])).toEqual([
      [OLD.modelSha256, 1],
      [NEW.modelSha256, 1],
    ]);
    gallery.close();
    gallery = open(NEW, OLD);
    expect([known(who), gallery.feeds.map(({ size }) => size)]).toEqual([true, [1, 1]]);
  });

  test('with the older embedder gone its file goes, and those who were moved stay', () => {
    const [moved, not] = [person(), person()];
    for (const who of [moved, not]) fed(who, 'old');
    fed(moved, 'new');
    gallery.close();
    gallery = open(NEW, null);
    expect(gallery.identify(look(moved).new, rates)).toMatchObject({ personId: moved.id });
    expect(gallery.identify(look(not).new, rates)).toMatchObject({ outcome: 'nobody' });
    expect(existsSync(places().galleryBefore)).toBe(false);
  });

  test('a gallery of an embedder that is no more is not kept, and a damaged one is pulled again', () => {
    fed(person(), 'new');
    gallery.close();
    writeFileSync(places().galleryBefore, 'no database');
    gallery = open({ ...NEW, modelSha256: 'c3'.repeat(32) }, OLD);
    expect([gallery.size, gallery.feeds.map(({ cursor }) => cursor)]).toEqual([0, [0, 0]]);
    expect(alarms).toHaveLength(1);
  });
});
