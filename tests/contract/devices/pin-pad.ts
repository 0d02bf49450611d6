/** What every PIN pad driver must do. The rig's hands press keys: 0–9, E enter, C cancel, < correct. */
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import type { P256PublicJwk } from '../../../src-contract/bank-api.ts';
import type { PinEntryCompletion, PinEntryRequest, PinPad } from '../../../src-main/devices/pin-pad.ts';
import { newId, patient } from './vocabulary.ts';

export interface PinPadRig {
  readonly pinPad: PinPad;
  press(keys: string): Promise<void>;
  /** For a pad whose working key the bank shares (ISO 9564-1 format 4, `iso4.<key>.<block>`): the plain PIN field of a block that
   *  was made for `boundTo`, 16 hex digits. Absent for a pad that encrypts for the bank's public key (JWE). */
  readField?(pinBlock: string, boundTo: string): string;
  close(): Promise<void>;
}

interface PlainBlock {
  readonly pinField: string;
  readonly boundTo: string;
  readonly nonce: string;
}

/** The bank's side: a key pair, the request for it, and what a block says. */
export async function pinBank() {
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
  const { kty, crv, x, y } = (await exportJWK(publicKey)) as P256PublicJwk;
  const boundTo = newId();
  const request: PinEntryRequest = {
    digitsMin: 4,
    digitsMax: 6,
    encryptFor: { kty, crv, x, y, kid: 'pin-1' },
    boundTo,
    timeoutMs: 30_000,
  };
  const read = async (block: string) => {
    const { plaintext, protectedHeader } = await compactDecrypt(block, privateKey);
    return {
      header: protectedHeader,
      block: JSON.parse(new TextDecoder().decode(plaintext)) as PlainBlock,
    };
  };
  return { request, boundTo, read };
}

export function pinPadContract(name: string, open: () => Promise<PinPadRig>): void {
  const using = (body: (rig: PinPadRig, bank: Awaited<ReturnType<typeof pinBank>>) => Promise<void>) => async () => {
    const rig = await open();
    try {
      await body(rig, await pinBank());
    } finally {
      await rig.close();
    }
  };

  const fieldOf = async (
    rig: PinPadRig,
    bank: Awaited<ReturnType<typeof pinBank>>,
    completion: PinEntryCompletion,
  ): Promise<string> => {
    const block = completion.outcome === 'entered' ? completion.pinBlock : '';
    return rig.readField ? rig.readField(block, bank.boundTo) : (await bank.read(block)).block.pinField;
  };

  describe(`PIN pad contract: ${name}`, () => {
    it(
      'answers a block that only the bank can open, and tells the listener counts alone',
      using(async (rig, bank) => {
        const heard: unknown[][] = [];
        const entry = rig.pinPad.enterPin(bank.request, (...heardNow) => heard.push(heardNow), patient);
        await rig.press('12<345E');
        const completion = await entry;
        expect(heard).toEqual([[1], [2], [1], [2], [3], [4]]);
        expect(completion.outcome).toBe('entered');
        expect(await fieldOf(rig, bank, completion)).toBe('441345aaaaaaaaaa');
        if (rig.readField) {
          const block = completion.outcome === 'entered' ? completion.pinBlock : '';
          expect(rig.readField(block, newId()), 'bound to another transaction').not.toMatch(/^441345/);
          return;
        }
        const { header, block } = await bank.read(completion.outcome === 'entered' ? completion.pinBlock : '');
        expect(header).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', typ: 'kaopass-pin+jwe', kid: 'pin-1' });
        expect(block).toEqual({
          pinField: '441345aaaaaaaaaa',
          boundTo: bank.boundTo,
          nonce: expect.stringMatching(/-7/),
        });
      }),
    );

    it(
      'does not take Enter before there are digits enough, nor more digits than asked for',
      using(async (rig, bank) => {
        const entry = rig.pinPad.enterPin(bank.request, () => {}, patient);
        await rig.press('123E45678E');
        expect(await fieldOf(rig, bank, await entry)).toBe('46123456aaaaaaaa');
      }),
    );

    it(
      'gives each entry its own keys, one after the other',
      using(async (rig, bank) => {
        for (const [keys, field] of [
          ['1234E', '441234aaaaaaaaaa'],
          ['98765E', '4598765aaaaaaaaa'],
        ] as const) {
          const entry = rig.pinPad.enterPin(bank.request, () => {}, patient);
          await rig.press(keys);
          expect(await fieldOf(rig, bank, await entry)).toBe(field);
        }
      }),
    );

    it(
      'ends by Cancel, by time and by the signal',
      using(async (rig, bank) => {
        const cancelled = rig.pinPad.enterPin(bank.request, () => {}, patient);
        await rig.press('12C');
        expect(await cancelled).toEqual({ outcome: 'cancelled' });
        expect(await rig.pinPad.enterPin({ ...bank.request, timeoutMs: 40 }, () => {}, patient)).toEqual({
          outcome: 'timeout',
        });
        const controller = new AbortController();
        const aborted = rig.pinPad.enterPin(bank.request, () => {}, controller.signal);
        controller.abort(new Error('visit over'));
        await expect(aborted).rejects.toThrow('visit over');
        await expect(rig.pinPad.enterPin(bank.request, () => {}, AbortSignal.abort('left'))).rejects.toBe('left');
      }),
    );
  });
}
