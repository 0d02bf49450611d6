import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../tests/contract/devices/virtual-clock.ts';
import { type Bench, bench, settled, steady } from './bench.fixture.ts';
import { capabilities, DISPENSER, type MemoryService, PIN_DEVICE, type Sent } from './memory-machine.fixture.ts';

let open: Bench | null = null;
afterEach(() => open?.client.close());

type Commands = Record<string, readonly string[]>;
async function dispenser(prepare: (device: MemoryService) => void = () => {}, commands: Commands = DISPENSER) {
  open = await bench(new VirtualClock(), commands, { prepare });
  return open;
}
const options = () => ({ timeoutMs: 1_000, signal: steady() });

const ACCEPTOR = {
  ...DISPENSER,
  'CashAcceptor.CashIn': ['2.0'],
  'CashAcceptor.GetCashInStatus': ['2.0'],
  'CashManagement.Reset': ['2.0'],
  'CashDispenser.Denominate': ['3.0'],
  'Common.GetCommandNonce': ['2.0'],
};
/** The same commands as an edition-2021-1 service lists them. */
const OF_2021 = Object.fromEntries(Object.keys(ACCEPTOR).map((name) => [name, ['1.0']]));

describe('success', () => {
  const ways: Record<string, (command: Sent) => object> = {
    'in the header': () => ({ completionCode: 'success' }),
    'left out': () => ({}),
    null: () => ({ completionCode: null }),
  };
  for (const [way, header] of Object.entries(ways)) {
    it(`may be ${way}`, async () => {
      const { service, device } = await dispenser();
      device.on('CashDispenser.Reject', (command, line) => line.complete(command, null, { ...header(command) }));
      expect(await service.command('CashDispenser.Reject', null, options())).toEqual({ code: 'success', payload: {} });
    });
  }

  it('and failure may be in the payload (2021-1); what either place calls a failure is one', async () => {
    const { service, device } = await dispenser();
    const reject = async (payload: Record<string, unknown>, header = {}) => {
      device.on('CashDispenser.Reject', (command, line) => line.complete(command, payload, header));
      return service.command('CashDispenser.Reject', null, options());
    };
    expect(await reject({ completionCode: 'success' })).toMatchObject({ code: 'success' });
    expect(await reject({ completionCode: 'hardwareError', errorDescription: 'belt' })).toMatchObject({
      code: 'hardwareError',
      description: 'belt',
    });
    expect(await reject({ completionCode: 'hardwareError' }, { completionCode: 'success' })).toMatchObject({
      code: 'hardwareError',
    });
  });
});

describe('spelling', () => {
  it.each([
    ['authorisationRequired', 'authorizationRequired'],
    ['authorizationRequired', 'authorizationRequired'],
    ['cancelled', 'canceled'],
    ['timeout', 'timeOut'],
    ['invalidTokenHMAC', 'invalidTokenHMAC'],
  ])('%s is %s', async (spelled, code) => {
    const { service, device } = await dispenser();
    device.on('CashDispenser.Reject', (command, line) => line.fail(command, spelled));
    expect(await service.command('CashDispenser.Reject', null, options())).toMatchObject({ code });
  });

  it('of interfaces and message names does not matter', async () => {
    const { service, device } = await dispenser((one) => {
      const listed = capabilities(DISPENSER) as { interfaces: { name: string }[] };
      for (const each of listed.interfaces) each.name = each.name[0]!.toLowerCase() + each.name.slice(1);
      one.answers('Common.Capabilities', listed);
    });
    expect(service.interfaces).toContain('CashDispenser');
    const taken: unknown[] = [];
    service.on('CashManagement.ItemsTakenEvent', (payload) => taken.push(payload));
    device.line.unsolicited('cashManagement.itemsTakenEvent', { position: 'outCenter' });
    await settled();
    expect(taken).toEqual([{ position: 'outCenter' }]);
  });

  it('`inop` of a camera is inoperative, and a value nobody knows is unknown', async () => {
    const { service } = await dispenser((device) =>
      device.answers('Common.Status', {
        camera: { cameras: { person: 'inop', room: 'foggy' } },
        cashDispenser: { intermediateStacker: 'humming' },
      }),
    );
    expect(service.status()).toEqual({
      camera: { cameras: { person: 'inoperative', room: 'unknown' } },
      cashDispenser: { intermediateStacker: 'unknown' },
      fresh: true,
    });
  });

  it('what is not supported may be null, absent, or the literal notSupported (2021-1)', async () => {
    const { service } = await dispenser((device) =>
      device.answers('Common.Status', {
        common: { device: 'online', antiFraudModule: 'notSupported', endToEndSecurity: null },
        printer: { toner: 'notSupported', paper: { upper: 'full', lower: 'notSupported' } },
      }),
    );
    expect(service.status()).toEqual({
      common: { device: 'online' },
      printer: { paper: { upper: 'full' } },
      fresh: true,
    });
  });
});

describe('an acknowledge', () => {
  it('may say ok in the payload (2021-1), and its refusal may stand there too', async () => {
    const { service, device } = await dispenser();
    const acknowledge = (status: string) =>
      device.on('CashDispenser.Reject', (command, line) => {
        line.say({ header: { ...command.header, type: 'acknowledge' }, payload: { status } });
        if (status === 'ok') line.complete(command, {});
      });
    acknowledge('ok');
    expect(await service.command('CashDispenser.Reject', null, options())).toMatchObject({ code: 'success' });
    acknowledge('tooManyRequests');
    expect(await service.command('CashDispenser.Reject', null, options())).toMatchObject({ code: 'tooManyRequests' });
  });
});

describe('an event', () => {
  it('for everybody is one without a request id, whatever its type says', async () => {
    const { service, device } = await dispenser();
    const taken: unknown[] = [];
    service.on('CashManagement.ItemsTakenEvent', (payload) => taken.push(payload));
    const payload = { position: 'outCenter', additionalBunches: '0' };
    device.line.unsolicited('CashManagement.ItemsTakenEvent', payload, 'unsolicited');
    device.line.unsolicited('CashManagement.ItemsTakenEvent', payload, 'event');
    device.line.say({ header: { type: 'event', name: 'CashManagement.ItemsTakenEvent', requestId: null }, payload });
    await settled();
    expect(taken).toEqual([payload, payload, payload]);
  });

  it('is heard by name in both forms, also after its command has ended', async () => {
    const { service, device, letters } = await dispenser();
    const taken: unknown[] = [];
    service.on('CashManagement.ItemsTakenEvent', (payload) => taken.push(payload));
    device.answers('CashDispenser.Present', {});
    await service.command('CashDispenser.Present', null, options());
    const sent = device.command('CashDispenser.Present');
    device.line.event(sent, 'CashManagement.ItemsTakenEvent', {
      position: { position: 'outCenter', additionalBunches: '0' },
    });
    await settled();
    expect(taken).toEqual([{ position: 'outCenter', additionalBunches: '0' }]);
    expect(letters).toEqual([]);
  });

  it('of a name nobody knows is ignored', async () => {
    const { device, letters } = await dispenser();
    device.line.unsolicited('Vendor.GremlinEvent', { seen: true });
    await settled();
    expect(letters).toEqual([]);
  });
});

describe('payloads of other editions', () => {
  it('CashIn: counts under `items` and counts at the top level are the same', async () => {
    const { service, device } = await dispenser(undefined, ACCEPTOR);
    const counts = { unrecognized: 0, type10000JPY1: { fit: 2 }, vendor: 'x' };
    const items = { unrecognized: 0, items: { type10000JPY1: { fit: 2 } } };
    for (const payload of [{ items: counts }, counts, { ...counts, completionCode: 'success' }]) {
      device.answers('CashAcceptor.CashIn', payload);
      const completion = await service.command('CashAcceptor.CashIn', null, options());
      expect(completion).toEqual({ code: 'success', payload: { items } });
    }
    device.answers('CashAcceptor.CashIn');
    expect(await service.command('CashAcceptor.CashIn', null, options())).toEqual({ code: 'success', payload: {} });
  });

  it('Denominate and Present: results wrapped and flat are the same', async () => {
    const { service, device } = await dispenser(undefined, ACCEPTOR);
    const result = { currencies: { JPY: 30_000 }, values: { unit3: 3 } };
    const request = { denomination: { service: { currencies: { JPY: 30_000 }, mix: 'mix1' } } };
    for (const payload of [{ result }, result]) {
      device.answers('CashDispenser.Denominate', payload);
      const completion = await service.command('CashDispenser.Denominate', { request }, options());
      expect(completion).toMatchObject({ code: 'success', payload: { result } });
    }
    const position = { position: 'outCenter', additionalBunches: '1' };
    for (const payload of [{ position }, position]) {
      device.answers('CashDispenser.Present', payload);
      const completion = await service.command('CashDispenser.Present', null, options());
      expect(completion).toMatchObject({ code: 'success', payload: { position } });
    }
  });

  it('major version 1: payloads go out flat, with the time-out in payload and header', async () => {
    const { service, device } = await dispenser(undefined, OF_2021);
    device.answers('CashDispenser.Dispense').answers('CashManagement.Retract').answers('CashManagement.Reset');
    const currencies = { JPY: 30_000 };
    const app = { currencies, counts: { unit3: 3 } };
    await service.command('CashDispenser.Dispense', { denomination: { denomination: { app } }, token: 'T' }, options());
    await service.command('CashManagement.Retract', { location: { retractArea: 'retract', index: 1 } }, options());
    await service.command('CashManagement.Reset', { position: { target: 'retract', index: 1 } }, options());
    const sent = (name: string) => device.command(name);
    expect(sent('CashDispenser.Dispense')).toMatchObject({
      header: { version: '1.0', timeout: 1_000 },
      payload: { denomination: { currencies, values: { unit3: 3 } }, token: 'T', timeout: 1_000 },
    });
    expect(sent('CashManagement.Retract').payload).toEqual({ retractArea: 'retract', index: 1, timeout: 1_000 });
    expect(sent('CashManagement.Reset').payload).toEqual({ target: 'retract', index: 1, timeout: 1_000 });
  });
});

describe('version negotiation', () => {
  it.each([['2.0'], ['3.0'], ['1.0']])('finds a service that understands Capabilities %s only', async (understood) => {
    const strictly = (device: MemoryService, name: string, payload: Record<string, unknown>) =>
      device.on(name, (command, line) => {
        line.acknowledge(command);
        if (command.header.version === understood) line.complete(command, payload);
        else line.fail(command, 'unsupportedCommand');
      });
    const listed = { ...DISPENSER, 'Common.Status': [understood], 'Common.Capabilities': [understood] };
    const { service, device } = await dispenser((one) => {
      strictly(one, 'Common.Capabilities', capabilities(listed));
      strictly(one, 'Common.Status', { common: { device: 'online' } });
    });
    expect(service.state()).toBe('connected');
    expect(service.status().fresh).toBe(true);
    expect(device.received.filter(({ header }) => header.name === 'Common.Status')).toHaveLength(1);
  });

  it('takes the highest version both know, as a whole string, and offers nothing above', async () => {
    const { service, device } = await dispenser(undefined, {
      ...DISPENSER,
      'CashDispenser.Dispense': ['1.3', '2.1', '3.0', '4.0'],
      'CashDispenser.Present': ['2.10', '2.9', 'x', '2.0'],
      'CashDispenser.Reject': ['4.0'],
    });
    device.answers('CashDispenser.Dispense').answers('CashDispenser.Present');
    const request = { denomination: { service: { currencies: { JPY: 1_000 }, mix: 'mix1' } } };
    await service.command('CashDispenser.Dispense', { denomination: request }, options());
    await service.command('CashDispenser.Present', null, options());
    expect(device.command('CashDispenser.Dispense').header.version).toBe('3.0');
    expect(device.command('CashDispenser.Present').header.version).toBe('2.10');
    expect(service.supports('CashDispenser.Reject')).toBe(false);
    expect(await service.command('CashDispenser.Reject', null, options())).toMatchObject({ code: 'notSent' });
  });

  it('takes commands that are listed by name alone, in the version that was understood', async () => {
    const { service } = await dispenser((device) =>
      device.answers('Common.Capabilities', {
        interfaces: [{ name: 'Common', commands: ['Common.Status', 'Common.Capabilities'] }],
      }),
    );
    expect(service.supports('Common.Status')).toBe(true);
    expect(service.supports('CashDispenser.Dispense')).toBe(false);
  });
});

describe('the PIN device', () => {
  it('may give its key serial number before the PIN block', async () => {
    open = await bench(new VirtualClock(), PIN_DEVICE);
    const { service, device, log } = open;
    device.on('PinPad.GetPinBlock', (command, line) => {
      line.acknowledge(command);
      line.event(command, 'KeyManagement.DUKPTKSNEvent', { key: 'PIN', ksn: '//+5h2VDIQAAAQ==' });
      line.complete(command, { pinBlock: 'c2VjcmV0' });
    });
    const heard: unknown[] = [];
    const payload = {
      format: 'iso0',
      key: 'PIN',
      customerData: '556677889900',
      padding: 15,
      cryptoMethod: 'ecb',
    } as const;
    const completion = await service.command('PinPad.GetPinBlock', payload, {
      ...options(),
      onEvent: ({ name }) => heard.push(name),
    });
    expect(completion).toEqual({ code: 'success', payload: { pinBlock: 'c2VjcmV0' } });
    expect(heard).toEqual(['KeyManagement.DUKPTKSNEvent']);
    expect(JSON.stringify(log)).not.toMatch(/c2VjcmV0|5566|5h2VD/);
  });
});
