/** The devices of one terminal as a process that speaks XFS4IoT, and the hands and eyes of whoever stands before them. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, startProgram } from './processes.ts';

/** What a customer's and a bank's view of the cash must agree with; all in minor units of JPY. */
export interface Conservation {
  readonly loadedMinor: number;
  readonly insertedMinor: number;
  readonly insideMinor: number;
  readonly inReachMinor: number;
  /** With customers: taken from the output, or given back at the input. */
  readonly takenMinor: number;
  /** Every note is where the machine's own model says, and none came or went unseen. */
  readonly holds: boolean;
}

/** Of the devices' control interface (src-devices/control), as far as the demonstration reads it. */
export interface DeviceState {
  readonly cash: {
    readonly units: readonly { readonly id: string; readonly count: number }[];
    readonly conservation: Conservation;
  } | null;
  readonly receipts: readonly string[];
}

interface Answer {
  readonly state: {
    readonly cash?: {
      readonly units: readonly { readonly id: string; readonly count: number }[];
      readonly places: readonly { readonly place: string; readonly worth: number }[];
      readonly problems: readonly string[];
    };
    readonly printer: { readonly receipts: readonly string[] };
  };
}

/** What a key ceremony loads into a machine and tells the bank. */
export interface DeviceKeys {
  readonly hostKey: string;
  readonly deviceKey: string;
  readonly pinKey: { readonly name: string; readonly key: string };
}

export interface DemoDevicesOptions {
  /** What the machine remembers without power. */
  readonly dir: string;
  readonly profile: 'atm' | 'checkout';
  readonly log: string;
  /** Switches of the machine's dialect, as `npm run devices -- --dialect` takes them. */
  readonly dialect: readonly string[];
  /** How many times faster than real mechanisms. */
  readonly speed: number;
  /** Of the service publisher; 0 takes any free one. */
  readonly port?: number;
}

const KEY_NAMES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'].map((name, digit) => [
      digit,
      name,
    ]),
  ),
  E: 'enter',
  C: 'cancel',
};

export class DemoDevices {
  readonly #options: DemoDevicesOptions;
  readonly #keyFile: string;
  readonly keys: DeviceKeys;
  #program: Program | null = null;
  #port: number;
  #loadedMinor: number | null = null;

  constructor(options: DemoDevicesOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
    this.#keyFile = join(options.dir, 'keys.json');
    this.keys = existsSync(this.#keyFile) ? readKeys(this.#keyFile) : newKeys();
  }

  /** Port of the service publisher; the same after every start. */
  get port(): number {
    return this.#port;
  }

  /** Address of the page that is their hands, with its token. */
  get controlUrl(): string {
    return String(this.#program?.ready['control']);
  }

  async start(): Promise<void> {
    if (this.#program) return;
    const { dir, profile, log, dialect, speed } = this.#options;
    mkdirSync(dir, { recursive: true });
    const { pinKey, ...security } = this.keys;
    const pinKeys = [{ name: pinKey.name, algorithm: 'A', value: pinKey.key }];
    writeFileSync(this.#keyFile, JSON.stringify({ ...security, pinKeys }), { mode: 0o600 });
    this.#program = await startProgram(
      'src-devices/main.ts',
      [
        ...['--json', '--state', join(dir, 'state'), '--profile', profile, '--port', String(this.#port)],
        ...['--keys', this.#keyFile, '--security', 'enforced', '--speed', String(speed)],
        ...dialect.flatMap((change) => ['--dialect', change]),
      ],
      log,
    );
    this.#port = Number(new URL(String(this.#program.ready['publisher'])).port);
    this.#loadedMinor ??= (await this.#cash())?.everywhereMinor ?? 0;
  }

  async stop(): Promise<void> {
    await this.#program?.stop();
    this.#program = null;
  }

  /** Ends where it stands, whatever it moves just then. */
  async kill(): Promise<void> {
    await this.#program?.kill();
    this.#program = null;
  }

  async state(): Promise<DeviceState> {
    const cash = await this.#cash();
    const { printer } = (await this.#read()).state;
    if (!cash) return { cash: null, receipts: printer.receipts };
    const { units, at, everywhereMinor, problems } = cash;
    const sum = (...places: string[]) => places.reduce((all, place) => all + (at[place] ?? 0), 0);
    const loadedMinor = this.#loadedMinor ?? 0;
    return {
      cash: {
        units,
        conservation: {
          loadedMinor,
          insertedMinor: everywhereMinor - loadedMinor,
          insideMinor: sum('units', 'stacker', 'transport', 'escrow', 'feeder'),
          inReachMinor: sum('exit', 'return'),
          takenMinor: sum('hand'),
          holds: problems.length === 0,
        },
      },
      receipts: printer.receipts,
    };
  }

  /** Keys on the PIN pad: digits, E for enter, C for cancel; waits until it listens. */
  async press(keys: string): Promise<void> {
    const names = [...keys].map((key) => KEY_NAMES[key] ?? key);
    await this.#deed('/api/pin/keys', { keys: names }, 10_000);
  }

  async insertNotes(notes: readonly { denominationMinor: number; count: number }[]): Promise<void> {
    const bunch = notes.map(({ denominationMinor, count }) => ({ value: denominationMinor, count }));
    await this.#deed('/api/notes/insert', { notes: bunch }, 10_000);
  }

  async takeNotes(): Promise<void> {
    await this.#deed('/api/notes/take', {}, 10_000);
  }

  async scan(ean: string): Promise<void> {
    await this.#deed('/api/barcode', { symbology: 'jan13', data: ean }, 10_000);
  }

  /** The plug. Out: everything stops at once, and notes stay where they are. */
  async plug(state: 'in' | 'out'): Promise<void> {
    await this.#deed('/api/power', { on: state === 'in' });
  }

  /** Arms a fault of the machine's own list. */
  async fault(fault: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.#deed('/api/faults', { fault, ...parameters });
  }

  async #cash() {
    const { cash } = (await this.#read()).state;
    if (!cash) return null;
    const at = Object.fromEntries(cash.places.map(({ place, worth }) => [place, worth]));
    return { ...cash, at, everywhereMinor: cash.places.reduce((all, { worth }) => all + worth, 0) };
  }

  async #read(): Promise<Answer> {
    const response = await this.#ask('/api/state');
    if (!response.ok) throw new Error(`the devices answered ${response.status} to /api/state`);
    return (await response.json()) as Answer;
  }

  /** Repeats while the answer is "not now": a pad that does not listen yet, a shutter still closed. */
  async #deed(path: string, body: unknown, patienceMs = 0): Promise<void> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const response = await this.#ask(path, body);
      if (response.ok) return;
      if (response.status !== 409 || performance.now() >= until)
        throw new Error(`the devices answered ${response.status} to ${path}: ${await response.text()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #ask(path: string, body?: unknown): Promise<Response> {
    return askControl(this.controlUrl, path, body);
  }
}

const newKeys = (): DeviceKeys => ({
  hostKey: randomBytes(32).toString('hex'),
  deviceKey: randomBytes(32).toString('hex'),
  pinKey: { name: 'PIN', key: randomBytes(16).toString('hex') },
});

/** As an earlier start wrote them: the bank has them by now. */
function readKeys(file: string): DeviceKeys {
  const { hostKey, deviceKey, pinKeys } = JSON.parse(readFileSync(file, 'utf8')) as Omit<DeviceKeys, 'pinKey'> & {
    pinKeys: [{ name: string; value: string }];
  };
  return { hostKey, deviceKey, pinKey: { name: pinKeys[0].name, key: pinKeys[0].value } };
}

/** Asks a control page of simulated things, by the address with its token as its program says it. Rejects where nothing answers, and
 *  where no program runs that has an address. */
export async function askControl(address: string, path: string, body?: unknown): Promise<Response> {
  const url = new URL(address);
  return fetch(new URL(path, url), {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${url.searchParams.get('token') ?? ''}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
}
