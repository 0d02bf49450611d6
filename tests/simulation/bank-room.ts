/**
 * The reference bank, whole, over a PGlite whose tables the checkers read for themselves. One for a process: between two runs its
 * tables are emptied, which takes a thousandth of the time that a new database takes.
 */
import type { PGlite } from '@electric-sql/pglite';
import { type Bank, createBank } from '../../src-bank/bank.ts';
import type { Chance, Clock } from '../../src-bank/clock.ts';
import { createLogger } from '../../src-bank/logger.ts';
import { DEFAULT_POLICY } from '../../src-bank/policy.ts';
import { fixedKey } from '../../src-bank/vault.ts';
import type { PolicyTerms } from '../../src-contract/policy.ts';
import { emptyPglite } from '../support/bank-database.ts';
import { START_MS } from '../support/virtual-time.ts';
import { chanceFrom, Stream } from './generator.ts';
import { randomFrom } from './on-the-spot.ts';

const ADMIN_TOKEN = 'an-admin-token-for-simulations';
/** PINs of nobody, hashed as cheaply as scrypt can. */
const PIN_COST = { N: 2, r: 1, p: 1 };
/** Emptied tables keep the space of what was in them until they are truncated, which is slow. */
const RUNS_PER_TRUNCATION = 100;
/** What a new database has, too. */
const KEPT = new Set([
  'schema_migrations',
  'platform_secrets',
  'protection_generations',
  'protection_head',
  'policy_versions',
  'gallery_head',
]);

export type BankAnswer = { readonly status: number; readonly body: string };

export class BankRoom {
  readonly policy: PolicyTerms = DEFAULT_POLICY;
  readonly #bank: Bank;
  readonly #pglite: PGlite;
  readonly #tables: readonly string[];
  readonly #world: { clock: Clock; chance: Chance };
  #runs = 0;

  private constructor(bank: Bank, pglite: PGlite, tables: readonly string[], world: { clock: Clock; chance: Chance }) {
    this.#bank = bank;
    this.#pglite = pglite;
    this.#tables = tables;
    this.#world = world;
  }

  static async open(): Promise<BankRoom> {
    const stream = new Stream('the bank itself');
    randomFrom((length) => stream.bytes(length));
    const pglite = await emptyPglite();
    const world = {
      clock: { now: () => START_MS as never, sleep: async () => {} } satisfies Clock as Clock,
      chance: chanceFrom(stream, () => START_MS) as Chance,
    };
    const bank = await createBank({
      database: { kind: 'pglite', directory: null, opened: pglite },
      masterKey: fixedKey(new Uint8Array(32).fill(5)),
      clock: { now: () => world.clock.now(), sleep: (ms) => world.clock.sleep(ms) },
      chance: { id: () => world.chance.id(), bytes: (length) => world.chance.bytes(length) },
      adminToken: ADMIN_TOKEN,
      policy: DEFAULT_POLICY,
      logger: createLogger('silent'),
      pinCost: PIN_COST,
    });
    // Nothing outlives the process anyway.
    await pglite.exec('set synchronous_commit = off');
    const { rows } = await pglite.query<{ tablename: string }>(
      "select tablename from pg_tables where schemaname = 'public' order by tablename",
    );
    const tables = rows.map(({ tablename }) => tablename).filter((name) => !KEPT.has(name));
    return new BankRoom(bank, pglite, tables, world);
  }

  /** Nobody and nothing is known any more; from now on the bank lives in this time and by this chance. */
  async empty(clock: Clock, chance: Chance): Promise<void> {
    this.#world.clock = clock;
    this.#world.chance = chance;
    this.#runs += 1;
    const emptied =
      this.#runs % RUNS_PER_TRUNCATION === 0
        ? `truncate ${this.#tables.join(', ')} cascade;`
        : this.#tables.map((table) => `delete from ${table};`).join('');
    // Triggers and references guard what is never deleted; a new world begins without it.
    await this.#pglite.exec(
      `set session_replication_role = replica; ${emptied} update gallery_head set cursor = 0; set session_replication_role = origin;`,
    );
  }

  async request(request: {
    readonly method: 'GET' | 'POST' | 'DELETE';
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  }): Promise<BankAnswer> {
    const { method, url, headers, body } = request;
    const { statusCode, body: text } = await this.#bank.app.inject({
      method,
      url,
      headers: { ...headers },
      ...(body === undefined ? {} : { payload: body }),
    });
    return { status: statusCode, body: text };
  }

  /** As the bank's staff. Throws when it is refused. */
  async staff<Answer>(method: 'GET' | 'POST' | 'DELETE', url: string, body?: object): Promise<Answer> {
    const { status, body: text } = await this.request({
      method,
      url,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (status !== 200) throw new Error(`the bank's staff may not ${method} ${url}: ${text}`);
    return JSON.parse(text) as Answer;
  }

  async rows<Row>(query: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.#pglite.query<Row>(query, parameters)).rows;
  }

  async close(): Promise<void> {
    await this.#bank.close();
  }
}
