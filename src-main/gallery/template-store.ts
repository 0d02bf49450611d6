/**
 * Templates at rest: one SQLite row a person, sealed (sealing.ts). The person, the model and the protection are the additional data:
 * a sealed template moved to another row opens there no more. What the search holds in memory rests beside them, packed
 * (pack-store.ts), and is changed in the same commit.
 */
import type { KeyObject } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { Uuid } from '../../src-contract/primitives.ts';
import type { Chance } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { type Migration, openDatabase, translated } from '../journal/database.ts';
import { type PackStore, packStore } from './pack-store.ts';
import { additionalData, sealedUnder, unsealed } from './sealing.ts';

export interface StoredTemplate {
  readonly personId: Uuid;
  readonly modelSha256: string;
  readonly protectionVersion: string;
  readonly lookAlikeOf: Uuid | null;
  /** Float32, little endian. */
  readonly values: Uint8Array;
}

/** Somebody this terminal was told to forget. The row stays: nobody whose id is here is ever stored again. */
export interface Erasure {
  readonly personId: Uuid;
  /** Of the feed's entry; null where the person told this terminal. */
  readonly cursor: number | null;
}

/** A presented face that nobody is known by; see presented-faces.ts. Times are wall time, ms. */
export interface StoredFace {
  /** Its pseudonym. */
  readonly face: string;
  readonly kind: 'live' | 'attack';
  /** Float32, little endian, protected. */
  readonly values: Uint8Array;
  /** Null in files from before the matrix could be changed: then it is the terminal's first. */
  readonly protectionVersion: string | null;
  readonly refusals: number;
  readonly refusedSince: number;
  readonly pauses: number;
  readonly pausedUntil: number;
  readonly lastAt: number;
}

export interface TemplateStore {
  /** Every template, opened. Throws GALLERY_UNREADABLE naming the row that cannot be. */
  all(): IterableIterator<StoredTemplate>;
  /** One person's, opened; null when there is none. Throws as all() does. */
  template(personId: Uuid): StoredTemplate | null;
  /** What the search holds. */
  readonly packs: PackStore;
  /** Says for the next start that this file cannot be relied on. */
  condemn(why: string): void;
  /** Why it was condemned; null when it was not. */
  condemned(): string | null;
  /** Stores or replaces, unless the person was erased: then nothing is stored, and false. */
  put(template: StoredTemplate): boolean;
  /** Takes somebody's template away. They are not erased. */
  remove(personId: Uuid): void;
  /** For good. The first to tell is the one remembered. */
  erase(erasure: Erasure): void;
  /** How many there are. Reads them all: minutes on a slow disk for a million. */
  count(): number;
  /** Everybody erased. */
  erasures(): readonly Erasure[];
  /** Erasures whose receipt the journal has not got yet, oldest first. */
  unacknowledged(): readonly Erasure[];
  acknowledged(personId: Uuid): void;
  /** Every presented face that opens. One that does not is of no use to anybody, and is dropped. */
  faces(): readonly StoredFace[];
  /** Stores or replaces. */
  putFace(face: StoredFace): void;
  dropFaces(faces: readonly string[]): void;
  /** The person an account number belongs to, by its tag (account-numbers.ts); goes with the person. */
  personUnder(tag: Uint8Array): Uuid | null;
  keepUnder(tag: Uint8Array, personId: Uuid): void;
  /** Empties the write-ahead log, in which a deleted template would outlive its row. */
  scrub(): void;
  cursor(): number;
  setCursor(cursor: number): void;
  /** Runs as one commit. */
  commit(work: () => void): void;
  close(): void;
}

/** "KPG1" in ASCII. */
const APPLICATION_ID = 0x4b50_4731;
/** Several templates to a page, and none that is spread over two: a page of SQLite's usual size has room for one and a half. Files
 *  from before have the usual one, and keep it. */
const PAGE_BYTES = 16_384;
/** A larger file is not read page by page before it is used: its packs are authenticated as they are loaded, its rows as they are
 *  asked for. */
const CHECKED_WHOLE_UP_TO = 64 * 2 ** 20;

const migrations: readonly Migration[] = [
  {
    number: 1,
    name: 'templates',
    sql: `
CREATE TABLE templates (
  person_id          TEXT PRIMARY KEY,
  model_sha256       TEXT NOT NULL,
  protection_version TEXT NOT NULL,
  look_alike_of      TEXT,             -- null: nobody known is mistaken for this person
  sealed             BLOB NOT NULL     -- nonce (12 bytes), ciphertext, tag (16 bytes)
) STRICT, WITHOUT ROWID;
CREATE TABLE feed (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), cursor INTEGER NOT NULL) STRICT;
INSERT INTO feed VALUES (1, 0);`,
  },
  {
    number: 2,
    name: 'erasures',
    sql: `
CREATE TABLE erasures (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  person_id    TEXT NOT NULL UNIQUE,
  cursor       INTEGER,                  -- of the feed's entry; null: the person told this terminal
  acknowledged INTEGER NOT NULL DEFAULT 0 CHECK (acknowledged IN (0, 1))
) STRICT;`,
  },
  {
    number: 3,
    name: 'presented-faces',
    sql: `
CREATE TABLE presented_faces (
  face          TEXT PRIMARY KEY,        -- pseudonym
  kind          TEXT NOT NULL,
  sealed        BLOB NOT NULL,           -- as in templates
  refusals      INTEGER NOT NULL,
  refused_since INTEGER NOT NULL,
  pauses        INTEGER NOT NULL,
  paused_until  INTEGER NOT NULL,
  last_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;`,
  },
  {
    number: 4,
    name: 'packs',
    sql: `
CREATE TABLE rosters (
  roster INTEGER PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE,
  size   INTEGER NOT NULL,               -- people
  sealed BLOB NOT NULL                   -- size and digest of its packs
) STRICT;
CREATE TABLE packs (
  roster INTEGER NOT NULL,
  number INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (roster, number)
) STRICT;
CREATE TABLE condemned (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), why TEXT NOT NULL) STRICT;`,
  },
  {
    number: 5,
    name: 'protection-of-presented-faces',
    sql: 'ALTER TABLE presented_faces ADD COLUMN protection_version TEXT;',
  },
  {
    number: 6,
    name: 'account-numbers',
    sql: `
CREATE TABLE account_numbers (
  tag       BLOB PRIMARY KEY,            -- HMAC-SHA-256 of the number
  person_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_numbers_person ON account_numbers (person_id);`,
  },
];

interface Row {
  readonly person_id: string;
  readonly model_sha256: string;
  readonly protection_version: string;
  readonly look_alike_of: string | null;
  readonly sealed: Uint8Array;
}

export function openTemplateStore(options: { path: string; dataKey: KeyObject; chance: Chance }): TemplateStore {
  const { path, dataKey, chance } = options;
  // The gallery can be pulled again from the bank, so when a migration ran matters to nobody: no clock is needed.
  const db: Database = openDatabase({
    path,
    migrations,
    applicationId: APPLICATION_ID,
    unusable: 'GALLERY_UNREADABLE',
    now: () => 0,
    pageBytes: PAGE_BYTES,
    checkedWholeUpTo: CHECKED_WHOLE_UP_TO,
  });
  // Erased means erased: freed pages are overwritten (https://sqlite.org/pragma.html#pragma_secure_delete).
  db.pragma('secure_delete = ON');
  const rows = db.prepare<[], Row>('SELECT * FROM templates ORDER BY person_id');
  const oneRow = db.prepare<[string], Row>('SELECT * FROM templates WHERE person_id = ?');
  const countRows = db.prepare<[], number>('SELECT count(*) FROM templates').pluck();
  const readCondemned = db.prepare<[], string>('SELECT why FROM condemned').pluck();
  const writeCondemned = db.prepare<[string]>('INSERT OR IGNORE INTO condemned VALUES (1, ?)');
  const upsert = db.prepare<unknown[]>(
    `INSERT OR REPLACE INTO templates SELECT ?, ?, ?, ?, ?
     WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE person_id = ?)`,
  );
  const remove = db.prepare<[string]>('DELETE FROM templates WHERE person_id = ?');
  const erase = db.prepare<[string, number | null]>('INSERT OR IGNORE INTO erasures (person_id, cursor) VALUES (?, ?)');
  const erased = (which: string) =>
    db.prepare<[], Erasure>(`SELECT person_id AS personId, cursor FROM erasures ${which} ORDER BY id`);
  const everybodyErased = erased('');
  const unacknowledged = erased('WHERE acknowledged = 0');
  const acknowledge = db.prepare<[string]>('UPDATE erasures SET acknowledged = 1 WHERE person_id = ?');
  const faceRows = db.prepare<[], Omit<StoredFace, 'values'> & { sealed: Uint8Array }>(
    `SELECT face, kind, sealed, refusals, refused_since AS refusedSince, pauses, paused_until AS pausedUntil,
       last_at AS lastAt, protection_version AS protectionVersion FROM presented_faces`,
  );
  const putFace = db.prepare<unknown[]>('INSERT OR REPLACE INTO presented_faces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const dropFace = db.prepare<[string]>('DELETE FROM presented_faces WHERE face = ?');
  const personUnder = db.prepare<[Uint8Array], string>('SELECT person_id FROM account_numbers WHERE tag = ?').pluck();
  const keepUnder = db.prepare<[Uint8Array, string, string]>(
    `INSERT OR REPLACE INTO account_numbers SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE person_id = ?)`,
  );
  const dropNumbers = db.prepare<[string]>('DELETE FROM account_numbers WHERE person_id = ?');
  const readCursor = db.prepare<[], number>('SELECT cursor FROM feed').pluck();
  const writeCursor = db.prepare<[number]>('UPDATE feed SET cursor = ?');

  const open = (row: Row): StoredTemplate => {
    const personId = Uuid.safeParse(row.person_id);
    const lookAlikeOf = Uuid.nullable().safeParse(row.look_alike_of);
    const values = unseal(row, dataKey);
    if (personId.success && lookAlikeOf.success && values) {
      return {
        personId: personId.data,
        modelSha256: row.model_sha256,
        protectionVersion: row.protection_version,
        lookAlikeOf: lookAlikeOf.data,
        values,
      };
    }
    throw new TerminalError(
      'GALLERY_UNREADABLE',
      `the gallery ${path}: the template of person ${row.person_id} was altered or sealed under another key; nothing was changed`,
    );
  };

  return {
    all: function* () {
      try {
        for (const row of rows.iterate()) yield open(row);
      } catch (cause) {
        throw translated(cause, path, 'GALLERY_UNREADABLE');
      }
    },
    template: (personId) => {
      try {
        const row = oneRow.get(personId);
        return row ? open(row) : null;
      } catch (cause) {
        throw translated(cause, path, 'GALLERY_UNREADABLE');
      }
    },
    packs: packStore({ db, path, dataKey, chance }),
    condemn: (why) => {
      try {
        writeCondemned.run(why);
      } catch (cause) {
        throw translated(cause, path, 'GALLERY_UNREADABLE');
      }
    },
    condemned: () => readCondemned.get() ?? null,
    put: (template) => {
      const { personId, modelSha256, protectionVersion, lookAlikeOf } = template;
      const sealed = seal(template, dataKey, chance);
      return upsert.run(personId, modelSha256, protectionVersion, lookAlikeOf, sealed, personId).changes === 1;
    },
    remove: (personId) => void remove.run(personId),
    erase: ({ personId, cursor }) => {
      remove.run(personId);
      dropNumbers.run(personId);
      erase.run(personId, cursor);
    },
    count: () => countRows.get() ?? 0,
    erasures: () => everybodyErased.all(),
    unacknowledged: () => unacknowledged.all(),
    acknowledged: (personId) => void acknowledge.run(personId),
    faces: () =>
      faceRows.all().flatMap(({ sealed, ...row }) => {
        const values = unsealed(sealed, faceData(row), dataKey);
        if (values) return [{ ...row, values }];
        dropFace.run(row.face);
        return [];
      }),
    putFace: (face) => {
      const sealed = sealedUnder(face.values, faceData(face), dataKey, chance);
      const { kind, refusals, refusedSince, pauses, pausedUntil, lastAt, protectionVersion } = face;
      putFace.run(face.face, kind, sealed, refusals, refusedSince, pauses, pausedUntil, lastAt, protectionVersion);
    },
    dropFaces: (faces) => db.transaction(() => void faces.map((face) => dropFace.run(face))).immediate(),
    personUnder: (tag) => Uuid.safeParse(personUnder.get(tag)).data ?? null,
    keepUnder: (tag, personId) => void keepUnder.run(tag, personId, personId),
    scrub: () => void db.pragma('wal_checkpoint(TRUNCATE)'),
    cursor: () => readCursor.get() ?? 0,
    setCursor: (cursor) => void writeCursor.run(cursor),
    commit: (work) => db.transaction(work).immediate(),
    close: () => {
      db.close();
    },
  };
}

function templateData(personId: string, model: string, version: string, lookAlikeOf: string | null): Uint8Array {
  return additionalData('kaopass-template', 1, personId, model, version, lookAlikeOf);
}

function faceData({
  face,
  kind,
  protectionVersion,
}: Pick<StoredFace, 'face' | 'kind' | 'protectionVersion'>): Uint8Array {
  if (protectionVersion === null) return additionalData('kaopass-presented-face', 1, face, kind);
  return additionalData('kaopass-presented-face', 2, face, kind, protectionVersion);
}

function seal(template: StoredTemplate, key: KeyObject, chance: Chance): Uint8Array {
  const { personId, modelSha256, protectionVersion, lookAlikeOf, values } = template;
  return sealedUnder(values, templateData(personId, modelSha256, protectionVersion, lookAlikeOf), key, chance);
}

function unseal(row: Row, key: KeyObject): Uint8Array | null {
  const data = templateData(row.person_id, row.model_sha256, row.protection_version, row.look_alike_of);
  return unsealed(row.sealed, data, key);
}
