/**
 * Merging what changed into what is known (XFS4IoT 2024-3, Common.StatusChangedEvent and the storage events): values are
 * absolute, missing means unchanged, entries of `positions` are merged by their position.
 */
import { isObject, type JsonObject } from './messages/lenient.ts';

export function merged<T extends object>(known: T, changed: object): T {
  const result: Record<string, unknown> = { ...(known as JsonObject) };
  for (const [name, value] of Object.entries(changed)) {
    if (value === undefined || value === null) continue;
    const before = result[name];
    if (isObject(before) && isObject(value)) result[name] = merged(before, value);
    else if (isPositions(before) && isPositions(value)) result[name] = mergedPositions(before, value);
    else result[name] = value;
  }
  return result as T;
}

type Positions = readonly (JsonObject & { readonly position: unknown })[];

function isPositions(value: unknown): value is Positions {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => isObject(entry) && 'position' in entry);
}

function mergedPositions(known: Positions, changed: Positions): Positions {
  const result = [...known];
  for (const entry of changed) {
    const index = result.findIndex(({ position }) => position === entry.position);
    if (index < 0) result.push(entry);
    else result[index] = merged(result[index]!, entry);
  }
  return result;
}
