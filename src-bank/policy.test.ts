import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { standInBreaches } from '../src-contract/stand-in.ts';
import { DEFAULT_POLICY, loadPolicy, POLICY_VALID_MS_DEFAULT, wantsPin, withDigest } from './policy.ts';

describe('the default policy', () => {
  it('wants the PIN for withdrawals, transfers and balances always, for deposits never, for purchases above ¥3,000', () => {
    expect(wantsPin(DEFAULT_POLICY, 'withdraw', 1_000)).toBe(true);
    expect(wantsPin(DEFAULT_POLICY, 'transfer', 1)).toBe(true);
    expect(wantsPin(DEFAULT_POLICY, 'balance', null)).toBe(true);
    expect(wantsPin(DEFAULT_POLICY, 'deposit', 1_000_000)).toBe(false);
    expect(wantsPin(DEFAULT_POLICY, 'purchase', 3_000)).toBe(false);
    expect(wantsPin(DEFAULT_POLICY, 'purchase', 3_001)).toBe(true);
  });

  it('lets less through while the bank is away than a face alone may pay online', () => {
    const { tiers, perPerson, perTerminal } = DEFAULT_POLICY.standIn.services.purchase;
    for (const { maxFmr, perTransactionMinor, perPersonMinor } of tiers) {
      expect(maxFmr).toBeLessThanOrEqual(DEFAULT_POLICY.services.purchase.maxFmr);
      expect(perTransactionMinor).toBeLessThanOrEqual(3_000);
      expect(perPersonMinor).toBeGreaterThanOrEqual(perTransactionMinor);
      expect(perPerson.amountMinor).toBeGreaterThanOrEqual(perPersonMinor);
    }
    expect(perTerminal.amountMinor).toBeGreaterThanOrEqual(perPerson.amountMinor);
    expect(DEFAULT_POLICY.standIn.offlineMsMax).toBeLessThan(POLICY_VALID_MS_DEFAULT);
  });

  it.each([
    // What the demonstration measured: one in the gallery, passive liveness 0.98.
    [1.31e-7, 0.98, 3_000],
    [7 * 1.31e-7, 0.98, 3_000],
    [8 * 1.31e-7, 0.98, 1_000],
    [1.31e-7, 0.6, 1_000],
    [75 * 1.31e-7, 0.98, 1_000],
    [77 * 1.31e-7, 0.98, 0],
    [1.31e-7, 0.4, 0],
  ])('at a false-match rate of %d and a liveness of %d stands in for ¥%d', (estimatedFmr, passive, most) => {
    const allows = (amountMinor: number) =>
      standInBreaches({
        policy: DEFAULT_POLICY.standIn,
        service: 'purchase',
        amountMinor,
        evidence: { estimatedFmr, passive, decision: 'live' },
        totals: { person: { amountMinor: 0, count: 0 }, terminal: { amountMinor: 0, count: 0 }, recent: () => 0 },
        offlineMs: 0,
        validForMs: 1,
      }).length === 0;
    expect(allows(most + 1)).toBe(false);
    if (most > 0) expect(allows(most)).toBe(true);
  });

  it('is issued under a version that names what is in it', () => {
    const { version } = withDigest(DEFAULT_POLICY);
    expect(version).toMatch(/^2026-11-28\+[\w-]{8}$/);
    expect(withDigest({ ...DEFAULT_POLICY }).version).toBe(version);
    expect(withDigest({ ...DEFAULT_POLICY, lookAlikeFmr: 2e-4 }).version).not.toBe(version);
  });

  it('says the same in both languages, paragraph by paragraph', () => {
    const { ja, en } = DEFAULT_POLICY.consent.texts;
    expect(ja.paragraphs).toHaveLength(en.paragraphs.length);
    for (const text of [...ja.paragraphs, ...en.paragraphs]) expect(text.length).toBeGreaterThan(40);
  });
});

describe('a policy file', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kaopass-policy-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  const load = (content: unknown) => {
    const path = join(directory, 'policy.json');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return loadPolicy(path);
  };

  it('replaces the default as a whole', () => {
    expect(load({ ...DEFAULT_POLICY, version: 'mine' })).toEqual({ ...DEFAULT_POLICY, version: 'mine' });
  });

  it('from before there were transfers forbids them', () => {
    const { transfer, ...services } = DEFAULT_POLICY.services;
    expect(transfer.maxAmountMinor).toBeGreaterThan(0);
    expect(load({ ...DEFAULT_POLICY, services }).services).toEqual({
      ...services,
      transfer: {
        maxFmr: 0,
        secondFactor: { kind: 'always' },
        challenge: { kind: 'never' },
        claimed: null,
        maxAmountMinor: 0,
      },
    });
  });

  it('from before there were claimed identities allows none', () => {
    const { claimed, ...balance } = DEFAULT_POLICY.services.balance;
    expect(claimed).not.toBeNull();
    const loaded = load({ ...DEFAULT_POLICY, services: { ...DEFAULT_POLICY.services, balance } });
    expect(loaded.services.balance).toEqual({ ...balance, claimed: null });
  });

  it.each([
    [{ ...DEFAULT_POLICY, lookAlikeFmr: 2 }, /lookAlikeFmr/],
    [{ ...DEFAULT_POLICY, colour: 'red' }, /colour/],
    [{ ...DEFAULT_POLICY, pin: { digitsMin: 6, digitsMax: 4, attempts: 3 } }, /pin\.digitsMax: is less than digitsMin/],
    [{ ...DEFAULT_POLICY, version: 'v'.repeat(52) }, /version: is longer than 51 characters/],
    [{ ...DEFAULT_POLICY, services: { ...DEFAULT_POLICY.services, withdraw: {} } }, /services\.withdraw\.maxFmr/],
    [
      {
        ...DEFAULT_POLICY,
        services: {
          ...DEFAULT_POLICY.services,
          deposit: { ...DEFAULT_POLICY.services.deposit, claimed: { maxFmr: 1e-4 } },
        },
      },
      /services\.deposit\.claimed: must be null: the service asks for no PIN/,
    ],
    ['{', /cannot be read/],
  ])('that does not fit is refused with the field named (%#)', (content, sentence) => {
    expect(() => load(content)).toThrow(sentence);
  });
});
