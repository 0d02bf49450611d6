/**
 * Whether anything is on its way between sockets of this process, on either side of whose connections is this process: bytes one
 * end has written and the other has not read, a connection not accepted yet, an end that has not heard that the other is gone.
 */
import diagnostics from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Real ms after which what should have arrived is given up: its other end is not of this process, or does not read. */
const GIVEN_UP_MS = 200;

interface Connection {
  readonly ports: string;
  readonly client: Socket;
  readonly server: Socket;
}

export class WireTraffic {
  /** Ends whose other end is not known yet, and the ports of both, once they are known: they are what two ends have in common. */
  readonly #clients = new Map<Socket, string | null>();
  readonly #servers = new Map<Socket, string | null>();
  readonly #connections = new Set<Connection>();
  #since: number | null = null;
  /** Counts that were given up, so that they are not waited for again. */
  #stuck = '';

  constructor() {
    diagnostics.subscribe('net.client.socket', this.#client);
    diagnostics.subscribe('net.server.socket', this.#server);
  }

  close(): void {
    diagnostics.unsubscribe('net.client.socket', this.#client);
    diagnostics.unsubscribe('net.server.socket', this.#server);
  }

  busy(): boolean {
    const onItsWay = this.#onItsWay();
    if (onItsWay === '' || onItsWay === this.#stuck) {
      this.#since = null;
      return false;
    }
    this.#since ??= performance.now();
    if (performance.now() - this.#since < GIVEN_UP_MS) return true;
    this.#stuck = onItsWay;
    this.#since = null;
    return false;
  }

  readonly #client = (message: unknown) => void this.#clients.set(socketOf(message), null);
  readonly #server = (message: unknown) => void this.#servers.set(socketOf(message), null);

  /** What is on its way, as a text that changes when it moves; empty when nothing is. Asked in every turn, and few ends are new in one. */
  #onItsWay(): string {
    if (this.#clients.size > 0 || this.#servers.size > 0) this.#join();
    let moving = '';
    for (const ports of this.#clients.values()) moving += `${ports ?? 'connecting'};`;
    for (const connection of this.#connections) {
      const { client, server } = connection;
      const halfGone = client.destroyed !== server.destroyed;
      if (client.destroyed && server.destroyed) {
        this.#connections.delete(connection);
        continue;
      }
      const there = client.bytesWritten - server.bytesRead;
      const back = server.bytesWritten - client.bytesRead;
      if (halfGone || there > 0 || back > 0) moving += `${connection.ports} ${there} ${back} ${halfGone};`;
    }
    return moving;
  }

  #join(): void {
    const servers = new Map<string, Socket>();
    for (const [server, known] of this.#servers) {
      const ports = known ?? portsOf(server.remotePort, server.localPort);
      this.#servers.set(server, ports);
      if (ports) servers.set(ports, server);
    }
    for (const [client, known] of this.#clients) {
      const ports = known ?? portsOf(client.localPort, client.remotePort);
      this.#clients.set(client, ports);
      const server = ports === null ? undefined : servers.get(ports);
      if (ports && server) {
        this.#connections.add({ ports, client, server });
        this.#servers.delete(server);
      }
      if (server || client.destroyed) this.#clients.delete(client);
    }
    for (const server of this.#servers.keys()) if (server.destroyed) this.#servers.delete(server);
  }
}

const socketOf = (message: unknown) => (message as { socket: Socket }).socket;
const portsOf = (client: number | undefined, server: number | undefined) =>
  client === undefined || server === undefined ? null : `${client}-${server}`;
