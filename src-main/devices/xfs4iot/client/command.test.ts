import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../tests/contract/devices/virtual-clock.ts';
import { type Bench, bench, settled, steady } from './bench.fixture.ts';
import { capabilities, DISPENSER, PIN_DEVICE, type Sent } from './memory-machine.fixture.ts';
import type { ClientOptions } from './surface.ts';

let open: Bench | null = null;
afterEach(() => open?.client.close());

async function dispenser(options?: Parameters<typeof bench>[2]) {
  const clock = new VirtualClock();
  open = await bench(clock, DISPENSER, options);
  return { clock, ...open };
}

async function pinDevice(options?: Partial<ClientOptions>) {
  const clock = new VirtualClock();
  open = await bench(clock, PIN_DEVICE, options);
  return { clock, ...open };
}

const PIN_ENTRY = { minLen: 4, maxLen: 4, autoEnd: true, activeKeys: { one: {}, enter: { terminate: true } } };
const DISPENSE = { denomination: { denomination: { service: { currencies: { JPY: 30_000 }, mix: 'mix1' } } } };

describe('a command', () => {
  it('carries its time-out and listed version in the header, and no key that is null', async () => {
    const { device, service } = await dispenser();
    device.answers('CashDispenser.Dispense', { bunches: '1' });
    const payload = { ...DISPENSE, position: undefined, token: undefined };
    await service.command('CashDispenser.Dispense', payload, { timeoutMs: 60_000, signal: steady() });
    const { header, payload: sent } = device.command('CashDispenser.Dispense');
    expect(header).toEqual({
      type: 'command',
      name: 'CashDispenser.Dispense',
      version: '3.0',
      requestId: expect.any(Number),
      timeout: 60_000,
    });
    expect(sent).toEqual(DISPENSE);
  });

  it('hears its own events in order, and then its completion', async () => {
    const { device, service } = await pinDevice();
    const heard: unknown[] = [];
    device.on('Keyboard.PinEntry', (command, line) => {
      line.acknowledge(command);
      line.event(command, 'Keyboard.EnterDataEvent');
      line.event(command, 'Keyboard.KeyEvent', {});
      line.event(command, 'Keyboard.KeyEvent', { completion: 'clear', digit: 'clear' });
      line.complete(command, { digits: 4, completion: 'auto' });
    });
    const completion = await service.command('Keyboard.PinEntry', PIN_ENTRY, {
      timeoutMs: 60_000,
      signal: steady(),
      onEvent: (event) => heard.push(event),
    });
    expect(heard).toEqual([
      { name: 'Keyboard.EnterDataEvent', payload: {} },
      { name: 'Keyboard.KeyEvent', payload: {} },
      { name: 'Keyboard.KeyEvent', payload: { completion: 'clear', digit: 'clear' } },
    ]);
    expect(completion).toEqual({ code: 'success', payload: { digits: 4, completion: 'auto' } });
  });

  it('is matched by its number, whatever the order of completions', async () => {
    const { device, service } = await dispenser();
    const first = service.command('CashDispenser.Present', null, { timeoutMs: 1_000, signal: steady() });
    const second = service.command('CashDispenser.GetPresentStatus', null, { timeoutMs: 1_000, signal: steady() });
    await settled();
    device.line.complete(device.command('CashDispenser.GetPresentStatus'), { presentState: 'presented' });
    await expect(second).resolves.toMatchObject({ payload: { presentState: 'presented' } });
    device.line.complete(device.command('CashDispenser.Present'), {});
    await expect(first).resolves.toMatchObject({ code: 'success' });
  });

  it('fails with the error code of the device, the part of the payload that there is, and the words for a log', async () => {
    const { device, service } = await dispenser();
    device.on('CashDispenser.Dispense', (command, line) =>
      line.complete(
        command,
        { errorCode: 'cashUnitError', denomination: { currencies: { JPY: 20_000 }, values: { unit3: 2 } } },
        { completionCode: 'commandErrorCode', errorDescription: 'pick failure in unit3' },
      ),
    );
    const completion = await service.command('CashDispenser.Dispense', DISPENSE, {
      timeoutMs: 1_000,
      signal: steady(),
    });
    expect(completion).toEqual({
      code: 'commandErrorCode',
      errorCode: 'cashUnitError',
      description: 'pick failure in unit3',
      payload: { denomination: { currencies: { JPY: 20_000 }, values: { unit3: 2 } } },
    });
  });

  it('is read as failed when only the payload names an error, and as an unknown failure when the code is unknown', async () => {
    const { device, service } = await dispenser();
    device.on('CashDispenser.Reject', (command, line) => line.complete(command, { errorCode: 'noItems' }, {}));
    const reject = () => service.command('CashDispenser.Reject', null, { timeoutMs: 1_000, signal: steady() });
    expect(await reject()).toMatchObject({ code: 'commandErrorCode', errorCode: 'noItems' });
    device.on('CashDispenser.Reject', (command, line) => line.fail(command, 'gremlins'));
    expect(await reject()).toMatchObject({ code: 'unknown' });
  });

  it('that the service refuses with its acknowledge was not executed', async () => {
    const { device, service } = await dispenser();
    for (const status of ['tooManyRequests', 'invalidRequestID', 'invalidMessage'] as const) {
      device.on('CashDispenser.Reject', (command, line) => line.acknowledge(command, status));
      const completion = await service.command('CashDispenser.Reject', null, { timeoutMs: 1_000, signal: steady() });
      expect(completion.code).toBe(status);
    }
  });

  it('is not sent: no connection, not offered, called off before, no time-out, a payload that does not fit', async () => {
    const { device, service, client } = await dispenser();
    const options = { timeoutMs: 1_000, signal: steady() };
    const circular: Record<string, unknown> = {};
    circular['denomination'] = circular;
    const codes = [
      await service.command('Printer.PrintRaw', { inputData: 'no', data: '' }, options),
      await service.command('CashDispenser.Reject', null, { ...options, signal: AbortSignal.abort() }),
      await service.command('CashDispenser.Reject', null, { ...options, timeoutMs: 0 }),
      await service.command('CashDispenser.Reject', null, { ...options, timeoutMs: Number.NaN }),
      await service.command('CashDispenser.Dispense', { denomination: { denomination: {} } } as never, options),
      await service.command('CashDispenser.Dispense', circular as never, options),
    ];
    await client.close();
    codes.push(await service.command('CashDispenser.Reject', null, options));
    expect(codes.map(({ code }) => code)).toEqual(Array.from({ length: 7 }, () => 'notSent'));
    expect(device.received.map(({ header }) => header.name)).toEqual([
      'Common.Capabilities',
      'Common.Status',
      'Storage.GetStorage',
    ]);
    expect(codes[4]).toMatchObject({ description: expect.stringContaining('payload.denomination.denomination') });
  });

  it('above 2 MiB is not sent', async () => {
    const clock = new VirtualClock();
    open = await bench(clock, { ...PIN_DEVICE, 'Printer.PrintRaw': ['3.0'] });
    const payload = { inputData: 'no', data: 'A'.repeat(2 * 1024 * 1024) } as const;
    const completion = await open.service.command('Printer.PrintRaw', payload, { timeoutMs: 1_000, signal: steady() });
    expect(completion).toMatchObject({ code: 'notSent', description: expect.stringContaining('above 2097152') });
  });

  it('waits in a queue of bounded length: the device is not asked when too many are outstanding', async () => {
    const { device, service } = await dispenser({ limits: { outstandingMax: 2 } });
    const send = () => service.command('CashDispenser.Present', null, { timeoutMs: 1_000, signal: steady() });
    const [first, second] = [send(), send()];
    expect(await send()).toMatchObject({ code: 'tooManyRequests' });
    await settled();
    for (const index of [0, 1]) device.line.complete(device.command('CashDispenser.Present', index), {});
    expect([await first, await second].map(({ code }) => code)).toEqual(['success', 'success']);
  });

  it('is not kept waiting by what the client asks for itself', async () => {
    const { device, service } = await dispenser({ limits: { outstandingMax: 1 } });
    device.on('Common.Status', () => {}).answers('CashDispenser.Present', {});
    const refreshing = service.refresh(steady()).catch(() => 'no answer');
    const present = await service.command('CashDispenser.Present', null, { timeoutMs: 1_000, signal: steady() });
    expect(present.code).toBe('success');
    expect(await refreshing).toBe('no answer');
  });

  it('keeps to the number of requests the service takes', async () => {
    const { service } = await dispenser({
      prepare: (device) => {
        const listed = capabilities(DISPENSER) as { interfaces: { name: string; maximumRequests: number }[] };
        for (const one of listed.interfaces) if (one.name === 'CashDispenser') one.maximumRequests = 1;
        device.answers('Common.Capabilities', listed);
      },
    });
    void service.command('CashDispenser.Present', null, { timeoutMs: 1_000, signal: steady() });
    const second = await service.command('CashDispenser.Present', null, { timeoutMs: 1_000, signal: steady() });
    expect(second).toMatchObject({ code: 'tooManyRequests', description: expect.stringContaining('1 commands') });
  });
});

describe('S17 cancel', () => {
  const cancels = (device: Bench['device']) =>
    device.received.filter(({ header }) => header.name === 'Common.Cancel').map(({ payload }) => payload);

  it('called off, a command sends Common.Cancel with its number and ends with its own completion', async () => {
    const { device, service, clock } = await pinDevice();
    const abort = new AbortController();
    device.on('Common.Cancel', (command, line) => {
      line.acknowledge(command);
      line.complete(command);
      line.fail(device.command('Keyboard.PinEntry'), 'canceled');
    });
    const entry = service.command('Keyboard.PinEntry', PIN_ENTRY, { timeoutMs: 60_000, signal: abort.signal });
    await settled();
    abort.abort();
    expect(await entry).toMatchObject({ code: 'canceled' });
    expect(cancels(device)).toEqual([{ requestIds: [device.command('Keyboard.PinEntry').header.requestId] }]);
    expect(clock.monotonicMs()).toBeLessThan(60_000);
  });

  it('too late for the device, the command ends with its result', async () => {
    const { device, service } = await dispenser();
    const abort = new AbortController();
    device.on('Common.Cancel', (command, line) => {
      line.fail(command, 'commandErrorCode', { errorCode: 'noMatchingRequestIDs' });
      line.complete(device.command('CashDispenser.Dispense'), { bunches: '1' });
    });
    const dispense = service.command('CashDispenser.Dispense', DISPENSE, { timeoutMs: 60_000, signal: abort.signal });
    await settled();
    abort.abort();
    expect(await dispense).toEqual({ code: 'success', payload: { bunches: '1' } });
  });

  it('that nobody answers ends, bounded, with an unknown outcome', async () => {
    const { device, service, clock } = await dispenser({ limits: { cancelMs: 15_000 } });
    const abort = new AbortController();
    const dispense = service.command('CashDispenser.Dispense', DISPENSE, { timeoutMs: 600_000, signal: abort.signal });
    await settled();
    abort.abort();
    expect(await dispense).toMatchObject({ code: 'noAnswer', description: expect.stringContaining('called off') });
    expect(cancels(device)).toHaveLength(1);
    expect(clock.monotonicMs()).toBeLessThan(60_000);
  });

  it('comes by itself when the service is silent beyond the time-out and the margin', async () => {
    const { device, service, clock } = await dispenser({ limits: { answerMarginMs: 30_000, cancelMs: 15_000 } });
    const before = clock.monotonicMs();
    const dispense = await service.command('CashDispenser.Dispense', DISPENSE, { timeoutMs: 60_000, signal: steady() });
    expect(dispense).toMatchObject({ code: 'noAnswer' });
    expect(clock.monotonicMs() - before).toBe(105_000);
    expect(cancels(device)).toHaveLength(1);
  });

  it('is sent once, however often the command is given up', async () => {
    const { device, service, clock } = await dispenser({ limits: { answerMarginMs: 1_000, cancelMs: 15_000 } });
    const before = clock.monotonicMs();
    const abort = new AbortController();
    const dispense = service.command('CashDispenser.Dispense', DISPENSE, { timeoutMs: 1_000, signal: abort.signal });
    clock.after(5_000, () => abort.abort());
    expect(await dispense).toMatchObject({ code: 'noAnswer' });
    expect(clock.monotonicMs() - before).toBe(17_000);
    expect(cancels(device)).toHaveLength(1);
  });
});

describe('what comes late', () => {
  async function givenUp(): Promise<{ sent: Sent } & Awaited<ReturnType<typeof dispenser>>> {
    const all = await dispenser({ limits: { answerMarginMs: 1_000, cancelMs: 1_000 } });
    await all.service.command('CashDispenser.Dispense', DISPENSE, { timeoutMs: 1_000, signal: steady() });
    return { ...all, sent: all.device.command('CashDispenser.Dispense') };
  }

  it('is told, with what it says of the money, and the mirrors are read again', async () => {
    const { device, late, letters, sent } = await givenUp();
    await settled();
    const before = device.received.filter(({ header }) => header.name === 'Storage.GetStorage').length;
    device.line.complete(sent, { bunches: '1', denomination: { values: { unit3: 3 } } });
    await settled();
    expect(late).toEqual([
      {
        uri: expect.any(String),
        name: 'CashDispenser.Dispense',
        requestId: sent.header.requestId,
        completion: { code: 'success', payload: { bunches: '1', denomination: { values: { unit3: 3 } } } },
      },
    ]);
    expect(letters).toEqual([]);
    await settled();
    const after = device.received.filter(({ header }) => header.name === 'Storage.GetStorage').length;
    expect(after).toBe(before + 1);
  });

  it('may be an event, heard by its name though its command was given up', async () => {
    const { device, letters, sent, service } = await givenUp();
    const heard: unknown[] = [];
    service.on('CashDispenser.IncompleteDispenseEvent', (payload) => heard.push(payload));
    device.line.event(sent, 'CashDispenser.IncompleteDispenseEvent', { values: { unit3: 2 } });
    await settled();
    expect(heard).toEqual([{ values: { unit3: 2 } }]);
    expect(letters).toEqual([]);
  });

  it('and then again, is a dead letter', async () => {
    const { device, late, letters, sent } = await givenUp();
    device.line.complete(sent, { bunches: '1' });
    device.line.complete(sent, { bunches: '2' });
    await settled();
    expect(late).toHaveLength(1);
    expect(letters.map(({ reason }) => reason)).toEqual(['duplicate']);
  });
});

describe('a dead letter', () => {
  it('is what fits no request: unknown number, second completion, another name, another type', async () => {
    const { device, service, letters } = await dispenser();
    device.answers('CashDispenser.Reject');
    await service.command('CashDispenser.Reject', null, { timeoutMs: 1_000, signal: steady() });
    const sent = device.command('CashDispenser.Reject');
    const present = service.command('CashDispenser.Present', null, { timeoutMs: 1_000, signal: steady() });
    await settled();
    const running = device.command('CashDispenser.Present');
    const { line } = device;
    line.complete({ ...sent, header: { ...sent.header, requestId: 999 } });
    line.complete(sent);
    line.complete({ ...running, header: { ...running.header, name: 'CashDispenser.Reject' } });
    line.say({ header: { ...running.header, type: 'command' } });
    line.say({ header: { ...running.header, type: 'completion', completionCode: 7 } });
    line.say({ header: { type: 'completion', name: 'CashDispenser.Present', version: '2.0' } });
    line.event({ ...sent }, 'CashManagement.NoteErrorEvent', { reason: 'doubleNote' });
    await settled();
    expect(letters.map(({ reason }) => reason)).toEqual([
      'unknownRequest',
      'duplicate',
      'nameMismatch',
      'invalidEnvelope',
      'invalidEnvelope',
      'invalidEnvelope',
      'unknownRequest',
    ]);
    line.complete(running, {});
    expect(await present).toMatchObject({ code: 'success' });
  });

  it('is no answer: a success that cannot be read leaves the outcome unknown at once', async () => {
    const { device, service, letters, clock } = await dispenser();
    const before = clock.monotonicMs();
    device.answers('CashDispenser.Dispense', { denomination: { values: { unit3: 'three' } } });
    const completion = await service.command('CashDispenser.Dispense', DISPENSE, {
      timeoutMs: 60_000,
      signal: steady(),
    });
    expect(completion).toMatchObject({ code: 'noAnswer', description: expect.stringContaining('values.unit3') });
    expect(letters).toMatchObject([{ reason: 'invalidPayload', detail: expect.stringContaining('unit3') }]);
    expect(clock.monotonicMs() - before).toBeLessThan(1_000);
  });

  it('does not hide a failure: the code stays, the payload that cannot be read goes', async () => {
    const { device, service, letters } = await dispenser();
    device.on('CashDispenser.Dispense', (command, line) => line.fail(command, 'hardwareError', { denomination: 5 }));
    const completion = await service.command('CashDispenser.Dispense', DISPENSE, {
      timeoutMs: 1_000,
      signal: steady(),
    });
    expect(completion).toMatchObject({ code: 'hardwareError', payload: {} });
    expect(letters).toHaveLength(1);
  });

  it('comes of anything: no JSON, no object, nested without end, above 2 MiB; the connection lives on', async () => {
    const { device, service, letters } = await dispenser();
    const { line } = device;
    line.sayText('{"header":');
    line.sayText('[]');
    line.sayText('null');
    line.sayText('"success"');
    line.say({ header: { type: 'unsolicited', name: 'Common.ErrorEvent' }, payload: [] });
    line.sayText(
      `{"header":{"type":"event","name":"Common.StatusChangedEvent"},"payload":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
    );
    line.sayText(`"${'x'.repeat(2 * 1024 * 1024)}"`);
    await settled();
    expect(letters.map(({ reason }) => reason)).toEqual([
      'malformed',
      'malformed',
      'malformed',
      'malformed',
      'invalidEnvelope',
      'invalidPayload',
      'tooLarge',
    ]);
    device.answers('CashDispenser.Reject');
    const after = await service.command('CashDispenser.Reject', null, { timeoutMs: 1_000, signal: steady() });
    expect(after.code).toBe('success');
  });

  it('is kept to a bounded number, and a listener that throws hurts nobody', async () => {
    const { device, client, service } = await dispenser({
      onDeadLetter: () => {
        throw new Error('alarm failed');
      },
    });
    service.on('CashManagement.ItemsTakenEvent', () => {
      throw new Error('listener failed');
    });
    for (let index = 0; index < 250; index += 1) device.line.sayText('?');
    device.line.unsolicited('CashManagement.ItemsTakenEvent', { position: 'outCenter' });
    await settled();
    expect(client.deadLetters()).toHaveLength(100);
    expect(service.state()).toBe('connected');
  });

  it('holds no token, PIN block, customer data, picture or account number', async () => {
    const { device, letters, log } = await dispenser();
    const secrets = {
      token: 'NONCE=1,TOKENFORMAT=1,HMACSHA256=ABCD',
      pinBlock: 'c2VjcmV0',
      customerData: '556677889900',
      pictureFile: 'cGljdHVyZQ==',
      vendorField: '4929123412341234',
      nested: [{ data: 'SGVsbG8=' }],
    };
    device.line.say({
      header: { type: 'completion', name: 'CashDispenser.Dispense', requestId: 77 },
      payload: secrets,
    });
    await settled();
    expect(letters).toHaveLength(1);
    const said = JSON.stringify([letters, log]);
    for (const secret of ['NONCE', 'ABCD', 'c2Vj', '5566', 'cGlj', '4929', 'SGVs']) expect(said).not.toContain(secret);
    expect(letters[0]!.message).toContain('CashDispenser.Dispense');
  });
});
