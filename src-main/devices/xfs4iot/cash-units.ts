/** Storage units as the terminal's cash units, and what a technician does with them (XFS4IoT 2024-3, Storage and CashManagement). */
import type { MinorUnits } from '../../../src-contract/primitives.ts';
import { TerminalError } from '../../errors.ts';
import type { CashUnit } from '../cash-dispenser.ts';
import { noteTotal, toNotes } from '../tally.ts';
import { toMinor } from './amounts.ts';
import type { Counts, StorageUnit, Xfs4IotService } from './client/index.ts';
import { counted, type NoteTypes } from './note-types.ts';

export type UnitUse = 'cashIn' | 'cashOut' | 'cashInRetract' | 'cashOutRetract' | 'reject';

/** What the unit is configured for; its abilities where no configuration is given. */
export function isFor(unit: StorageUnit, use: UnitUse): boolean {
  const types = unit.cash?.configuration?.types ?? unit.cash?.capabilities?.types;
  return types?.[use] === true;
}

/** Buckets of which a unit's content is the sum (9.1: initial, plus all that entered, less all that left). */
const ENTERED = ['deposited', 'retracted', 'rejected', 'distributed', 'transport'] as const;
const LEFT = ['presented', 'rejected', 'distributed', 'unknown', 'stacked', 'diverted', 'transport'] as const;

export function cashUnits(
  units: Readonly<Record<string, StorageUnit>>,
  types: NoteTypes,
  currency: string,
): CashUnit[] {
  return Object.entries(units).flatMap(([id, unit]) => {
    const kind = kindOf(unit);
    if (!unit.cash || kind === null) return [];
    const ofAnother = unit.cash.configuration?.currency;
    if (ofAnother !== undefined && ofAnother.trim() !== '' && ofAnother !== currency) return [];
    const content = contentOf(unit, types);
    return [
      {
        id,
        kind,
        denominationMinor: denominationOf(unit, types, currency),
        count: content.count,
        capacity: Math.max(unit.capacity ?? 0, content.count),
        state: stateOf(unit, kind),
        ...(kind === 'recycle' || kind === 'cashIn' ? { takesIn: takesIn(unit) } : {}),
        notes: toNotes(content.notes),
      },
    ];
  });
}

function kindOf(unit: StorageUnit): CashUnit['kind'] | null {
  const out = isFor(unit, 'cashOut');
  if (isFor(unit, 'cashIn')) return out ? 'recycle' : 'cashIn';
  if (out) return 'cashOut';
  if (isFor(unit, 'cashOutRetract') || isFor(unit, 'cashInRetract')) return 'retract';
  return isFor(unit, 'reject') ? 'reject' : null;
}

function denominationOf(unit: StorageUnit, types: NoteTypes, currency: string): MinorUnits | null {
  const { value, cashItems } = unit.cash?.configuration ?? {};
  const configured = value ? toMinor(value, currency) : null;
  if (configured !== null && configured > 0) return configured as MinorUnits;
  const denominations = new Set((cashItems ?? []).map((id) => types.get(id)));
  const [only] = denominations;
  return denominations.size === 1 && only !== undefined ? (only as MinorUnits) : null;
}

function contentOf({ cash }: StorageUnit, types: NoteTypes) {
  const { initial, out, in: entered } = cash?.status ?? {};
  const held = new Map<number, number>();
  let others = 0;
  const add = (counts: Counts | undefined, sign: 1 | -1) => {
    const read = counted(counts, types);
    others += sign * read.others;
    for (const { denominationMinor, count } of toNotes(read.notes)) {
      held.set(denominationMinor, (held.get(denominationMinor) ?? 0) + sign * count);
    }
  };
  add(initial, 1);
  for (const bucket of ENTERED) add(entered?.[bucket], 1);
  for (const bucket of LEFT) add(out?.[bucket], -1);
  // A device whose counts are off by a miscount must not show fewer than none.
  const notes = Object.fromEntries([...held].filter(([, count]) => count > 0));
  return { notes, count: noteTotal(notes) + Math.max(others, 0) };
}

function stateOf(unit: StorageUnit, kind: CashUnit['kind']): CashUnit['state'] {
  if (unit.status === 'missing') return 'missing';
  if (unit.status !== undefined && unit.status !== 'ok') return 'inoperative';
  const { configuration, status } = unit.cash ?? {};
  const gives = kind === 'cashOut' || kind === 'recycle';
  if (gives && (configuration?.appLockOut || status?.operationStatus === 'dispenseInoperative')) return 'inoperative';
  const state = status?.replenishmentStatus;
  return state === undefined || state === 'unknown' ? 'ok' : state;
}

function takesIn({ status, cash }: StorageUnit): boolean {
  if (status !== undefined && status !== 'ok') return false;
  return cash?.configuration?.appLockIn !== true && cash?.status?.operationStatus !== 'depositInoperative';
}

/** Storage.SetStorage changes counts only while the units are out for replenishment. */
export interface Refill {
  readonly unitId: string;
  /** Notes in the unit now, per note id of CashManagement.GetBankNoteTypes. */
  readonly counts: Readonly<Record<string, number>>;
}

const EXCHANGE_MS_MAX = 120_000;

/**
 * A technician's replenishment: StartExchange, the new counts, EndExchange (XFS4IoT 2024-3, Storage). While it runs the device
 * refuses cash commands. `work` is the time in which units are pulled, filled and put back; EndExchange follows however it ends.
 * Throws DEVICE_FAILED naming the step that the device refused.
 */
export async function replenish(
  service: Xfs4IotService,
  work: () => Promise<readonly Refill[]>,
  signal: AbortSignal,
): Promise<void> {
  const options = { timeoutMs: EXCHANGE_MS_MAX, signal };
  const started = await service.command('Storage.StartExchange', null, options);
  const already = started.code === 'commandErrorCode' && started.errorCode === 'exchangeActive';
  if (started.code !== 'success' && !already) throw refused('Storage.StartExchange', started);
  try {
    const refills = await work();
    if (refills.length > 0) {
      const storage = Object.fromEntries(
        refills.map(({ unitId, counts }) => [
          unitId,
          {
            cash: {
              status: { initial: Object.fromEntries(Object.entries(counts).map(([id, fit]) => [id, { fit }])) },
            },
          },
        ]),
      );
      const set = await service.command('Storage.SetStorage', { storage }, options);
      if (set.code !== 'success') throw refused('Storage.SetStorage', set);
    }
  } finally {
    // Its own patience: an aborted replenishment must not leave the device in exchange.
    const ended = await service.command('Storage.EndExchange', null, {
      timeoutMs: EXCHANGE_MS_MAX,
      signal: new AbortController().signal,
    });
    if (ended.code !== 'success' && !(ended.code === 'commandErrorCode' && ended.errorCode === 'noExchangeActive')) {
      // biome-ignore lint/correctness/noUnsafeFinally: a device left in exchange matters more than why the work ended
      throw refused('Storage.EndExchange', ended);
    }
  }
}

function refused(command: string, answer: { readonly code: string; readonly errorCode?: string | null }) {
  return new TerminalError('DEVICE_FAILED', `${command} was answered ${answer.code} ${answer.errorCode ?? ''}`.trim());
}
