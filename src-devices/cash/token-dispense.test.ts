import { afterEach, describe, expect, test } from 'vitest';
import { readToken, verify, writeToken } from '../security/token.ts';
import { VirtualClock } from '../virtual-clock.ts';
import {
  type CashBench,
  type CashBenchOptions,
  codeOf,
  DEVICE_KEY,
  expectSound,
  HOST_KEY,
  hostToken,
  openCashBench,
  yen,
} from './cash-bench.ts';

const keys = { host: HOST_KEY, device: DEVICE_KEY };
const ENFORCED: CashBenchOptions = { security: { mode: 'always', keys } };

let bench: CashBench;
const open = async (options: CashBenchOptions = ENFORCED) => {
  bench = await openCashBench(options);
  return bench;
};
afterEach(async () => {
  expectSound(bench);
  await bench.close();
});

const nonce = async (): Promise<string> => (await bench.client.command('Common.GetCommandNonce')).payload.commandNonce;
const tokenFor = async (granted: string) => hostToken(await nonce(), granted);
const dispense = async (amount: number, token?: string) =>
  codeOf(await bench.client.command('CashDispenser.Dispense', yen(amount, token)));
const proof = async (responseNonce: string) =>
  (await bench.client.command('CashDispenser.GetPresentStatus', { nonce: responseNonce })).payload;

describe('a payout under a token (8.8)', () => {
  test('is proven by a response token, and its nonce is gone', async () => {
    const { client, hands } = await open();
    const token = await tokenFor('30000JPY');
    expect(await dispense(30_000, token)).toBe('success');
    expect((await client.event('Common.NonceClearedEvent')).header.type).toBe('unsolicited');
    await client.command('CashDispenser.Present');
    await hands.takeNotes();
    const { presentState, token: response } = await proof('90417');
    expect(presentState).toBe('presented');
    const read = readToken(response)!;
    expect(verify(read, Buffer.from(DEVICE_KEY, 'hex'))).toBe(true);
    expect([...read.fields]).toEqual([
      ['DISPENSEID', readToken(token)!.hmac],
      ['DISPENSED1', '30000JPY'],
      ['PRESENTED1', 'YES'],
      ['PRESENTEDAMOUNT1', '30000JPY'],
      ['RETRACTED1', 'NO'],
    ]);
    expect(await dispense(30_000, token)).toBe('noCommandNonce');
  });

  test('the same token serves several dispenses as long as the sum fits', async () => {
    await open();
    const token = await tokenFor('30000JPY');
    expect(await dispense(10_000, token)).toBe('success');
    expect(await dispense(30_000, token)).toBe('invalidToken');
    expect(await dispense(20_000, token)).toBe('success');
    expect((await proof('1')).denomination.currencies).toEqual({ JPY: 30_000 });
  });

  test('is proven with all of its stacks, what came back included', async () => {
    const { client, hands } = await open();
    const token = await tokenFor('30000JPY');
    await dispense(10_000, token);
    await client.command('CashDispenser.Present');
    await hands.takeNotes();
    await dispense(15_000, token);
    await client.command('CashDispenser.Present');
    await client.command('CashManagement.Retract', { location: { retractArea: 'retract', index: 1 } });
    await dispense(5_000, token);
    const { token: response, denomination } = await proof('1');
    expect(denomination.currencies, 'the present status is of the last stack').toEqual({ JPY: 5_000 });
    expect([...readToken(response)!.fields].slice(1)).toEqual([
      ['DISPENSED1', '30000JPY'],
      ['PRESENTED1', 'YES'],
      ['PRESENTEDAMOUNT1', '25000JPY'],
      ['RETRACTED1', 'YES'],
      ['RETRACTEDAMOUNT1', '15000JPY'],
    ]);
  });

  test('only what was really dispensed is deducted', async () => {
    const { atm, client } = await open();
    atm.faults.arm({ fault: 'pickFailure', afterNotes: 1, failure: 'empty' });
    const token = await tokenFor('30000JPY');
    expect(await dispense(30_000, token)).toBe('cashUnitError');
    await client.command('CashDispenser.Reject');
    atm.hands!.load('unit3', 100);
    expect(await dispense(30_000, token)).toBe('invalidToken');
    expect(await dispense(20_000, token)).toBe('success');
  });
});

describe('refused tokens (8.6, S3)', () => {
  /** A payout of ¥10,000 lies with the customer; what is tried afterwards must not wipe that. */
  const paidBefore = async () => {
    const { client, hands } = await open();
    const token = await tokenFor('10000JPY');
    await dispense(10_000, token);
    await client.command('CashDispenser.Present');
    await hands.takeNotes();
    return { evidence: await proof('1'), spent: token };
  };

  test.each<[check: string, code: string, attempt: (fresh: string, spent: string) => string | undefined]>([
    ['1 without a token', 'invalidToken', () => undefined],
    [
      '2 with a broken length',
      'invalidTokenFormat',
      (fresh) => hostToken(fresh, '10000JPY').replace('TOKENLENGTH=0', 'TOKENLENGTH=1'),
    ],
    ['2 with a lower-case HMAC', 'invalidTokenFormat', (fresh) => hostToken(fresh, '10000JPY').toLowerCase()],
    [
      '4 with an altered amount',
      'invalidTokenHMAC',
      (fresh) => hostToken(fresh, '10000JPY').replace('10000JPY', '90000JPY'),
    ],
    [
      '4 with another key',
      'invalidTokenHMAC',
      (fresh) => writeToken(fresh, [['DISPENSE1', '10000JPY']], Buffer.from(DEVICE_KEY, 'hex')),
    ],
    ['6 with a replayed token', 'invalidTokenNonce', (_fresh, spent) => spent],
    ['8 with another currency', 'invalidToken', (fresh) => hostToken(fresh, '100.00EUR')],
    ['8 with no amount', 'invalidToken', (fresh) => writeToken(fresh, [['VENDOR', '1']], Buffer.from(HOST_KEY, 'hex'))],
    [
      '8 with a second currency',
      'invalidToken',
      (fresh) =>
        writeToken(
          fresh,
          [
            ['DISPENSE1', '10000JPY'],
            ['DISPENSE2', '1.00EUR'],
          ],
          Buffer.from(HOST_KEY, 'hex'),
        ),
    ],
    ['9 with less than is asked', 'invalidToken', (fresh) => hostToken(fresh, '9999JPY')],
  ])('check %s moves nothing and leaves the evidence', async (_check, code, attempt) => {
    const { evidence, spent } = await paidBefore();
    const before = bench.hands.where();
    expect(await dispense(10_000, attempt(await nonce(), spent))).toBe(code);
    expect(bench.hands.where()).toEqual(before);
    expect(await proof('1')).toEqual(evidence);
  });

  test('check 3: a device without its key says so', async () => {
    const { atm, client } = await open();
    const token = await tokenFor('10000JPY');
    atm.faults.arm({ fault: 'keysMissing' });
    expect(await dispense(10_000, token)).toBe('invalidTokenKeyNoValue');
    expect((await client.command('Common.Status')).payload.common.endToEndSecurity).toBe('notConfigured');
    const status = await client.command('CashDispenser.GetPresentStatus', { nonce: '1' });
    expect(codeOf(status)).toBe('invalidTokenKeyNoValue');
  });

  test('check 5: after the nonce was cleared', async () => {
    const { client } = await open();
    const token = await tokenFor('10000JPY');
    await client.command('Common.ClearCommandNonce');
    expect(await dispense(10_000, token)).toBe('noCommandNonce');
    expect(client.events()).not.toContain('Common.NonceClearedEvent');
  });

  test('check 7: a second token for the same nonce', async () => {
    await open();
    const once = await nonce();
    expect(await dispense(10_000, hostToken(once, '20000JPY'))).toBe('success');
    expect(await dispense(10_000, hostToken(once, '90000JPY'))).toBe('invalidToken');
    expect(await dispense(10_000, hostToken(once, '20000JPY'))).toBe('success');
  });

  test('check 9 goes by the notes, not by the amount a client claims', async () => {
    const { client } = await open();
    const token = await tokenFor('10000JPY');
    const denomination = { denomination: { app: { currencies: { JPY: 10_000 }, counts: { unit3: 5 } } } };
    expect(codeOf(await client.command('CashDispenser.Dispense', { denomination, token }))).toBe('invalidDenomination');
    const silent = { denomination: { app: { counts: { unit3: 5 } } } };
    expect(codeOf(await client.command('CashDispenser.Dispense', { denomination: silent, token }))).toBe(
      'invalidToken',
    );
    expect(bench.hands.where().places.stacker).toEqual({});
  });
});

describe('command nonces (8.5)', () => {
  test('are 128 bits, and a new one kills every older token', async () => {
    await open();
    const first = await nonce();
    expect(first).toMatch(/^[0-9A-F]{32}$/);
    expect(await nonce()).not.toBe(first);
    expect(await dispense(10_000, hostToken(first, '10000JPY'))).toBe('invalidTokenNonce');
  });

  test('never repeat, not even after a power cut and whatever chance does', async () => {
    await open({ ...ENFORCED, chance: { bytes: (length) => new Uint8Array(length) } });
    const before = [await nonce(), await nonce()];
    const token = hostToken(before[1]!, '10000JPY');
    bench = await bench.restart();
    expect(await dispense(10_000, token)).toBe('noCommandNonce');
    expect(before).not.toContain(await nonce());
  });

  test('time out by themselves, and say so', async () => {
    const clock = new VirtualClock();
    const { client } = await open({ clock, security: { mode: 'always', keys, nonceTimeoutS: 60 } });
    const token = await tokenFor('10000JPY');
    await clock.advance(61_000);
    expect((await client.event('Common.NonceClearedEvent')).payload.reasonDescription).toContain('timed out');
    expect(await dispense(10_000, token)).toBe('noCommandNonce');
  });
});

describe('modes (8.2)', () => {
  const e2e = async () => (await bench.client.command('Common.Status')).payload.common.endToEndSecurity;
  const capability = async () => (await bench.client.command('Common.Capabilities')).payload.common.endToEndSecurity;

  test('off: no token is asked for, and there are no nonces', async () => {
    const { client } = await open({});
    expect([await e2e(), await capability()]).toEqual([undefined, undefined]);
    expect(codeOf(await client.command('Common.GetCommandNonce'))).toBe('unsupportedCommand');
    expect(await dispense(10_000)).toBe('success');
  });

  test('ifConfigured: optional without keys, enforced with them', async () => {
    await open({ security: { mode: 'ifConfigured' } });
    expect([await e2e(), (await capability()).required]).toEqual(['notEnforced', 'ifConfigured']);
    expect(await dispense(10_000)).toBe('success');
    expect((await proof('1')).token).toBeUndefined();
    bench.atm.cash!.security.loadKeys(keys);
    expect((await bench.client.event('Common.StatusChangedEvent')).payload).toBeDefined();
    expect(await e2e()).toBe('enforced');
    expect(await dispense(10_000)).toBe('invalidToken');
  });

  test('always: nothing moves without keys, and keys outlive the power', async () => {
    await open({ security: { mode: 'always' } });
    expect(await e2e()).toBe('notConfigured');
    expect(await dispense(10_000, hostToken(await nonce(), '10000JPY'))).toBe('invalidTokenKeyNoValue');
    bench.atm.cash!.security.loadKeys(keys);
    bench = await bench.restart();
    expect(await e2e()).toBe('enforced');
  });
});
