/** The PIN device over a real socket: what a client sees of an entry and a PIN block, and what it never sees. */
import { createDecipheriv } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, makeStateDir, openBench } from '../test-bench.ts';
import type { TestClient } from '../test-client.ts';
import type { Key } from './entry.ts';

const AES = '00112233445566778899AABBCCDDEEFF';
const TDES = '0123456789ABCDEFFEDCBA9876543210';
const KEYS = [
  { name: 'BankPin', usage: 'P0', algorithm: 'A', value: AES },
  { name: 'OldPin', usage: 'P0', algorithm: 'T', value: TDES },
  { name: 'Empty', usage: 'P0', algorithm: 'A', value: null },
] as const;
const DIGITS: readonly Key[] = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const activeKeys = {
  ...Object.fromEntries(DIGITS.map((digit) => [digit, {}])),
  clear: {},
  backspace: {},
  cancel: { terminate: true },
  enter: { terminate: true },
};
const fourDigits = { minLen: 4, maxLen: 4, autoEnd: true, activeKeys };
const pan = '1234567890123456789';
const iso4 = { format: 'iso4', key: 'BankPin', customerData: pan, padding: 15, cryptoMethod: 'ecb' };

const state = { current: makeStateDir() };
let bench: Bench;
let client: TestClient;
beforeEach(async () => {
  state.current = makeStateDir();
  bench = await openBench(state.current.path);
  bench.hands.pin.loadKeys(KEYS);
  client = await bench.client('PinPad1');
});
afterEach(async () => {
  await bench.close();
  state.current.remove();
});

const keysOf = (pin: string): Key[] => Array.from(pin, (digit) => DIGITS[Number(digit)]!);

async function enter(pin: string, order: object = fourDigits, ...more: Key[]) {
  const id = client.send('Keyboard.PinEntry', order, { timeout: 60_000 });
  await client.next(({ header }) => header.name === 'Keyboard.EnterDataEvent' && header.requestId === id);
  await bench.hands.pin.press([...keysOf(pin), ...more]);
  return { id, completion: await client.completion(id) };
}

/** Whose PIN is in an iso4 block under the test key. */
function openIso4(block: string): string {
  const decipher = (bytes: Buffer) =>
    createDecipheriv('aes-128-ecb', Buffer.from(AES, 'hex'), null).setAutoPadding(false).update(bytes);
  const account = Buffer.from(`7${pan}`.padEnd(32, '0'), 'hex');
  const middle = decipher(Buffer.from(block, 'base64'));
  const field = decipher(Buffer.from(middle.map((byte, index) => byte ^ account[index]!))).toString('hex');
  return field.slice(2, 2 + Number(field[1]));
}

describe('the PIN device', () => {
  it('asks for a PIN, counts its digits, and makes a block the bank can open', async () => {
    const { id, completion } = await enter('2749');
    expect(completion).toMatchObject({
      header: { completionCode: 'success' },
      payload: { digits: 4, completion: 'auto' },
    });
    const events = client.heard.filter(({ header }) => header.requestId === id && header.type === 'event');
    expect(events.map(({ header, payload }) => [header.name, payload])).toEqual([
      ['Keyboard.EnterDataEvent', undefined],
      ['Keyboard.KeyEvent', { completion: 'continue' }],
      ['Keyboard.KeyEvent', { completion: 'continue' }],
      ['Keyboard.KeyEvent', { completion: 'continue' }],
      ['Keyboard.KeyEvent', { completion: 'auto' }],
    ]);
    const { payload } = await client.command('PinPad.GetPinBlock', iso4);
    expect(openIso4(payload.pinBlock)).toBe('2749');
  });

  it('uses the PIN up with the block, unless it is to be kept', async () => {
    await enter('2749');
    await client.command('PinPad.GetPinBlock', iso4);
    expect((await client.command('PinPad.GetPinBlock', iso4)).payload).toEqual({ errorCode: 'noPin' });
    await client.command('PinPad.MaintainPin', { maintainPIN: true });
    await enter('1357');
    await client.command('PinPad.GetPinBlock', iso4);
    expect(openIso4((await client.command('PinPad.GetPinBlock', iso4)).payload.pinBlock)).toBe('1357');
    await client.command('PinPad.MaintainPin', { maintainPIN: false });
    expect((await client.command('PinPad.GetPinBlock', iso4)).payload).toEqual({ errorCode: 'noPin' });
  });

  it('lets no digit out: not in events, answers, status, files or what hands can see', async () => {
    await enter('8642');
    await client.command('PinPad.GetPinBlock', { ...iso4, key: 'Nobody' });
    await client.command('PinPad.GetPinBlock', { ...iso4, customerData: 'not digits' });
    await client.command('Common.Status');
    const said = client.heard.map((message) => JSON.stringify(message)).join('\n');
    for (const leak of ['8642', 'eight', 'not digits', AES]) expect(said).not.toContain(leak);
    expect(JSON.stringify(bench.hands.pin.state())).not.toMatch(/eight|8642/);
    for (const file of readdirSync(state.current.path)) {
      if (file.endsWith('.json')) expect(readFileSync(join(state.current.path, file), 'utf8')).not.toContain('8642');
    }
  });

  it('ends with Cancel as success, and holds no PIN then', async () => {
    const { completion } = await enter('27', fourDigits, 'cancel');
    expect(completion.payload).toEqual({ digits: 0, completion: 'cancel' });
    expect((await client.command('PinPad.GetPinBlock', iso4)).payload).toEqual({ errorCode: 'noPin' });
  });

  it('S17: ends an entry that is cancelled from outside, and a new entry starts empty', async () => {
    const id = client.send('Keyboard.PinEntry', fourDigits);
    await client.event('Keyboard.EnterDataEvent');
    await bench.hands.pin.press(keysOf('27'));
    expect((await client.command('Common.Cancel', { requestIds: [id] })).header.completionCode).toBe('success');
    expect((await client.completion(id)).header.completionCode).toBe('canceled');
    const { completion } = await enter('1234');
    expect(completion.payload).toEqual({ digits: 4, completion: 'auto' });
  });

  it('ends by the time-out of the command, and by its own limit', async () => {
    const id = client.send('Keyboard.PinEntry', fourDigits, { timeout: 30_000 });
    await client.event('Keyboard.EnterDataEvent');
    await bench.clock.advance(30_000);
    expect((await client.completion(id)).header.completionCode).toBe('timeOut');
    const endless = client.send('Keyboard.PinEntry', fourDigits);
    await client.next(({ header }) => header.name === 'Keyboard.EnterDataEvent' && header.requestId === endless);
    await bench.clock.advance(300_000);
    expect((await client.completion(endless)).payload).toEqual({ errorCode: 'entryTimeout' });
  });

  it('hears no key while nothing is asked for, and none meant for an earlier entry', async () => {
    expect(await bench.hands.pin.press(keysOf('27'))).toBe(0);
    const { completion } = await enter('27495555');
    expect(completion.payload).toEqual({ digits: 4, completion: 'auto' });
    expect(openIso4((await client.command('PinPad.GetPinBlock', iso4)).payload.pinBlock)).toBe('2749');
  });

  it.each([
    [{ key: 'Nobody' }, 'keyNotFound'],
    [{ key: 'Empty' }, 'keyNoValue'],
    [{ key: 'OldPin' }, 'algorithmNotSupported'],
    [{ format: 'visa3' }, 'formatNotSupported'],
    [{ cryptoMethod: 'cbc' }, 'cryptoMethodNotSupported'],
  ])('refuses a PIN block with %j: %s', async (change, errorCode) => {
    await enter('2749');
    const { header, payload } = await client.command('PinPad.GetPinBlock', { ...iso4, ...change });
    expect([header.completionCode, payload]).toEqual(['commandErrorCode', { errorCode }]);
  });

  it('makes the older formats under a TDES key', async () => {
    await enter('2749');
    const { payload } = await client.command('PinPad.GetPinBlock', {
      ...iso4,
      format: 'iso0',
      key: 'OldPin',
      customerData: '987654321098',
    });
    const clear = createDecipheriv('des-ede', Buffer.from(TDES, 'hex'), null).setAutoPadding(false);
    expect(clear.update(Buffer.from(payload.pinBlock, 'base64')).toString('hex')).toBe('0427d189abcdef67');
  });

  it('refuses an entry the standard does not allow', async () => {
    const order = { ...fourDigits, activeKeys: { fdk01: {} } };
    expect((await client.command('Keyboard.PinEntry', order)).payload).toEqual({ errorCode: 'keyNotSupported' });
    expect((await client.command('Keyboard.PinEntry', { activeKeys })).header.completionCode).toBe('invalidData');
  });

  it('tells every key of a data entry', async () => {
    const id = client.send('Keyboard.DataEntry', { maxLen: 3, autoEnd: true, activeKeys });
    await client.event('Keyboard.EnterDataEvent');
    await bench.hands.pin.press(keysOf('501'));
    expect((await client.completion(id)).payload).toEqual({
      keys: 3,
      pinKeys: [
        { completion: 'continue', digit: 'five' },
        { completion: 'continue', digit: 'zero' },
        { completion: 'auto', digit: 'one' },
      ],
      completion: 'auto',
    });
  });

  it('says which keys it has and never what they are; a layout for what it can enter', async () => {
    const { payload } = await client.command('KeyManagement.GetKeyDetail');
    expect(payload.keyDetails.BankPin).toMatchObject({
      loaded: 'yes',
      keyBlockInfo: { keyUsage: 'P0', algorithm: 'A', modeOfUse: 'E', keyLength: 128 },
    });
    expect(payload.keyDetails.Empty).toMatchObject({ loaded: 'no' });
    const missing = await client.command('KeyManagement.GetKeyDetail', { keyName: 'Nobody' });
    expect(missing.payload).toEqual({ errorCode: 'keyNotFound' });
    const { payload: layouts } = await client.command('Keyboard.GetLayout');
    expect(layouts.layout.pin[0].keys.map((key: { key: string }) => key.key).sort()).toEqual(
      Object.keys(activeKeys).sort(),
    );
  });

  it('keeps its keys without power, and loses them to whoever opens the housing', async () => {
    await bench.close();
    bench = await openBench(state.current.path);
    client = await bench.client('PinPad1');
    expect((await client.command('Common.Status')).payload.keyManagement.encryptionState).toBe('ready');
    bench.hands.pin.tamper();
    await client.event('KeyManagement.InitializedEvent');
    expect((await client.event('Common.StatusChangedEvent')).payload.keyManagement.encryptionState).toBe(
      'notInitialized',
    );
  });

  it('can be made to fail', async () => {
    bench.atm.faults.arm({ fault: 'pinKeyLost' });
    bench.atm.faults.arm({ fault: 'entryTimeout' });
    expect((await client.command('Keyboard.PinEntry', fourDigits)).payload).toEqual({ errorCode: 'entryTimeout' });
    await enter('2749');
    expect((await client.command('PinPad.GetPinBlock', iso4)).payload).toEqual({ errorCode: 'keyNoValue' });
  });
});
