/**
 * A gallery that is damaged is no loss: the bank has every template, and the feed brings them again from its beginning. So it is moved
 * aside, for whoever looks into it, and a new one begun. (A journal is never: it is the only one of its kind.)
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { TerminalError } from '../errors.ts';
import type { Alarm } from '../journal/journal.ts';
import { type GalleryOptions, type OneGallery, openGallery } from './gallery.ts';

/** A file of SQLite's, its log and the index of that. */
export const FILE_PARTS = ['', '-wal', '-shm'] as const;

/** Where a damaged gallery goes; the one before it makes room, so that no more than one lies around with faces in it. */
export function asidePath(path: string): string {
  return `${path}-damaged`;
}

/** Deletes what was moved aside: its templates are under a matrix that must leave the disk. Nothing happens where there is none. */
export function deleteAside(path: string): void {
  for (const part of FILE_PARTS) rmSync(asidePath(path) + part, { force: true });
}

/** Opens the gallery, or a new one when it cannot be read, and says so. Damage that shows only later is told too, and ends with the next
 *  start. Throws DATABASE_NEWER and what the disk did. */
export function openGalleryOrPullAgain(given: GalleryOptions, onAlarm: (alarm: Alarm) => void): OneGallery {
  const options: GalleryOptions = {
    ...given,
    onDamaged: ({ message }) => {
      const remedy = 'that person is not recognised until the terminal is started again and has pulled all templates';
      onAlarm({ kind: 'gallery', message: `${message}; ${remedy}` });
    },
  };
  try {
    return openGallery(options);
  } catch (error) {
    if (!(error instanceof TerminalError) || error.code !== 'GALLERY_UNREADABLE') throw error;
    const { path } = options;
    for (const part of FILE_PARTS) {
      if (existsSync(path + part)) renameSync(path + part, asidePath(path) + part);
    }
    onAlarm({
      kind: 'gallery',
      message: `${error.message}; it was moved to ${asidePath(path)}, and the bank's templates are pulled again`,
    });
    return openGallery(options);
  }
}
