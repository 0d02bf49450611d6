import { generateKeyPairSync } from 'node:crypto';
import { CompactEncrypt, importJWK } from 'jose';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { PROTECTION_TYP } from '../../src-contract/protection-change.ts';
import { systemChance, systemClock } from '../clock.ts';
import { exampleActivation, examplePolicyKey, signPolicy } from '../identity/activation.fixture.ts';
import type { Activation } from '../identity/activation.ts';
import { openIdentity } from '../identity/identity.ts';
import type { KeyStore } from '../identity/key-store.ts';
import type { Alarm } from '../journal/journal.ts';
import { createProtectionKeeper } from './protection-keeper.ts';

const signal = new AbortController().signal;
const quiet = { info: () => {}, warn: () => {} };

function memoryKeyStore(): KeyStore {
  const secrets = new Map<string, Uint8Array>();
  return {
    get: async (name) => secrets.get(name) ?? null,
    put: async (name, secret) => void secrets.set(name, secret),
    remove: async (name) => void secrets.delete(name),
    create: async (name, secret) => !secrets.has(name) && !!secrets.set(name, secret),
    list: async () => [...secrets.keys()],
  };
}

describe('what the bank announces', () => {
  const seed = new Uint8Array(32).fill(5);
  let activation: Activation;
  let keyStore: KeyStore;
  let announcement: string | null;
  let alarms: Alarm[];
  let begun: string[];
  let fails: number;
  let receipts: unknown[];
  let identity: Awaited<ReturnType<typeof openIdentity>>;

  const sealed = async (bytes = seed, of = identity) =>
    await new CompactEncrypt(bytes)
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
      .encrypt(await importJWK(of.encryptionPublicKey, 'ECDH-ES'));
  const announced = async (change: object = {}, by: Parameters<typeof signPolicy>[1] = {}) => {
    const { terminalId } = activation;
    const told = { version: 1, terminalId, generation: 2, protectionVersion: 'p2-new', issuedAt: 1 };
    announcement = signPolicy({ ...told, seed: await sealed(), ...change }, { typ: PROTECTION_TYP, ...by });
  };
  const keeper = () => {
    let people = 3;
    let protections = ['p-1'];
    return createProtectionKeeper({
      activation,
      next: null,
      keyStore,
      identity,
      gallery: {
        get protections() {
          return protections;
        },
        get unconverted() {
          return people;
        },
        size: 3,
        beginProtection: async ({ version }) => {
          begun.push(version);
          protections = ['p-1', version];
        },
        convert: () => {
          if (fails-- > 0) throw new Error('the disk is full');
          people--;
        },
        endProtection: () => {
          protections = protections.slice(1);
        },
      },
      deleteAside: () => undefined,
      bank: { protection: async () => ({ generation: 2, protectionVersion: 'p2-new', announcement }) },
      policies: { key: () => examplePolicyKey },
      journal: { recordProtectionReceipt: async (over) => void receipts.push(over) },
      // Nobody waits here.
      clock: { ...systemClock, sleep: async () => {} },
      log: quiet,
      onAlarm: (alarm) => alarms.push(alarm),
    });
  };

  beforeEach(async () => {
    keyStore = memoryKeyStore();
    identity = await openIdentity({ keyStore, clock: systemClock, chance: systemChance });
    activation = exampleActivation(systemChance.id());
    [alarms, begun, receipts, fails] = [[], [], [], 0];
  });

  test('is taken up, carried through a disk that was full for a while, and acknowledged', async () => {
    await announced();
    fails = 2;
    await keeper().learn(signal);
    await vi.waitFor(() => expect(receipts).toEqual([{ generation: 2, protectionVersion: 'p2-new' }]));
    expect(begun).toEqual(['p2-new']);
    // Told once, though it failed twice.
    expect(alarms).toEqual([{ kind: 'protection', message: expect.stringContaining('the disk is full') }]);
    expect(activation).toMatchObject({ protectionVersion: 'p2-new', protectionGeneration: 2 });
    expect(activation.protectionSeed).toBe(Buffer.from(seed).toString('base64url'));
    expect(await keyStore.list()).not.toContain('next-protection');
    const record = JSON.parse(new TextDecoder().decode((await keyStore.get('activation')) ?? undefined));
    expect(record).toMatchObject({ terminalId: activation.terminalId, protectionSeed: activation.protectionSeed });
  });

  const another = generateKeyPairSync('ed25519').privateKey;
  test.each<[string, object, Parameters<typeof signPolicy>[1], string]>([
    ['signed by somebody else', {}, { key: another }, 'signature'],
    ['signed as something else', {}, { typ: 'kaopass-policy+jws' }, 'typ'],
    ["another terminal's", { terminalId: systemChance.id() }, {}, 'another terminal'],
    ['as old as what is held', { generation: 1 }, {}, 'not newer than 1'],
    ['sealed for nobody here', { seed: 'a.b.c.d.e' }, {}, 'seed'],
    ['of another shape', { extra: 1 }, {}, 'does not fit'],
  ])('is not taken when it is %s, and said once', async (_, change, by, why) => {
    await announced(change, by);
    const asking = keeper();
    for (let n = 0; n < 3; n++) await asking.learn(signal);
    expect(alarms).toEqual([{ kind: 'protection', message: expect.stringContaining(why) }]);
    expect([begun, await keyStore.get('next-protection')]).toEqual([[], null]);
  });

  test('is nothing where the terminal has the current matrix', async () => {
    announcement = null;
    await keeper().learn(signal);
    expect([alarms, begun, receipts]).toEqual([[], [], []]);
  });
});
