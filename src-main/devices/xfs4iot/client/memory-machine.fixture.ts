/** A machine with publishers and services in memory, for tests: it says exactly what the test tells it to. */
import type { Socket, SocketEvents, SocketFactory } from './socket.ts';

export interface Sent {
  readonly header: {
    readonly name: string;
    readonly version: string;
    readonly requestId: number;
    readonly timeout: number;
  };
  readonly payload: Record<string, unknown>;
}
type Json = Record<string, unknown>;
export type Handler = (command: Sent, line: Line) => void;

/** The device's end of one connection. */
export class Line {
  readonly sent: Sent[] = [];
  readonly #events: SocketEvents;
  open = true;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  say(message: unknown): void {
    this.sayText(JSON.stringify(message));
  }

  sayText(text: string): void {
    queueMicrotask(() => this.open && this.#events.text(text));
  }

  drop(detail = 'dropped'): void {
    queueMicrotask(() => {
      if (!this.open) return;
      this.open = false;
      this.#events.closed(detail);
    });
  }

  acknowledge({ header: { name, version, requestId } }: Sent, status?: string): void {
    this.say({ header: { type: 'acknowledge', name, version, requestId, ...(status ? { status } : {}) } });
  }

  complete(command: Sent, payload?: Json | null, header: Json = { completionCode: 'success' }): void {
    const { name, version, requestId } = command.header;
    this.say({
      header: { type: 'completion', name, version, requestId, ...header },
      ...(payload === undefined ? {} : { payload }),
    });
  }

  fail(command: Sent, completionCode: string, payload?: Json): void {
    this.complete(command, payload, { completionCode });
  }

  event(command: Sent, name: string, payload?: Json): void {
    this.say({ header: { type: 'event', name, version: '2.0', requestId: command.header.requestId }, payload });
  }

  unsolicited(name: string, payload?: Json, type = 'unsolicited'): void {
    this.say({ header: { type, name, version: '2.0' }, payload });
  }
}

/** What one address does; a command without a handler is acknowledged and never completed. */
export class MemoryService {
  readonly handlers = new Map<string, Handler>();
  readonly lines: Line[] = [];
  /** Refuses connections while true. */
  down = false;

  /** The connection of the moment. */
  get line(): Line {
    return this.lines.at(-1)!;
  }

  /** Every command received over all connections. */
  get received(): readonly Sent[] {
    return this.lines.flatMap(({ sent }) => sent);
  }

  on(name: string, handler: Handler): this {
    this.handlers.set(name, handler);
    return this;
  }

  answers(name: string, payload?: Json): this {
    return this.on(name, (command, line) => {
      line.acknowledge(command);
      line.complete(command, payload);
    });
  }

  /** The n-th command of that name. */
  command(name: string, index = 0): Sent {
    return this.received.filter((sent) => sent.header.name === name)[index]!;
  }
}

export class MemoryMachine {
  readonly services = new Map<string, MemoryService>();
  readonly dialled: string[] = [];

  readonly openSocket: SocketFactory = async (uri, events, { signal }) => {
    signal.throwIfAborted();
    this.dialled.push(uri);
    const service = this.services.get(uri);
    if (!service || service.down) throw new Error(`nobody listens at ${uri}`);
    const line = new Line(events);
    service.lines.push(line);
    const socket: Socket = {
      send: (text) => {
        queueMicrotask(() => {
          if (!line.open) return;
          const command = JSON.parse(text) as Sent;
          line.sent.push(command);
          const handler = service.handlers.get(command.header.name);
          if (handler) handler(command, line);
          else line.acknowledge(command);
        });
      },
      close: () => line.drop('closed by the client'),
    };
    return socket;
  };

  at(uri: string): MemoryService {
    const service = this.services.get(uri) ?? new MemoryService();
    this.services.set(uri, service);
    return service;
  }

  publisher(port: number, ...uris: string[]): MemoryService {
    return this.at(`ws://atm:${port}/xfs4iot/v1.0`).answers('ServicePublisher.GetServices', {
      vendorName: 'Memory',
      services: uris.map((serviceURI) => ({ serviceURI })),
    });
  }
}

/** Capabilities that list these commands in these versions: { 'CashDispenser.Dispense': ['3.0'] }. */
export function capabilities(commands: Record<string, readonly string[]>, more: Json = {}): Json {
  const byInterface = Object.groupBy(Object.keys(commands), (name) => name.split('.')[0]!);
  return {
    interfaces: Object.entries(byInterface).map(([name, names]) => ({
      name,
      commands: Object.fromEntries(names!.map((command) => [command, { versions: commands[command] }])),
      maximumRequests: 0,
    })),
    ...more,
  };
}

export const COMMON = {
  'Common.Status': ['2.0'],
  'Common.Capabilities': ['2.0'],
  'Common.Cancel': ['2.0'],
} as const;

export const DISPENSER = {
  ...COMMON,
  'Storage.GetStorage': ['2.0'],
  'CashDispenser.Dispense': ['3.0'],
  'CashDispenser.Present': ['2.0'],
  'CashDispenser.Reject': ['2.0'],
  'CashDispenser.GetPresentStatus': ['2.0'],
  'CashManagement.Retract': ['2.0'],
} as const;

export const PIN_DEVICE = {
  ...COMMON,
  'Keyboard.PinEntry': ['2.0'],
  'PinPad.GetPinBlock': ['2.0'],
  'KeyManagement.GetKeyDetail': ['2.0'],
} as const;
