/**
 * How every device of the terminal is, for its technician: state and what it says is wrong, the last thing that was wrong and
 * when, what it counts, and whether something holds it back. Health comes from the devices by themselves; counts are asked.
 * A bounded history of changes is kept in memory: what it was like since the terminal started.
 */
import type { WallTimeMs } from '../../src-contract/primitives.ts';
import { type Clock, deadline } from '../clock.ts';
import type { CashUnit } from '../devices/cash-dispenser.ts';
import type { Device, DeviceHealth } from '../devices/device.ts';
import type { Devices } from '../devices/devices.ts';

/** What the page and the command line call a device. The camera belongs to the screen, and is looked after all the same. */
export type DeviceKey = keyof Devices | 'camera';

/** What is looked after: a device of the terminal, or the camera. */
export interface Patient {
  readonly key: DeviceKey;
  readonly device: Pick<Device, 'name' | 'health' | 'onHealth'>;
  readonly driver: string;
  readonly connection: string;
  /** What it counts and where things lie; may reject. */
  readonly figures?: (signal: AbortSignal) => Promise<Figures>;
}

/** What a device counts. A key is absent where the device has nothing of the kind. */
export interface Figures {
  readonly units?: readonly CashUnit[];
  readonly paper?: string;
  readonly shutter?: string;
  readonly stacker?: string;
  readonly outputPosition?: string;
  readonly inputPosition?: string;
  /** Notes in escrow. */
  readonly escrow?: number;
}

/** At most this long, so that the page can be read aloud over a telephone. */
const HISTORY_MAX = 200;
/** A device that counts nothing within this is not waited for, ms: the page shows what it has. */
const FIGURES_MS_MAX = 2_000;

export interface HealthChange {
  readonly at: WallTimeMs;
  readonly key: DeviceKey;
  readonly state: DeviceHealth['state'];
  readonly problem: string | null;
}

export interface DeviceReport {
  readonly key: DeviceKey;
  readonly name: string;
  readonly driver: string;
  readonly connection: string;
  readonly state: DeviceHealth['state'];
  readonly problem: string | null;
  /** Since when it is so: its last change, or the start of the terminal. */
  readonly since: WallTimeMs;
  /** The last time something was wrong; null when nothing was since the start. */
  readonly lastProblem: { readonly at: WallTimeMs; readonly state: string; readonly problem: string } | null;
  /** Held back by a suspect transaction until a technician has looked, or by a test. */
  readonly held: 'suspect' | 'test' | null;
  readonly figures: Figures;
  /** Why there are no figures; null when there are, or the device has none. */
  readonly figuresProblem: string | null;
}

export interface HealthWatch {
  /** Asks what is to be counted; never rejects. Who asks meanwhile gets the same answer. */
  report(signal: AbortSignal): Promise<readonly DeviceReport[]>;
  /** Newest first, at most 200. */
  history(): readonly HealthChange[];
  stop(): void;
}

export interface HealthWatchOptions {
  readonly patients: readonly Patient[];
  readonly clock: Clock;
  /** What holds a device back now. */
  readonly held: (name: string) => DeviceReport['held'];
  readonly onChange: (change: HealthChange & { readonly device: string }) => void;
}

export function watchHealth({ patients, clock, held, onChange }: HealthWatchOptions): HealthWatch {
  const history: HealthChange[] = [];
  const last = new Map<DeviceKey, { at: WallTimeMs; health: DeviceHealth }>();
  const lastProblem = new Map<DeviceKey, NonNullable<DeviceReport['lastProblem']>>();

  const note = ({ key, device }: Patient) => {
    const health = device.health();
    const before = last.get(key)?.health;
    if (before?.state === health.state && before.problem === health.problem) return;
    const change = { at: clock.now(), key, state: health.state, problem: health.problem };
    last.set(key, { at: change.at, health });
    if (health.state !== 'online' || (health.problem !== null && before !== undefined)) {
      lastProblem.set(key, { at: change.at, state: health.state, problem: health.problem ?? health.state });
    }
    // How a device is at the start is news only when it is not well.
    if (before === undefined && health.state === 'online') return;
    history.unshift(change);
    history.length = Math.min(history.length, HISTORY_MAX);
    onChange({ ...change, device: device.name });
  };
  const stops = patients.map((patient) => {
    note(patient);
    return patient.device.onHealth(() => note(patient));
  });

  const reportOf = async (patient: Patient, signal: AbortSignal): Promise<DeviceReport> => {
    const { key, device, driver, connection } = patient;
    const counted = await count(patient, clock, signal);
    note(patient); // A device may know better after it was asked.
    const health = device.health();
    return {
      key,
      name: device.name,
      driver,
      connection,
      ...health,
      since: last.get(key)?.at ?? clock.now(),
      lastProblem: lastProblem.get(key) ?? null,
      held: held(device.name),
      figures: counted.figures,
      // A device that is away has said so, and why it counts nothing is no news.
      figuresProblem: health.state === 'online' ? counted.figuresProblem : null,
    };
  };

  /** However many pages ask, the devices are asked once at a time. */
  let reporting: Promise<readonly DeviceReport[]> | null = null;

  return {
    report: (signal) => {
      reporting ??= Promise.all(patients.map((patient) => reportOf(patient, signal))).finally(() => {
        reporting = null;
      });
      return reporting;
    },
    history: () => [...history],
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

async function count(
  { figures }: Patient,
  clock: Clock,
  signal: AbortSignal,
): Promise<Pick<DeviceReport, 'figures' | 'figuresProblem'>> {
  if (!figures) return { figures: {}, figuresProblem: null };
  using limit = deadline(clock, FIGURES_MS_MAX, signal);
  try {
    return { figures: await figures(limit.signal), figuresProblem: null };
  } catch (error) {
    return { figures: {}, figuresProblem: error instanceof Error ? error.message : String(error) };
  }
}

/** The devices of a terminal, as there are any. */
export function patientsOf({
  devices,
  origins,
}: {
  readonly devices: Devices;
  readonly origins: { readonly [Key in keyof Devices]: Pick<Patient, 'driver' | 'connection'> | null };
}): Patient[] {
  return (Object.keys(devices) as (keyof Devices)[]).flatMap((key) => {
    const device = devices[key];
    const origin = origins[key];
    if (!device || !origin) return [];
    const figures = figuresOf(key, devices);
    return [{ key, device, ...origin, ...(figures ? { figures } : {}) }];
  });
}

/** What each device of the terminal counts. */
function figuresOf(key: keyof Devices, devices: Devices): Patient['figures'] {
  const { cashDispenser, cashAcceptor, receiptPrinter } = devices;
  if (key === 'cashDispenser' && cashDispenser) return async (signal) => await cashDispenser.status(signal);
  if (key === 'receiptPrinter' && receiptPrinter) return async (signal) => await receiptPrinter.status(signal);
  if (key === 'cashAcceptor' && cashAcceptor) {
    return async (signal) => {
      const { escrow, ...status } = await cashAcceptor.status(signal);
      return { ...status, escrow: escrow.reduce((sum, { count }) => sum + count, 0) };
    };
  }
  return undefined;
}
