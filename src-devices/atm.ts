/** One machine: its services behind one publisher, over one folder that remembers. The one place that knows every device. */
import { CASH_FAULTS } from './cash/cash-faults.ts';
import { type Cash, type CashOptions, openCash } from './cash/cash-services.ts';
import type { CashHands } from './cash/hands.ts';
import { type Chance, type Clock, systemChance, systemClock } from './clock.ts';
import type { DialectChange } from './dialect.ts';
import { type FaultKind, Faults } from './faults.ts';
import { publish, STANDARD_PORTS } from './publisher.ts';
import { createRuntime } from './runtime.ts';
import type { LogEntry, Runtime, Service } from './service.ts';
import { WIRE_FAULTS } from './wire-faults.ts';

/** What a group of devices brings into a machine. `hands` is what a person does to them. */
interface DeviceGroup<Hands> {
  readonly services: readonly Service[];
  readonly hands: Hands;
}

export interface AtmOptions<Hands> extends CashOptions {
  /** Everything the machine remembers without power. */
  readonly stateDir: string;
  /** `atm` handles cash; `checkout`, or none named, has what `peripherals` builds and nothing else. */
  readonly profile?: 'atm' | 'checkout';
  readonly clock?: Clock;
  readonly chance?: Chance;
  /** How many times faster than real hardware mechanisms work; Infinity: they take no time. */
  readonly speed?: number;
  readonly dialect?: DialectChange;
  readonly host?: string;
  readonly ports?: readonly number[];
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Fault kinds of the peripherals. */
  readonly faultKinds?: readonly FaultKind[];
  /** Builds the devices that are not cash: PIN device, printer, scanner, lights, camera … */
  peripherals?(runtime: Runtime, stateDir: string): DeviceGroup<Hands>;
  log?(entry: LogEntry): void;
}

export interface Atm<Hands> {
  readonly port: number;
  /** The publisher's, e.g. `ws://127.0.0.1:5846/xfs4iot/v1.0`. */
  readonly url: string;
  readonly services: readonly Service[];
  readonly faults: Faults;
  /** Null where the profile handles no cash. */
  readonly cash: Cash | null;
  readonly hands: CashHands | null;
  readonly peripherals: Hands | null;
  serviceUrl(name: string): string;
  setDialect(change: DialectChange): void;
  /** Stops at once; notes stay where they are, and the state is what is on disk. */
  powerCut(): Promise<void>;
  close(): Promise<void>;
}

/** Throws an Error that names the file when the state is damaged, and the ports when none is free. */
export async function openAtm<Hands = null>(options: AtmOptions<Hands>): Promise<Atm<Hands>> {
  const cashFaults = options.profile === 'atm' ? CASH_FAULTS : [];
  const faults = new Faults([...WIRE_FAULTS, ...cashFaults, ...(options.faultKinds ?? [])]);
  const runtime = createRuntime({
    clock: options.clock ?? systemClock,
    faults,
    speed: options.speed ?? 1,
    ...(options.dialect && { dialect: options.dialect }),
    ...(options.log && { log: options.log }),
  });
  const chance = options.chance ?? systemChance;
  const cash = options.profile === 'atm' ? openCash(runtime, options.stateDir, chance, options) : null;
  const peripherals = options.peripherals?.(runtime, options.stateDir) ?? null;
  const services = [...(cash?.services ?? []), ...(peripherals?.services ?? [])];
  const twice = services.find(({ name }, index) => services.findIndex((each) => each.name === name) !== index);
  if (twice) throw new Error(`two services are named ${twice.name}`);
  const publisher = await publish(runtime, services, {
    host: options.host ?? '127.0.0.1',
    ports: options.ports ?? STANDARD_PORTS,
    ...(options.tls && { tls: options.tls }),
    vendorName: 'Kaopass simulated devices',
  });
  const stop = async () => {
    runtime.cutPower();
    await publisher.close();
  };
  return {
    port: publisher.port,
    url: publisher.url,
    services,
    faults,
    cash,
    hands: cash?.hands ?? null,
    peripherals: peripherals?.hands ?? null,
    serviceUrl: publisher.serviceUrl,
    setDialect: (change) => runtime.setDialect(change),
    powerCut: stop,
    close: stop,
  };
}
