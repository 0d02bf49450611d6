/** What a technician may see of a gallery: how many, not who. Read-only. */
import { z } from 'zod';
import { openReadOnly, translated } from '../journal/database.ts';

const Inspection = z.strictObject({ templates: z.int(), cursor: z.int() });

/** Null when there is no gallery yet. Throws GALLERY_UNREADABLE naming the file. */
export function inspectGallery(path: string): z.infer<typeof Inspection> | null {
  const db = openReadOnly({ path, unusable: 'GALLERY_UNREADABLE' });
  if (!db) return null;
  try {
    return Inspection.parse(db.prepare('SELECT (SELECT count(*) FROM templates) AS templates, cursor FROM feed').get());
  } catch (cause) {
    throw translated(cause, path, 'GALLERY_UNREADABLE');
  } finally {
    db.close();
  }
}
