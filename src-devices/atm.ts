/** One machine: its services behind one publisher, over one folder that remembers. The one place that knows every device. */
import { type Clock, systemClock } from './clock.ts';
import type { DialectChange } from './dialect.ts';
import { type FaultKind, Faults } from './faults.ts';
import { type Publisher, publish, STANDARD_PORTS } from './publisher.ts';
import { createRuntime } from './runtime.ts';
import type { LogEntry, Runtime, Service } from './service.ts';
import { WIRE_FAULTS } from './wire-faults.ts';

/** What a group of devices brings into a machine. `hands` is what a person does to them. */
export interface Peripherals<Hands> {
  readonly services: readonly Service[];
  readonly hands: Hands;
}

export interface AtmOptions<Hands> {
  /** Everything the machine remembers without power. */
  readonly stateDir: string;
  readonly clock?: Clock;
  /** How many times faster than real hardware mechanisms work; Infinity: they take no time. */
  readonly speed?: number;
  readonly dialect?: DialectChange;
  readonly host?: string;
  readonly ports?: readonly number[];
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Fault kinds of the peripherals. */
  readonly faultKinds?: readonly FaultKind[];
  /** Builds the devices that are not cash: PIN device, printer, scanner, lights, camera … */
  peripherals?(runtime: Runtime, stateDir: string): Peripherals<Hands>;
  log?(entry: LogEntry): void;
}

export interface Atm<Hands> {
  readonly port: number;
  /** The publisher's, e.g. `ws://127.0.0.1:5846/xfs4iot/v1.0`. */
  readonly url: string;
  readonly services: readonly Service[];
  readonly faults: Faults;
  readonly peripherals: Hands | null;
  serviceUrl(name: string): string;
  setDialect(change: DialectChange): void;
  /** Stops at once; notes stay where they are, and the state is what is on disk. */
  powerCut(): Promise<void>;
  close(): Promise<void>;
}

/** Throws an Error that names the file when the state is damaged, and the ports when none is free. */
export async function openAtm<Hands = null>(options: AtmOptions<Hands>): Promise<Atm<Hands>> {
  const faults = new Faults([...WIRE_FAULTS, ...(options.faultKinds ?? [])]);
  const runtime = createRuntime({
    clock: options.clock ?? systemClock,
    faults,
    speed: options.speed ?? 1,
    ...(options.dialect && { dialect: options.dialect }),
    ...(options.log && { log: options.log }),
  });
  const peripherals = options.peripherals?.(runtime, options.stateDir) ?? null;
  const services = [...(peripherals?.services ?? [])];
  const publisher: Publisher = await publish(runtime, services, {
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
    peripherals: peripherals?.hands ?? null,
    serviceUrl: publisher.serviceUrl,
    setDialect: (change) => runtime.setDialect(change),
    powerCut: stop,
    close: stop,
  };
}
