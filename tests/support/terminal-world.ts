/**
 * A world for tests of whole terminals: the reference bank on PGlite, terminals with everything of their own (keys, journal,
 * gallery, sync, simulated devices, session) on a real data directory, and people. Only vision is replaced, at the session's
 * port. Composed as src-main/terminal.ts does it. A run can lose its power at any moment and be started again.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect } from 'vitest';
import type { z } from 'zod';
import { type Bank, createBank } from '../../src-bank/bank.ts';
import { systemChance as bankChance } from '../../src-bank/clock.ts';
import type * as admin from '../../src-bank/http/admin-api.ts';
import { createLogger } from '../../src-bank/logger.ts';
import { DEFAULT_POLICY } from '../../src-bank/policy.ts';
import { fixedKey } from '../../src-bank/vault.ts';
import type { ProtectedTemplate } from '../../src-contract/bank-api.ts';
import type { PolicyTerms } from '../../src-contract/policy.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import { type Clock, systemChance } from '../../src-main/clock.ts';
import { Config } from '../../src-main/config/config.ts';
import { loadGoods } from '../../src-main/config/goods.ts';
import type { Devices } from '../../src-main/devices/devices.ts';
import type { UnitLoad } from '../../src-main/devices/simulated/cash-state.ts';
import { openSimulatedDevices, type SimulatedDevices } from '../../src-main/devices/simulated/open.ts';
import type { Gallery } from '../../src-main/gallery/gallery.ts';
import { openFileKeyStore } from '../../src-main/identity/file-key-store.ts';
import type { Alarm, Journal } from '../../src-main/journal/journal.ts';
import { dataPlaces } from '../../src-main/places.ts';
import { activate } from '../../src-main/provisioning/activate.ts';
import type { Recovered } from '../../src-main/session/recovery.ts';
import type { SuspectDesk } from '../../src-main/session/suspects.ts';
import type { Visits } from '../../src-main/session/visits.ts';
import type { FetchPort } from '../../src-main/sync/bank-client.ts';
import type { Sync } from '../../src-main/sync/sync.ts';
import { CHEAP_PINS, emptyBank } from './bank-database.ts';
import { BANK_URL, openTerminal, serve, type TerminalGround } from './compose-terminal.ts';
import { DIMENSIONS, ScriptedCamera } from './scripted-camera.ts';
import type { SecureElement } from './secured-dispenser.ts';
import { type CustomerHands, TestCustomer } from './test-customer.ts';
import { type Admin, adminOf, injectInto, type Send, TestTerminal } from './test-terminal.ts';
import { Mains, PowerCut, WorldClock } from './world-clock.ts';

const ADMIN_TOKEN = 'an-admin-token-for-tests';
const GOODS_FILE = join(import.meta.dirname, '../../src-main/config/goods.demonstration.json');
/** Below it, faces of the tests that resemble each other at 0.44 are look-alikes among some twenty people, and nobody known. */
const TEST_POLICY: PolicyTerms = { ...DEFAULT_POLICY, lookAlikeFmr: 1e-3 };
export const never = new AbortController().signal;

type Accounts = z.infer<typeof admin.AccountsAnswer>['accounts'];
type CounterAccount = Pick<z.infer<typeof admin.AccountAnswer>, 'accountId' | 'accountNumber'>;
type Holds = z.infer<typeof admin.HoldsAnswer>['holds'];
type Entries = z.infer<typeof admin.EntriesAnswer>['entries'];
type People = z.infer<typeof admin.PeopleAnswer>['people'];

/** What becomes of one request on the line to the bank. */
export type LineFault =
  | 'down'
  | 'lost'
  | 'answer-lost'
  | 'no-answer'
  | 'garbage'
  | 'wrong-shape'
  | 'server-error'
  | 'not-believed';

export interface World {
  readonly clock: WorldClock;
  readonly admin: Admin;
  /** What happens to the next request whose path contains `to`; repeated until cleared when `times` is Infinity. */
  disturb(fault: LineFault, to?: string, times?: number): void;
  /** The line works again. */
  mend(): void;
  terminal(profile?: 'atm' | 'checkout', options?: TerminalTestOptions): Promise<TestedTerminal>;
  accounts(): Promise<Accounts>;
  holds(): Promise<Holds>;
  entries(): Promise<Entries>;
  people(): Promise<People>;
  /** What is the person's, in yen; null when the bank does not know them. */
  balanceOf(personId: string): Promise<{ ledger: number; available: number } | null>;
  /** Of the person's account. */
  numberOf(personId: string): Promise<string>;
  /** At another branch: somebody whose template is this registers, and puts money in. */
  registers(template: ProtectedTemplate, options: { pin: string; yen: number }): Promise<Uuid>;
  /** At the bank's counter, for somebody whose face is not registered. */
  opensAccount(holderName: string | null, options?: { closed?: boolean }): Promise<CounterAccount>;
  /** Paths of requests that reached the bank, oldest first. */
  readonly requests: string[];
  close(): Promise<void>;
}

interface TerminalTestOptions {
  readonly load?: readonly UnitLoad[];
  readonly patience?: Partial<Config['patience']>;
  /** Makes the dispenser ask for tokens. */
  readonly element?: SecureElement;
  /** Opens other devices than the simulated ones, with each run; the run closes them. */
  readonly devices?: (clock: Clock) => Promise<OtherDevices>;
}

/** Cash by the physical truth, yen. */
export interface Till {
  /** Whether every note ever brought is in exactly one place. */
  readonly conserved: boolean;
  /** What left the machine less what came in. Notes in a customer's reach are out. */
  readonly netOutMinor: number;
  /** Lying at the output, in the customer's reach. */
  readonly presentedMinor: number;
}

export interface OtherDevices {
  readonly devices: Devices;
  readonly hands: CustomerHands;
  till(): Till;
  close(): Promise<void>;
}

interface Disturbance {
  readonly fault: LineFault;
  readonly to: string;
  times: number;
}

export async function openWorld(
  policy: PolicyTerms = TEST_POLICY,
  options: { readonly policyValidForMs?: number } = {},
): Promise<World> {
  const clock = new WorldClock();
  const bank: Bank = await createBank({
    database: await emptyBank(),
    masterKey: fixedKey(new Uint8Array(32).fill(5)),
    clock: { now: () => clock.now(), sleep: async () => {} },
    chance: bankChance,
    adminToken: ADMIN_TOKEN,
    policy,
    logger: createLogger('silent'),
    pinCost: CHEAP_PINS,
    ...options,
  });
  const bare = injectInto(bank.app);
  const send: Send = (request) => clock.during(bare(request));
  const staff = adminOf(send, ADMIN_TOKEN);
  let branch: Promise<TestTerminal> | null = null;
  const disturbances: Disturbance[] = [];
  const requests: string[] = [];
  const terminals: TestedTerminal[] = [];

  const line: FetchPort = async (url, { method, headers, body, signal }) => {
    const { pathname, search } = new URL(url);
    const disturbance = disturbances.find(({ to }) => pathname.includes(to));
    if (disturbance) {
      disturbance.times -= 1;
      if (disturbance.times <= 0) disturbances.splice(disturbances.indexOf(disturbance), 1);
    }
    const fault = disturbance?.fault;
    if (fault === 'down') throw new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
    if (fault === 'server-error') return new Response('gone fishing', { status: 503 });
    const nothing = () =>
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    if (fault === 'lost') return await nothing();
    requests.push(`${method} ${pathname}`);
    const answer = await clock.during(
      Promise.resolve(
        bank.app.inject({
          method,
          url: pathname + search,
          // As from a terminal whose clock is off, or whose key the bank does not know.
          headers: { ...headers, ...(fault === 'not-believed' ? { authorization: 'Bearer of nothing' } : {}) },
          ...(body === undefined ? {} : { payload: body }),
        }),
      ),
    );
    if (fault === 'answer-lost') throw new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
    if (fault === 'no-answer') return await nothing();
    if (fault === 'garbage') return new Response('<html>hello</html>', { status: 200 });
    if (fault === 'wrong-shape') return new Response('{"outcome":"approved","account":null}', { status: 200 });
    return new Response(answer.body, { status: answer.statusCode });
  };

  const get = async <Body>(url: string): Promise<Body> => {
    const { status, body } = await staff.get<Body>(url);
    expect(status, JSON.stringify(body)).toBe(200);
    return body as Body;
  };
  const world: World = {
    clock,
    admin: staff,
    requests,
    disturb: (fault, to = '/', times = 1) => void disturbances.push({ fault, to, times }),
    mend: () => void disturbances.splice(0),
    accounts: async () => (await get<{ accounts: Accounts }>('/admin/accounts')).accounts,
    holds: async () => (await get<{ holds: Holds }>('/admin/holds')).holds,
    entries: async () => (await get<{ entries: Entries }>('/admin/entries')).entries,
    people: async () => (await get<{ people: People }>('/admin/people')).people,
    async numberOf(personId) {
      const account = (await world.accounts()).find(({ ownerId, kind }) => kind === 'customer' && ownerId === personId);
      return (await get<CounterAccount>(`/admin/accounts/${account?.accountId}`)).accountNumber;
    },
    async registers(template, options) {
      branch ??= TestTerminal.activate(send, staff, { now: () => clock.now() });
      const terminal = await clock.during(branch);
      return await clock.during(terminal.enrol(options.pin, { yen: options.yen, template }));
    },
    async opensAccount(holderName, { closed = false } = {}) {
      const { body } = await staff.post<CounterAccount>('/admin/accounts', { holderName });
      if (closed) await staff.post(`/admin/accounts/${body.accountId}/status`, { status: 'closed' });
      return body;
    },
    async balanceOf(personId) {
      const account = (await world.accounts()).find(({ ownerId, kind }) => kind === 'customer' && ownerId === personId);
      return account ? { ledger: account.ledgerMinor, available: account.availableMinor } : null;
    },
    async terminal(profile = 'atm', options = {}) {
      const dir = mkdtempSync(join(tmpdir(), 'kaopass-terminal-'));
      const { body } = await staff.post<{ code: string }>('/admin/activation-codes');
      const tools = { fetch: line, clock, chance: systemChance };
      await clock.during(
        activate({
          ...tools,
          bankUrl: BANK_URL,
          activationCode: body.code,
          name: 'Lobby 1',
          profile,
          dataDir: dir,
          signal: never,
        }),
      );
      const terminal = new TestedTerminal(world, line, dir, profile, options);
      terminals.push(terminal);
      return terminal;
    },
    async close() {
      for (const terminal of terminals) await terminal.dispose();
      await bank.close();
      clock.close();
    },
  };
  return world;
}

/** One terminal over all of its runs: its data directory, and everything it ever showed or logged. */
export class TestedTerminal {
  readonly world: World;
  readonly dir: string;
  readonly profile: 'atm' | 'checkout';
  /** Every view of every run, as JSON. */
  readonly views: string[] = [];
  readonly log: string[] = [];
  readonly alarms: Alarm[] = [];
  readonly failures: unknown[] = [];
  /** From the next start on it has another embedder, beside the one before. */
  nextEmbedder = false;
  readonly #line: FetchPort;
  readonly #options: TerminalTestOptions;
  #run: Run | null = null;
  #mains: Mains | null = null;

  constructor(
    world: World,
    line: FetchPort,
    dir: string,
    profile: 'atm' | 'checkout',
    options: TerminalTestOptions = {},
  ) {
    this.world = world;
    this.#line = line;
    this.dir = dir;
    this.profile = profile;
    this.#options = options;
  }

  get run(): Run {
    if (!this.#run) throw new Error('the terminal is not running');
    return this.#run;
  }

  get isOn(): boolean {
    return this.#mains?.on ?? false;
  }

  /** What the last run was about to do, or had just done, when its power went; once no file is held any more. */
  async lastMoment(): Promise<string> {
    await this.#run?.over;
    return this.#mains?.moments.at(-1) ?? 'never on';
  }

  /** Switches on. Rejects with PowerCut when `cutAt` comes before the terminal is ready. */
  async start(cutAt?: number): Promise<Run> {
    const mains = new Mains(this.world.clock, cutAt);
    this.#run = null;
    this.#mains = mains;
    const cut = new Promise<never>((_, reject) => mains.onCut(() => reject(new PowerCut('before it was ready'))));
    cut.catch(() => undefined);
    const run = await Promise.race([startRun(this, mains, this.#line, this.#options), cut]);
    this.#run = run;
    return run;
  }

  /** Pulls the plug: nothing is closed politely. */
  async cutPower(): Promise<void> {
    this.run.mains.cut();
    await this.run.over;
    this.#run = null;
  }

  async stop(): Promise<void> {
    await this.#run?.close();
    this.#run = null;
  }

  async dispose(): Promise<void> {
    if (this.#run?.mains.on) await this.#run.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Every file of the data directory, by path. */
  files(): Map<string, Buffer> {
    const files = new Map<string, Buffer>();
    for (const entry of readdirSync(this.dir, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) files.set(path, readFileSync(path));
    }
    return files;
  }
}

/** One run: from switching on to the plug or a polite end. */
export interface Run {
  readonly terminalId: Uuid;
  readonly mains: Mains;
  readonly customer: TestCustomer;
  readonly camera: ScriptedCamera;
  readonly journal: Journal;
  readonly gallery: Gallery;
  readonly sync: Sync;
  readonly visits: Visits;
  /** Throws where the terminal has other devices. */
  readonly simulated: SimulatedDevices;
  readonly devices: Devices;
  /** Null where there is no cash. */
  till(): Till | null;
  readonly blocked: ReadonlySet<string>;
  readonly recovered: readonly Recovered[];
  readonly suspects: SuspectDesk;
  /** Resolves once a run without power holds no file any more. */
  readonly over: Promise<void>;
  close(): Promise<void>;
}

async function startRun(
  tested: TestedTerminal,
  mains: Mains,
  line: FetchPort,
  options: TerminalTestOptions,
): Promise<Run> {
  const { dir, profile, world } = tested;
  const places = dataPlaces(dir);
  const chance = systemChance;
  const ground: TerminalGround = {
    places,
    keyStore: await openFileKeyStore(places.keys),
    clock: mains.clock(null),
    chance,
    dimensions: DIMENSIONS,
    nextEmbedder: tested.nextEmbedder,
    log: pino({ level: 'debug' }, { write: (text: string) => void tested.log.push(text) }),
    onAlarm: (alarm) => void tested.alarms.push(alarm),
  };
  const over = Promise.withResolvers<void>();
  const opened = await openTerminal(ground);
  const simulated = options.devices
    ? null
    : await openSimulatedDevices({
        dir: places.devices,
        receiptsDir: places.receipts,
        clock: mains.clock('device'),
        chance,
        profile,
        ...(options.load ? { load: options.load } : {}),
      });
  const equipment = simulated ? equipmentOf(simulated) : await options.devices!(mains.clock(null));
  mains.onCut(() => {
    const dead = equipment.close();
    opened.close();
    void dead.finally(() => over.resolve());
  });

  const camera = new ScriptedCamera(ground.clock);
  camera.nextEmbedder = tested.nextEmbedder;
  const devices =
    options.element && equipment.devices.cashDispenser
      ? { ...equipment.devices, cashDispenser: options.element.protect(equipment.devices.cashDispenser) }
      : equipment.devices;
  const serving = await serve(opened, ground, {
    config: Config.parse({ name: 'Lobby 1', profile, bankUrl: BANK_URL, language: 'ja' }),
    line: lineOnMains(line, mains),
    devices,
    camera,
    goods: loadGoods(GOODS_FILE),
    ...(options.patience ? { patience: options.patience } : {}),
    journal: (journal) => journalOnMains(journal, mains),
    gallery: (gallery) => galleryOnMains(gallery, mains),
    onFailure: (error) => {
      if (mains.on) tested.failures.push(error);
    },
  });
  const { visits } = serving;
  const customer = new TestCustomer({ tested, mains, clock: world.clock, visits, camera, hands: equipment.hands });
  return {
    terminalId: opened.activation.terminalId,
    mains,
    customer,
    camera,
    journal: serving.journal,
    gallery: opened.gallery,
    sync: serving.sync,
    visits,
    get simulated() {
      if (!simulated) throw new Error('this terminal has other devices than the simulated ones');
      return simulated;
    },
    devices,
    till: equipment.till,
    blocked: serving.blocked,
    recovered: serving.recovered,
    suspects: serving.suspects,
    over: over.promise,
    close: async () => {
      await serving.close();
      await equipment.close();
      opened.close();
      mains.cut();
    },
  };
}

function equipmentOf(simulated: SimulatedDevices): Omit<OtherDevices, 'till'> & { till(): Till | null } {
  const { devices, control } = simulated;
  return {
    devices,
    hands: {
      pressKeys: (keys, wait) => control.pressKeys(keys, wait),
      insertNotes: (notes, wait) => control.insertNotes(notes, wait),
      takeNotes: (wait) => control.takeNotes(wait),
      takeReturned: (wait) => control.takeReturned(wait),
      scan: (text) => control.scan(text),
      inputIsEmpty: () => {
        const { input } = control.state().cash!;
        return Object.keys(input.notes).length === 0 && input.unrecognised === 0;
      },
    },
    till: () => {
      const { cash } = control.state();
      if (!cash) return null;
      const { holds, insideMinor, loadedMinor } = cash.conservation;
      const presentedMinor = Object.entries(cash.output).reduce((sum, [note, count]) => sum + Number(note) * count, 0);
      return { conserved: holds, netOutMinor: loadedMinor - insideMinor, presentedMinor };
    },
    close: () => simulated.close(),
  };
}

/** Power can go before and after each write. */
function journalOnMains(journal: Journal, mains: Mains): Journal {
  const need = (moment: string) => {
    if (!mains.moment(moment)) throw new PowerCut(moment);
  };
  return {
    ...journal,
    outbox: journal.outbox,
    standIn: journal.standIn,
    begin: (transaction, messages) => {
      need(`before begin ${transaction.service}`);
      journal.begin(transaction, messages);
      need(`after begin ${transaction.service}`);
    },
    record: (transactionId, event, messages) => {
      need(`before ${event.state}`);
      journal.record(transactionId, event, messages);
      need(`after ${event.state}`);
    },
    recordResult: async (unsigned) => {
      need('before result');
      const recorded = await journal.recordResult(unsigned);
      need('after result');
      return recorded;
    },
    recordErasureReceipt: async (erased) => {
      need('before receipt');
      await journal.recordErasureReceipt(erased);
      need('after receipt');
    },
  };
}

/** The same for what the gallery forgets. */
function galleryOnMains(gallery: Gallery, mains: Mains): Gallery {
  const around = <Value>(moment: string, write: () => Value): Value => {
    if (!mains.moment(`before ${moment}`)) throw new PowerCut(moment);
    const value = write();
    if (!mains.moment(`after ${moment}`)) throw new PowerCut(moment);
    return value;
  };
  const forgetful: Partial<Gallery> = {
    erase: (personId) => around('erase', () => gallery.erase(personId)),
    acknowledged: (personId) => around('acknowledged', () => gallery.acknowledged(personId)),
    get feeds() {
      return gallery.feeds.map((feed) =>
        instead(feed, {
          applyFeed: (page) =>
            page.entries.some(({ kind }) => kind === 'erase')
              ? around('erase by feed', () => feed.applyFeed(page))
              : feed.applyFeed(page),
        }),
      );
    },
  };
  return instead(gallery, forgetful);
}

/** Not by a spread, which would freeze getters such as its size. */
function instead<Whole extends object>(whole: Whole, parts: Partial<Whole>): Whole {
  return new Proxy(whole, { get: (target, name) => Reflect.get(name in parts ? parts : target, name) });
}

/** Power can go before a request leaves and before its answer is read. */
function lineOnMains(line: FetchPort, mains: Mains): FetchPort {
  const dark = () => new Promise<never>(() => {});
  return async (url, init) => {
    // The line is watched all the time; only what money depends on is worth a moment of its own.
    const counts = !/health|policy|gallery/.test(url);
    const { pathname } = new URL(url);
    if (!mains.on || (counts && !mains.moment(`before ${pathname}`))) return await dark();
    const answer = await line(url, init);
    if (!mains.on || (counts && !mains.moment(`after ${pathname}`))) return await dark();
    return answer;
  };
}
