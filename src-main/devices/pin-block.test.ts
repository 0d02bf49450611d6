import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinBank } from '../../tests/contract/devices/pin-pad.ts';
import { VirtualClock } from '../../tests/contract/devices/virtual-clock.ts';
import { patient } from '../../tests/contract/devices/vocabulary.ts';
import { systemChance } from '../clock.ts';
import { encryptPinBlock, pinField } from './pin-block.ts';
import { openSimulatedDevices } from './simulated/open.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('PIN block', () => {
  it('lays the digits out as ISO 9564-1 format 4: control 4, length, digits, fill A', () => {
    expect(hex(pinField(Uint8Array.of(1, 2, 3, 4)))).toBe('441234aaaaaaaaaa');
    expect(hex(pinField(Uint8Array.of(9, 0, 9, 0, 9)))).toBe('4590909aaaaaaaaa');
    expect(hex(pinField(Uint8Array.from({ length: 12 }, (_, n) => n % 10)))).toBe('4c012345678901aa');
  });

  it('refuses three digits, thirteen, and a byte that is no digit, and wipes them all the same', async () => {
    const { request } = await pinBank();
    for (const wrong of [Uint8Array.of(1, 2, 3), new Uint8Array(13).fill(1), Uint8Array.of(1, 2, 3, 10)]) {
      await expect(encryptPinBlock(wrong, request, systemChance)).rejects.toThrow(RangeError);
      expect(wrong.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('is bound, never twice the same, and leaves no digit behind', async () => {
    const { request, boundTo, read } = await pinBank();
    const digits = Uint8Array.of(8, 6, 4, 2);
    const first = await encryptPinBlock(digits, request, systemChance);
    expect([...digits]).toEqual([0, 0, 0, 0]);
    const second = await encryptPinBlock(Uint8Array.of(8, 6, 4, 2), request, systemChance);
    expect(second).not.toBe(first);
    const [one, two] = [(await read(first)).block, (await read(second)).block];
    expect(one).toMatchObject({ pinField: '448642aaaaaaaaaa', boundTo });
    expect(two.pinField).toBe(one.pinField);
    expect(two.nonce).not.toBe(one.nonce);
  });

  it('writes what it is bound to as JSON, whatever is in it', async () => {
    const { request, read } = await pinBank();
    const block = await encryptPinBlock(Uint8Array.of(1, 2, 3, 4), { ...request, boundTo: 'a"b\\c' }, systemChance);
    expect((await read(block)).block.boundTo).toBe('a"b\\c');
  });

  it('shows no digit in any file of the devices nor in anything a listener hears', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kaopass-devices-'));
    const { devices, control, close } = await openSimulatedDevices({
      dir,
      clock: new VirtualClock(),
      chance: systemChance,
      profile: 'atm',
    });
    const { request } = await pinBank();
    const heard: unknown[] = [];
    devices.pinPad!.onHealth((health) => heard.push(health));
    // Digits no other content has: a time or a count would never hold this run.
    const pin = '860975';
    const entry = devices.pinPad!.enterPin(request, (...said) => heard.push(said), patient);
    await control.pressKeys(`${pin}E`, { waitMs: 1_000 });
    const completion = await entry;
    expect(completion.outcome).toBe('entered');
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const written = files.map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'));
    expect(files.length).toBeGreaterThan(0);
    for (const text of [...written, JSON.stringify([heard, control.state(), completion])]) {
      expect(text).not.toContain(pin);
      expect(text).not.toContain('8,6,0,9,7,5');
    }
    await close();
    rmSync(dir, { recursive: true });
  });
});
