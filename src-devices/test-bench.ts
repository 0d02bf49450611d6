/** For the tests of this folder: a machine of peripherals on a free port, over a folder that can outlive it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Atm, openAtm } from './atm.ts';
import type { DialectChange } from './dialect.ts';
import { openPeripherals, PERIPHERAL_FAULTS, type Peripherals } from './peripherals.ts';
import { TestClient } from './test-client.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Chance that is none: 0, 1, 2 … in each answer. */
export const countingChance = { bytes: (length: number) => Uint8Array.from({ length }, (_, index) => index) };

export interface Bench {
  readonly atm: Atm<Peripherals>;
  readonly hands: Peripherals;
  readonly clock: VirtualClock;
  readonly stateDir: string;
  client(service: string): Promise<TestClient>;
  close(): Promise<void>;
}

export function makeStateDir(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'kaopass-devices-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function openBench(stateDir: string, dialect: DialectChange = {}): Promise<Bench> {
  const clock = new VirtualClock();
  const atm = await openAtm<Peripherals>({
    stateDir,
    clock,
    speed: Number.POSITIVE_INFINITY,
    dialect,
    ports: [0],
    faultKinds: PERIPHERAL_FAULTS,
    peripherals: (runtime, folder) => openPeripherals(runtime, folder, countingChance),
  });
  const clients: TestClient[] = [];
  return {
    atm,
    hands: atm.peripherals!,
    clock,
    stateDir,
    client: async (service) => {
      const client = await TestClient.connect(atm.serviceUrl(service));
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.socket.terminate();
      await atm.close();
    },
  };
}
