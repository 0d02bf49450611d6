/**
 * Whether anything is on its way between sockets of this process, on either side of whose connections is this process: bytes one
 * end has written and the other has not read, a connection not accepted yet, an end that has not heard that the other is gone.
 */
import diagnostics from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Real ms after which what should have arrived is given up: its other end is not of this process, or does not read. */
const GIVEN_UP_MS = 200;

interface End {
  readonly socket: Socket;
  /** Of this end and of the other one, while both are known; the connection is what both have in common. */
  ports: string | null;
}

export class WireTraffic {
  readonly #clients = new Set<End>();
  readonly #servers = new Set<End>();
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

  readonly #client = (message: unknown) => void this.#clients.add(end(message));
  readonly #server = (message: unknown) => void this.#servers.add(end(message));

  /** What is on its way, as a text that changes when it moves; empty when nothing is. */
  #onItsWay(): string {
    const servers = new Map<string, End>();
    for (const one of this.#servers) {
      one.ports ??= portsOf(one.socket.remotePort, one.socket.localPort);
      if (one.ports) servers.set(one.ports, one);
      else if (one.socket.destroyed) this.#servers.delete(one);
    }
    let moving = '';
    for (const one of this.#clients) {
      const { socket } = one;
      one.ports ??= portsOf(socket.localPort, socket.remotePort);
      if (one.ports === null) {
        if (socket.destroyed) this.#clients.delete(one);
        else moving += 'connecting;';
        continue;
      }
      const other = servers.get(one.ports);
      servers.delete(one.ports);
      if (socket.destroyed && (!other || other.socket.destroyed)) {
        this.#clients.delete(one);
        if (other) this.#servers.delete(other);
      } else if (!other) moving += `${one.ports} unaccepted;`;
      else {
        const there = socket.bytesWritten - other.socket.bytesRead;
        const back = other.socket.bytesWritten - socket.bytesRead;
        const halfGone = socket.destroyed !== other.socket.destroyed;
        if (halfGone || there > 0 || back > 0) moving += `${one.ports} ${there} ${back} ${halfGone};`;
      }
    }
    for (const one of servers.values()) if (one.socket.destroyed) this.#servers.delete(one);
    return moving;
  }
}

const end = (message: unknown): End => ({ socket: (message as { socket: Socket }).socket, ports: null });
const portsOf = (client: number | undefined, server: number | undefined) =>
  client === undefined || server === undefined ? null : `${client}-${server}`;
