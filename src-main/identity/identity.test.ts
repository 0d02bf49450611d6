import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { CompactEncrypt, compactVerify, importJWK } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RequestAssertion } from '../../src-contract/bank-api.ts';
import type { MatchResult } from '../../src-contract/match-result.ts';
import { Uuid } from '../../src-contract/primitives.ts';
import { systemChance, systemClock } from '../clock.ts';
import { verifyPolicy } from '../policy/verify.ts';
import { exampleActivation } from './activation.fixture.ts';
import { writeActivation } from './activation.ts';
import { openFileKeyStore } from './file-key-store.ts';
import { openIdentity } from './identity.ts';

let directory: string;
const open = async () =>
  openIdentity({ keyStore: await openFileKeyStore(join(directory, 'keys')), clock: systemClock, chance: systemChance });
const activate = async () =>
  writeActivation(await openFileKeyStore(join(directory, 'keys')), exampleActivation(systemChance.id()));

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kaopass-identity-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the file key store', () => {
  test('keeps secrets in files that only their owner can read', async () => {
    const store = await openFileKeyStore(join(directory, 'keys'));
    await store.put('data-key', Uint8Array.of(1, 2, 3));
    expect((await stat(join(directory, 'keys'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'keys', 'data-key.key'))).mode & 0o777).toBe(0o600);
    expect(await store.get('data-key')).toEqual(Uint8Array.of(1, 2, 3));
    expect(await store.list()).toEqual(['data-key']);
  });

  test('never overwrites what create() was to make', async () => {
    const store = await openFileKeyStore(join(directory, 'keys'));
    expect(await store.create('data-key', Uint8Array.of(1))).toBe(true);
    expect(await store.create('data-key', Uint8Array.of(2))).toBe(false);
    expect(await store.get('data-key')).toEqual(Uint8Array.of(1));
    expect(await readdir(join(directory, 'keys'))).toEqual(['data-key.key']);
  });

  test('holds one whole secret and nothing else after many writes at once', async () => {
    const store = await openFileKeyStore(join(directory, 'keys'));
    await Promise.all(Array.from({ length: 20 }, (_, n) => store.put('data-key', new Uint8Array(1_000).fill(n))));
    const secret = await store.get('data-key');
    expect(secret).toEqual(new Uint8Array(1_000).fill(secret?.[0] ?? 255));
    expect(await readdir(join(directory, 'keys'))).toEqual(['data-key.key']);
  });

  test('refuses a file that others can read, and names it', async () => {
    const store = await openFileKeyStore(join(directory, 'keys'));
    await store.put('data-key', Uint8Array.of(1));
    const file = join(directory, 'keys', 'data-key.key');
    await chmod(file, 0o640);
    await expect(store.get('data-key')).rejects.toMatchObject({
      code: 'KEY_STORE_INVALID',
      message: expect.stringContaining(file),
    });
  });

  test('refuses a directory that others can enter, and names it', async () => {
    await openFileKeyStore(join(directory, 'keys'));
    await chmod(join(directory, 'keys'), 0o755);
    await expect(openFileKeyStore(join(directory, 'keys'))).rejects.toMatchObject({
      code: 'KEY_STORE_INVALID',
      message: expect.stringContaining(join(directory, 'keys')),
    });
  });

  test('takes no name that leads out of its directory', async () => {
    const store = await openFileKeyStore(join(directory, 'keys'));
    await expect(store.get('../passwd')).rejects.toThrow('not the name of a secret');
  });
});

describe('an identity', () => {
  test('has the same keys each time it is opened', async () => {
    const [first, second] = [await open(), await open()];
    expect(second.signingPublicKey).toEqual(first.signingPublicKey);
    expect(second.encryptionPublicKey).toEqual(first.encryptionPublicKey);
    expect(second.dataKey.equals(first.dataKey)).toBe(true);
  });

  test('opened twice at once for the first time, is one identity', async () => {
    const [first, second] = await Promise.all([open(), open()]);
    expect(second.signingPublicKey).toEqual(first.signingPublicKey);
    expect(second.dataKey.equals(first.dataKey)).toBe(true);
  });

  test('signs nothing before it is activated', async () => {
    const identity = await open();
    expect(identity.terminalId).toBeNull();
    const request = { method: 'GET', pathAndQuery: '/v1/policy', body: new Uint8Array() } as const;
    await expect(identity.assertRequest(request)).rejects.toMatchObject({ code: 'NOT_ACTIVATED' });
    await expect(identity.signResult({} as MatchResult)).rejects.toMatchObject({ code: 'NOT_ACTIVATED' });
  });

  test('signs match results that its public key verifies, with typ and kid', async () => {
    await activate();
    const identity = await open();
    const jws = await identity.signResult({ sequence: 7 } as MatchResult);
    const { payload, protectedHeader } = await compactVerify(jws, await importJWK(identity.signingPublicKey, 'EdDSA'));
    expect(protectedHeader).toEqual({ alg: 'EdDSA', typ: 'kaopass-match+jws', kid: identity.terminalId });
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({ sequence: 7 });
  });

  test('asserts a request by method, path, query and the hash of its body', async () => {
    await activate();
    const identity = await open();
    const body = new TextEncoder().encode('{"a":1}');
    const jws = await identity.assertRequest({ method: 'POST', pathAndQuery: '/v1/results?x=1', body });
    const { payload } = await compactVerify(jws, await importJWK(identity.signingPublicKey, 'EdDSA'));
    const claims = RequestAssertion.parse(JSON.parse(new TextDecoder().decode(payload)));
    expect(claims).toMatchObject({ iss: identity.terminalId, htm: 'POST', htu: '/v1/results?x=1' });
    expect(Buffer.from(claims.bodySha256, 'base64url').toString('hex')).toBe(
      '015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862',
    );
  });

  test('opens what was encrypted for it, and nothing else', async () => {
    const identity = await open();
    const seal = async (key: Parameters<typeof importJWK>[0]) =>
      new CompactEncrypt(Uint8Array.of(9, 9))
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
        .encrypt(await importJWK(key, 'ECDH-ES'));
    expect(await identity.openSecret(await seal(identity.encryptionPublicKey))).toEqual(Uint8Array.of(9, 9));
    await rm(join(directory, 'keys'), { recursive: true });
    const stranger = await open();
    await expect(identity.openSecret(await seal(stranger.encryptionPublicKey))).rejects.toMatchObject({
      code: 'KEY_STORE_INVALID',
    });
  });

  test('shows no key when it is inspected or serialised', async () => {
    const identity = await open();
    const secret = await readFile(join(directory, 'keys', 'signing-key.key'));
    const shown = inspect(identity, { depth: 9, showHidden: true }) + JSON.stringify(identity);
    expect(shown).not.toContain(secret.subarray(-32).toString('base64url'));
    expect(shown).not.toContain(secret.subarray(-32).toString('hex'));
  });

  test.each([
    ['signing-key', Uint8Array.of(1, 2, 3)],
    ['data-key', Uint8Array.of(1, 2, 3)],
    ['activation', new TextEncoder().encode('{"version":1}')],
    ['activation', new TextEncoder().encode('not json')],
  ])('refuses an altered %s and names it without quoting it', async (name, bytes) => {
    await open();
    await writeFile(join(directory, 'keys', `${name}.key`), bytes, { mode: 0o600 });
    await expect(open()).rejects.toMatchObject({
      code: 'KEY_STORE_INVALID',
      message: expect.stringContaining(`"${name}"`),
    });
  });

  test('shows no seed of the protection when it is inspected or serialised, and has it when asked', async () => {
    await activate();
    const identity = await open();
    const seed = exampleActivation(systemChance.id()).protectionSeed;
    expect(identity.activation?.protectionSeed).toBe(seed);
    expect(inspect(identity, { depth: 9 }) + JSON.stringify(identity)).not.toContain(seed);
  });

  test('knows its name and its policy once activated', async () => {
    await activate();
    const identity = await open();
    expect(Uuid.safeParse(identity.terminalId).success).toBe(true);
    expect(await verifyPolicy(identity.activation!.policy!, identity.activation!.policyKey!)).toMatchObject({
      policy: { version: 'test-1' },
    });
    expect(await activate()).toBe(false);
  });
});
