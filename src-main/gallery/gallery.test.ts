import { createSecretKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ProtectedTemplate } from '../../src-contract/bank-api.ts';
import { Comparison } from '../../src-contract/match-result.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import { systemChance } from '../clock.ts';
import { cosineOf, facesFrom, plainCalibration } from './gallery.fixture.ts';
import { type OneGallery, openGallery } from './gallery.ts';
import { asidePath, openGalleryOrPullAgain } from './open-or-pull-again.ts';

const DIMENSIONS = 64;
const MODEL = 'a'.repeat(64);
const faces = facesFrom(11, DIMENSIONS);
const rates = { maxFmr: 1e-4, lookAlikeFmr: 1e-5 };
const dataKey = createSecretKey(new Uint8Array(32).fill(1));
let directory: string;
let path: string;
let gallery: OneGallery;
const id = () => systemChance.id();
const usual = () => ({
  path,
  dataKey,
  protectionSeed: new Uint8Array(32).fill(2),
  protectionVersion: 'p-1',
  modelSha256: MODEL,
  dimensions: DIMENSIONS,
  calibration: plainCalibration,
  chance: systemChance,
});
const open = (options: Partial<Parameters<typeof openGallery>[0]> = {}) => openGallery({ ...usual(), ...options });
const enrol = (face: Float32Array, lookAlikeOf: Uuid | null = null): Uuid => {
  const personId = id();
  gallery.put(personId, gallery.protectedTemplate(face), lookAlikeOf);
  return personId;
};
const reopen = () => {
  gallery.close();
  gallery = open();
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kaopass-gallery-'));
  path = join(directory, 'gallery.sqlite');
  gallery = open();
});
afterEach(async () => {
  gallery.close();
  await rm(directory, { recursive: true, force: true });
});

describe('verification', () => {
  test('compares with the one person alone, at the rate of one comparison however many there are', () => {
    const face = faces.next();
    const personId = enrol(face);
    for (let n = 0; n < 30; n++) enrol(faces.next());
    const probe = faces.near(face, 0.45);
    expect(gallery.identify(probe, rates).outcome).toBe('nobody');
    const found = gallery.verify(probe, personId, null);
    expect(found).toMatchObject({ template: 'gallery', comparison: { gallerySize: 1, runnerUpScore: null } });
    expect(found!.comparison.score).toBeCloseTo(0.45, 5);
    expect(found!.comparison.estimatedFmr! / 10 ** -4.5).toBeCloseTo(1, 3);
    const other = gallery.verify(faces.next(), personId, null);
    expect(other!.comparison.estimatedFmr).toBeGreaterThan(1e-4);
  });

  test('takes the template that is offered only for somebody it does not hold, and does not keep it', () => {
    const face = faces.next();
    const personId = enrol(face);
    const offered = gallery.protectedTemplate(faces.next());
    expect(gallery.verify(face, personId, offered)).toMatchObject({ template: 'gallery' });
    expect(gallery.verify(face, personId, offered)!.comparison.score).toBeCloseTo(1, 5);
    const elsewhere = id();
    const theirs = gallery.protectedTemplate(face);
    expect(gallery.verify(face, elsewhere, theirs)).toMatchObject({ template: 'bank' });
    expect(gallery.verify(face, elsewhere, null)).toBeNull();
    expect(gallery.verify(face, elsewhere, { ...theirs, modelSha256: 'b'.repeat(64) })).toBeNull();
    expect(gallery.verify(face, elsewhere, { ...theirs, protectionVersion: 'p-2' })).toBeNull();
    expect(gallery.size).toBe(1);
    reopen();
    expect(gallery.size).toBe(1);
  });
});

describe('account numbers', () => {
  const NUMBER = '0123456789';

  test('are known of people who are held, over a restart, in no file as they are, and go with the person', async () => {
    const personId = enrol(faces.next());
    expect(gallery.personWithNumber(NUMBER)).toBeNull();
    gallery.keepNumber(NUMBER, personId);
    gallery.keepNumber('0000000001', id());
    reopen();
    expect(gallery.personWithNumber(NUMBER)).toBe(personId);
    expect(gallery.personWithNumber('0000000001')).toBeNull();
    const files = [path, `${path}-wal`].filter((file) => existsSync(file));
    for (const file of files) expect((await readFile(file)).includes(NUMBER)).toBe(false);
    gallery.erase(personId);
    gallery.keepNumber(NUMBER, personId);
    expect(gallery.personWithNumber(NUMBER)).toBeNull();
    const left = new Database(path, { readonly: true }).prepare('SELECT count(*) FROM account_numbers').pluck().get();
    expect(left).toBe(0);
  });
});

describe('somebody erased', () => {
  const put = (personId: Uuid, face: Float32Array, cursor = 7) => ({
    kind: 'put' as const,
    ...{ cursor, personId, template: gallery.protectedTemplate(face), lookAlikeOf: null },
  });

  test('is forgotten for good: neither feed nor enrolment brings them back, over a restart too', () => {
    const face = faces.next();
    const personId = enrol(face);
    expect(gallery.erase(personId)).toBe(true);
    const isNobody = () => {
      expect(gallery.identify(face, rates).outcome).toBe('nobody');
      expect([gallery.size, gallery.notComparable, gallery.isErased(personId)]).toEqual([0, 0, true]);
    };
    gallery.applyFeed({ entries: [put(personId, face)], next: 7, more: false });
    isNobody();
    gallery.put(personId, gallery.protectedTemplate(face), null);
    isNobody();
    reopen();
    isNobody();
    expect(gallery.cursor).toBe(7);
  });

  test('in the very page that brings them is not known afterwards', () => {
    const [face, personId] = [faces.next(), id()];
    const erase = { kind: 'erase' as const, cursor: 8, personId };
    gallery.applyFeed({ entries: [put(personId, face), erase], next: 8, more: false });
    expect(gallery.size).toBe(0);
    reopen();
    expect(gallery.size).toBe(0);
  });

  test('waits for its receipt over a restart, by who told first, whether they were known or not', () => {
    const [known, stranger] = [enrol(faces.next()), id()];
    gallery.erase(known);
    gallery.applyFeed({
      entries: [
        { kind: 'erase', cursor: 3, personId: stranger },
        { kind: 'erase', cursor: 4, personId: known },
      ],
      next: 4,
      more: false,
    });
    reopen();
    expect(gallery.unacknowledged()).toEqual([
      { personId: known, cursor: null },
      { personId: stranger, cursor: 3 },
    ]);
    gallery.acknowledged(known);
    reopen();
    expect(gallery.unacknowledged()).toEqual([{ personId: stranger, cursor: 3 }]);
  });

  test('has left nothing in any file when the receipt is due', async () => {
    const personId = enrol(faces.next());
    const sealed = new Database(path, { readonly: true })
      .prepare('SELECT sealed FROM templates')
      .pluck()
      .get() as Buffer;
    const holds = async () => {
      const files = [path, `${path}-wal`].filter((file) => existsSync(file));
      return (await Promise.all(files.map((file) => readFile(file)))).some((bytes) => bytes.includes(sealed));
    };
    expect(await holds()).toBe(true);
    gallery.erase(personId);
    expect(gallery.unacknowledged()).toHaveLength(1);
    expect(await holds()).toBe(false);
  });
});

describe('identification', () => {
  test('in an empty gallery finds nobody, and compares nothing', () => {
    expect(gallery.identify(faces.next(), rates)).toEqual({
      outcome: 'nobody',
      comparison: { score: null, runnerUpScore: null, gallerySize: 0, estimatedFmr: null, model: null },
    });
  });

  test('names the person whose face it is, and the rate at which a stranger would be taken for them', () => {
    for (let n = 0; n < 9; n++) enrol(faces.next());
    const face = faces.next();
    const personId = enrol(face);
    const found = gallery.identify(faces.near(face, 0.7), rates);
    expect(found).toMatchObject({ outcome: 'match', personId, pinAlways: false });
    expect(found.comparison.score).toBeCloseTo(0.7, 5);
    // Single comparison at 0.7: 1e-7; ten people.
    expect(found.comparison.estimatedFmr! / 1e-6).toBeCloseTo(1, 2);
    expect(Comparison.safeParse(found.comparison).success).toBe(true);
  });

  test('finds nobody when a stranger would reach that score too often, though one comparison alone would do', () => {
    const face = faces.next();
    enrol(face);
    const probe = faces.near(face, 0.45);
    expect(gallery.identify(probe, rates).outcome).toBe('match');
    for (let n = 0; n < 30; n++) enrol(faces.next());
    expect(gallery.identify(probe, rates).outcome).toBe('nobody');
  });

  test('decides for neither of two who would both be believed', () => {
    const face = faces.next();
    enrol(face);
    enrol(faces.near(face, 0.8));
    const { outcome, comparison } = gallery.identify(faces.near(face, 0.9), rates);
    expect(outcome).toBe('look-alikes');
    expect(comparison.runnerUpScore).toBeGreaterThan(0.5);
  });

  test('names the better of two known look-alikes, by face and PIN only', () => {
    const face = faces.next();
    const one = enrol(face);
    const other = enrol(faces.near(face, 0.8), one);
    expect(gallery.identify(face, rates)).toMatchObject({ outcome: 'match', personId: one, pinAlways: true });
    gallery.erase(other);
    expect(gallery.identify(face, rates)).toMatchObject({ outcome: 'match', personId: one, pinAlways: false });
  });

  test('wants the PIN of somebody whom another template resembles, though this probe does not', () => {
    const face = faces.next();
    const one = enrol(face);
    enrol(faces.near(face, 0.55));
    const probe = faces.near(face, 0.7);
    expect(gallery.identify(probe, { ...rates, maxFmr: 1e-6 })).toMatchObject({
      outcome: 'match',
      personId: one,
      pinAlways: true,
    });
  });

  test('wants the PIN where the second is nearly as like the probe as the first', () => {
    const face = faces.next();
    const one = enrol(face);
    const probe = faces.near(face, 0.65);
    expect(gallery.identify(probe, rates)).toMatchObject({ outcome: 'match', personId: one, pinAlways: false });
    // 0.46 is reached by a stranger 80 times as often as 0.65, not 100 times, and believed as little as before: nobody's rival.
    enrol(faces.near(probe, 0.461));
    const found = gallery.identify(probe, { maxFmr: 1e-5, lookAlikeFmr: 1e-9 });
    expect(found).toMatchObject({ outcome: 'match', personId: one, pinAlways: true });
  });

  test('takes for a look-alike among many only who is nearer than chance brings one of them', () => {
    const face = faces.next();
    const one = enrol(face);
    enrol(faces.near(face, 0.55));
    const probe = faces.near(face, 0.85);
    const sure = { maxFmr: 2e-6, lookAlikeFmr: 1e-5 };
    // 0.55 is reached by one stranger in 300,000: alike among two, and no wonder among a hundred and one.
    expect(gallery.identify(probe, sure)).toMatchObject({ personId: one, pinAlways: true });
    for (let n = 0; n < 99; n++) enrol(faces.next());
    expect(gallery.identify(probe, sure)).toMatchObject({ personId: one, pinAlways: false });
    expect(gallery.lookAlike(faces.near(face, 0.55), 1e-5).personId).toBeNull();
    // As like as the calibration can tell: the same face, or a twin's.
    const twin = enrol(faces.near(face, 0.81));
    expect(gallery.identify(probe, { ...sure, lookAlikeFmr: 1e-9 })).toMatchObject({ pinAlways: true });
    expect([one, twin]).toContain(gallery.lookAlike(face, 1e-9).personId);
  });

  test('before an enrolment says that a reference is like too many to be one of a face', () => {
    const blank = faces.next();
    for (let n = 0; n < 3; n++) enrol(faces.near(blank, 0.6));
    expect(gallery.lookAlike(blank, 1e-5)).toMatchObject({ likeTooMany: false });
    enrol(faces.near(blank, 0.6));
    expect(gallery.lookAlike(blank, 1e-5)).toMatchObject({ likeTooMany: true });
  });

  test('before an enrolment names the look-alike there is, and none where there is none', () => {
    const face = faces.next();
    const one = enrol(face);
    expect(gallery.lookAlike(faces.near(face, 0.55), 1e-5)).toEqual({ personId: one, likeTooMany: false });
    expect(gallery.lookAlike(faces.near(face, 0.45), 1e-5)).toEqual({ personId: null, likeTooMany: false });
  });

  test('states the rate between two faces without their being enrolled', () => {
    const face = faces.next();
    expect(gallery.fmrBetween(face, faces.near(face, 0.3)) / 1e-3).toBeCloseTo(1, 3);
  });
});

describe('templates', () => {
  test('leave as the contract wants them, protected and of unit length', () => {
    const face = faces.next();
    const template = ProtectedTemplate.parse(gallery.protectedTemplate(face));
    const values = new Float32Array(Uint8Array.from(Buffer.from(template.values, 'base64url')).buffer);
    expect(values).toHaveLength(DIMENSIONS);
    expect(cosineOf(values, values)).toBeCloseTo(1, 6);
    expect(Math.abs(cosineOf(values, face))).toBeLessThan(0.7);
  });

  test('are known again after a restart, and replaced by a repeat', () => {
    const face = faces.next();
    const personId = enrol(faces.next());
    gallery.put(personId, gallery.protectedTemplate(face), null);
    reopen();
    expect(gallery.size).toBe(1);
    expect(gallery.identify(face, rates)).toMatchObject({ outcome: 'match', personId });
  });

  test('of an erased person are gone from memory and from the file, row and pack', async () => {
    const face = faces.next();
    const personId = enrol(face);
    const db = new Database(path);
    const sealed = db.prepare('SELECT sealed FROM templates').pluck().get() as Buffer;
    const packed = db.prepare('SELECT sealed FROM packs').pluck().get() as Buffer;
    db.close();
    expect(gallery.erase(personId)).toBe(true);
    expect(gallery.erase(personId)).toBe(false);
    expect(gallery.identify(face, rates).outcome).toBe('nobody');
    gallery.close();
    const file = await readFile(path);
    expect([file.includes(sealed), file.includes(packed)]).toEqual([false, false]);
    gallery = open();
    expect(gallery.size).toBe(0);
  });

  test('of an erased person leave the pack of those who stay', async () => {
    for (let n = 0; n < 10; n++) enrol(faces.next());
    const personId = enrol(faces.next());
    for (let n = 0; n < 10; n++) enrol(faces.next());
    const db = new Database(path);
    const packed = db.prepare('SELECT sealed FROM packs').pluck().get() as Buffer;
    gallery.erase(personId);
    gallery.unacknowledged();
    db.close();
    const bytes = Buffer.concat([await readFile(path), await readFile(`${path}-wal`)]);
    const left = Array.from({ length: 20 }, (_, n) => packed.subarray(n * 100, n * 100 + 32)).filter((part) =>
      bytes.includes(part),
    );
    expect(left).toEqual([]);
    expect(gallery.size).toBe(20);
  });

  test('rest sealed: neither the embedding nor its protected form is in the file', async () => {
    const face = faces.next();
    const template = gallery.protectedTemplate(face);
    enrol(face);
    gallery.close();
    const bytes = await readFile(path);
    for (const secret of [Buffer.from(face.buffer), Buffer.from(template.values, 'base64url')]) {
      expect(bytes.includes(secret.subarray(0, 16))).toBe(false);
    }
    gallery = open();
  });

  test.each([
    ['another model', { modelSha256: 'b'.repeat(64) }],
    ['another protection', { protectionVersion: 'p-2' }],
    ['another number of dimensions', { values: Buffer.alloc(8).toString('base64url') }],
  ])('of %s are held, counted and not compared', (_, fields) => {
    const face = faces.next();
    gallery.put(id(), { ...gallery.protectedTemplate(face), ...fields }, null);
    expect([gallery.size, gallery.notComparable]).toEqual([0, 1]);
    reopen();
    expect([gallery.size, gallery.notComparable]).toEqual([0, 1]);
    expect(gallery.identify(face, rates).comparison.gallerySize).toBe(0);
  });
});

describe('file and memory', () => {
  const entry = (cursor: number, personId: Uuid, face: Float32Array) => ({
    kind: 'put' as const,
    ...{ cursor, personId, template: gallery.protectedTemplate(face), lookAlikeOf: null },
  });
  const known = (face: Float32Array) => gallery.identify(face, rates).outcome === 'match';

  test('are as they were when a commit fails at any step, and take it the next time', () => {
    let bytesUntilFailure = Number.POSITIVE_INFINITY;
    gallery.close();
    gallery = open({
      chance: {
        ...systemChance,
        bytes: (length) => {
          if (bytesUntilFailure-- <= 0) throw new Error('the disk is full');
          return systemChance.bytes(length);
        },
      },
    });
    const held = Array.from({ length: 70 }, () => faces.next());
    const ids = held.map((face) => enrol(face));
    const [moved, added] = [faces.next(), faces.next()];
    const page = {
      entries: [
        entry(1, ids[3]!, moved),
        { kind: 'erase' as const, cursor: 2, personId: ids[5]! },
        entry(3, id(), added),
        { kind: 'erase' as const, cursor: 4, personId: ids[69]! },
      ],
      next: 4,
      more: false,
    };
    const some = [0, 3, 5, 68, 69].map((n) => held[n]!);
    let failures = 0;
    for (;;) {
      bytesUntilFailure = failures;
      try {
        gallery.applyFeed(page);
        break;
      } catch {
        failures += 1;
      }
      expect([gallery.size, gallery.cursor, some.every(known), known(moved), known(added)]).toEqual([
        ...[70, 0, true, false, false],
      ]);
    }
    // Two rows, two packs and a head of the compared, and nothing of the others.
    expect(failures).toBe(5);
    bytesUntilFailure = Number.POSITIVE_INFINITY;
    for (let again = 0; again < 2; again++) {
      expect([gallery.size, gallery.cursor, known(moved), known(added)]).toEqual([69, 4, true, true]);
      expect(held.flatMap((face, n) => (known(face) ? [] : [n]))).toEqual([3, 5, 69]);
      reopen();
    }
  });

  test('of a power cut after any commit hold what was committed, no more and no less', async () => {
    const people = new Map<Uuid, Float32Array>();
    for (let step = 0; step < 12; step++) {
      const face = faces.next();
      people.set(enrol(face), face);
      if (step % 3 === 2) {
        const [first] = people.keys();
        people.delete(first!);
        gallery.erase(first!);
      }
      const cut = join(directory, `cut-${step}.sqlite`);
      await writeFile(cut, await readFile(path));
      await writeFile(`${cut}-wal`, await readFile(`${path}-wal`));
      const found = open({ path: cut });
      expect(found.size).toBe(people.size);
      for (const [personId, probe] of people) expect(found.identify(probe, rates)).toMatchObject({ personId });
      found.close();
    }
  });

  test('of a power cut within a commit hold what was committed before', async () => {
    gallery.close();
    gallery = open();
    const sizes = new Set<number>();
    for (let step = 0; step < 5; step++) enrol(faces.next());
    const [file, log] = [await readFile(path), await readFile(`${path}-wal`)];
    for (let cut = 0; cut < 16; cut++) {
      const left = join(directory, `left-${cut}.sqlite`);
      await writeFile(left, file);
      await writeFile(`${left}-wal`, log.subarray(0, Math.floor((log.length * (cut + 0.5)) / 16)));
      const found = open({ path: left });
      sizes.add(found.size);
      found.close();
    }
    expect([...sizes].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  test('are packed once from the rows of an older Kaopass, and anew for another model', () => {
    const face = faces.next();
    const one = enrol(face);
    const other = enrol(faces.near(face, 0.8), one);
    gallery.close();
    const db = new Database(path);
    db.exec(`ALTER TABLE presented_faces DROP COLUMN protection_version;
      DROP TABLE packs; DROP TABLE rosters; DROP TABLE condemned; DROP TABLE account_numbers;
      DELETE FROM schema_migrations WHERE number >= 4`);
    db.close();
    gallery = open();
    expect(gallery.identify(face, rates)).toMatchObject({ personId: one, pinAlways: true });
    gallery.close();
    gallery = open({ modelSha256: 'b'.repeat(64) });
    expect([gallery.size, gallery.notComparable]).toEqual([0, 2]);
    gallery.close();
    gallery = open();
    expect([gallery.size, gallery.notComparable]).toEqual([2, 0]);
    expect(gallery.erase(other)).toBe(true);
    expect(gallery.identify(face, rates)).toMatchObject({ personId: one, pinAlways: false });
  });

  test('finds out later, too, that a template is damaged: told once, others are recognised, and the next start pulls again', () => {
    const told: string[] = [];
    gallery.close();
    gallery = open({ onDamaged: ({ message }) => told.push(message) });
    const [face, other] = [faces.next(), faces.next()];
    const [personId, otherId] = [enrol(face), enrol(other)];
    const db = new Database(path);
    db.exec(`UPDATE templates SET sealed = zeroblob(length(sealed)) WHERE person_id = '${personId}'`);
    db.close();
    for (let again = 0; again < 2; again++) {
      expect(gallery.identify(face, rates).outcome).toBe('nobody');
      expect(gallery.identify(other, rates)).toMatchObject({ outcome: 'match', personId: otherId });
    }
    expect(told).toEqual([expect.stringContaining(personId)]);
    gallery.close();
    expect(() => open()).toThrowError(expect.objectContaining({ code: 'GALLERY_UNREADABLE' }));
    gallery = openGalleryOrPullAgain(usual(), () => undefined);
    expect([gallery.size, gallery.cursor]).toEqual([0, 0]);
  });
});

describe("the bank's feed", () => {
  test('is applied with its cursor in one commit', () => {
    const [face, personId, gone] = [faces.next(), id(), id()];
    const template = gallery.protectedTemplate(face);
    gallery.applyFeed({
      entries: [
        { kind: 'put', cursor: 4, personId: gone, template, lookAlikeOf: null },
        { kind: 'put', cursor: 5, personId, template, lookAlikeOf: null },
        { kind: 'erase', cursor: 7, personId: gone },
      ],
      next: 7,
      more: false,
    });
    reopen();
    expect([gallery.cursor, gallery.size]).toEqual([7, 1]);
    expect(gallery.identify(face, rates)).toMatchObject({ outcome: 'match', personId });
  });
});

describe('a gallery that cannot be read', () => {
  const expectRefused = async (naming: string, options = {}) => {
    const before = await readFile(path);
    expect(() => open(options)).toThrowError(
      expect.objectContaining({ code: 'GALLERY_UNREADABLE', message: expect.stringContaining(naming) }),
    );
    expect((await readFile(path)).equals(before)).toBe(true);
    gallery = open({ path: join(directory, 'another.sqlite') });
  };
  const alter = (sql: string) => {
    gallery.close();
    const db = new Database(path);
    db.exec(sql);
    db.close();
  };

  test('names the person whose template was altered', async () => {
    enrol(faces.next());
    const personId = enrol(faces.next());
    alter(`UPDATE templates SET sealed = CAST(sealed || x'00' AS BLOB) WHERE person_id = '${personId}'`);
    await expectRefused(personId);
  });

  test('names the person whose template was moved to another', async () => {
    const [one, other] = [enrol(faces.next()), enrol(faces.next())];
    alter(
      `UPDATE templates SET sealed = (SELECT sealed FROM templates WHERE person_id = '${one}') WHERE person_id = '${other}'`,
    );
    await expectRefused(other);
  });

  test('names the person whose known look-alike was removed', async () => {
    const one = enrol(faces.next());
    const other = enrol(faces.next(), one);
    alter('UPDATE templates SET look_alike_of = NULL');
    await expectRefused(other);
  });

  test('is refused under another data key', async () => {
    enrol(faces.next());
    gallery.close();
    await expectRefused('under another key', { dataKey: createSecretKey(new Uint8Array(32).fill(9)) });
  });

  test('is refused when it is no database', async () => {
    gallery.close();
    await writeFile(path, 'not a database '.repeat(20));
    await expectRefused(path);
  });
});

describe('a gallery that is damaged', () => {
  const again = (alarms: string[]) => openGalleryOrPullAgain(usual(), ({ message }) => alarms.push(message));

  test.each<[string, () => Promise<void>]>([
    ['its file is no database', async () => writeFile(path, 'nothing of the kind '.repeat(400))],
    [
      'a template was altered',
      async () => {
        const db = new Database(path);
        db.exec('UPDATE templates SET sealed = zeroblob(length(sealed))');
        db.close();
      },
    ],
    ...(
      [
        ['a pack is missing', 'DELETE FROM packs WHERE number = 0'],
        ['the last pack is missing', 'DELETE FROM packs WHERE number = 1'],
        [
          'a pack has the place of another',
          'UPDATE packs SET number = 5 - number; UPDATE packs SET number = number - 4',
        ],
        ['a pack is an older one', 'UPDATE packs SET sealed = (SELECT sealed FROM older) WHERE number = 0'],
        ['a head is missing', "UPDATE rosters SET sealed = x''"],
        ['a row is missing', 'DELETE FROM templates WHERE person_id = (SELECT max(person_id) FROM templates)'],
      ] as const
    ).map(([how, sql]): [string, () => Promise<void>] => [
      how,
      async () => {
        const db = new Database(path);
        db.exec(sql);
        db.close();
      },
    ]),
    [
      'pages of it are overwritten',
      async () => {
        const bytes = await readFile(path);
        for (let at = 4096; at < bytes.length; at += 4096) bytes.fill(0xaa, at, at + 64);
        await writeFile(path, bytes);
      },
    ],
  ])('is moved aside and begun anew at the feed’s beginning, with an alarm, when %s', async (_, damage) => {
    for (let n = 0; n < 63; n++) enrol(faces.next());
    const db = new Database(path);
    db.exec('CREATE TABLE older AS SELECT * FROM packs');
    db.close();
    for (let n = 0; n < 7; n++) enrol(faces.next());
    gallery.close();
    await damage();
    const damaged = await readFile(path);
    const alarms: string[] = [];
    gallery = again(alarms);
    expect([gallery.size, gallery.cursor]).toEqual([0, 0]);
    expect((await readFile(asidePath(path))).equals(damaged)).toBe(true);
    expect(alarms).toEqual([expect.stringContaining(asidePath(path))]);
  });

  test('is not moved when a newer Kaopass wrote it', () => {
    gallery.close();
    const db = new Database(path);
    db.exec("INSERT INTO schema_migrations VALUES (99, 'later', 0)");
    db.close();
    expect(() => again([])).toThrowError(expect.objectContaining({ code: 'DATABASE_NEWER' }));
    path = join(directory, 'other.sqlite');
    gallery = open();
  });
});
