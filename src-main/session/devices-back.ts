/**
 * After a power cut the terminal is often up before its devices. A transaction that was left open is settled by what its device
 * says, and a device that is still starting would make it suspect for nothing: so it is waited for, a bounded time.
 */
import type { Clock } from '../clock.ts';
import type { Device } from '../devices/device.ts';
import type { Devices } from '../devices/devices.ts';
import type { JournaledTransaction } from '../journal/journal.ts';
import { deviceToAsk } from './recovery-table.ts';

/** Waits until every device answers that has to tell what became of an open transaction. Resolves with the names of those that
 *  are still away after timeoutMs; at once, with none, when nothing has to be asked. */
export async function devicesBack(
  open: readonly Pick<JournaledTransaction, 'service' | 'state'>[],
  devices: Devices,
  clock: Clock,
  timeoutMs: number,
): Promise<readonly string[]> {
  const keys = new Set(open.map(({ service, state }) => deviceToAsk(service, state)));
  const needed: readonly Device[] = [...keys].flatMap((key) => (key ? (devices[key] ?? []) : []));
  const away = () => needed.filter(isAway).map(({ name }) => name);
  if (away().length === 0) return [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const stops = [
    ...needed.map((device) => device.onHealth(() => away().length === 0 && resolve())),
    clock.after(timeoutMs, resolve),
  ];
  await promise;
  for (const stop of stops) stop();
  return away();
}

/** A device with another trouble can still be asked. */
function isAway(device: Device): boolean {
  const { state } = device.health();
  return state === 'offline' || state === 'noDevice';
}
