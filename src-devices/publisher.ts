/**
 * The XFS4IoT service publisher: one WebSocket server on the first free port of its list, that says which services there are
 * (`/xfs4iot/v1.0`) and leads to each (`/xfs4iot/v1.0/<name>`). A plain HTTP request is answered with 400.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { command, done } from './command.ts';
import { MESSAGE_BYTES_MAX, type Socket } from './connection.ts';
import { type Runtime, Service } from './service.ts';

/** The standard's ports for `ws` and `wss` alike, without 80 and 443, which need an administrator. */
export const STANDARD_PORTS: readonly number[] = Array.from({ length: 11 }, (_, index) => 5846 + index);

const PUBLISHER_PATH = '/xfs4iot/v1.0';
/** Clients one service has at once; more than a machine can be built around, and few enough to tell all of them everything. */
const CONNECTIONS_MAX = 64;

export interface PublisherOptions {
  /** e.g. 127.0.0.1. */
  readonly host: string;
  /** Tried in this order; 0 takes any free one. */
  readonly ports: readonly number[];
  /** PEM; absent: no TLS (`ws`). */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly vendorName: string;
}

export interface Publisher {
  readonly port: number;
  /** e.g. `ws://127.0.0.1:5846/xfs4iot/v1.0`. */
  readonly url: string;
  serviceUrl(name: string): string;
  /** Breaks every connection and frees the port. */
  close(): Promise<void>;
}

/** Throws an Error naming host and ports when none of them is free. */
export async function publish(
  runtime: Runtime,
  services: readonly Service[],
  options: PublisherOptions,
): Promise<Publisher> {
  const server = options.tls ? createTlsServer(options.tls) : createServer();
  const port = await listen(server, options);
  const origin = `${options.tls ? 'wss' : 'ws'}://${options.host}:${port}`;
  const serviceUrl = (name: string) => `${origin}${PUBLISHER_PATH}/${name}`;

  const discovery = new Service(runtime, () => ({
    name: 'ServicePublisher',
    model: { modelName: 'publisher', serialNumber: '1', modelDescription: options.vendorName },
    status: () => ({}),
    interfaces: [
      {
        name: 'ServicePublisher',
        events: ['ServicePublisher.ServiceDetailEvent'],
        commands: {
          'ServicePublisher.GetServices': command(
            z.object({}),
            (_payload, context) => {
              const { trailingSlash, servicesIn } = runtime.dialect();
              const list = services.map(({ name }) => ({ serviceURI: serviceUrl(name) + (trailingSlash ? '/' : '') }));
              const { vendorName } = options;
              if (servicesIn !== 'completion') {
                for (const each of list) {
                  context.event('ServicePublisher.ServiceDetailEvent', { vendorName, services: [each] });
                }
              }
              return done({ vendorName, services: servicesIn === 'events' ? null : list });
            },
            { withoutDevice: true },
          ),
        },
      },
    ],
  }));
  const byPath = new Map([
    [PUBLISHER_PATH, discovery],
    ...services.map((service) => [`${PUBLISHER_PATH}/${service.name}`, service] as const),
  ]);

  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX, perMessageDeflate: false });
  server.on('request', (_request, response) => {
    response.writeHead(400, { 'content-type': 'text/plain' }).end('This is an XFS4IoT service: connect a WebSocket.\n');
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const service = byPath.get(pathOf(request));
    if (!service) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    if (service.connections() >= CONNECTIONS_MAX) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (connected) => service.accept(connected as Socket));
  });

  return {
    port,
    url: `${origin}${PUBLISHER_PATH}`,
    serviceUrl,
    close: async () => {
      for (const service of [discovery, ...services]) service.disconnect();
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Both forms are served, with and without a trailing slash. */
function pathOf(request: IncomingMessage): string {
  const path = (request.url ?? '').split('?')[0]!;
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

async function listen(server: Server, { host, ports }: PublisherOptions): Promise<number> {
  for (const port of ports) {
    const bound = await new Promise<boolean>((resolve, reject) => {
      const refused = (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
        else reject(error);
      };
      server.once('error', refused);
      server.listen(port, host, () => {
        server.off('error', refused);
        resolve(true);
      });
    });
    if (bound) return (server.address() as { port: number }).port;
  }
  throw new Error(`no free port on ${host}: tried ${ports.join(', ')}`);
}
