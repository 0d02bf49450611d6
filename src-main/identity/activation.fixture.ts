/** An activation for tests: a policy and names that fit their schemas, keys that open nothing. */
import { Policy } from '../../src-contract/policy.ts';
import type { Uuid, WallTimeMs } from '../../src-contract/primitives.ts';
import type { Activation } from './activation.ts';

export function examplePolicy(version = 'test-1'): Policy {
  const service = (maxAmountMinor: number | null) => ({
    maxFmr: 1e-4,
    secondFactor: { kind: 'always' },
    maxAmountMinor,
  });
  return Policy.parse({
    version,
    issuedAt: 1_700_000_000_000,
    services: {
      enrol: service(null),
      balance: service(null),
      deposit: service(1_000_000),
      withdraw: service(500_000),
      transfer: service(500_000),
      purchase: { ...service(100_000), secondFactor: { kind: 'above', amountMinor: 5_000 } },
    },
    standIn: { purchase: { perTransactionMinor: 1_000, perPersonMinor: 3_000, perTerminalMinor: 20_000 } },
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
    version: 1,
    terminalId,
    bankUrl: 'http://bank.test',
    name: 'test terminal',
    profile: 'atm',
    activatedAt: 1_700_000_000_000 as WallTimeMs,
    policy: examplePolicy(),
    pinKey: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43), kid: 'pin-1' },
    protectionSeed: `${'SEED'.repeat(10)}SEE`,
    protectionVersion: 'p-1',
  };
}
