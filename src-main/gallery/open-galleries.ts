/**
 * Which file is whose: gallery.sqlite is the gallery of the embedder in use, gallery-before.sqlite of the one before, while there is one.
 * When another embedder comes into use, the file of the one that was until then becomes the older one's, and the newer one begins with
 * the feed's first entry; back again the other way round. A gallery of an embedder that this terminal has no more is deleted: nobody can
 * be compared with it, and the bank has every template. The names of a file's rosters say whose it is.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { openReadOnly } from '../journal/database.ts';
import type { Alarm } from '../journal/journal.ts';
import type { dataPlaces } from '../places.ts';
import type { Embedder } from '../vision/observation.ts';
import type { Gallery, GalleryOptions } from './gallery.ts';
import { FILE_PARTS, openGalleryOrPullAgain } from './open-or-pull-again.ts';
import { underTwo } from './two-embedders.ts';

export function openGalleries(options: {
  readonly places: Pick<ReturnType<typeof dataPlaces>, 'gallery' | 'galleryBefore'>;
  readonly embedders: { readonly embedder: Embedder; readonly embedderBefore: Embedder | null };
  readonly shared: Omit<GalleryOptions, 'path' | keyof Embedder>;
  readonly onAlarm: (alarm: Alarm) => void;
}): Gallery {
  const { places, shared, onAlarm } = options;
  const { embedder, embedderBefore } = options.embedders;
  arrange(places, embedder.modelSha256, embedderBefore?.modelSha256 ?? null);
  const newest = openGalleryOrPullAgain({ ...shared, ...embedder, path: places.gallery }, onAlarm);
  if (!embedderBefore) return newest;
  try {
    return underTwo(
      newest,
      openGalleryOrPullAgain({ ...shared, ...embedderBefore, path: places.galleryBefore }, onAlarm),
    );
  } catch (error) {
    newest.close();
    throw error;
  }
}

/** Before anything is open. Cut anywhere, what is missing afterwards is pulled again. */
function arrange(
  { gallery, galleryBefore }: { readonly gallery: string; readonly galleryBefore: string },
  newest: string,
  before: string | null,
): void {
  const there = { gallery: modelOf(gallery), before: modelOf(galleryBefore) };
  const between = `${galleryBefore}-moving`;
  remove(between);
  if (there.gallery === before && there.gallery !== null && there.before !== before) {
    move(gallery, between);
    if (there.before === newest) move(galleryBefore, gallery);
    move(between, galleryBefore);
    return;
  }
  if (there.gallery !== newest && there.before === newest) move(galleryBefore, gallery);
  else if (there.gallery !== null && there.gallery !== newest) remove(gallery);
  if (before === null || (there.before !== null && there.before !== before)) remove(galleryBefore);
}

/** The embedder whose people are in this file; null where there is none, or it says nothing: then its opening will. */
function modelOf(path: string): string | null {
  try {
    const db = openReadOnly({ path, unusable: 'GALLERY_UNREADABLE' });
    if (!db) return null;
    try {
      const one = (sql: string) => db.prepare<[], string>(sql).pluck().get();
      // A file from an older Kaopass has no rosters.
      const packed = one("SELECT name FROM sqlite_master WHERE name = 'rosters'") !== undefined;
      const named = packed ? one("SELECT name FROM rosters WHERE name LIKE '% % %' LIMIT 1")?.split(' ')[0] : undefined;
      return named ?? one('SELECT model_sha256 FROM templates LIMIT 1') ?? null;
    } finally {
      db.close();
    }
  } catch {
    return null;
  }
}

/** Log first: cut in between, the file is as it was without it, which is an older whole, and the rest follows at the next start. */
function move(from: string, to: string): void {
  remove(to);
  for (const part of [...FILE_PARTS].reverse()) if (existsSync(from + part)) renameSync(from + part, to + part);
}

function remove(path: string): void {
  for (const part of FILE_PARTS) rmSync(path + part, { force: true });
}
