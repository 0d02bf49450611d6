/** The change of storage units, sorted into the three unsolicited events of XFS4IoT Storage (9.4). */
import { delta } from './delta.ts';
import type { Dialect } from './dialect.ts';
import type { Payload } from './envelope.ts';

export interface StorageEvent {
  readonly name: 'Storage.StorageChangedEvent' | 'Storage.CountsChangedEvent' | 'Storage.StorageThresholdEvent';
  readonly payload: Payload;
}

interface Unit {
  readonly cash?: {
    readonly status?: { readonly in?: Payload; readonly out?: Payload; readonly [field: string]: unknown };
  };
}

/** Before and after: unit id → unit as GetStorage shows it. */
export function storageEvents(before: Payload, after: Payload, dialect: Dialect): readonly StorageEvent[] {
  const changes = Object.entries(delta(before, after) ?? {}) as [string, Unit][];
  if (changes.length === 0) return [];
  if (dialect.countsEvent === 'storageChanged') {
    return [{ name: 'Storage.StorageChangedEvent', payload: Object.fromEntries(changes) }, ...thresholds(changes)];
  }
  const counts = changes.flatMap(([id, unit]) => {
    const { in: into, out } = unit.cash?.status ?? {};
    return into || out ? [[id, { cash: { status: { ...(into && { in: into }), ...(out && { out }) } } }] as const] : [];
  });
  const others = changes.flatMap(([id, unit]) => {
    const rest = withoutCounts(unit);
    return rest ? [[id, rest] as const] : [];
  });
  return [
    ...(counts.length > 0 ? [event('Storage.CountsChangedEvent', counts)] : []),
    ...(others.length > 0 ? [event('Storage.StorageChangedEvent', others)] : []),
    ...thresholds(changes),
  ];
}

function thresholds(changes: readonly (readonly [string, Unit])[]): StorageEvent[] {
  const crossed = changes.flatMap(([id, unit]) => {
    const replenishmentStatus = unit.cash?.status?.['replenishmentStatus'];
    return replenishmentStatus ? [[id, { cash: { status: { replenishmentStatus } } }] as const] : [];
  });
  return crossed.length > 0 ? [event('Storage.StorageThresholdEvent', crossed)] : [];
}

const event = (name: StorageEvent['name'], units: readonly (readonly [string, object])[]): StorageEvent => ({
  name,
  payload: Object.fromEntries(units),
});

function withoutCounts(unit: Unit): object | null {
  const { cash, ...rest } = unit;
  const { status, ...cashRest } = cash ?? {};
  const { in: _in, out: _out, ...statusRest } = status ?? {};
  const cashLeft = { ...cashRest, ...(Object.keys(statusRest).length > 0 && { status: statusRest }) };
  const left = { ...rest, ...(Object.keys(cashLeft).length > 0 && { cash: cashLeft }) };
  return Object.keys(left).length > 0 ? left : null;
}
