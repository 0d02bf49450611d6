/** What the bank does when its database is not there, what its log holds, and what its database itself refuses. */
import { Writable } from 'node:stream';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemChance } from '../../../src-bank/clock.ts';
import { type Database, openDatabase } from '../../../src-bank/database/database.ts';
import { MIGRATIONS, migrate } from '../../../src-bank/database/migrate.ts';
import { createLogger } from '../../../src-bank/logger.ts';
import { money } from '../../../src-contract/primitives.ts';
import { adminOf, id, injectInto, TestTerminal } from '../../support/test-terminal.ts';
import { ADMIN_TOKEN, type DatabasePlace, openBank, PLACES, TestClock } from './banks.ts';

const PIN = '274913';

describe.each(PLACES)('on $name', ({ open }) => {
  let place: DatabasePlace;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(async () => await place.stop());

  it('logs what happened, and neither PIN, account number, template, key, code nor token', async () => {
    const lines: string[] = [];
    const destination = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const clock = new TestClock();
    const bank = await openBank(await place.laid(), clock, { logger: createLogger('trace', destination) });
    const send = injectInto(bank.app);
    const admin = adminOf(send, ADMIN_TOKEN);
    const { body: code } = await admin.post<{ code: string }>('/admin/activation-codes');
    const terminal = await TestTerminal.activate(send, admin, { now: () => clock.now() });
    const request = await terminal.enrolRequest(PIN);
    await terminal.post('/v1/enrolments', request);
    await terminal.post('/v1/deposits', await terminal.depositRequest(request.personId, 30_000));
    const wrong = await terminal.authoriseRequest('withdraw', request.personId, { yen: 1_000, pin: '135791' });
    await terminal.post('/v1/authorisations', wrong);
    await terminal.post('/v1/authorisations', { ...wrong, idempotencyKey: id() });
    await terminal.post('/v1/enrolments', {
      ...request,
      idempotencyKey: id(),
      template: { ...request.template, dimensions: 1 },
    });
    await terminal.post('/v1/results', { results: ['a.b.c'] });
    await admin.delete(`/admin/people/${request.personId}/template`);
    bank.app.log.error(
      { err: new Error('outer', { cause: new Error('inner') }), request, account: { number: '0123498765' } },
      'a careless line',
    );
    await bank.close();
    const log = lines.join('');
    expect(log).toContain('"route":"/v1/enrolments"');
    expect(log).toContain('a careless line');
    const secrets = {
      pin: PIN,
      wrongPin: '135791',
      pinBlock: request.pinBlocks[0] as string,
      template: request.template.values.slice(0, 40),
      result: request.result,
      code: code.code,
      account: '0123498765',
      token: ADMIN_TOKEN,
      seed: Buffer.from(await terminal.openSeed()).toString('base64url'),
      person: `/admin/people/${request.personId}`,
    };
    for (const [name, secret] of Object.entries(secrets))
      expect(log.includes(secret), `${name} in the log`).toBe(false);
  });

  it('keeps template, PIN and platform secrets unreadable in the database', async () => {
    const clock = new TestClock();
    const settings = await place.onDisk();
    const bank = await openBank(settings, clock);
    const send = injectInto(bank.app);
    const terminal = await TestTerminal.activate(send, adminOf(send, ADMIN_TOKEN), { now: () => clock.now() });
    const request = await terminal.enrolRequest(PIN);
    await terminal.post('/v1/enrolments', request);
    await bank.close();
    const database = await openDatabase(settings, { clock, chance: systemChance, onIdleError: () => {} });
    const tables = ['templates', 'people', 'platform_secrets', 'activation_codes', 'idempotency_keys'] as const;
    const values: unknown[] = [];
    for (const table of tables) {
      for (const row of await database.db.selectFrom(table).selectAll().execute()) values.push(...Object.values(row));
    }
    await database.close();
    const bytes = values.map((value) => Buffer.from(value instanceof Uint8Array ? value : String(value)));
    const dump = Buffer.concat(bytes);
    const template = Buffer.from(request.template.values, 'base64url');
    expect(dump.length).toBeGreaterThan(template.length);
    for (const secret of [template.subarray(0, 16), Buffer.from(await terminal.openSeed()), Buffer.from(PIN)]) {
      expect(dump.includes(secret)).toBe(false);
    }
  });

  describe('the database itself', () => {
    let database: Database;
    beforeAll(async () => {
      const clock = new TestClock();
      database = await openDatabase(await place.fresh(), { clock, chance: systemChance, onIdleError: () => {} });
      // Step by step, and again: the second time nothing is left to do.
      for (let count = 1; count <= MIGRATIONS.length; count += 1) {
        await migrate(database.db, clock, MIGRATIONS.slice(0, count));
      }
      await migrate(database.db, clock);
      const terminalId = id();
      await database.db
        .insertInto('terminals')
        .values({
          ...{ terminal_id: terminalId, name: 'x', profile: 'atm', signing_key: 'x', encryption_key: 'x' },
          ...{ activated_at: 0, head_hash: null },
        })
        .execute();
      for (const owner of [id(), id()]) {
        await database.db
          .insertInto('accounts')
          .values({ account_id: owner, kind: 'merchant', owner_id: owner, number: null, currency: 'JPY', opened_at: 0 })
          .execute();
      }
    });
    afterAll(async () => await database.close());

    const postings = async (credits: readonly number[]) => {
      const [a, b] = await database.db.selectFrom('accounts').select('account_id').orderBy('account_id').execute();
      const { terminal_id } = await database.db.selectFrom('terminals').select('terminal_id').executeTakeFirstOrThrow();
      const entry_id = id();
      await database.transact(async (tx) => {
        await tx
          .insertInto('entries')
          .values({ entry_id, kind: 'deposit', transaction_id: id(), terminal_id, at: 0, recorded_at: 0 })
          .execute();
        const lines = credits.map((credit_minor, line) => ({
          ...{ entry_id, line, currency: 'JPY', credit_minor },
          account_id: (line % 2 === 0 ? a : b)?.account_id ?? '',
        }));
        await tx.insertInto('postings').values(lines).execute();
      });
      return entry_id;
    };

    it('refuses an entry that does not balance, as a whole', async () => {
      await expect(postings([100, -99])).rejects.toThrow(/does not balance/);
      expect(await database.db.selectFrom('entries').selectAll().execute()).toEqual([]);
      await postings([100, -100]);
    });

    it('never changes or removes what was posted', async () => {
      const entryId = await postings([50, -50]);
      const refused = expect.objectContaining({ message: expect.stringContaining('append-only') });
      await expect(
        database.db.updateTable('postings').set({ credit_minor: 1 }).where('entry_id', '=', entryId).execute(),
      ).rejects.toEqual(refused);
      await expect(database.db.deleteFrom('entries').where('entry_id', '=', entryId).execute()).rejects.toEqual(
        refused,
      );
    });

    it('records each migration once, and refuses a bank that knows fewer', async () => {
      const { rows } = await sql<{ version: number }>`select version from schema_migrations order by version`.execute(
        database.db,
      );
      expect(rows.map(({ version }) => version)).toEqual(MIGRATIONS.map(({ version }) => version));
      const older = migrate(database.db, new TestClock(), MIGRATIONS.slice(0, -1));
      await expect(older).rejects.toThrow(`newer than version ${MIGRATIONS.length - 1}`);
      const renamed = MIGRATIONS.map((migration) => ({ ...migration, name: `${migration.name}-changed` }));
      await expect(migrate(database.db, new TestClock(), renamed)).rejects.toThrow(/does not have/);
    });

    it('leaves nothing behind of a migration that fails half-way', async () => {
      const broken = {
        version: MIGRATIONS.length + 1,
        name: 'broken',
        statements: ['create table half (id int)', 'select 1/0'],
      };
      await expect(migrate(database.db, new TestClock(), [...MIGRATIONS, broken])).rejects.toThrow(/zero/);
      const { rows } = await sql`select to_regclass('half') as half`.execute(database.db);
      expect(rows).toEqual([{ half: null }]);
    });

    it('rolls back and reports a body whose statement failed though it went on', async () => {
      const going = database.transact(async (tx) => {
        await sql`create table gone (id int)`.execute(tx);
        await sql`select 1/0`.execute(tx).catch(() => {});
      });
      await expect(going).rejects.toThrow();
      const { rows } = await sql`select to_regclass('gone') as gone`.execute(database.db);
      expect(rows).toEqual([{ gone: null }]);
    });
  });
});

describe('banks on one PostgreSQL', () => {
  it('start at once on a new database and serve as one', async () => {
    const place = await PLACES[1].open();
    onTestFinished(() => place.stop());
    const settings = await place.fresh();
    const clock = new TestClock();
    const banks = await Promise.all([openBank(settings, clock), openBank(settings, clock), openBank(settings, clock)]);
    const activations = [];
    for (const { app } of banks) {
      const send = injectInto(app);
      const terminal = await TestTerminal.activate(send, adminOf(send, ADMIN_TOKEN), { now: () => clock.now() });
      activations.push(terminal.activation);
    }
    expect(new Set(activations.map(({ pinKey }) => pinKey.kid)).size).toBe(1);
    expect(new Set(activations.map(({ protectionVersion }) => protectionVersion)).size).toBe(1);
    for (const bank of banks) await bank.close();
  });
});

describe('a bank on PostgreSQL', () => {
  it("waits with an authorisation while another process has the person's account in hand", async () => {
    const place = await PLACES[1].open();
    onTestFinished(() => place.stop());
    const settings = await place.laid();
    const clock = new TestClock();
    const bank = await openBank(settings, clock);
    const send = injectInto(bank.app);
    const terminal = await TestTerminal.activate(send, adminOf(send, ADMIN_TOKEN), { now: () => clock.now() });
    const personId = await terminal.enrol(PIN, { yen: 1_000 });
    const request = await terminal.authoriseRequest('purchase', personId, { yen: 1_000, pin: null });
    const other = await openDatabase(settings, { clock, chance: systemChance, onIdleError: () => {} });
    let answered = false;
    let asking: Promise<{ body: unknown }> | undefined;
    await other.transact(async (tx) => {
      // As a capture does in between: what was available is taken.
      await tx.updateTable('accounts').set({ balance_minor: 0 }).where('owner_id', '=', personId).execute();
      asking = terminal.post('/v1/authorisations', request).finally(() => {
        answered = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(answered).toBe(false);
    });
    expect((await asking)?.body).toMatchObject({ outcome: 'declined', reason: 'insufficient-funds' });
    await other.close();
    await bank.close();
  });
});

describe('a bank whose database is gone', () => {
  it('answers 503 while PostgreSQL is down, changes nothing, and serves when it is back', async () => {
    const place = await PLACES[1].open();
    onTestFinished(() => place.stop());
    const clock = new TestClock();
    const settings = await place.laid();
    const bank = await openBank(settings, clock);
    const send = injectInto(bank.app);
    const admin = adminOf(send, ADMIN_TOKEN);
    const terminal = await TestTerminal.activate(send, admin, { now: () => clock.now() });
    const personId = await terminal.enrol(PIN, { yen: 10_000 });
    const request = await terminal.authoriseRequest('purchase', personId, { yen: 1_000, pin: null });
    await place.pause();
    const unavailable = { status: 503, body: { code: 'unavailable' } };
    expect(await terminal.post('/v1/authorisations', request)).toMatchObject(unavailable);
    expect(await send({ method: 'GET', url: '/v1/health', headers: {} })).toMatchObject(unavailable);
    expect(await admin.get('/admin/accounts')).toMatchObject(unavailable);
    await place.resume();
    expect((await terminal.post('/v1/authorisations', request)).body).toMatchObject({
      outcome: 'approved',
      account: { available: money(9_000) },
    });
    await bank.close();
  });
});
