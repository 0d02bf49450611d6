/**
 * Terminals as they are (key store, identity, journal, gallery, sync) and the reference bank as it is, with a line between
 * them that fails: from a bare data directory to books that balance.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Bank, createBank } from '../../src-bank/bank.ts';
import { systemChance as bankChance, systemClock as bankClock } from '../../src-bank/clock.ts';
import { createLogger } from '../../src-bank/logger.ts';
import { DEFAULT_POLICY, withDigest } from '../../src-bank/policy.ts';
import { fixedKey } from '../../src-bank/vault.ts';
import { money, type Uuid } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../../src-main/clock.ts';
import { encryptPinBlock } from '../../src-main/devices/pin-block.ts';
import { facesFrom } from '../../src-main/gallery/gallery.fixture.ts';
import { openGallery } from '../../src-main/gallery/gallery.ts';
import { asidePath, deleteAside } from '../../src-main/gallery/open-or-pull-again.ts';
import { openFileKeyStore } from '../../src-main/identity/file-key-store.ts';
import { openIdentity } from '../../src-main/identity/identity.ts';
import { readNextProtection } from '../../src-main/identity/protection.ts';
import { exampleResult } from '../../src-main/journal/journal.fixture.ts';
import { type Alarm, openJournal, type UnsignedResult } from '../../src-main/journal/journal.ts';
import { dataPlaces } from '../../src-main/places.ts';
import { openBankWord } from '../../src-main/policy/open.ts';
import { policyOf } from '../../src-main/policy/policy-book.ts';
import { runCli } from '../../src-main/provisioning/cli.ts';
import { createBankClient, type FetchPort } from '../../src-main/sync/bank-client.ts';
import { createProtectionKeeper } from '../../src-main/sync/protection-keeper.ts';
import { createSync } from '../../src-main/sync/sync.ts';
import { CHEAP_PINS, emptyBank } from '../support/bank-database.ts';

const ADMIN_TOKEN = 'an-admin-token-for-tests';
const BANK_URL = 'http://127.0.0.1:1';
const signal = new AbortController().signal;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
/** As good as 512 here, and grown in a hundredth of the time. */
const DIMENSIONS = 128;
const faces = facesFrom(31, DIMENSIONS);
const calibration = {
  points: [
    { score: 0, log10Fmr: 0 },
    { score: 0.6, log10Fmr: -6 },
  ],
  floorLog10Fmr: -6,
  safetyFactor: 1,
};
const accepted = (fields: Partial<UnsignedResult>) =>
  exampleResult({
    outcome: 'accepted',
    reason: null,
    comparison: { score: 0.8, runnerUpScore: null, gallerySize: 1, estimatedFmr: 1e-6, model: null },
    policyVersion: withDigest(DEFAULT_POLICY).version,
    ...fields,
  });

let bank: Bank;
let root: string;
/** What happens to the next requests on the line, in turn; then nothing does. */
let line: ('down' | 'answer-lost')[] = [];

const fetchInjected: FetchPort = async (url, { method, headers, body }) => {
  const fault = line.shift();
  const lost = () =>
    new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) });
  if (fault === 'down') throw lost();
  const { pathname, search } = new URL(url);
  const answer = await bank.app.inject({
    method,
    url: pathname + search,
    headers: { ...headers },
    ...(body === undefined ? {} : { payload: body }),
  });
  if (fault === 'answer-lost') throw lost();
  return new Response(answer.body, { status: answer.statusCode });
};

async function admin<Answer>(method: 'GET' | 'POST' | 'DELETE', url: string, body?: object): Promise<Answer> {
  const answer = await bank.app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { payload: JSON.stringify(body) } : {}),
  });
  expect(answer.statusCode, answer.body).toBe(200);
  return JSON.parse(answer.body);
}
const newCode = async () => (await admin<{ code: string }>('POST', '/admin/activation-codes', {})).code;

async function kaopass(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const printed = { out: '', err: '' };
  const code = await runCli(args, {
    fetch: fetchInjected,
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    signal,
  });
  return { code, ...printed };
}

const activateIn = async (dataDir: string, code: string) =>
  kaopass('activate', '--data', dataDir, '--code', code, '--bank', BANK_URL, '--name', 'Lobby 1', '--profile', 'atm');

/** Everything of a terminal but screen, camera and devices. */
async function openTerminal(dataDir: string) {
  const places = dataPlaces(dataDir);
  const [clock, chance] = [systemClock, systemChance];
  const keyStore = await openFileKeyStore(places.keys);
  const identity = await openIdentity({ keyStore, clock, chance });
  const activation = identity.activation!;
  const alarms: Alarm[] = [];
  const onAlarm = (alarm: Alarm) => void alarms.push(alarm);
  const journal = openJournal({ path: places.journal, clock, chance, signer: identity, onAlarm });
  const next = await readNextProtection(keyStore, activation);
  const gallery = openGallery({
    path: places.gallery,
    dataKey: identity.dataKey,
    protectionSeed: new Uint8Array(Buffer.from(activation.protectionSeed, 'base64url')),
    protectionVersion: activation.protectionVersion,
    nextProtection: next,
    modelSha256: 'c'.repeat(64),
    dimensions: DIMENSIONS,
    calibration,
    chance,
  });
  const client = createBankClient({ bankUrl: activation.bankUrl, identity, fetch: fetchInjected, clock });
  const word = { memory: journal.memory, activation, keyStore, clock, log: quiet, onAlarm };
  const { policies, time, standing } = await openBankWord(word);
  const failed = (error: unknown) => {
    throw error;
  };
  const protection = createProtectionKeeper({
    activation,
    next,
    keyStore,
    identity,
    gallery,
    deleteAside: () => deleteAside(places.gallery),
    bank: client,
    policies,
    journal,
    clock,
    log: quiet,
    onAlarm,
  });
  const sync = createSync({
    journal,
    bank: client,
    gallery,
    protection,
    policies,
    time,
    clock,
    chance,
    log: quiet,
    onAlarm,
    failed,
  });
  const close = async () => {
    await sync.close();
    await protection.close();
    gallery.close();
    standing.close();
    journal.close();
  };
  return { identity, activation, policies, journal, gallery, client, sync, protection, alarms, close };
}
type OpenTerminal = Awaited<ReturnType<typeof openTerminal>>;

async function enrol(
  { activation, policies, journal, gallery, client }: OpenTerminal,
  face: Float32Array,
): Promise<Uuid> {
  const personId = systemChance.id();
  const pinBlock = () =>
    encryptPinBlock(Uint8Array.of(4, 0, 7, 1), { encryptFor: activation.pinKey, boundTo: personId }, systemChance);
  const { jws } = await journal.recordResult(accepted({ service: 'enrol', outcome: 'enrolled', personId }));
  const answer = await client.enrol(
    {
      idempotencyKey: systemChance.id(),
      personId,
      consent: { version: policyOf(policies).consent.version, language: 'ja', agreedAt: systemClock.now() },
      template: gallery.protectedTemplate(face),
      lookAlikeOf: null,
      pinBlocks: [await pinBlock(), await pinBlock()],
      result: jws,
    },
    signal,
  );
  expect(answer.outcome).toBe('enrolled');
  return personId;
}

async function deposit({ journal }: OpenTerminal, personId: Uuid, yen: number): Promise<void> {
  const transactionId = systemChance.id();
  const { resultId } = await journal.recordResult(accepted({ service: 'deposit', transactionId, personId }));
  const body = { idempotencyKey: systemChance.id(), transactionId, personId, amount: money(yen), resultId };
  journal.begin({ transactionId, service: 'deposit', personId, amount: money(yen) });
  journal.record(transactionId, { state: 'stored', final: true }, [{ kind: 'deposit', body }]);
}

async function standIn({ journal }: OpenTerminal, personId: Uuid, yen: number): Promise<void> {
  const transactionId = systemChance.id();
  const { resultId } = await journal.recordResult(
    accepted({ service: 'purchase', transactionId, personId, amount: money(yen), mode: 'stand-in' }),
  );
  const at = systemClock.now();
  const body = { idempotencyKey: systemChance.id(), transactionId, personId, amount: money(yen), at, resultId };
  journal.begin({ transactionId, service: 'purchase', personId, amount: money(yen) });
  journal.record(transactionId, { state: 'sold', final: true }, [{ kind: 'stand-in', body }]);
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'kaopass-with-bank-'));
  bank = await createBank({
    database: await emptyBank(),
    masterKey: fixedKey(new Uint8Array(32).fill(5)),
    clock: bankClock,
    chance: bankChance,
    adminToken: ADMIN_TOKEN,
    policy: DEFAULT_POLICY,
    logger: createLogger('silent'),
    pinCost: CHEAP_PINS,
  });
});
afterAll(async () => {
  await bank.close();
  rmSync(root, { recursive: true, force: true });
});

describe('activation', () => {
  test('makes a terminal of a bare directory, once, and tells what it did', async () => {
    const dataDir = join(root, 'bare');
    const done = await activateIn(dataDir, (await newCode()).toLowerCase());
    expect(done).toMatchObject({ code: 0, err: '' });
    expect(done.out).toContain('Activated: "Lobby 1" is terminal ');
    const config = readFileSync(dataPlaces(dataDir).config, 'utf8');
    expect(JSON.parse(config)).toEqual({ name: 'Lobby 1', profile: 'atm', bankUrl: BANK_URL });
    const again = await activateIn(dataDir, await newCode());
    expect(again).toMatchObject({ code: 1, out: '' });
    expect(again.err).toContain('ALREADY_ACTIVATED');
  });

  test('with a code used before says so, and works with the next', async () => {
    const code = await newCode();
    await activateIn(join(root, 'first'), code);
    const second = join(root, 'second');
    const refused = await activateIn(second, code);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('used before');
    expect(existsSync(dataPlaces(second).config)).toBe(false);
    expect((await kaopass('status', '--data', second)).out).toContain('not activated');
    expect((await activateIn(second, await newCode())).code).toBe(0);
  });

  test('can be repeated after the bank could not be reached, and after its answer was lost', async () => {
    const dataDir = join(root, 'bad-line');
    const code = await newCode();
    line = ['down'];
    expect((await activateIn(dataDir, code)).err).toContain('BANK_UNREACHABLE');
    line = ['answer-lost'];
    expect((await activateIn(dataDir, code)).err).toContain('BANK_UNREACHABLE');
    // The bank has spent this code on an answer that never came; a new code goes through.
    expect((await activateIn(dataDir, code)).err).toContain('BANK_REFUSED');
    expect((await activateIn(dataDir, await newCode())).code).toBe(0);
    expect(readdirSync(dataPlaces(dataDir).keys)).toHaveLength(4);
  });

  test.each([
    ['a code the bank does not know', ['--code', 'AAAA-BBBB-CCCC', '--bank', BANK_URL], 1, 'does not know'],
    ['something that is no code', ['--code', 'hello', '--bank', BANK_URL], 1, 'activationCode'],
    ['a bank in the clear', ['--code', 'AAAA-BBBB-CCCC', '--bank', 'http://bank.example'], 1, 'bankUrl'],
    ['no bank', ['--code', 'AAAA-BBBB-CCCC'], 2, '--bank is needed'],
    ['an unknown flag', ['--kode', 'x'], 2, '--kode'],
  ])('with %s is refused in one sentence, and leaves nothing activated', async (_, args, exitCode, naming) => {
    const dataDir = join(root, 'refused');
    const refused = await kaopass('activate', '--data', dataDir, '--name', 'x', '--profile', 'atm', ...args);
    expect(refused).toMatchObject({ code: exitCode, out: '' });
    expect(refused.err).toContain(naming);
    expect(existsSync(dataPlaces(dataDir).config)).toBe(false);
  });
});

describe('two terminals and their bank', () => {
  let lobby: OpenTerminal;
  let shop: OpenTerminal;
  const face = faces.next();
  let personId: Uuid;

  beforeAll(async () => {
    for (const name of ['lobby', 'shop']) expect((await activateIn(join(root, name), await newCode())).code).toBe(0);
    lobby = await openTerminal(join(root, 'lobby'));
    shop = await openTerminal(join(root, 'shop'));
    await lobby.sync.flush(signal);
    personId = await enrol(lobby, face);
  });
  afterAll(async () => {
    await lobby.close();
    await shop.close();
  });

  test('who enrolled at one is recognised at the other, over the gallery feed', async () => {
    await shop.sync.pull(signal);
    const rates = { maxFmr: 1e-5, lookAlikeFmr: 1e-3 };
    expect(shop.gallery.identify(faces.near(face, 0.7), rates)).toMatchObject({ outcome: 'match', personId });
    expect(shop.gallery.identify(faces.next(), rates).outcome).toBe('nobody');
    expect(shop.policies.current()).toMatchObject(withDigest(DEFAULT_POLICY));
    expect(shop.alarms).toEqual([]);
  });

  test('what was recorded over a bad line is at the bank once, and the books balance', async () => {
    for (let n = 1; n <= 6; n++) await deposit(lobby, personId, 10_000 * n);
    await standIn(shop, personId, 800);
    await standIn(shop, personId, 1_200);
    expect(shop.journal.standIn.spent(personId)).toBe(2_000);

    line = ['answer-lost', 'down', 'answer-lost', 'answer-lost', 'down'];
    const outcomes: string[] = [];
    while (outcomes.at(-1) !== 'drained') outcomes.push(await lobby.sync.flush(signal));
    expect(outcomes.length).toBeGreaterThan(3);
    line = ['down', 'answer-lost'];
    expect(await shop.sync.flush(signal)).toBe('offline');
    expect(await shop.sync.flush(signal)).toBe('offline');
    expect(await shop.sync.flush(signal)).toBe('drained');
    expect([lobby.journal.outboxSize(), shop.journal.outboxSize(), shop.journal.standIn.spentInAll()]).toEqual([
      0, 0, 0,
    ]);

    const { entries } = await admin<{ entries: { kind: string }[] }>('GET', '/admin/entries');
    expect(entries.map(({ kind }) => kind).sort()).toEqual([...Array(6).fill('deposit'), 'stand-in', 'stand-in']);
    const { accounts } = await admin<{ accounts: { ownerId: string; ledgerMinor: number }[] }>(
      'GET',
      '/admin/accounts',
    );
    expect(accounts.find(({ ownerId }) => ownerId === personId)?.ledgerMinor).toBe(210_000 - 2_000);
    expect(await admin('GET', '/admin/trial-balance')).toMatchObject({ balanced: true });
    for (const terminal of [lobby, shop]) {
      expect(await admin('GET', `/admin/chains/${terminal.identity.terminalId}`)).toMatchObject({
        verified: true,
        results: terminal.journal.head()?.sequence,
      });
      expect(terminal.alarms).toEqual([]);
    }
    expect(await admin('GET', '/admin/incidents')).toEqual({ incidents: [] });
  });

  test('status says how a terminal is while it runs, and shows no secret', async () => {
    await deposit(lobby, personId, 1_000);
    const { code, out } = await kaopass('status', '--data', join(root, 'lobby'));
    expect(code).toBe(0);
    expect(out).toContain(lobby.identity.terminalId!);
    expect(out).toContain('answers');
    expect(out).toMatch(/outbox +2 waiting, the oldest since \d{4}-\d\d-\d\d/);
    expect(out).toMatch(/open +no transaction/);
    const json = await kaopass('status', '--data', join(root, 'lobby'), '--json');
    expect(JSON.parse(json.out).journal.outbox.waiting).toBe(2);
    expect(json.out).not.toContain(lobby.activation.protectionSeed);
    expect(await lobby.sync.flush(signal)).toBe('drained');
  });

  test('who withdraws consent is forgotten everywhere', async () => {
    await admin('DELETE', `/admin/people/${personId}/template`);
    await shop.sync.pull(signal);
    expect(shop.gallery.size).toBe(0);
  });

  test('a chain that forks is refused, loudly, and nothing is skipped', async () => {
    const places = dataPlaces(join(root, 'shop'));
    await shop.close();
    const before = readFileSync(places.journal);
    shop = await openTerminal(join(root, 'shop'));
    await shop.journal.recordResult(exampleResult());
    expect(await shop.sync.flush(signal)).toBe('drained');
    // Somebody puts an old copy of the journal back.
    await shop.close();
    rmSync(`${places.journal}-wal`, { force: true });
    rmSync(`${places.journal}-shm`, { force: true });
    writeFileSync(places.journal, before);
    shop = await openTerminal(join(root, 'shop'));
    await shop.journal.recordResult(exampleResult());
    expect(await shop.sync.flush(signal)).toBe('refused');
    expect(shop.sync.resultsRefused).toContain('result-fork');
    expect(shop.alarms).toMatchObject([{ kind: 'results-refused' }]);
    expect(shop.journal.outboxSize()).toBe(1);
  });
});

test('the command line explains itself', async () => {
  expect(await kaopass('--help')).toMatchObject({ code: 0, out: expect.stringContaining('kaopass activate') });
  expect(await kaopass('dance')).toMatchObject({ code: 2, err: expect.stringContaining('no command "dance"') });
  expect(await kaopass('status', '--data', join(root, 'nowhere'))).toMatchObject({ code: 1 });
});

describe('a change of the protecting matrix', () => {
  test('reaches every terminal, over a restart and a long absence, and everybody is matched at each step', async () => {
    const [lobbyDir, awayDir] = ['changing', 'away'].map((name) => join(root, name));
    for (const dir of [lobbyDir!, awayDir!]) expect((await activateIn(dir, await newCode())).code).toBe(0);
    let lobby = await openTerminal(lobbyDir!);
    let away = await openTerminal(awayDir!);
    const seed = lobby.activation.protectionSeed;
    const known = new Map<Uuid, Float32Array>();
    const enrolAt = async (terminal: OpenTerminal) => {
      const face = faces.next();
      known.set(await enrol(terminal, face), face);
    };
    const matches = ({ gallery }: OpenTerminal, people: ReadonlyMap<Uuid, Float32Array> = known) => {
      for (const [personId, face] of people) {
        const found = gallery.identify(faces.near(face, 0.8), { maxFmr: 1e-5, lookAlikeFmr: 1e-3 });
        expect(found).toMatchObject({ outcome: 'match', personId });
      }
    };
    const goneOver = async (terminal: OpenTerminal, people = known) => {
      await vi.waitFor(() => {
        matches(terminal, people);
        expect(terminal.gallery.protections).toHaveLength(1);
        const waiting = terminal.journal.outbox.messages(10).map(({ kind }) => kind);
        expect(waiting).toContain('protection-receipt');
      });
      expect(await terminal.sync.flush(signal)).toBe('drained');
    };
    for (let n = 0; n < 3; n++) await enrolAt(lobby);
    for (const terminal of [lobby, away]) {
      await terminal.sync.pull(signal);
      expect(terminal.gallery.protections).toEqual([lobby.activation.protectionVersion]);
      matches(terminal);
    }
    await away.close();
    const damaged = asidePath(dataPlaces(awayDir!).gallery);
    writeFileSync(damaged, 'templates under the old matrix, sealed');
    const knownToAway = new Map(known);

    await admin('POST', '/admin/protection', { from: 1, reason: 'leak' });
    await lobby.protection.learn(signal);
    expect(lobby.gallery.protections).toHaveLength(2);
    matches(lobby);
    // The power goes in the middle of it.
    await lobby.close();
    lobby = await openTerminal(lobbyDir!);
    expect(lobby.gallery.protections).toHaveLength(2);
    matches(lobby);
    await enrolAt(lobby);
    await lobby.sync.pull(signal);
    matches(lobby);
    lobby.protection.start();
    await goneOver(lobby);
    const { protectionVersion: second } = lobby.activation;
    expect(lobby.gallery.protections).toEqual([second]);
    expect(second).toMatch(/^p2-/);

    // It slept through the change: what it has is right, and so is what it sends before it hears of it.
    away = await openTerminal(awayDir!);
    matches(away, knownToAway);
    await enrolAt(away);
    await away.sync.pull(signal);
    matches(away);
    await goneOver(away);
    await lobby.sync.pull(signal);
    matches(lobby);

    const report = async () =>
      await admin<{ waitingFor: { terminalId: string }[]; generations: { destroyedAt: number | null }[] }>(
        'GET',
        '/admin/protection',
      );
    const { waitingFor, generations } = await report();
    expect(generations[0]?.destroyedAt).toBeNull();
    const waited = waitingFor.map(({ terminalId }) => terminalId);
    for (const { identity } of [lobby, away]) expect(waited).not.toContain(identity.terminalId);
    // The others of this suite never come back.
    for (const { terminalId } of waitingFor) await admin('POST', `/admin/terminals/${terminalId}/revocation`);
    expect((await report()).generations[0]?.destroyedAt).toBeGreaterThan(0);
    expect([...lobby.alarms, ...away.alarms]).toEqual([]);
    for (const dir of [lobbyDir!, awayDir!]) {
      const { keys } = dataPlaces(dir);
      for (const name of readdirSync(keys)) expect(readFileSync(join(keys, name), 'utf8')).not.toContain(seed);
      expect(readdirSync(keys)).not.toContain('next-protection.key');
    }
    expect(existsSync(damaged)).toBe(false);
    // Nothing is left to do after another start.
    await lobby.close();
    lobby = await openTerminal(lobbyDir!);
    lobby.protection.start();
    await lobby.sync.pull(signal);
    matches(lobby);
    expect(lobby.gallery.notComparable).toBe(0);
    await lobby.close();
    await away.close();
  });
});
