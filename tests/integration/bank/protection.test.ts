/** A change of the protecting matrix at the bank: whatever a terminal asks for, and when, it gets what it can match. */

import { createHash, createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { compactDecrypt, compactVerify, importJWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bank } from '../../../src-bank/bank.ts';
import { systemChance } from '../../../src-bank/clock.ts';
import { type DatabaseSettings, PGLITE_PARSERS } from '../../../src-bank/database/database.ts';
import { createVault } from '../../../src-bank/vault.ts';
import type { GalleryAnswer } from '../../../src-contract/bank-api.ts';
import { ProtectionAnnouncement, type ProtectionAnswer } from '../../../src-contract/protection-change.ts';
import { facesFrom } from '../../../src-main/gallery/gallery.fixture.ts';
import { protectionFrom } from '../../../src-main/gallery/protection.ts';
import { emptyPglite } from '../../support/bank-database.ts';
import { type Admin, adminOf, id, injectInto, TestTerminal } from '../../support/test-terminal.ts';
import { ADMIN_TOKEN, MASTER_KEY, onEachDatabase, openBank, TestClock } from './banks.ts';

const DIMENSIONS = 24;
const faces = facesFrom(43, DIMENSIONS);

/** Holds the bank between two batches until it is let go. */
class GatedClock extends TestClock {
  readonly #held: (() => void)[] = [];
  override async sleep(ms?: number): Promise<void> {
    if ((ms ?? 0) >= 100) await new Promise<void>((resolve) => this.#held.push(resolve));
  }
  get held(): boolean {
    return this.#held.length > 0;
  }
  let(): void {
    this.#held.shift()?.();
  }
}

interface Report {
  generation: number;
  protectionVersion: string;
  generations: { generation: number; convertedAt: number | null; destroyedAt: number | null; templates: number }[];
  waitingFor: { terminalId: string; generation: number }[];
}

onEachDatabase((opened) => {
  let clock: GatedClock;
  let banks: Bank[];
  let admin: Admin;
  let people: Map<string, Float32Array>;
  let seeds: Map<string, Uint8Array>;
  let settings: DatabaseSettings;

  const anotherProcess = async () => {
    const bank = await openBank(settings, clock, { conversionBatch: 2 });
    banks.push(bank);
    return injectInto(bank.app);
  };
  const report = async () => (await admin.get<Report>('/admin/protection')).body;
  const begin = (from: number) => admin.post('/admin/protection', { from, reason: 'leak' });
  /** Until the batch under way is over. */
  const batchOver = async () => {
    while (!clock.held && (await report()).generations.at(-1)?.convertedAt === null) await delay(2);
  };
  const nextBatch = async () => {
    clock.let();
    await batchOver();
  };
  const convertedAll = async () => (await report()).generations.at(-1)?.convertedAt != null;

  /** As it learns of it: verified, and opened with its own key. */
  const learn = async (terminal: TestTerminal, held: string) => {
    const { body } = await terminal.get<ProtectionAnswer>(`/v1/protection?held=${held}`);
    if (!body.announcement) throw new Error('nothing was announced');
    const { kty, crv, x } = terminal.activation.policyKey;
    const key = await importJWK({ kty, crv, x }, 'EdDSA');
    const { payload, protectedHeader } = await compactVerify(body.announcement, key);
    expect(protectedHeader.typ).toBe('kaopass-protection+jws');
    const told = ProtectionAnnouncement.parse(JSON.parse(new TextDecoder().decode(payload)));
    expect([told.terminalId, told.generation]).toEqual([terminal.terminalId, body.generation]);
    const { plaintext } = await compactDecrypt(told.seed, terminal.keys.encryption.privateKey);
    seeds.set(told.protectionVersion, plaintext);
    return told.protectionVersion;
  };
  const templateUnder = (version: string, face: Float32Array) => ({
    values: Buffer.from(protectionFrom(seeds.get(version)!, DIMENSIONS).protect(face).buffer).toString('base64url'),
    dimensions: DIMENSIONS,
    modelSha256: 'ab'.repeat(32),
    protectionVersion: version,
  });
  const ownFace = (version: string, personId: string) =>
    createHmac('sha256', seeds.get(version)!)
      .update(`kaopass-own-face:${personId}`)
      .digest()
      .subarray(0, 16)
      .toString('base64url');
  const enrol = async (terminal: TestTerminal, version: string) => {
    const [personId, face] = [id(), faces.next()];
    const change = { personId, template: templateUnder(version, face) };
    const request = await terminal.enrolRequest('4071', change, ownFace(version, personId));
    const answer = await terminal.post<{ outcome: string }>('/v1/enrolments', request);
    if (answer.status === 200) people.set(personId, face);
    return { personId, answer };
  };
  /** Whoever asks for this matrix can match everybody with it, and nobody else. */
  const everybodyMatches = async (terminal: TestTerminal, version: string) => {
    const { body } = await terminal.get<GalleryAnswer>(`/v1/gallery?after=0&protection=${version}`);
    const puts = body.entries.flatMap((entry) => (entry.kind === 'put' ? [entry] : []));
    expect(puts.map(({ personId }) => personId).sort()).toEqual([...people.keys()].sort());
    for (const { personId, template } of puts) {
      expect(template.protectionVersion).toBe(version);
      const [got, wanted] = [template, templateUnder(version, people.get(personId)!)].map(
        ({ values }) => new Float32Array(new Uint8Array(Buffer.from(values, 'base64url')).buffer),
      );
      expect(Math.max(...got!.map((value, at) => Math.abs(value - wanted![at]!)))).toBeLessThan(1e-6);
    }
  };
  const receipt = async (
    terminal: TestTerminal,
    generation: number,
    protectionVersion: string,
    change: object = {},
  ) => {
    const content = { version: 1, receiptId: id(), terminalId: terminal.terminalId, generation, protectionVersion };
    const signed = JSON.stringify({ ...content, at: clock.now(), olderGone: true, ...change });
    const jws = await terminal.sign(signed, 'kaopass-protection-receipt+jws', terminal.terminalId);
    return { idempotencyKey: content.receiptId, receipt: jws };
  };
  const goneOver = async (terminal: TestTerminal, generation: number, version: string) =>
    await terminal.post('/v1/protection-receipts', await receipt(terminal, generation, version));

  /** Ends with lobby's, kept. */
  const believesOnlyTrueReceipts = async (second: string) => {
    const send = async (request: object) => await lobby.post('/v1/protection-receipts', request);
    const refused = async (request: object, status: number) => expect(await send(request)).toMatchObject({ status });
    await refused(await receipt(away, 2, second), 400);
    await refused(await receipt(lobby, 2, second, { terminalId: away.terminalId }), 400);
    await refused(await receipt(lobby, 2, second, { olderGone: false }), 400);
    await refused({ ...(await receipt(lobby, 2, second)), idempotencyKey: id() }, 400);
    await refused(await receipt(lobby, 2, first), 404);
    await refused(await receipt(lobby, 3, second), 404);
    expect((await report()).waitingFor).toHaveLength(2);
    const good = await receipt(lobby, 2, second);
    for (let n = 0; n < 2; n++) expect(await send(good)).toMatchObject({ status: 200, body: { outcome: 'kept' } });
    await refused(await receipt(lobby, 2, second), 409);
    // A receipt for an older one takes nothing back.
    expect(await send(await receipt(lobby, 1, first))).toMatchObject({ status: 200 });
  };

  /** The database of a bank that is killed now. */
  const asItIs = async (database: DatabaseSettings): Promise<DatabaseSettings> => {
    if (database.kind === 'postgresql' || !database.opened) return database;
    const loadDataDir = await database.opened.dumpDataDir('none');
    return { ...database, opened: await PGlite.create({ loadDataDir, parsers: PGLITE_PARSERS }) };
  };

  let lobby: TestTerminal;
  let away: TestTerminal;
  let first: string;
  beforeEach(async () => {
    const { place } = opened();
    settings = await place.laid();
    clock = new GatedClock();
    banks = [];
    people = new Map();
    seeds = new Map();
    const send = await anotherProcess();
    admin = adminOf(send, ADMIN_TOKEN);
    lobby = await TestTerminal.activate(send, admin, { now: () => clock.now() });
    away = await TestTerminal.activate(send, admin, { now: () => clock.now() });
    first = lobby.activation.protectionVersion;
    seeds.set(first, await lobby.openSeed());
    for (let n = 0; n < 5; n++) await enrol(lobby, first);
  });
  afterEach(async () => {
    for (const bank of banks) await bank.close();
  });

  describe('a change of the protecting matrix', () => {
    it('serves everybody under either matrix after every batch, and ends the old seed with the last terminal', async () => {
      expect((await begin(1)).body).toMatchObject({ generation: 2 });
      // Told twice, it is begun once; and the next one waits for the templates.
      expect(await begin(1)).toMatchObject({ status: 409, body: { field: 'from' } });
      expect(await begin(2)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      const second = await learn(lobby, first);
      const both = async () => {
        await everybodyMatches(lobby, second);
        await everybodyMatches(away, first);
      };
      await both();
      await batchOver();
      expect((await report()).generations.map(({ templates }) => templates)).toEqual([3, 2]);
      await both();
      // Meanwhile one registers at a terminal that has not heard of it, one at one that has, and two withdraw consent.
      await enrol(away, first);
      await enrol(lobby, second);
      const [converted, , , , waiting] = people.keys();
      for (const gone of [converted!, waiting!]) {
        expect(await admin.delete(`/admin/people/${gone}/template`)).toMatchObject({ status: 200 });
        people.delete(gone);
      }
      await both();
      while (!(await convertedAll())) {
        await nextBatch();
        await both();
      }
      const states = async () => {
        const { generations, waitingFor } = await report();
        return [generations.map(({ destroyedAt }) => destroyedAt !== null), waitingFor.map((one) => one.terminalId)];
      };
      const terminals = [lobby.terminalId, away.terminalId].toSorted();
      expect(await states()).toEqual([[false, false], terminals]);
      await believesOnlyTrueReceipts(second);
      expect(await states()).toEqual([[false, false], [away.terminalId]]);
      // It slept through all of it: everything it does under its old matrix is still right.
      await enrol(away, first);
      await both();
      expect(await learn(away, first)).toBe(second);
      await goneOver(away, 2, second);
      expect(await states()).toEqual([[true, false], []]);
      // The old matrix is gone, and says so by its name.
      const named = { status: 400, body: { detail: expect.stringContaining(first) } };
      expect(await lobby.get(`/v1/gallery?after=0&protection=${first}`)).toMatchObject(named);
      expect((await enrol(lobby, first)).answer).toMatchObject({
        ...named,
        body: { field: 'template.protectionVersion' },
      });
      await everybodyMatches(lobby, second);
      const newcomer = await TestTerminal.activate(injectInto(banks[0]!.app), admin, { now: () => clock.now() });
      expect(newcomer.activation).toMatchObject({ protectionVersion: second, protectionGeneration: 2 });
      expect(await newcomer.openSeed()).toEqual(seeds.get(second));
    });

    it('is taken up by the next process where one was killed, and does not wait for a terminal that was revoked', async () => {
      await begin(1);
      const second = await learn(lobby, first);
      await batchOver();
      // Killed between two batches: it never wakes again.
      const dead = clock;
      clock = Object.assign(new GatedClock(), { ms: dead.ms });
      settings = await asItIs(settings);
      const send = await anotherProcess();
      admin = adminOf(send, ADMIN_TOKEN);
      const there = lobby.through(send);
      while (!(await convertedAll())) {
        await everybodyMatches(there, second);
        await nextBatch();
      }
      await everybodyMatches(there, second);
      await goneOver(there, 2, second);
      expect((await report()).waitingFor).toEqual([
        expect.objectContaining({ terminalId: away.terminalId, generation: 1 }),
      ]);
      const revoked = await admin.post(`/admin/terminals/${away.terminalId}/revocation`);
      expect(revoked).toMatchObject({ status: 200, body: { revokedAt: clock.ms } });
      expect((await report()).generations[0]?.destroyedAt).toBe(clock.ms);
      // A stolen one must not learn of the new matrix.
      expect(await away.through(send).get(`/v1/protection?held=${first}`)).toMatchObject({ status: 401 });
      expect(await admin.post(`/admin/terminals/${id()}/revocation`)).toMatchObject({ status: 404 });
      const [listed] = (
        await admin.get<{ terminals: { terminalId: string; revokedAt: number | null }[] }>('/admin/terminals')
      ).body.terminals.filter(({ terminalId }) => terminalId === away.terminalId);
      expect(listed?.revokedAt).toBe(clock.ms);
    });
  });
});

it('a bank from before there were changes keeps its matrix, and moves the seed to where it can be destroyed', async () => {
  const seed = new Uint8Array(32).fill(9);
  const opened = await emptyPglite();
  const vault = createVault(MASTER_KEY, systemChance);
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', privateKey);
  const secrets = { protectionSeed: Buffer.from(seed).toString('base64url'), pinPrivateKey: { kty, crv, x, y, d } };
  const sealed = vault.seal('platform-secret', 'platform', new TextEncoder().encode(JSON.stringify(secrets)));
  await opened.query("insert into platform_secrets values ('platform', $1, 1)", [sealed]);
  const clock = new TestClock();
  const bank = await openBank({ kind: 'pglite', directory: null, opened }, clock);
  const send = injectInto(bank.app);
  const terminal = await TestTerminal.activate(send, adminOf(send, ADMIN_TOKEN), { now: () => clock.now() });
  expect(terminal.activation).toMatchObject({
    protectionVersion: `p1-${createHash('sha256').update(seed).digest('base64url').slice(0, 8)}`,
    protectionGeneration: 1,
  });
  expect(await terminal.openSeed()).toEqual(seed);
  const { rows } = await opened.query<{ sealed: Uint8Array }>(
    "select sealed from platform_secrets where name = 'platform'",
  );
  const kept = new TextDecoder().decode(vault.open('platform-secret', 'platform', rows[0]!.sealed));
  expect(Object.keys(JSON.parse(kept))).toEqual(['pinPrivateKey']);
  await bank.close();
});
