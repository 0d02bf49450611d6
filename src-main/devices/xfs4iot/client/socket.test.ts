import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../../clock.ts';
import { connect } from './client.ts';
import type { DeadLetter } from './dead-letter.ts';
import { capabilities, DISPENSER } from './memory-machine.fixture.ts';
import { openWebSocket, type SocketEvents } from './socket.ts';
import type { Xfs4IotClient } from './surface.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const BYTES_MAX = 2 * 1024 * 1024;

async function server(onConnection: (socket: WebSocket, path: string) => void): Promise<number> {
  const listening = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: BYTES_MAX });
  listening.on('connection', (socket, request) => onConnection(socket, request.url ?? ''));
  await new Promise((resolve) => listening.once('listening', resolve));
  closers.push(() => {
    for (const socket of listening.clients) socket.terminate();
    listening.close();
  });
  return (listening.address() as AddressInfo).port;
}

/** Opens a socket and keeps what it tells. */
async function opened(port: number) {
  const told: unknown[] = [];
  const waiting: { most: number; done: () => void }[] = [];
  const tell = (what: unknown) => {
    told.push(what);
    for (const { most, done } of waiting) if (told.length >= most) done();
  };
  const events: SocketEvents = {
    text: (message) => tell(message.length > 100 ? message.length : message),
    refused: (reason) => tell(reason),
    closed: () => tell('closed'),
    pong: () => tell('pong'),
  };
  const options = { messageBytesMax: BYTES_MAX, tls: {}, signal: new AbortController().signal };
  const socket = await openWebSocket(`ws://127.0.0.1:${port}`, events, options);
  closers.push(() => socket.close());
  return {
    socket,
    told,
    several: (most: number) =>
      new Promise<void>((done) => (told.length >= most ? done() : waiting.push({ most, done }))),
  };
}

describe('a WebSocket', () => {
  it('carries text of up to 2 MiB both ways, pings, and says when it is over', async () => {
    const port = await server((socket) => {
      socket.on('message', (data, binary) => socket.send(data, { binary }));
    });
    const { socket, told, several } = await opened(port);
    socket.send('{"header":{}}');
    socket.send('x'.repeat(BYTES_MAX));
    await several(2);
    socket.ping?.();
    await several(3);
    socket.close();
    await several(4);
    expect(told).toEqual(['{"header":{}}', BYTES_MAX, 'pong', 'closed']);
  });

  it('takes no binary frame and goes on; above 2 MiB it says so and ends', async () => {
    const port = await server((socket) => {
      socket.send(Buffer.from([1, 2, 3]), { binary: true });
      socket.send('after');
      socket.send('x'.repeat(BYTES_MAX + 1));
    });
    const { told, several } = await opened(port);
    await several(4);
    expect(told).toEqual(['malformed', 'after', 'tooLarge', 'closed']);
  });

  it('that cannot be opened, or is given up while it opens, rejects', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    closers.push(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const events = { text: () => {}, refused: () => {}, closed: () => {}, pong: () => {} };
    const given = new AbortController();
    const opening = openWebSocket(`ws://127.0.0.1:${port}`, events, {
      messageBytesMax: BYTES_MAX,
      tls: {},
      signal: given.signal,
    });
    given.abort(new Error('too slow'));
    await expect(opening).rejects.toThrow('too slow');
    const options = { messageBytesMax: BYTES_MAX, tls: {}, signal: new AbortController().signal };
    await expect(openWebSocket('ws://127.0.0.1:1', events, options)).rejects.toThrow('could not be opened');
  });
});

describe('a client over real sockets', () => {
  it('survives a message above the limit: a dead letter, and a new connection', async () => {
    let connections = 0;
    const port = await server((socket, path) => {
      if (path.endsWith('1')) connections += 1;
      socket.on('message', (data) => {
        const { header } = JSON.parse(String(data));
        const answer = (payload: unknown) =>
          socket.send(
            JSON.stringify({ header: { ...header, type: 'completion', completionCode: 'success' }, payload }),
          );
        if (header.name === 'ServicePublisher.GetServices') {
          answer({ services: [{ serviceURI: `ws://127.0.0.1:${port}/xfs4iot/v1.0/CashDispenser1` }] });
        } else if (header.name === 'Common.Capabilities') answer(capabilities(DISPENSER));
        else if (header.name === 'CashDispenser.Reject') socket.send('x'.repeat(BYTES_MAX + 1));
        else answer({});
      });
    });
    const letters: DeadLetter[] = [];
    const client: Xfs4IotClient = await connect({
      host: '127.0.0.1',
      ports: [{ port, secure: false }],
      clock: systemClock,
      limits: { retryMs: 10 },
      onDeadLetter: (letter) => letters.push(letter),
    });
    closers.push(() => client.close());
    const service = client.find('CashDispenser')!;
    const reconnected = new Promise<void>((resolve) => {
      service.onChange(() => service.state() === 'connected' && connections === 2 && resolve());
    });
    const completion = await service.command('CashDispenser.Reject', null, {
      timeoutMs: 5_000,
      signal: new AbortController().signal,
    });
    expect(completion.code).toBe('connectionLost');
    expect(letters).toMatchObject([{ reason: 'tooLarge', message: null }]);
    await reconnected;
    expect(service.status().fresh).toBe(true);
  });
});
