import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Ed25519PublicJwk, type PolicyKey } from '../../src-contract/bank-api.ts';
import type { Policy } from '../../src-contract/policy.ts';
import type { WallTimeMs } from '../../src-contract/primitives.ts';
import { examplePolicy, examplePolicyKey, signPolicy } from '../identity/activation.fixture.ts';
import { memoryOf } from './clock.fixture.ts';
import { openPolicyBook, type PolicyBook } from './policy-book.ts';

const NONCE = 'n'.repeat(22);
const asked = { nonce: NONCE, askedMs: 7 };
const stranger = generateKeyPairSync('ed25519');
const strangersKey: PolicyKey = {
  ...Ed25519PublicJwk.parse(stranger.publicKey.export({ format: 'jwk' })),
  kid: 'stranger',
};
const HOUR = 3_600_000;
const at = (ms: number) => ms as WallTimeMs;
const DAY_ONE = 1_800_000_000_000;
const policy = (version: string, change: Partial<Policy> = {}): Policy => ({
  ...examplePolicy(version),
  issuedAt: at(DAY_ONE),
  expiresAt: at(DAY_ONE + 96 * HOUR),
  nonce: NONCE,
  ...change,
});

let kept: { signedPolicy?: string; times?: string };
let keys: Map<string, Uint8Array>;
let alarms: string[];
const time = { notBefore: vi.fn(), bankSigned: vi.fn() };
const open = (activation: { policy: string | null; policyKey: PolicyKey | null }) =>
  openPolicyBook({
    memory: memoryOf(kept),
    activation,
    keyStore: {
      get: async (name) => keys.get(name) ?? null,
      put: async () => {},
      remove: async (name) => void keys.delete(name),
      create: async (name, bytes) => !keys.has(name) && !!keys.set(name, bytes),
      list: async () => [...keys.keys()],
    },
    time,
    log: { info: () => {}, warn: () => {} },
    onAlarm: ({ kind, message }) => alarms.push(`${kind}: ${message}`),
  });
const activated = { policy: signPolicy(policy('v1')), policyKey: examplePolicyKey };
const answerOf = (next: Policy, sign: Parameters<typeof signPolicy>[1] = {}) => ({
  policy: signPolicy(next, sign),
  policyKey: examplePolicyKey,
});

let book: PolicyBook;
beforeEach(async () => {
  kept = {};
  keys = new Map();
  alarms = [];
  time.notBefore.mockClear();
  time.bankSigned.mockClear();
  book = await open(activated);
});
const later = (version: string, change: Partial<Policy> = {}) =>
  policy(version, { issuedAt: at(DAY_ONE + HOUR), expiresAt: at(DAY_ONE + 97 * HOUR), ...change });

describe('a policy', () => {
  test('of the activation is in force until another one is taken, which stays over restarts', async () => {
    expect(book.current()?.version).toBe('v1');
    await book.take(answerOf(later('v2')), asked);
    expect(book.current()?.version).toBe('v2');
    expect(time.bankSigned).toHaveBeenCalledWith(DAY_ONE + HOUR, 7);
    expect((await open(activated)).current()).toEqual(later('v2'));
    expect(alarms).toEqual([]);
  });

  test.each<[string, ReturnType<typeof answerOf>, RegExp]>([
    ['signed by another key', answerOf(later('v2'), { key: stranger.privateKey }), /signature does not verify/],
    [
      'of another bank, with its key',
      { ...answerOf(later('v2'), { key: stranger.privateKey }), policyKey: strangersKey },
      /signature does not verify/,
    ],
    ['that is a JWS of another kind', answerOf(later('v2'), { typ: 'kaopass-match+jws' }), /typ is not/],
    ['issued before the one in force', answerOf(policy('v2', { issuedAt: at(DAY_ONE - 1) })), /older than v1/],
    ['much older under the same version', answerOf(policy('v1', { issuedAt: at(DAY_ONE - HOUR) })), /older than v1/],
    ['kept from another answer', answerOf(later('v2', { nonce: 'm'.repeat(22) })), /does not answer/],
    ['without a nonce', answerOf(later('v2', { nonce: null })), /does not answer/],
    ['that expires before it was issued', answerOf(later('v2', { expiresAt: at(DAY_ONE) })), /expires before/],
    ['that does not fit', answerOf({ ...later('v2'), lookAlikeFmr: 2 }), /lookAlikeFmr/],
  ])('%s is not taken, with an alarm, and the old one stays', async (_, answer, words) => {
    await book.take(answer, asked);
    expect(alarms).toEqual([expect.stringMatching(words)]);
    expect(alarms[0]).toMatch(/^policy: /);
    expect(book.current()?.version).toBe('v1');
    expect(kept).toEqual({});
    expect(time.bankSigned).not.toHaveBeenCalled();
  });

  test('altered in the journal is not used when it is read back, and no older one in its place', async () => {
    await book.take(answerOf(later('v2')), asked);
    const [head, , signature] = kept.signedPolicy!.split('.');
    const forged = Buffer.from(JSON.stringify({ ...later('v2'), expiresAt: 9_000_000_000_000 })).toString('base64url');
    kept.signedPolicy = `${head}.${forged}.${signature}`;
    const again = await open(activated);
    expect(again.current()).toBeNull();
    expect(alarms).toEqual([expect.stringContaining('kept on this terminal is not used')]);
    await again.take(answerOf(later('v2')), asked);
    expect(again.current()?.version).toBe('v2');
  });

  test('a little older, from another process of the same bank, is no alarm', async () => {
    await book.take(answerOf(policy('v1', { issuedAt: at(DAY_ONE - 90_000) })), asked);
    expect([alarms, kept]).toEqual([[], {}]);
  });

  test('issued anew is written down once an hour, and not every ten seconds', async () => {
    const puts: string[] = [];
    const stop = book.onTaken(() => puts.push(kept.signedPolicy!));
    for (let n = 1; n <= 720; n++) {
      const issuedAt = DAY_ONE + n * 10_000;
      await book.take(answerOf(policy('v1', { issuedAt: at(issuedAt), expiresAt: at(issuedAt + 96 * HOUR) })), asked);
    }
    stop();
    expect(puts).toHaveLength(2);
    expect(book.current()?.expiresAt).toBe(DAY_ONE + 98 * HOUR);
  });

  test('whose validity the bank has shortened is taken at once', async () => {
    await book.take(answerOf(policy('v1', { issuedAt: at(DAY_ONE + 1), expiresAt: at(DAY_ONE + HOUR) })), asked);
    expect(book.current()?.expiresAt).toBe(DAY_ONE + HOUR);
  });
});

describe('a terminal activated before policies were signed', () => {
  test('has none until the bank answers, and then keeps that bank’s key for good', async () => {
    book = await open({ policy: null, policyKey: null });
    expect(book.current()).toBeNull();
    await book.take(answerOf(later('v2')), asked);
    expect(book.current()?.version).toBe('v2');
    const again = await open({ policy: null, policyKey: null });
    expect(again.current()?.version).toBe('v2');
    await again.take({ policy: signPolicy(later('v3'), { key: stranger.privateKey }), policyKey: strangersKey }, asked);
    expect(again.current()?.version).toBe('v2');
    expect(alarms).toEqual([expect.stringContaining('signature does not verify')]);
  });

  test('whose kept key is damaged does not take another', async () => {
    keys.set('policy-key', new TextEncoder().encode('{"kty":'));
    await expect(open({ policy: null, policyKey: null })).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
  });
});
