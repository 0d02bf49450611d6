import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../../tests/contract/devices/virtual-clock.ts';
import { bench, DISPENSER_URI, settled, steady } from './bench.fixture.ts';
import { connect } from './client.ts';
import { capabilities, DISPENSER, MemoryMachine, PIN_DEVICE } from './memory-machine.fixture.ts';
import type { ClientOptions, Xfs4IotClient } from './surface.ts';

let open: Xfs4IotClient | null = null;
afterEach(() => open?.close());

const PORTS = [5846, 5847, 5848].map((port) => ({ port, secure: false }));
const PIN_URI = 'ws://atm:5847/xfs4iot/v1.0/PinPad1/';

/** A machine with a dispenser and a PIN device, each of its own vendor. */
function twoVendors(): MemoryMachine {
  const machine = new MemoryMachine();
  machine.publisher(5846, DISPENSER_URI);
  machine.publisher(5847, PIN_URI);
  const online = { common: { device: 'online' } };
  machine
    .at(DISPENSER_URI)
    .answers('Common.Capabilities', capabilities(DISPENSER))
    .answers('Common.Status', online)
    .answers('Storage.GetStorage', { storage: { unit3: { status: 'ok', capacity: 2500 } } });
  machine.at(PIN_URI).answers('Common.Capabilities', capabilities(PIN_DEVICE)).answers('Common.Status', online);
  return machine;
}

async function connected(machine: MemoryMachine, options: Partial<ClientOptions> = {}) {
  const clock = new VirtualClock();
  open = await connect({
    host: 'atm',
    ports: PORTS,
    clock,
    openSocket: machine.openSocket,
    onDeadLetter: () => {},
    ...options,
  });
  return { client: open, clock };
}

/** Waits, on the virtual clock, until something holds. */
async function until(clock: VirtualClock, holds: () => boolean): Promise<void> {
  const end = clock.monotonicMs() + 600_000;
  while (!holds()) {
    if (clock.monotonicMs() > end) throw new Error('never happened');
    await clock.sleep(50, steady());
  }
}

describe('S1 start-up', () => {
  it('asks every port, merges all publishers, and reads capabilities, status and storage of each service in this order', async () => {
    const machine = twoVendors();
    const { client } = await connected(machine);
    expect(client.services().map(({ uri }) => uri)).toEqual([DISPENSER_URI, PIN_URI]);
    expect(client.services().map((service) => service.state())).toEqual(['connected', 'connected']);
    const asked = (uri: string) => machine.at(uri).received.map(({ header }) => header.name);
    expect(asked(DISPENSER_URI)).toEqual(['Common.Capabilities', 'Common.Status', 'Storage.GetStorage']);
    expect(asked(PIN_URI)).toEqual(['Common.Capabilities', 'Common.Status']);
    const dispenser = client.find('CashDispenser', 'Storage')!;
    expect(dispenser.status()).toEqual({ common: { device: 'online' }, fresh: true });
    expect(dispenser.storage()).toEqual({ units: { unit3: { status: 'ok', capacity: 2500 } }, fresh: true });
    expect(client.find('Keyboard', 'PinPad')?.uri).toBe(PIN_URI);
    expect(client.find('Printer')).toBeNull();
  });

  it('takes the union of events and completion, and each address once, as it was given first', async () => {
    const machine = twoVendors();
    const later = 'ws://atm:5846/xfs4iot/v1.0/Lights1';
    machine.publisher(5846).on('ServicePublisher.GetServices', (command, line) => {
      line.acknowledge(command);
      line.event(command, 'ServicePublisher.ServiceDetailEvent', { services: [{ serviceURI: `${DISPENSER_URI}/` }] });
      line.event(command, 'ServicePublisher.ServiceDetailEvent', { services: [{ serviceURI: later }] });
      line.complete(command, { services: [{ serviceURI: DISPENSER_URI }] });
    });
    const { client } = await connected(machine);
    expect(client.services().map(({ uri }) => uri)).toEqual([`${DISPENSER_URI}/`, later, PIN_URI]);
  });

  it('keeps what a publisher told before it fell silent, and does not wait for closed ports', async () => {
    const machine = twoVendors();
    machine.publisher(5846).on('ServicePublisher.GetServices', (command, line) => {
      line.event(command, 'ServicePublisher.ServiceDetailEvent', { services: [{ serviceURI: DISPENSER_URI }] });
    });
    const { client, clock } = await connected(machine);
    expect(client.services()).toHaveLength(2);
    expect(clock.monotonicMs()).toBeLessThanOrEqual(7_000);
  });

  it('connects to nothing that is no ws or wss address', async () => {
    const machine = twoVendors();
    machine.publisher(5846, 'http://atm/xfs4iot/v1.0/X', 'CashDispenser1', DISPENSER_URI);
    const letters: string[] = [];
    const { client } = await connected(machine, { onDeadLetter: ({ detail }) => letters.push(detail) });
    expect(client.services()).toHaveLength(2);
    expect(letters).toEqual(['serviceURI: no ws or wss address', 'serviceURI: no ws or wss address']);
  });

  it('is not led from TLS to where there is none', async () => {
    const machine = twoVendors();
    const secure = 'wss://atm:443/xfs4iot/v1.0';
    machine.at(secure).answers('ServicePublisher.GetServices', { services: [{ serviceURI: DISPENSER_URI }] });
    const letters: string[] = [];
    const ports = [{ port: 443, secure: true }];
    const { client } = await connected(machine, { ports, onDeadLetter: ({ detail }) => letters.push(detail) });
    expect(client.services()).toEqual([]);
    expect(letters).toEqual(['serviceURI: ws, told by a publisher with TLS']);
  });

  it('offers the other services when one does not answer, and that one as soon as it does', async () => {
    const machine = twoVendors();
    machine.at(DISPENSER_URI).down = true;
    const { client, clock } = await connected(machine);
    const service = client.services()[0]!;
    expect(service.state()).toBe('disconnected');
    expect(client.find('CashDispenser')).toBeNull();
    expect(client.find('Keyboard')?.state()).toBe('connected');
    let told = 0;
    client.onChange(() => {
      told += 1;
    });
    machine.at(DISPENSER_URI).down = false;
    await until(clock, () => service.state() === 'connected');
    expect(client.find('CashDispenser')).toBe(service);
    expect(told).toBeGreaterThan(0);
  });

  it('with no publisher at all, goes on searching', async () => {
    const machine = new MemoryMachine();
    const { client, clock } = await connected(machine);
    expect(client.services()).toEqual([]);
    for (const [uri, service] of twoVendors().services) machine.services.set(uri, service);
    await until(clock, () => client.services().length === 2);
  });

  it('is given up with the signal', async () => {
    const machine = twoVendors();
    machine.publisher(5846).on('ServicePublisher.GetServices', () => {});
    const clock = new VirtualClock();
    const signal = AbortSignal.abort(new Error('shut down'));
    const connecting = connect({
      host: 'atm',
      ports: PORTS,
      clock,
      openSocket: machine.openSocket,
      onDeadLetter: () => {},
      signal,
    });
    await expect(connecting).rejects.toThrow('shut down');
  });

  it('asks for nothing it was not told of: new services come with a new search', async () => {
    const machine = twoVendors();
    const { client } = await connected(machine);
    const lights = 'ws://atm:5848/xfs4iot/v1.0/Lights1';
    machine.publisher(5848, lights);
    machine
      .at(lights)
      .answers('Common.Capabilities', capabilities({ 'Lights.SetLight': ['3.0'] }))
      .answers('Common.Status', {});
    await client.rediscover(steady());
    expect(client.find('Lights')?.uri).toBe(lights);
    expect(client.services()).toHaveLength(3);
    expect(machine.at(DISPENSER_URI).lines).toHaveLength(1);
  });
});

describe('S20 connection lost', () => {
  it('in the middle of a command leaves its outcome unknown, and the service takes none until it was read again', async () => {
    const clock = new VirtualClock();
    const { client, service, device } = await bench(clock, DISPENSER);
    open = client;
    const states: string[] = [];
    service.onChange(() => states.push(`${service.state()} ${service.status().fresh}/${service.storage().fresh}`));
    const present = service.command('CashDispenser.Present', null, { timeoutMs: 60_000, signal: steady() });
    await settled();
    device.answers('Storage.GetStorage', { storage: { unit3: { capacity: 1 } } });
    device.line.drop();
    expect(await present).toMatchObject({ code: 'connectionLost', errorCode: null, payload: {} });
    await settled();
    expect(service.state()).toBe('disconnected');
    expect(service.status()).toEqual({ common: { device: 'online' }, fresh: false });
    const refused = await service.command('CashDispenser.Present', null, { timeoutMs: 60_000, signal: steady() });
    expect(refused.code).toBe('notSent');
    await expect(service.refresh(steady())).rejects.toThrow('disconnected');
    await until(clock, () => service.state() === 'connected');
    expect(service.storage()).toEqual({ units: { unit3: { capacity: 1 } }, fresh: true });
    expect(states).toEqual(['disconnected false/false', 'connecting false/false', 'connected true/true']);
    expect(device.line.sent.map(({ header }) => header.name)).toEqual([
      'Common.Capabilities',
      'Common.Status',
      'Storage.GetStorage',
    ]);
  });

  it('is tried again less and less often, within a bound, spread by the jitter', async () => {
    const clock = new VirtualClock();
    const limits = { retryMs: 500, retryMsMax: 4_000, retriesBeforeDiscovery: 100 };
    const { client, service, device, machine } = await bench(clock, DISPENSER, { limits, jitter: () => 0.5 });
    open = client;
    device.down = true;
    const attempts: number[] = [];
    service.onChange(() => service.state() === 'connecting' && attempts.push(clock.monotonicMs()));
    const start = clock.monotonicMs();
    device.line.drop();
    await until(clock, () => attempts.length === 6);
    const waits = attempts.map((at, index) => at - (attempts[index - 1] ?? start));
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 4_000, 4_000].map((ms) => ms * 0.75));
    expect(machine.dialled.filter((uri) => uri !== DISPENSER_URI)).toHaveLength(1);
  });

  it('finds a service that came back at another port under its name', async () => {
    const clock = new VirtualClock();
    const limits = { retriesBeforeDiscovery: 3 };
    const machine = twoVendors();
    const { client } = await connected(machine, { clock, limits });
    const service = client.find('CashDispenser')!;
    const moved = 'ws://atm:5848/xfs4iot/v1.0/CashDispenser1';
    machine.services.set(moved, machine.at(DISPENSER_URI));
    machine.services.delete(DISPENSER_URI);
    machine.services.delete('ws://atm:5846/xfs4iot/v1.0');
    machine.publisher(5848, moved);
    machine.at(moved).line.drop();
    await until(clock, () => service.state() === 'connected' && service.uri === moved);
    expect(client.services()).toHaveLength(2);
    expect(machine.dialled.filter((uri) => uri === DISPENSER_URI)).toHaveLength(3);
  });

  it('is tried again at once when somebody asks for a search', async () => {
    const clock = new VirtualClock();
    const { client, service, device } = await bench(clock, DISPENSER, { limits: { retryMs: 30_000 } });
    open = client;
    device.line.drop();
    await until(clock, () => service.state() === 'disconnected');
    const before = clock.monotonicMs();
    await client.rediscover(steady());
    await until(clock, () => service.state() === 'connected');
    expect(clock.monotonicMs() - before).toBeLessThan(10_000);
  });

  it('while the state is being read is no connection', async () => {
    const clock = new VirtualClock();
    const { client, service, device } = await bench(clock, DISPENSER);
    open = client;
    device.on('Storage.GetStorage', (_command, line) => line.drop());
    device.line.drop();
    await until(clock, () => device.lines.length === 4);
    expect(service.state()).not.toBe('connected');
    expect(service.status().fresh).toBe(false);
    device.answers('Storage.GetStorage', { storage: {} });
    await until(clock, () => service.state() === 'connected');
  });

  it('by the client itself ends everything: commands, services, later calls', async () => {
    const clock = new VirtualClock();
    const { client, service } = await bench(clock, DISPENSER);
    const present = service.command('CashDispenser.Present', null, { timeoutMs: 60_000, signal: steady() });
    await client.close();
    expect((await present).code).toBe('connectionLost');
    expect(service.state()).toBe('closed');
    await expect(client.rediscover(steady())).rejects.toThrow('closed by the client');
    await client.close();
  });
});
