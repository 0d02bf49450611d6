/** A simulated machine on a free port and the terminal's drivers on the other side of real sockets. Either can be restarted. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NoteCount } from '../../../src-contract/screen.ts';
import { type Atm, type AtmOptions, openAtm } from '../../../src-devices/atm.ts';
import { openPeripherals, PERIPHERAL_FAULTS, type Peripherals } from '../../../src-devices/peripherals.ts';
import { systemChance, systemClock } from '../../../src-main/clock.ts';
import type { Devices } from '../../../src-main/devices/devices.ts';
import {
  openXfs4IotDevices,
  type Xfs4IotDevices,
  type Xfs4IotDevicesOptions,
} from '../../../src-main/devices/xfs4iot/open.ts';

export const PIN_KEY = {
  name: 'PIN working key',
  usage: 'P0',
  algorithm: 'A',
  value: '00112233445566778899AABBCCDDEEFF',
} as const;

export interface MachineOptions {
  readonly profile?: Xfs4IotDevicesOptions['profile'];
  readonly atm?: Partial<AtmOptions<Peripherals>>;
  readonly terminal?: Partial<Xfs4IotDevicesOptions>;
  readonly pinKeys?: readonly (typeof PIN_KEY)[];
}

/** Short waits: what a real machine does in seconds takes milliseconds here. */
const LIMITS = { connectMs: 500, queryMs: 1_000, answerMarginMs: 300, cancelMs: 300, retryMs: 10, retryMsMax: 50 };

export class Machine {
  atm!: Atm<Peripherals>;
  #terminal!: Xfs4IotDevices;
  readonly dir = mkdtempSync(join(tmpdir(), 'kaopass-xfs4iot-'));
  readonly #options: MachineOptions;
  #port = 0;

  private constructor(options: MachineOptions) {
    this.#options = options;
  }

  static async open(options: MachineOptions = {}): Promise<Machine> {
    const machine = new Machine(options);
    await machine.powerUp();
    await machine.startTerminal();
    return machine;
  }

  get devices(): Devices {
    return this.#terminal.devices;
  }
  get dispenser() {
    return this.devices.cashDispenser!;
  }
  get acceptor() {
    return this.devices.cashAcceptor!;
  }
  get terminal(): Xfs4IotDevices {
    return this.#terminal;
  }
  /** What a person does to the cash device. */
  get hands() {
    return this.atm.hands!;
  }
  get peripherals(): Peripherals {
    return this.atm.peripherals!;
  }

  /** Starts at the port it had, as a machine does. */
  async powerUp(): Promise<void> {
    this.atm = await openAtm<Peripherals>({
      profile: this.#options.profile === undefined || this.#options.profile === 'atm' ? 'atm' : 'checkout',
      speed: Number.POSITIVE_INFINITY,
      faultKinds: PERIPHERAL_FAULTS,
      peripherals: (runtime, folder) =>
        openPeripherals(runtime, folder, { bytes: (length) => new Uint8Array(randomBytes(length)) }),
      ...this.#options.atm,
      stateDir: join(this.dir, 'machine'),
      ports: [this.#port],
    });
    this.#port = this.atm.port;
    this.peripherals.pin.loadKeys(this.#options.pinKeys ?? [PIN_KEY]);
  }

  async startTerminal(): Promise<void> {
    this.#terminal = await openXfs4IotDevices({
      host: '127.0.0.1',
      ports: [{ port: this.#port, secure: false }],
      clock: systemClock,
      chance: systemChance,
      profile: 'atm',
      tokens: 'as-configured',
      limits: LIMITS,
      ...(this.#options.profile && { profile: this.#options.profile }),
      ...this.#options.terminal,
      stateDir: join(this.dir, 'terminal'),
    });
  }

  /** The terminal's process ends and starts again; the machine goes on. */
  async restartTerminal(): Promise<void> {
    await this.#terminal.close();
    await this.startTerminal();
  }

  async restartMachine(): Promise<void> {
    await this.atm.powerCut();
    await this.powerUp();
  }

  /** What everybody holds by the physical truth, yen. Inside: units and path; the rest is in reach, or gone with customers. */
  worth() {
    return this.hands.where().worth;
  }

  insert(notes: readonly NoteCount[], unrecognised = 0): Promise<void> {
    const bunch = notes.map(({ denominationMinor, count }) => ({ value: denominationMinor, count }));
    return this.hands.insertWhenOpen(bunch, { unrecognised });
  }

  async close(): Promise<void> {
    await this.#terminal.close();
    await this.atm.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Runs a test with a machine of its own. */
export const withMachine =
  (body: (machine: Machine) => Promise<void>, options: MachineOptions = {}) =>
  async () => {
    const machine = await Machine.open(options);
    try {
      await body(machine);
    } finally {
      await machine.close();
    }
  };
