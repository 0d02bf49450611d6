import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemChance } from './clock.ts';
import { createVault, keyFile } from './vault.ts';

const plain = new TextEncoder().encode('a template');

describe('the vault', () => {
  const vault = createVault(new Uint8Array(32).fill(1), systemChance);

  it('opens what it sealed, and never seals twice alike', () => {
    const sealed = vault.seal('template', 'person', plain);
    expect(vault.open('template', 'person', sealed)).toEqual(plain);
    expect(vault.seal('template', 'person', plain)).not.toEqual(sealed);
    expect(Buffer.from(sealed).includes(Buffer.from(plain))).toBe(false);
  });

  it('opens nothing that was moved, altered, cut, or sealed under another key', () => {
    const sealed = vault.seal('template', 'person', plain);
    expect(() => vault.open('template', 'another', sealed)).toThrow();
    expect(() => vault.open('platform-secret', 'person', sealed)).toThrow();
    for (let byte = 0; byte < sealed.length; byte += 1) {
      const altered = Uint8Array.from(sealed);
      altered[byte] = (altered[byte] ?? 0) ^ 1;
      expect(() => vault.open('template', 'person', altered)).toThrow();
    }
    expect(() => vault.open('template', 'person', sealed.subarray(0, -1))).toThrow();
    expect(() => vault.open('template', 'person', sealed.subarray(0, 20))).toThrow();
    const another = createVault(new Uint8Array(32).fill(2), systemChance);
    expect(() => another.open('template', 'person', sealed)).toThrow();
  });

  it('has a key of its own for each purpose', () => {
    expect(vault.mac('pin-pepper', 'x')).not.toEqual(vault.mac('activation-code', 'x'));
  });

  it('wants a key of 32 bytes', () => {
    expect(() => createVault(new Uint8Array(16), systemChance)).toThrow(/32 bytes, not 16/);
  });
});

describe('a key file', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kaopass-key-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is made once, for its owner only, and read again', () => {
    const source = keyFile(join(directory, 'key'));
    expect(source.load()).toBeNull();
    const key = source.create(systemChance);
    expect(source.load()).toEqual(key);
    expect(statSync(source.name).mode & 0o777).toBe(0o600);
    expect(() => source.create(systemChance)).toThrow(/cannot write/);
  });

  it.each(['', 'short', `${'A'.repeat(42)}!`, 'A'.repeat(44)])('that holds "%s" is named as damaged', (text) => {
    const path = join(directory, 'key');
    writeFileSync(path, text);
    expect(() => keyFile(path).load()).toThrow(`the bank key ${path} is damaged`);
  });
});
