/** An activation for tests: a policy and names that fit their schemas, keys that open nothing. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { Ed25519PublicJwk, type PolicyKey } from '../../src-contract/bank-api.ts';
import { POLICY_TYP, Policy } from '../../src-contract/policy.ts';
import type { Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import type { Activation } from './activation.ts';

const bankKeys = generateKeyPairSync('ed25519');
/** The bank's of these tests. */
export const examplePolicyKey: PolicyKey = {
  ...Ed25519PublicJwk.parse(bankKeys.publicKey.export({ format: 'jwk' })),
  kid: 'policy-1',
};

/** As a bank does; by another bank's key where one is given. */
export function signPolicy(policy: object, { key = bankKeys.privateKey, typ = POLICY_TYP } = {}): string {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encoded({ alg: 'EdDSA', typ, kid: 'policy-1' })}.${encoded(policy)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

export function examplePolicy(version = 'test-1'): Policy {
  const service = (maxAmountMinor: number | null) => ({
    maxFmr: 1e-4,
    secondFactor: { kind: 'always' },
    maxAmountMinor,
  });
  return Policy.parse({
    version,
    issuedAt: 1_700_000_000_000,
    expiresAt: 4_000_000_000_000,
    nonce: null,
    services: {
      enrol: service(null),
      balance: service(null),
      deposit: service(1_000_000),
      withdraw: service(500_000),
      transfer: service(500_000),
      purchase: { ...service(100_000), secondFactor: { kind: 'above', amountMinor: 5_000 } },
    },
    standIn: {
      offlineMsMax: 86_400_000,
      services: {
        purchase: {
          tiers: [{ maxFmr: 1e-5, minPassive: 0.5, perTransactionMinor: 1_000, perPersonMinor: 3_000 }],
          perPerson: { amountMinor: 3_000, count: 10 },
          perTerminal: { amountMinor: 20_000, count: 50 },
          velocity: [{ of: 'person', count: 5, windowMs: 3_600_000 }],
        },
      },
    },
    pin: { digitsMin: 4, digitsMax: 6, attempts: 3 },
    lookAlikeFmr: 1e-4,
    consent: {
      version: 'c-1',
      texts: { ja: { title: '同意', paragraphs: ['…'] }, en: { title: 'Consent', paragraphs: ['…'] } },
    },
  });
}

export function exampleActivation(terminalId: Uuid): Activation {
  return {
    version: 2,
    terminalId,
    bankUrl: 'http://bank.test',
    name: 'test terminal',
    profile: 'atm',
    activatedAt: 1_700_000_000_000 as WallTimeMs,
    policy: signPolicy(examplePolicy()),
    policyKey: examplePolicyKey,
    pinKey: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43), kid: 'pin-1' },
    protectionSeed: `${'SEED'.repeat(10)}SEE`,
    protectionVersion: 'p-1',
    protectionGeneration: 1,
  };
}
