import { afterEach, describe, expect, test } from 'vitest';
import { type CashBench, cashIn, codeOf, HOST_KEY, hostToken, openCashBench, yen } from './cash/cash-bench.ts';
import { Dialect, type DialectChange, STANDARD_DIALECT } from './dialect.ts';
import { TestClient } from './test-client.ts';

let bench: CashBench;
const speak = async (dialect: DialectChange) => {
  bench = await openCashBench({
    dialect,
    security: { mode: 'ifConfigured' },
  });
  return bench;
};
afterEach(async () => {
  await bench.close();
});

const secured = async (dialect: DialectChange) => {
  const opened = await speak(dialect);
  opened.atm.cash!.security.loadKeys({ host: HOST_KEY, device: null });
  return opened;
};
const nonce = async () => (await bench.client.command('Common.GetCommandNonce')).payload.commandNonce;

describe('every switch of section 24 changes what it says', () => {
  test('success is sent, or left out', async () => {
    await speak({});
    expect((await bench.client.command('Storage.GetStorage')).header.completionCode).toBe('success');
    bench.atm.setDialect({ success: 'omitted' });
    expect((await bench.client.command('Storage.GetStorage')).header).not.toHaveProperty('completionCode');
  });

  test('completionCodeIn: payload', async () => {
    const { client } = await speak({ completionCodeIn: 'payload' });
    const completion = await client.command('CashDispenser.Present');
    expect(completion.header).not.toHaveProperty('completionCode');
    expect(completion.payload).toEqual({ completionCode: 'commandErrorCode', errorCode: 'noItems' });
  });

  test('acknowledgeStatus: payload', async () => {
    const { client } = await speak({ acknowledgeStatus: 'payload' });
    await client.command('Storage.GetStorage');
    expect(client.heard[0]).toMatchObject({ header: { type: 'acknowledge' }, payload: { status: 'ok' } });
    client.socket.send('nonsense');
    const refused = await client.next(({ payload }) => payload?.status === 'invalidMessage');
    expect(refused.header).not.toHaveProperty('status');
  });

  test('unsolicitedType: event, without requestId', async () => {
    const { client } = await speak({ unsolicitedType: 'event' });
    await client.command('CashDispenser.Dispense', yen(1_000));
    const { header } = await client.event('Common.StatusChangedEvent');
    expect(header.type).toBe('event');
    expect(header).not.toHaveProperty('requestId');
  });

  test('interfaceNames: lowerCamel', async () => {
    const { client } = await speak({ interfaceNames: 'lowerCamel' });
    const { interfaces } = (await client.command('Common.Capabilities')).payload;
    expect(interfaces.map(({ name }: { name: string }) => name)).toEqual([
      'common',
      'cashDispenser',
      'cashAcceptor',
      'cashManagement',
      'storage',
    ]);
  });

  test('missingToken and authorizationRequired: both spellings', async () => {
    const { client } = await secured({ missingToken: 'authorizationRequired' });
    expect(codeOf(await client.command('CashDispenser.Dispense', yen(1_000)))).toBe('authorizationRequired');
    bench.atm.setDialect({ authorizationRequired: 's' });
    expect(codeOf(await client.command('CashDispenser.Dispense', yen(1_000)))).toBe('authorisationRequired');
  });

  test('countsEvent: storageChanged', async () => {
    const { client } = await speak({ countsEvent: 'storageChanged' });
    await client.command('CashDispenser.Dispense', yen(1_000));
    expect((await client.event('Storage.StorageChangedEvent')).payload).toEqual({
      unit1: { cash: { status: { out: { stacked: { type1000JPY1: { fit: 1 } } } } } },
    });
    expect(client.events()).not.toContain('Storage.CountsChangedEvent');
  });

  test('itemsPresentedOnPresent and startDispense', async () => {
    const { client } = await speak({ itemsPresentedOnPresent: false, startDispense: true });
    await client.command('CashDispenser.Dispense', yen(1_000));
    await client.command('CashDispenser.Present');
    expect(client.events()).toContain('CashDispenser.StartDispenseEvent');
    expect(client.events()).not.toContain('CashManagement.ItemsPresentedEvent');
  });

  test('statusVersion: 3.0', async () => {
    const { client } = await speak({ statusVersion: '3.0' });
    expect(codeOf(await client.command('Common.Capabilities'))).toBe('unsupportedCommand');
    expect(codeOf(await client.command('Common.Capabilities', undefined, { version: '3.0' }))).toBe('success');
  });

  test('emptyFields: null', async () => {
    const { client } = await speak({ emptyFields: 'null' });
    await client.command('CashDispenser.Dispense', yen(1_000));
    const status = await client.command('CashDispenser.GetPresentStatus');
    expect(status.payload.token).toBeNull();
    expect(status.header.errorDescription).toBeNull();
    expect((await client.event('Common.StatusChangedEvent')).header.requestId).toBeNull();
  });

  test.each<['absent' | 'null' | 'object', unknown]>([
    ['absent', undefined],
    ['null', null],
    ['object', {}],
  ])('emptyPayload: %s', async (emptyPayload, payload) => {
    const { client } = await speak({ emptyPayload });
    const completion = await client.command('Storage.StartExchange');
    expect(completion.payload).toEqual(payload);
  });

  test('trailingSlash and servicesIn', async () => {
    const { atm } = await speak({ trailingSlash: true, servicesIn: 'events' });
    const client = await TestClient.connect(atm.url);
    const uri = { serviceURI: `${atm.serviceUrl('CashRecycler1')}/` };
    expect((await client.command('ServicePublisher.GetServices')).payload).not.toHaveProperty('services');
    expect((await client.event('ServicePublisher.ServiceDetailEvent')).payload.services).toEqual([uri]);
    client.socket.terminate();
    atm.setDialect({ servicesIn: 'completion' });
    const again = await TestClient.connect(atm.url);
    expect((await again.command('ServicePublisher.GetServices')).payload.services).toEqual([uri]);
    expect(again.events()).toEqual([]);
    again.socket.terminate();
  });

  test('cashInItems: flat', async () => {
    const { client } = await speak({ cashInItems: 'flat' });
    await client.command('CashAcceptor.CashInStart', { useRecycleUnits: true });
    const { payload } = await cashIn(bench, [{ value: 1_000, count: 2 }]);
    expect(payload).toEqual({ unrecognized: 0, type1000JPY1: { fit: 2 } });
  });

  test('eventPosition: wrapped', async () => {
    const { client, hands } = await speak({ eventPosition: 'wrapped' });
    await client.command('CashDispenser.Dispense', yen(1_000));
    await client.command('CashDispenser.Present');
    await hands.takeNotes();
    expect((await client.event('CashManagement.ItemsTakenEvent')).payload.position.position).toBe('outCenter');
  });

  test('itemEvents: ofCommand, with the requestId of their command', async () => {
    const { client } = await speak({ itemEvents: 'ofCommand' });
    await client.command('CashDispenser.Dispense', yen(1_000));
    const id = client.send('CashDispenser.Present');
    const presented = await client.event('CashManagement.ItemsPresentedEvent');
    expect(presented.header).toMatchObject({ type: 'event', requestId: id });
    await bench.hands.takeNotes();
    expect((await client.event('CashManagement.ItemsTakenEvent')).header.type).toBe('unsolicited');
  });

  test('repeatedNonce: same', async () => {
    await secured({ repeatedNonce: 'same' });
    expect(await nonce()).toBe(await nonce());
  });

  test('nonceClearedAt: presented', async () => {
    const { client } = await secured({ nonceClearedAt: 'presented' });
    await client.command('CashDispenser.Dispense', yen(1_000, hostToken(await nonce(), '1000JPY')));
    expect(client.events()).not.toContain('Common.NonceClearedEvent');
    await client.command('CashDispenser.Present');
    expect(client.events()).toContain('Common.NonceClearedEvent');
  });

  test('tokenRefusal: invalidToken', async () => {
    const { client } = await secured({ tokenRefusal: 'invalidToken' });
    expect(codeOf(await client.command('CashDispenser.Dispense', yen(1_000, 'x')))).toBe('invalidToken');
  });

  test('refusalForgetsAllowance', async () => {
    const { client } = await secured({ refusalForgetsAllowance: true });
    const token = hostToken(await nonce(), '3000JPY');
    const dispense = async (amount: number, with_: string) =>
      codeOf(await client.command('CashDispenser.Dispense', yen(amount, with_)));
    expect(await dispense(1_000, token)).toBe('success');
    expect(await dispense(9_000, token)).toBe('invalidToken');
    expect(await dispense(1_000, token)).toBe('invalidToken');
  });

  test('repeatedStateChange: success', async () => {
    const { client, atm } = await speak({});
    expect(codeOf(await client.command('Storage.EndExchange'))).toBe('noExchangeActive');
    expect(codeOf(await client.command('CashManagement.CloseShutter', { position: 'outCenter' }))).toBe(
      'shutterClosed',
    );
    atm.setDialect({ repeatedStateChange: 'success' });
    expect(codeOf(await client.command('Storage.EndExchange'))).toBe('success');
    expect(codeOf(await client.command('CashManagement.CloseShutter', { position: 'outCenter' }))).toBe('success');
  });

  test('retractPositionAndArea: refused', async () => {
    const { client } = await speak({ retractPositionAndArea: 'refused' });
    const location = { retractArea: 'retract', outputPosition: 'outCenter', index: 1 };
    expect(codeOf(await client.command('CashManagement.Retract', { location }))).toBe('invalidData');
    expect(codeOf(await client.command('CashManagement.Retract', { location: { retractArea: 'retract' } }))).toBe(
      'noItems',
    );
  });

  test('deltas: afterCompletion', async () => {
    const { client } = await speak({ deltas: 'afterCompletion' });
    await client.command('CashDispenser.Dispense', yen(1_000));
    await client.event('Storage.CountsChangedEvent');
    const order = client.heard.map(({ header }) => header.type);
    expect(order).toEqual(['acknowledge', 'completion', 'unsolicited', 'unsolicited']);
  });

  test('notSupported: literal', async () => {
    const { client } = await speak({ notSupported: 'literal' });
    expect((await client.command('Common.Capabilities')).payload.common.endToEndSecurity.responseSecurityEnabled).toBe(
      'notSupported',
    );
  });
});

test('a switch or value there is not is refused', async () => {
  await speak({});
  expect(() => bench.atm.setDialect({ accent: 'broad' } as never)).toThrow('accent');
  expect(() => bench.atm.setDialect({ success: 'maybe' } as never)).toThrow('success');
  expect(Dialect.parse({})).toEqual(STANDARD_DIALECT);
});
