/**
 * What was seen in an image, kept on disk, so that an evaluation that was killed goes on where it was, and a second one with other
 * settings takes minutes. The key is the image's content and everything that the answer depends on: models, pipeline, runtime. Holds
 * embeddings, unprotected: only its owner may read the file.
 */
import { createHash } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import sharp from 'sharp';
import { z } from 'zod';
import { type Manifests, ROLES } from '../../src-main/vision/manifest.ts';
import { EvaluationError } from './problem.ts';

/** Answers a commit: what a kill costs at most. */
const BATCH = 32;

const Row = z.strictObject({ answer: z.string(), vector: z.instanceof(Uint8Array).nullable() });

export interface Cache {
  /** Null where nothing is known, or what is kept can't be read. */
  find(key: string): { readonly answer: unknown; readonly vector: Float32Array | null } | null;
  keep(key: string, answer: unknown, vector: Float32Array | null): void;
  /** Everything kept so far is on the disk when this returns. */
  close(): void;
}

/** @param file null for memory alone. Throws EvaluationError where the file is no cache or can't be written. */
export function openCache(file: string | null): Cache {
  let db: Database.Database;
  try {
    if (file) {
      mkdirSync(dirname(file), { recursive: true });
      closeSync(openSync(file, 'a', 0o600));
      chmodSync(file, 0o600);
    }
    db = new Database(file ?? ':memory:');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    db.exec(
      'CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, answer TEXT NOT NULL, vector BLOB) STRICT, WITHOUT ROWID',
    );
  } catch (cause) {
    throw new EvaluationError(`${file}: can't be used as a cache (${(cause as Error).message})`, { cause });
  }
  const select = db.prepare('SELECT answer, vector FROM seen WHERE key = ?');
  const insert = db.prepare('INSERT OR REPLACE INTO seen (key, answer, vector) VALUES (?, ?, ?)');
  let waiting = 0;
  const commit = () => {
    if (waiting > 0) db.exec('COMMIT');
    waiting = 0;
  };
  return {
    find: (key) => {
      const row = Row.nullable().safeParse(select.get(key) ?? null);
      if (!row.success || row.data === null) return null;
      const { answer, vector } = row.data;
      return {
        answer: JSON.parse(answer) as unknown,
        vector: vector && new Float32Array(Uint8Array.from(vector).buffer),
      };
    },
    keep: (key, answer, vector) => {
      if (waiting === 0) db.exec('BEGIN');
      insert.run(
        key,
        JSON.stringify(answer),
        vector && new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
      );
      if (++waiting >= BATCH) commit();
    },
    close: () => {
      commit();
      db.close();
    },
  };
}

/** Changes with anything that may change an answer: manifests (but for how scores are weighed afterwards), the pipeline's own code, the
 *  libraries that decode and compute. */
export function pipelineDigest(manifests: Manifests): string {
  const hash = createHash('sha256');
  for (const role of ROLES) {
    const without = Object.fromEntries(Object.entries(manifests[role]).filter(([field]) => field !== 'calibration'));
    hash.update(JSON.stringify(without));
  }
  for (const folder of [join(import.meta.dirname, '../../src-main/vision'), import.meta.dirname]) {
    const code = readdirSync(folder).filter((name) => /\.[jt]s$/.test(name) && !/\.test\./.test(name));
    const relevant = folder === import.meta.dirname ? code.filter((name) => /^(frame|acquire)\./.test(name)) : code;
    for (const name of relevant.sort()) hash.update(name).update(readFileSync(join(folder, name)));
  }
  // CommonJS with an export that named ES imports do not see (src-main/vision/model.ts).
  const { env } = createRequire(import.meta.url)('onnxruntime-node') as typeof import('onnxruntime-node');
  hash.update(JSON.stringify([sharp.versions, env.versions]));
  return hash.digest('hex');
}

/** SHA-256, hex. */
export function digestOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
