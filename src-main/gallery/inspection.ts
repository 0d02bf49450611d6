/** What a technician may see of a gallery: how many, not who. Read-only. */
import { z } from 'zod';
import { openReadOnly, translated } from '../journal/database.ts';

const Inspection = z.strictObject({
  templates: z.int(),
  cursor: z.int(),
  /** During a change of the protecting matrix: the old one's name, and how many people are still under it. */
  leaving: z.strictObject({ protection: z.string(), templates: z.int() }).nullable(),
});

/** Null when there is no gallery yet. Throws GALLERY_UNREADABLE naming the file. */
export function inspectGallery(path: string): z.infer<typeof Inspection> | null {
  const db = openReadOnly({ path, unusable: 'GALLERY_UNREADABLE' });
  if (!db) return null;
  try {
    // Counting a million rows takes a while; the packs know. A file from an older Kaopass has none.
    const packed = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'rosters'").get() !== undefined;
    const templates = packed ? 'SELECT coalesce(sum(size), 0) FROM rosters' : 'SELECT count(*) FROM templates';
    const counted = db.prepare<[], object>(`SELECT (${templates}) AS templates, cursor FROM feed`).get();
    // Of people who are compared there is a roster for each matrix, the older first: "model matrix dimensions".
    const [first, second] = packed
      ? db
          .prepare<[], { name: string; size: number }>(
            "SELECT name, size FROM rosters WHERE name LIKE '% % %' ORDER BY roster",
          )
          .all()
      : [];
    const leaving = first && second ? { protection: first.name.split(' ')[1], templates: first.size } : null;
    return Inspection.parse({ ...counted, leaving });
  } catch (cause) {
    throw translated(cause, path, 'GALLERY_UNREADABLE');
  } finally {
    db.close();
  }
}
