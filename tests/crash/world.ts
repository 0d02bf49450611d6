/**
 * One bank, one ATM, one checkout and their devices, each as a process of its own, each of which can be ended where it stands. A
 * world is prepared once, enrolment and all; further ones are started from copies of its files, on the same ports.
 */
import { chmodSync, cpSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DemoBank } from '../../scripts/demo/bank.ts';
import { DemoDevices } from '../../scripts/demo/devices.ts';
import { type Program, startProgram } from '../../scripts/demo/processes.ts';
import { provisionTerminal } from '../../scripts/demo/provision.ts';
import { dataPlaces } from '../../src-main/places.ts';
import { layEmptyBank } from '../support/bank-database.ts';
import { Screen } from './screen.ts';

export type TerminalName = 'atm' | 'checkout';
export const VICTIMS = ['terminal', 'devices', 'bank'] as const;
export type Victim = (typeof VICTIMS)[number];

/** Brisk, since most of a run is waiting: a customer who leaves is given up on soon. A look may take long on a busy machine. */
const PATIENCE = { answerMs: 20_000, warnMs: 500, lookMs: 60_000, takeMs: 2_500, farewellMs: 1_000 };

export class Terminal {
  readonly name: TerminalName;
  readonly dataDir: string;
  readonly machine: DemoDevices;
  readonly #log: string;
  #program: Program | null = null;
  #screen: Screen | null = null;
  terminalId = '';

  constructor(name: TerminalName, dir: string, { speed, port }: { speed: number; port: number }) {
    this.name = name;
    this.dataDir = join(dir, name);
    this.#log = join(dir, 'logs', `${name}.log`);
    const log = join(dir, 'logs', `${name}-devices.log`);
    this.machine = new DemoDevices({ dir: `${this.dataDir}-devices`, profile: name, log, dialect: [], speed, port });
  }

  /** Throws when the terminal does not run. */
  get screen(): Screen {
    if (!this.#screen) throw new Error(`the ${this.name} has no screen`);
    return this.#screen;
  }

  get journal(): string {
    return dataPlaces(this.dataDir).journal;
  }

  async provision(bank: DemoBank): Promise<void> {
    const { terminalId, output } = await provisionTerminal({
      bank,
      activationCode: await bank.activationCode(this.name),
      machine: this.machine,
      dataDir: this.dataDir,
      name: this.name,
      profile: this.name,
      settings: { patience: PATIENCE, sync: { roundMs: 1_500, probeMs: 500 } },
    });
    if (terminalId === null) throw new Error(output);
    this.terminalId = terminalId;
  }

  async start(): Promise<void> {
    if (this.#program) return;
    this.#program = await startProgram('src-main/chromium.ts', ['--data', this.dataDir, '--no-browser'], this.#log);
    this.#screen = await Screen.open(String(this.#program.ready['launch']));
  }

  /** The end of the process where it stands. The promise resolves when the operating system says that it is gone. */
  async kill(): Promise<void> {
    const gone = this.#program?.kill();
    this.#program = null;
    this.#screen?.close();
    this.#screen = null;
    await gone;
  }

  async stop(): Promise<void> {
    this.#screen?.close();
    this.#screen = null;
    await this.#program?.stop();
    this.#program = null;
    await this.machine.stop();
  }
}

export interface WorldOptions {
  readonly dir: string;
  /** How many times faster than real mechanisms the devices are. */
  readonly speed: number;
  readonly terminals: readonly TerminalName[];
  /** Of a world whose files these are a copy of. */
  readonly ports?: Readonly<Record<string, number>>;
}

export class World {
  readonly dir: string;
  readonly bank: DemoBank;
  readonly terminals: readonly Terminal[];
  readonly #options: WorldOptions;

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.dir = options.dir;
    mkdirSync(join(this.dir, 'logs'), { recursive: true });
    this.bank = new DemoBank(join(this.dir, 'bank'), join(this.dir, 'logs', 'bank.log'));
    const { speed, ports = {} } = options;
    this.terminals = options.terminals.map((name) => new Terminal(name, this.dir, { speed, port: ports[name] ?? 0 }));
  }

  /** A bank, terminals that were activated, nobody enrolled yet. */
  static async prepare(options: WorldOptions, signal: AbortSignal): Promise<World> {
    return await World.#begin(options, signal, async (world) => {
      await layEmptyBank(join(world.dir, 'bank'));
      await Promise.all([world.bank.start(), ...world.terminals.map(({ machine }) => machine.start())]);
      signal.throwIfAborted();
      await Promise.all(world.terminals.map((terminal) => terminal.provision(world.bank)));
      signal.throwIfAborted();
      await Promise.all(world.terminals.map((terminal) => terminal.start()));
    });
  }

  /** Whom transfers go to; opened at the counter once the bank runs. */
  payee: Awaited<ReturnType<DemoBank['openAccount']>> = { accountId: '', accountNumber: '' };

  /** A world of its own with everything that happened in this one, which must have been stopped. */
  async copy(dir: string, signal: AbortSignal): Promise<World> {
    copyFolder(this.dir, dir);
    const ports = Object.fromEntries(this.terminals.map(({ name, machine }) => [name, machine.port]));
    return await World.#begin({ ...this.#options, dir, ports }, signal, async (world) => {
      world.payee = this.payee;
      for (const [at, terminal] of world.terminals.entries()) terminal.terminalId = this.terminals[at]!.terminalId;
      await world.start(new URL(this.bank.url).port);
    });
  }

  static async #begin(
    options: WorldOptions,
    signal: AbortSignal,
    act: (world: World) => Promise<void>,
  ): Promise<World> {
    const world = new World(options);
    try {
      await act(world);
      signal.throwIfAborted();
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  async start(bankPort?: string): Promise<void> {
    await Promise.all([this.bank.start(bankPort), ...this.terminals.map(({ machine }) => machine.start())]);
    await Promise.all(this.terminals.map((terminal) => terminal.start()));
  }

  terminal(name: TerminalName): Terminal {
    const found = this.terminals.find((one) => one.name === name);
    if (!found) throw new Error(`this world has no ${name}`);
    return found;
  }

  async kill(victim: Victim, terminal: Terminal): Promise<void> {
    if (victim === 'bank') await this.bank.kill();
    else if (victim === 'devices') await terminal.machine.kill();
    else await terminal.kill();
  }

  async restart(victim: Victim, terminal: Terminal): Promise<void> {
    if (victim === 'bank') await this.bank.start();
    else if (victim === 'devices') await terminal.machine.start();
    else await terminal.start();
  }

  /** Ends everything it started. */
  async stop(): Promise<void> {
    await Promise.all(this.terminals.map((terminal) => terminal.stop()));
    await this.bank.stop();
  }
}

/** With the modes of its folders, which cpSync leaves to chance: a key store that others could open refuses to start. */
export function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  chmodSync(to, statSync(from).mode);
  for (const name of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!name.isDirectory()) continue;
    const path = join(name.parentPath, name.name);
    chmodSync(join(to, path.slice(from.length)), statSync(path).mode);
  }
}
