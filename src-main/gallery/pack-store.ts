/**
 * What the search holds in memory, at rest: packs of neighbouring places (search.ts), sealed each for itself, so that a million people
 * are loaded in seconds, and one more or less rewrites two packs and not the file. A roster is all packs of one search. Its sealed head
 * has the size and a digest over the packs' tags, in order: a pack that is missing, old or another's is noticed, though it opens.
 *
 * An erased template leaves its pack in the commit that takes its row. SQLite overwrites what a pack was before with zeros
 * (secure_delete), and the log is emptied before anybody is told that the template is gone.
 */
import { createHash, type KeyObject } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { Chance } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { translated } from '../journal/database.ts';
import { additionalData, sealedUnder, TAG_BYTES, unsealed } from './sealing.ts';
import type { ExactSearch } from './search.ts';

export interface PackStore {
  /** Names of the rosters that are there, whole. */
  names(): readonly string[];
  /** Fills an empty search. Throws GALLERY_UNREADABLE when anything is missing or altered. */
  load(name: string, search: ExactSearch): void;
  /** Writes what changed in the search; within a commit. Call what it returns once that commit is done. */
  save(name: string, search: ExactSearch): () => void;
  /** Takes one roster away, within a commit. */
  drop(name: string): void;
  /** Takes all rosters away, within a commit. */
  clear(): void;
}

const Head = z.strictObject({ size: z.int().nonnegative(), digest: z.string() });

export function packStore(options: {
  readonly db: Database;
  readonly path: string;
  readonly dataKey: KeyObject;
  readonly chance: Chance;
}): PackStore {
  const { db, path, dataKey, chance } = options;
  const readNames = db.prepare<[], string>('SELECT name FROM rosters ORDER BY name').pluck();
  const readHead = db.prepare<[string], { roster: number; sealed: Uint8Array }>(
    'SELECT roster, sealed FROM rosters WHERE name = ?',
  );
  const writeHead = db
    .prepare<[string, number, Uint8Array], number>(
      `INSERT INTO rosters (name, size, sealed) VALUES (?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET size = excluded.size, sealed = excluded.sealed RETURNING roster`,
    )
    .pluck();
  const readPacks = db.prepare<[number], { number: number; sealed: Uint8Array }>(
    'SELECT number, sealed FROM packs WHERE roster = ? ORDER BY number',
  );
  const writePack = db.prepare<[number, number, Uint8Array]>(
    'INSERT INTO packs VALUES (?, ?, ?) ON CONFLICT (roster, number) DO UPDATE SET sealed = excluded.sealed',
  );
  const dropPacks = db.prepare<[string]>(
    'DELETE FROM packs WHERE roster = (SELECT roster FROM rosters WHERE name = ?)',
  );
  const dropHead = db.prepare<[string]>('DELETE FROM rosters WHERE name = ?');
  const dropPack = db.prepare<[number, number]>('DELETE FROM packs WHERE roster = ? AND number = ?');
  /** Of each roster, the tags of its packs as they are on disk. */
  const tagsOf = new Map<string, Buffer>();

  const packData = (name: string, number: number) => additionalData('kaopass-pack', 1, name, number);
  const headData = (name: string) => additionalData('kaopass-roster', 1, name);
  const digestOf = (tags: Uint8Array) => createHash('sha256').update(tags).digest('base64url');
  const unreadable = (what: string) =>
    new TerminalError('GALLERY_UNREADABLE', `the gallery ${path}: ${what}; nothing was changed`);

  const load = (name: string, search: ExactSearch): void => {
    const row = readHead.get(name);
    const opened = row && unsealed(row.sealed, headData(name), dataKey);
    if (!row || !opened) throw unreadable('its head was altered or sealed under another key');
    const head = Head.parse(JSON.parse(new TextDecoder().decode(opened)));
    const tags: Uint8Array[] = [];
    for (const { number, sealed } of readPacks.iterate(row.roster)) {
      const bytes = number === tags.length ? unsealed(sealed, packData(name, number), dataKey) : null;
      if (!bytes || !search.load(bytes)) throw unreadable(`pack ${number} was altered, or the one before is missing`);
      tags.push(Uint8Array.from(sealed.subarray(-TAG_BYTES)));
    }
    const all = Buffer.concat(tags);
    if (search.size !== head.size || digestOf(all) !== head.digest) {
      throw unreadable(`${search.size} people are in its packs, and not the ${head.size} that its head knows`);
    }
    tagsOf.set(name, all);
  };

  return {
    names: () => readNames.all(),
    load: (name, search) => {
      try {
        load(name, search);
      } catch (cause) {
        throw translated(cause, path, 'GALLERY_UNREADABLE');
      }
    },
    save: (name, search) => {
      const touched = search.takeTouched();
      const old = tagsOf.get(name);
      if (touched.length === 0 && old) return () => undefined;
      const roster = readHead.get(name)?.roster ?? writeHead.get(name, 0, new Uint8Array());
      if (roster === undefined) throw new Error(`no roster was made for ${name}`);
      const tags = Buffer.alloc(search.packs * TAG_BYTES);
      old?.copy(tags);
      for (const number of touched) {
        if (number >= search.packs) {
          dropPack.run(roster, number);
          continue;
        }
        const sealed = sealedUnder(search.pack(number), packData(name, number), dataKey, chance);
        writePack.run(roster, number, sealed);
        tags.set(sealed.subarray(-TAG_BYTES), number * TAG_BYTES);
      }
      const head = JSON.stringify({ size: search.size, digest: digestOf(tags) });
      const sealedHead = sealedUnder(new TextEncoder().encode(head), headData(name), dataKey, chance);
      writeHead.get(name, search.size, sealedHead);
      return () => void tagsOf.set(name, tags);
    },
    drop: (name) => {
      dropPacks.run(name);
      dropHead.run(name);
      tagsOf.delete(name);
    },
    clear: () => {
      db.exec('DELETE FROM packs; DELETE FROM rosters;');
      tagsOf.clear();
    },
  };
}
