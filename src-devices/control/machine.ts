/**
 * The machine as its owner has it: switched on, unplugged, switched on again over the same folder and port. Dialect and faults are the
 * experimenter's and outlive the power; whatever the devices remember is theirs.
 */
import { type Atm, openAtm } from '../atm.ts';
import type { Chance, Clock } from '../clock.ts';
import { Dialect, type DialectChange } from '../dialect.ts';
import { openPeripherals, PERIPHERAL_FAULTS, type Peripherals } from '../peripherals.ts';
import type { LogEntry } from '../service.ts';
import type { DeviceKeys } from './key-file.ts';

export interface MachineOptions {
  readonly stateDir: string;
  readonly profile: 'atm' | 'checkout';
  readonly clock: Clock;
  readonly chance: Chance;
  readonly speed: number;
  readonly dialect: DialectChange;
  readonly ports: readonly number[];
  /** PEM; absent: no TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Absent: ifConfigured. */
  readonly security?: 'off' | 'ifConfigured' | 'enforced';
  /** Loaded at the first start; absent: those of the state folder. */
  readonly keys?: DeviceKeys;
  log?(entry: LogEntry): void;
}

export type PoweredAtm = Atm<Peripherals> & { readonly peripherals: Peripherals };

export class Machine {
  readonly #options: MachineOptions;
  readonly #port: number;
  readonly url: string;
  #dialect: Dialect;
  #atm: PoweredAtm | null;
  #turn: Promise<void> = Promise.resolve();

  private constructor(options: MachineOptions, atm: PoweredAtm, dialect: Dialect) {
    this.#options = options;
    this.#atm = atm;
    this.#port = atm.port;
    this.url = atm.url;
    this.#dialect = dialect;
  }

  /** Throws an Error that names the file of a damaged state, or the ports when none is free. */
  static async open(options: MachineOptions): Promise<Machine> {
    const dialect = Dialect.parse(options.dialect);
    const { keys, ...later } = options;
    return new Machine(later, await start(options, dialect), dialect);
  }

  /** Null while the plug is out. */
  atm(): PoweredAtm | null {
    return this.#atm;
  }

  dialect(): Dialect {
    return this.#dialect;
  }

  /** Throws zod's error when the change names a switch or value that there is not. */
  setDialect(change: DialectChange): void {
    this.#dialect = Dialect.parse({ ...this.#dialect, ...change });
    this.#atm?.setDialect(this.#dialect);
  }

  /** The plug: everything stops at once, whatever it was about. */
  powerCut(): Promise<void> {
    return this.#inTurn(async () => {
      const atm = this.#atm;
      this.#atm = null;
      await atm?.powerCut();
    });
  }

  /** Rejects when the port was taken meanwhile or the state is damaged; the machine then stays dark. */
  powerOn(): Promise<void> {
    return this.#inTurn(async () => {
      this.#atm ??= await start({ ...this.#options, ports: [this.#port] }, this.#dialect);
    });
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      const atm = this.#atm;
      this.#atm = null;
      await atm?.close();
    });
  }

  /** A plug goes in or out, never both at once: two machines over one folder would count the same notes. */
  #inTurn(act: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

async function start({ keys, ...options }: MachineOptions, dialect: Dialect): Promise<PoweredAtm> {
  const { security, ...rest } = options;
  const mode = security === 'enforced' ? 'always' : (security ?? 'ifConfigured');
  const atm = await openAtm<Peripherals>({
    ...rest,
    dialect,
    security: { mode, ...(keys && { keys: keys.security }) },
    faultKinds: PERIPHERAL_FAULTS,
    peripherals: (runtime, folder) => {
      const others = openPeripherals(runtime, folder, options.chance);
      if (keys) others.hands.pin.loadKeys(keys.pin);
      return others;
    },
  });
  if (!atm.peripherals) throw new Error('the machine was opened without its peripherals');
  return { ...atm, peripherals: atm.peripherals };
}
