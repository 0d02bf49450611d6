/** Time, power, dialect and faults of one machine, shared by all its services. */
import type { Clock } from './clock.ts';
import { Dialect, type DialectChange } from './dialect.ts';
import type { Faults } from './faults.ts';
import type { LogEntry, Runtime } from './service-definition.ts';

export interface RuntimeOptions {
  readonly clock: Clock;
  readonly faults: Faults;
  /** How many times faster than real hardware mechanisms work; Infinity: they take no time. */
  readonly speed: number;
  readonly dialect?: DialectChange;
  log?(entry: LogEntry): void;
}

export interface MachineRuntime extends Runtime {
  setDialect(change: DialectChange): void;
  /** No act, message or write follows. */
  cutPower(): void;
}

/** Throws an Error (zod's) when the dialect names a switch or value that there is not. */
export function createRuntime({ clock, faults, speed, dialect: change = {}, log }: RuntimeOptions): MachineRuntime {
  if (!(speed > 0)) throw new Error(`speed: must be more than 0, is ${speed}`);
  let dialect = Dialect.parse(change);
  const power = new AbortController();
  return {
    clock,
    faults,
    power: power.signal,
    dialect: () => dialect,
    log: (entry) => log?.(entry),
    act: async (ms, signal) => {
      power.signal.throwIfAborted();
      signal?.throwIfAborted();
      const realMs = ms / speed;
      if (realMs > 0) await clock.sleep(realMs, signal ? AbortSignal.any([power.signal, signal]) : power.signal);
    },
    setDialect: (next) => {
      dialect = Dialect.parse({ ...dialect, ...next });
    },
    cutPower: () => power.abort(new Error('the power is cut')),
  };
}
