/**
 * What changed between two readings of a status or of storage, as XFS4IoT's change events carry it: only the fields that are
 * different, values absolute, and each changed entry of a `positions` list with the `position` that names it.
 */
import type { Payload } from './envelope.ts';

/** Null when nothing changed. A field that went away is not in the delta: in these events absent means unchanged. */
export function delta(before: Payload, after: Payload): Payload | null {
  const changed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(after)) {
    const was = before[key];
    if (same(was, value)) continue;
    if (isList(value) && isList(was)) {
      const entries = value.filter((entry) => !was.some((old) => same(old, entry)));
      changed[key] = entries.map((entry) => {
        const old = was.find((candidate) => candidate['position'] === entry['position']);
        return old ? { position: entry['position'], ...delta(old, entry) } : entry;
      });
    } else if (isObject(value) && isObject(was)) {
      changed[key] = delta(was, value) ?? {};
    } else {
      changed[key] = value;
    }
  }
  return Object.keys(changed).length > 0 ? changed : null;
}

function isObject(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Only lists of positions are merged entry by entry; any other list is sent whole. */
function isList(value: unknown): value is readonly Payload[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => isObject(entry) && 'position' in entry);
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
