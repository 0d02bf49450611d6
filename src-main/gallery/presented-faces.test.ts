import { createSecretKey } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ATTEMPTS_DEFAULT as rules } from '../../src-contract/attempts.ts';
import { systemChance } from '../clock.ts';
import { facesFrom, plainCalibration } from './gallery.fixture.ts';
import { type Gallery, openGallery } from './gallery.ts';

const DIMENSIONS = 256;
const AT = 1_795_334_400_000;
const faces = facesFrom(5, DIMENSIONS);
let directory: string;
let gallery: Gallery;
const path = () => join(directory, 'gallery.sqlite');
const open = () =>
  openGallery({
    path: path(),
    dataKey: createSecretKey(new Uint8Array(32).fill(1)),
    protectionSeed: new Uint8Array(32).fill(2),
    protectionVersion: 'p-1',
    modelSha256: 'a'.repeat(64),
    dimensions: DIMENSIONS,
    calibration: plainCalibration,
    chance: systemChance,
  });
const kept = () =>
  new Database(path(), { readonly: true }).prepare('SELECT count(*) FROM presented_faces').pluck().get();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kaopass-presented-'));
  gallery = open();
});
afterEach(() => {
  gallery.close();
  rmSync(directory, { recursive: true, force: true });
});

test('one face has one pseudonym, over a restart too, and another face has another', () => {
  const face = faces.next();
  const name = gallery.refusedFace(face, 'live', AT, rules);
  expect(gallery.refusedFace(faces.near(face, 0.9), 'live', AT + 1, rules)).toBe(name);
  expect(gallery.refusedFace(faces.near(face, 0.5), 'live', AT + 2, rules)).not.toBe(name);
  gallery.close();
  gallery = open();
  expect(gallery.refusedFace(face, 'live', AT + 3, rules)).toBe(name);
});

test('a person’s own face has the same pseudonym at every terminal and is not kept; who only passes for them is kept as another', () => {
  const personId = systemChance.id();
  const own = gallery.matchedFace(faces.next(), { personId, score: 0.8 }, AT, rules);
  expect(own).toBe(gallery.ownFace(personId));
  expect(kept()).toBe(0);
  expect(gallery.matchedFace(faces.next(), { personId, score: 0.5 }, AT, rules)).not.toBe(own);
  expect(kept()).toBe(1);
});

test('rests after so many looks within the time, longer each time; looks far apart do not add up', () => {
  const face = faces.next();
  const looks = (n: number, at: number, apartMs = 1) => {
    for (let look = 0; look < n; look += 1) gallery.refusedFace(face, 'live', at + look * apartMs, rules);
  };
  looks(8, AT, rules.refusedLooksMs);
  const later = AT + 10 * rules.refusedLooksMs;
  expect(gallery.tries(face, later, rules).pausedUntil).toBe(0);
  looks(rules.refusedLooks, later);
  const first = gallery.tries(face, later + 9, rules).pausedUntil;
  expect(first).toBe(later + rules.refusedLooks - 1 + rules.refusedPauseMs);
  looks(rules.refusedLooks, first);
  expect(gallery.tries(face, first, rules).pausedUntil).toBe(first + rules.refusedLooks - 1 + 2 * rules.refusedPauseMs);
  expect(gallery.tries(faces.next(), first, rules)).toEqual({ face: null, pausedUntil: 0, pinUntil: 0 });
});

test('what was held up as a picture wants the PIN, and makes nobody rest', () => {
  const face = faces.next();
  for (let look = 0; look < rules.refusedLooks; look += 1) gallery.refusedFace(face, 'attack', AT, rules);
  expect(gallery.tries(face, AT, rules)).toEqual({ face: null, pausedUntil: 0, pinUntil: AT + rules.refusedPauseMs });
});

test('is forgotten after the stated time, also when the clock was set back, and with a person who is erased', () => {
  const [old, victim] = [faces.next(), faces.next()];
  gallery.refusedFace(old, 'live', AT, rules);
  gallery.forgetOldFaces(AT + rules.forgetAfterMs, rules);
  expect(kept()).toBe(1);
  gallery.forgetOldFaces(AT + rules.forgetAfterMs + 1, rules);
  expect(kept()).toBe(0);
  gallery.refusedFace(old, 'live', AT, rules);
  gallery.forgetOldFaces(AT - rules.forgetAfterMs - 1, rules);
  expect(kept()).toBe(0);
  const personId = systemChance.id();
  gallery.put(personId, gallery.protectedTemplate(victim), null);
  gallery.refusedFace(faces.near(victim, 0.9), 'attack', AT, rules);
  gallery.refusedFace(faces.next(), 'live', AT, rules);
  gallery.erase(personId);
  expect(kept()).toBe(1);
});

test('is at most so many, and rests encrypted', () => {
  const bounded = { ...rules, sameFaceFmr: 0 };
  for (let n = 0; n < 503; n += 1) gallery.refusedFace(faces.next(), 'live', AT + n, bounded);
  expect(kept()).toBe(500);
  const probe = faces.next();
  gallery.refusedFace(probe, 'live', AT + 600, bounded);
  const values = Buffer.from(gallery.protectedTemplate(probe).values, 'base64url');
  for (const file of [path(), `${path()}-wal`].filter((one) => existsSync(one))) {
    expect(readFileSync(file).includes(values.subarray(0, 64))).toBe(false);
  }
});
