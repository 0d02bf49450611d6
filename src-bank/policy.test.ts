import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, loadPolicy, wantsPin } from './policy.ts';

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
    const { perTransactionMinor, perPersonMinor, perTerminalMinor } = DEFAULT_POLICY.standIn.purchase;
    expect(perTransactionMinor).toBeLessThanOrEqual(3_000);
    expect(perPersonMinor).toBeGreaterThanOrEqual(perTransactionMinor);
    expect(perTerminalMinor).toBeGreaterThanOrEqual(perPersonMinor);
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
      transfer: { maxFmr: 0, secondFactor: { kind: 'always' }, maxAmountMinor: 0 },
    });
  });

  it.each([
    [{ ...DEFAULT_POLICY, lookAlikeFmr: 2 }, /lookAlikeFmr/],
    [{ ...DEFAULT_POLICY, colour: 'red' }, /colour/],
    [{ ...DEFAULT_POLICY, pin: { digitsMin: 6, digitsMax: 4, attempts: 3 } }, /pin\.digitsMax: is less than digitsMin/],
    [{ ...DEFAULT_POLICY, services: { ...DEFAULT_POLICY.services, withdraw: {} } }, /services\.withdraw\.maxFmr/],
    ['{', /cannot be read/],
  ])('that does not fit is refused with the field named (%#)', (content, sentence) => {
    expect(() => load(content)).toThrow(sentence);
  });
});
