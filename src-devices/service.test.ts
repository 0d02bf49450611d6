import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { command, done, type Interface } from './command.ts';
import type { DialectChange } from './dialect.ts';
import { Faults } from './faults.ts';
import { type Publisher, publish } from './publisher.ts';
import { createRuntime } from './runtime.ts';
import { type Outlet, Service } from './service.ts';
import { type Message, TestClient } from './test-client.ts';
import { VirtualClock } from './virtual-clock.ts';
import { WIRE_FAULTS } from './wire-faults.ts';

/** A lamp that takes a second to switch, and stays on however the command ends. */
function lamp(outlet: Outlet, act: (ms: number, signal?: AbortSignal) => Promise<void>) {
  let on = false;
  const switching: Interface = {
    name: 'Lights',
    events: ['Lights.SwitchedEvent'],
    capabilities: () => ({ colours: ['white'] }),
    commands: {
      'Lights.SetLight': command(z.object({ on: z.boolean() }), async (payload, { signal, event }) => {
        await act(1_000, signal);
        on = payload.on;
        event('Lights.SwitchedEvent', { on });
        outlet.changed();
        return done({ on });
      }),
    },
  };
  return {
    name: 'Lamp1',
    model: { modelName: 'lamp', serialNumber: '1', modelDescription: 'a lamp' },
    interfaces: [switching],
    status: () => ({ lights: { on } }),
  };
}

interface Bench {
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly service: Service;
  readonly publisher: Publisher;
  client(): Promise<TestClient>;
}

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function bench(dialect: DialectChange = {}, requestsMax?: number): Promise<Bench> {
  const clock = new VirtualClock();
  const faults = new Faults(WIRE_FAULTS);
  const runtime = createRuntime({ clock, faults, speed: 1, dialect });
  const service = new Service(runtime, (outlet) => lamp(outlet, runtime.act), requestsMax);
  const publisher = await publish(runtime, [service], { host: '127.0.0.1', ports: [0], vendorName: 'test' });
  open.push(publisher);
  const client = async () => {
    const connected = await TestClient.connect(publisher.serviceUrl('Lamp1'));
    open.push(connected);
    return connected;
  };
  return { clock, faults, service, publisher, client };
}

/** Lets real messages travel while virtual time stands still. */
async function travel(clock: VirtualClock, ms = 0): Promise<void> {
  await arrived();
  await clock.advance(ms);
  await arrived();
}

/** Loopback delivers at once, but is only read as the event loop turns: on a busy machine it may turn once in all this time. */
async function arrived(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const kinds = (client: TestClient, requestId: number) =>
  client.heard.filter(({ header }) => header.requestId === requestId).map(({ header }) => header.type);
const codeOf = ({ header }: Message) => header.completionCode;

describe('publisher (1)', () => {
  test('tells its services, and serves each path with and without a trailing slash', async () => {
    const { publisher } = await bench();
    for (const url of [publisher.url, `${publisher.url}/`]) {
      const client = await TestClient.connect(url);
      open.push(client);
      const completion = await client.command('ServicePublisher.GetServices');
      expect(completion.payload.services).toEqual([{ serviceURI: publisher.serviceUrl('Lamp1') }]);
      expect(client.events()).toEqual(['ServicePublisher.ServiceDetailEvent']);
    }
    const slashed = await TestClient.connect(`${publisher.serviceUrl('Lamp1')}/`);
    open.push(slashed);
    expect(codeOf(await slashed.command('Common.Status'))).toBe('success');
  });

  test('answers plain HTTP with 400, and an unknown path not at all', async () => {
    const { publisher } = await bench();
    const response = await fetch(publisher.url.replace('ws:', 'http:'));
    expect(response.status).toBe(400);
    await expect(TestClient.connect(publisher.serviceUrl('Nobody1'))).rejects.toThrow('404');
  });

  test('takes the first free port of its list', async () => {
    const { publisher } = await bench();
    const runtime = createRuntime({ clock: new VirtualClock(), faults: new Faults([]), speed: 1 });
    const second = await publish(runtime, [], { host: '127.0.0.1', ports: [publisher.port, 0], vendorName: 'test' });
    open.push(second);
    expect(second.port).not.toBe(publisher.port);
    await expect(
      publish(runtime, [], { host: '127.0.0.1', ports: [publisher.port], vendorName: 'test' }),
    ).rejects.toThrow(`no free port on 127.0.0.1: tried ${publisher.port}`);
  });

  test('refuses more clients than it can tell everything', async () => {
    const { client, publisher } = await bench();
    for (let count = 0; count < 64; count++) await client();
    await expect(TestClient.connect(publisher.serviceUrl('Lamp1'))).rejects.toThrow('503');
  });

  test('closes the connection at a message over 2 MiB', async () => {
    const { client } = await bench();
    const loud = await client();
    const closed = new Promise((resolve) => loud.socket.once('close', resolve));
    loud.socket.send('x'.repeat(2 * 1024 * 1024 + 1));
    expect(await closed).toBe(1009);
    expect(loud.socket.readyState).toBe(WebSocket.CLOSED);
  });
});

describe('envelope and acknowledge (2)', () => {
  test('acknowledges first, then events, then exactly one completion', async () => {
    const { client, clock } = await bench();
    const one = await client();
    const id = one.send('Lights.SetLight', { on: true }, { version: '3.0' });
    await travel(clock, 1_000);
    expect(kinds(one, id)).toEqual(['acknowledge', 'event', 'completion']);
    expect((await one.completion(id)).header.version).toBe('2.0');
  });

  test.each([
    ['no JSON', '{"header":', 'invalidMessage'],
    ['no header', '{"payload":{}}', 'invalidMessage'],
    [
      'a type that is no command',
      '{"header":{"type":"event","name":"Common.Status","version":"2.0","requestId":1}}',
      'invalidMessage',
    ],
    [
      'request id 0',
      '{"header":{"type":"command","name":"Common.Status","version":"2.0","requestId":0}}',
      'invalidRequestID',
    ],
    [
      'request id in words',
      '{"header":{"type":"command","name":"Common.Status","version":"2.0","requestId":"1"}}',
      'invalidRequestID',
    ],
  ])('refuses %s without a completion', async (_name, text, status) => {
    const { client } = await bench();
    const one = await client();
    one.socket.send(text);
    const { header } = await one.next((message) => message.header.type === 'acknowledge');
    expect(header.status).toBe(status);
    one.send('Common.Status', undefined, { requestId: 77 });
    await one.completion(77);
    expect(one.heard.map((message) => message.header.type)).toEqual(['acknowledge', 'acknowledge', 'completion']);
  });

  test('refuses an id that is still outstanding on this connection, and takes it from another', async () => {
    const { client, clock } = await bench();
    const [one, two] = [await client(), await client()];
    for (const each of [one, one, two]) each.send('Lights.SetLight', { on: true }, { version: '3.0', requestId: 5 });
    await travel(clock, 2_000);
    const statuses = (from: TestClient) =>
      from.heard.filter(({ header }) => header.type === 'acknowledge').map(({ header }) => header.status ?? 'ok');
    expect(statuses(one)).toEqual(['ok', 'invalidRequestID']);
    expect(statuses(two)).toEqual(['ok']);
  });

  test('refuses more requests than it says it keeps', async () => {
    const { client, clock } = await bench({}, 2);
    const one = await client();
    const ids = [1, 2, 3].map(() => one.send('Lights.SetLight', { on: true }, { version: '3.0' }));
    await travel(clock);
    const third = one.heard.find(({ header }) => header.requestId === ids[2]);
    expect(third?.header.status).toBe('tooManyRequests');
    const capabilities = one.send('Common.Cancel', {});
    expect(codeOf(await one.completion(capabilities))).toBe('success');
  });

  test('refuses a payload that breaks the rules, naming the field', async () => {
    const { client } = await bench();
    const one = await client();
    const completion = await one.command('Lights.SetLight', { on: 'yes' }, { version: '3.0' });
    expect(codeOf(completion)).toBe('invalidData');
    expect(completion.header.errorDescription).toContain('on');
  });
});

describe('life cycle (3)', () => {
  test('runs device commands one at a time and queries beside them', async () => {
    const { client, clock } = await bench();
    const [one, two] = [await client(), await client()];
    const first = one.send('Lights.SetLight', { on: true }, { version: '3.0' });
    await travel(clock);
    const second = two.send('Lights.SetLight', { on: false }, { version: '3.0' });
    const query = two.send('Common.Status');
    await travel(clock, 1_000);
    expect(kinds(one, first)).toContain('completion');
    expect(kinds(two, query)).toEqual(['acknowledge', 'completion']);
    expect(kinds(two, second)).toEqual(['acknowledge']);
    await travel(clock, 1_000);
    expect(kinds(two, second)).toEqual(['acknowledge', 'event', 'completion']);
  });

  test('counts the time-out from receipt, in the queue too', async () => {
    const { client, clock } = await bench();
    const one = await client();
    const running = one.send('Lights.SetLight', { on: true }, { version: '3.0', timeout: 5_000 });
    const waiting = one.send('Lights.SetLight', { on: false }, { version: '3.0', timeout: 300 });
    const short = one.send('Lights.SetLight', { on: false }, { version: '3.0', timeout: 1_500 });
    await travel(clock, 400);
    expect(codeOf(await one.completion(waiting))).toBe('timeOut');
    await travel(clock, 2_000);
    expect(codeOf(await one.completion(running))).toBe('success');
    expect(codeOf(await one.completion(short))).toBe('timeOut');
  });

  test('S17: completes the Cancel, then what it cancelled', async () => {
    const { client, clock } = await bench();
    const one = await client();
    const running = one.send('Lights.SetLight', { on: true }, { version: '3.0' });
    const queued = one.send('Lights.SetLight', { on: true }, { version: '3.0' });
    await travel(clock);
    const cancel = one.send('Common.Cancel', { requestIds: [running, queued] });
    await travel(clock);
    const completions = one.heard.filter(({ header }) => header.type === 'completion');
    expect(completions.map(({ header }) => [header.requestId, header.completionCode])).toEqual([
      [cancel, 'success'],
      [queued, 'canceled'],
      [running, 'canceled'],
    ]);
    const nothing = await one.command('Common.Cancel', { requestIds: [999] });
    expect(nothing.payload.errorCode).toBe('noMatchingRequestIDs');
  });

  test('never cancels a command of another connection', async () => {
    const { client, clock } = await bench();
    const [one, two] = [await client(), await client()];
    const running = one.send('Lights.SetLight', { on: true }, { version: '3.0' });
    await travel(clock);
    expect((await two.command('Common.Cancel', { requestIds: [running] })).payload.errorCode).toBe(
      'noMatchingRequestIDs',
    );
    expect(codeOf(await two.command('Common.Cancel'))).toBe('success');
    await travel(clock, 1_000);
    expect(codeOf(await one.completion(running))).toBe('success');
  });

  test('a connection that goes takes its commands with it', async () => {
    const { client, clock } = await bench();
    const [one, two] = [await client(), await client()];
    one.send('Lights.SetLight', { on: true }, { version: '3.0' });
    one.send('Lights.SetLight', { on: true }, { version: '3.0' });
    await travel(clock);
    await one.close();
    await travel(clock);
    expect((await two.command('Common.Status')).payload.lights).toEqual({ on: false });
    const next = two.send('Lights.SetLight', { on: true }, { version: '3.0' });
    await travel(clock, 1_000);
    expect(codeOf(await two.completion(next))).toBe('success');
  });

  test('tells every connection what changed, and only that', async () => {
    const { client, clock } = await bench();
    const [one, two] = [await client(), await client()];
    one.send('Lights.SetLight', { on: true }, { version: '3.0' });
    await travel(clock, 1_000);
    for (const each of [one, two]) {
      const { header, payload } = await each.event('Common.StatusChangedEvent');
      expect(header).toMatchObject({ type: 'unsolicited', version: '3.0' });
      expect(payload).toEqual({ lights: { on: true } });
    }
    expect(two.events()).not.toContain('Lights.SwitchedEvent');
  });
});

describe('versions and unknown commands (3.5, 4)', () => {
  test('tells a command the standard has from one it has not', async () => {
    const { client } = await bench();
    const one = await client();
    expect(codeOf(await one.command('Common.PowerSaveControl'))).toBe('unsupportedCommand');
    expect(codeOf(await one.command('Common.MakeCoffee'))).toBe('invalidCommand');
    expect(codeOf(await one.command('CashDispenser.Dispense'))).toBe('invalidCommand');
  });

  test('compares whole version strings, or major numbers only', async () => {
    const strict = await (await bench()).client();
    expect(codeOf(await strict.command('Common.Status', undefined, { version: '2.1' }))).toBe('unsupportedCommand');
    const loose = await (await bench({ strictVersions: false })).client();
    expect(codeOf(await loose.command('Common.Status', undefined, { version: '2.1' }))).toBe('success');
    expect(codeOf(await loose.command('Common.Status', undefined, { version: '3.0' }))).toBe('unsupportedCommand');
  });

  test('lists each command and event with its version', async () => {
    const { client } = await bench();
    const one = await client();
    const { payload } = await one.command('Common.Capabilities');
    const lights = payload.interfaces.find((each: { name: string }) => each.name === 'Lights');
    expect(lights).toEqual({
      name: 'Lights',
      commands: { 'Lights.SetLight': { versions: ['3.0'] } },
      events: { 'Lights.SwitchedEvent': { versions: ['2.0'] } },
      maximumRequests: 64,
    });
    expect(payload.lights).toEqual({ colours: ['white'] });
  });

  test('SetVersions takes what is listed and nothing else', async () => {
    const { client } = await bench();
    const one = await client();
    const set = async (payload: unknown) => codeOf(await one.command('Common.SetVersions', payload));
    expect(await set({ commands: { 'Lights.SetLight': 3 }, events: { 'Common.StatusChangedEvent': 3 } })).toBe(
      'success',
    );
    expect(await set({ commands: { 'Lights.SetLight': 2 } })).toBe('unsupportedData');
    expect(await set({ events: { 'No.SuchEvent': 1 } })).toBe('unsupportedData');
    expect(await set({})).toBe('invalidData');
  });

  test('keeps the transaction state it is told (7.5)', async () => {
    const { client } = await bench();
    const one = await client();
    expect(codeOf(await one.command('Common.SetTransactionState', { state: 'active' }))).toBe('invalidData');
    await one.command('Common.SetTransactionState', { state: 'active', transactionID: 'T1' });
    expect((await one.command('Common.GetTransactionState')).payload).toEqual({ state: 'active', transactionID: 'T1' });
  });
});

describe('device state (7.1, 7.3)', () => {
  test('an offline device answers queries and refuses commands', async () => {
    const { client, service } = await bench();
    const one = await client();
    service.setDevice('offline');
    expect(codeOf(await one.command('Lights.SetLight', { on: true }, { version: '3.0' }))).toBe('deviceNotReady');
    expect((await one.command('Common.Status')).payload.common.device).toBe('offline');
    expect((await one.event('Common.StatusChangedEvent')).payload).toEqual({ common: { device: 'offline' } });
  });

  test('fraud is told by an error event', async () => {
    const { client, service } = await bench();
    const one = await client();
    service.setDevice('fraudAttempt');
    expect(codeOf(await one.command('Lights.SetLight', { on: true }, { version: '3.0' }))).toBe('fraudAttempt');
    expect((await one.event('Common.ErrorEvent')).payload.eventId).toBe('fraudAttempt');
  });
});
