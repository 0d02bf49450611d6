/**
 * Which services a machine offers (XFS4IoT 2024-3, service discovery). Several publishers can live on one machine, each on the
 * first free port of the list: all ports are asked at once, and what they tell is merged.
 */
import type { ClientClock } from './clock.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { ask } from './query.ts';
import type { PublisherPort } from './surface.ts';

const FIRST_PORT = 5846;
const LAST_PORT = 5856;
const PATH = '/xfs4iot/v1.0';

/** XFS4IoT 2024-3: 80 without TLS, 443 with it, 5846 to 5856 either way. */
export const PUBLISHER_PORTS: readonly PublisherPort[] = [
  { port: 80, secure: false },
  { port: 443, secure: true },
  ...Array.from({ length: LAST_PORT - FIRST_PORT + 1 }, (_, offset) => [
    { port: FIRST_PORT + offset, secure: true },
    { port: FIRST_PORT + offset, secure: false },
  ]).flat(),
];

export interface DiscoveryOptions {
  readonly host: string;
  readonly ports: readonly PublisherPort[];
  readonly clock: ClientClock;
  /** For a connection to one publisher. */
  connection(uri: string): ConnectionOptions;
}

/** All service URIs exactly as given, in the order of the ports. A port that does not answer offers nothing. */
export async function discover(options: DiscoveryOptions, signal: AbortSignal): Promise<readonly string[]> {
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const found = await Promise.all(
    options.ports.map(({ port, secure }) =>
      askPublisher(options.connection(`${secure ? 'wss' : 'ws'}://${host}:${port}${PATH}`), signal),
    ),
  );
  signal.throwIfAborted();
  const services = new Map<string, string>();
  for (const uri of found.flat()) if (!services.has(sameService(uri))) services.set(sameService(uri), uri);
  return [...services.values()];
}

/** Two spellings of one address. */
export const sameService = (uri: string): string => uri.replace(/\/+$/, '').toLowerCase();
/** The vendor's name of a service: the last part of its address. */
export const serviceName = (uri: string): string => sameService(uri).split('/').at(-1) ?? '';

async function askPublisher(options: ConnectionOptions, signal: AbortSignal): Promise<readonly string[]> {
  const uris: string[] = [];
  const add = (services: readonly { serviceURI: string }[] | undefined) => {
    for (const { serviceURI } of services ?? []) {
      const unfit = unfitAddress(serviceURI, options.uri);
      if (unfit) options.onDeadLetter('invalidPayload', `serviceURI: ${unfit}`, null, null);
      else uris.push(serviceURI);
    }
  };
  let connection: Connection;
  try {
    connection = await Connection.open(options, signal);
  } catch (error) {
    // Most ports of the list are closed on every machine.
    options.log({ level: 'debug', message: 'no publisher', detail: error instanceof Error ? error.message : '' });
    return [];
  }
  try {
    const { completion } = await ask(connection, 'ServicePublisher.GetServices', {
      timeoutMs: options.limits.queryMs,
      signal,
      onEvent: ({ name, payload }) => {
        if (name === 'ServicePublisher.ServiceDetailEvent') add(payload.services);
      },
    });
    if (completion.code === 'success') add(completion.payload.services);
    else options.log({ level: 'warn', message: 'a publisher did not answer GetServices', code: completion.code });
  } finally {
    connection.close();
  }
  return uris;
}

/** Whoever was reached over TLS cannot lead to where there is none. */
function unfitAddress(uri: string, publisher: string): string | null {
  const protocol = URL.canParse(uri) ? new URL(uri).protocol : '';
  if (protocol === 'wss:') return null;
  if (protocol !== 'ws:') return 'no ws or wss address';
  return publisher.startsWith('wss:') ? 'ws, told by a publisher with TLS' : null;
}
