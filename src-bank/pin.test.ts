import { CompactEncrypt, type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { P256PublicJwk } from '../src-contract/bank-api.ts';
import { systemChance as terminalChance } from '../src-main/clock.ts';
import { encryptPinBlock } from '../src-main/devices/pin-block.ts';
import { systemChance } from './clock.ts';
import { hashPin, isWeakPin, type PinKey, readPinBlock, readPinField, samePin, verifyPin } from './pin.ts';
import { createVault } from './vault.ts';

describe('a PIN field (ISO 9564-1, format 4)', () => {
  it.each([
    ['441234AAAAAAAAAA', '1234'],
    ['4C123456789012AA', '123456789012'],
    ['441234aaaaaaaaaa', '1234'],
  ])('%s holds %s', (field, digits) => expect(readPinField(field)).toBe(digits));

  it.each([
    ['041234FFFFFFFFFF', 'format 0'],
    ['341234FFFFFFFFFF', 'format 3'],
    ['43123AAAAAAAAAAA', 'three digits'],
    ['4D1234567890123A', 'thirteen digits'],
    ['4412A4AAAAAAAAAA', 'fill inside the PIN'],
    ['4412345AAAAAAAAA', 'a digit in the fill'],
    ['441234AAAAAAAAA', 'fifteen nibbles'],
    ['', 'nothing'],
  ])('%s (%s) is none', (field) => expect(readPinField(field)).toBeNull());
});

describe('a PIN block', () => {
  let key: PinKey;
  let sealingKey: CryptoKey;
  let publicKey: P256PublicJwk & { kid: string };
  const boundTo = '0198c0de-0000-7000-8000-000000000001';
  beforeAll(async () => {
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    sealingKey = pair.publicKey;
    const { kty, crv, x, y } = await exportJWK(pair.publicKey);
    const jwk = P256PublicJwk.parse({ kty, crv, x, y });
    publicKey = { ...jwk, kid: await calculateJwkThumbprint(jwk) };
    key = { kid: publicKey.kid, privateKey: pair.privateKey };
  });
  const seal = (content: object | string, typ = 'kaopass-pin+jwe') =>
    new CompactEncrypt(new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', typ, kid: publicKey.kid })
      .encrypt(sealingKey);

  it.each(['1234', '2749', '019283', '123456789012'])("made by the terminal's PIN pad opens to %s", async (digits) => {
    const bytes = Uint8Array.from(digits, Number);
    const block = await encryptPinBlock(bytes, { encryptFor: publicKey, boundTo }, terminalChance);
    expect((await readPinBlock(block, boundTo, key, 'pinBlock')).digits).toBe(digits);
  });

  it.each([
    ['not JSON', 'nonsense'],
    ['a member too many', { pinField: '441234AAAAAAAAAA', boundTo, nonce: boundTo, extra: 1 }],
    ['no nonce', { pinField: '441234AAAAAAAAAA', boundTo }],
    ['a field of format 3', { pinField: '341234FFFFFFFFFF', boundTo, nonce: boundTo }],
    ['another transaction', { pinField: '441234AAAAAAAAAA', boundTo: 'another', nonce: boundTo }],
  ])('with %s inside is refused by its field, saying no digit', async (_case, content) => {
    const opening = readPinBlock(await seal(content), boundTo, key, 'pinBlocks.1');
    await expect(opening).rejects.toMatchObject({ code: 'invalid-request', field: 'pinBlocks.1' });
    await expect(opening).rejects.not.toThrow(/1234/);
  });

  it('for another key, of another typ, or changed by one letter is refused', async () => {
    const good = await seal({ pinField: '441234AAAAAAAAAA', boundTo, nonce: boundTo });
    await expect(readPinBlock(good, boundTo, key, 'pinBlock')).resolves.toMatchObject({ digits: '1234' });
    const other = { ...key, kid: 'another' };
    await expect(readPinBlock(good, boundTo, other, 'pinBlock')).rejects.toThrow(/kid/);
    const parts = good.split('.');
    parts[3] = `${parts[3]?.[0] === 'A' ? 'B' : 'A'}${parts[3]?.slice(1)}`;
    await expect(readPinBlock(parts.join('.'), boundTo, key, 'pinBlock')).rejects.toThrow(/decrypted/);
    const mistyped = await seal({ pinField: '441234AAAAAAAAAA', boundTo, nonce: boundTo }, 'JWT');
    await expect(readPinBlock(mistyped, boundTo, key, 'pinBlock')).rejects.toThrow(/typ/);
  });
});

describe('a PIN', () => {
  it.each(['0000', '9999', '111111', '1234', '4321', '7890', '0987', '456789', '2580', '1212', '123123'])(
    '%s is too simple',
    (digits) => expect(isWeakPin(digits)).toBe(true),
  );
  it.each(['2749', '1357', '9182', '135791', '1243'])('%s will do', (digits) => expect(isWeakPin(digits)).toBe(false));

  const vault = createVault(new Uint8Array(32).fill(1), systemChance);
  it('is recognised by its hash, which no other digits and no other bank key fit', async () => {
    const hash = await hashPin('2749', vault, systemChance);
    expect(hash).not.toContain('2749');
    expect(await verifyPin('2749', hash, vault)).toBe(true);
    expect(await verifyPin('2748', hash, vault)).toBe(false);
    expect(await verifyPin('2749', hash, createVault(new Uint8Array(32).fill(2), systemChance))).toBe(false);
    expect(await hashPin('2749', vault, systemChance)).not.toBe(hash);
  });

  it('is the same only when every digit is', () => {
    expect(samePin('2749', '2749')).toBe(true);
    expect(samePin('2749', '27490')).toBe(false);
    expect(samePin('2749', '2740')).toBe(false);
  });
});
