/** A client as small as can be, for the tests of this folder: it knows nothing of the standard but the shape of a message. */
import { WebSocket } from 'ws';

export interface Message {
  readonly header: {
    readonly type: string;
    readonly name: string;
    readonly version: string;
    readonly requestId?: number | null;
    readonly status?: string | null;
    readonly completionCode?: string | null;
    readonly errorDescription?: string | null;
  };
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
  readonly payload?: any;
}

export class TestClient {
  /** Everything that came, in order. */
  readonly heard: Message[] = [];
  readonly socket: WebSocket;
  #waiting: { fits(message: Message): boolean; resolve(message: Message): void }[] = [];
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      let message: Message;
      try {
        message = JSON.parse(String(data));
      } catch {
        return;
      }
      this.heard.push(message);
      this.#waiting = this.#waiting.filter(({ fits, resolve }) => {
        if (!fits(message)) return true;
        resolve(message);
        return false;
      });
    });
    socket.on('error', () => {});
  }

  static async connect(url: string): Promise<TestClient> {
    const socket = new WebSocket(url);
    const client = new TestClient(socket);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Sends a command, and answers its id at once. */
  send(name: string, payload?: unknown, header: Record<string, unknown> = {}): number {
    const requestId = ++this.#lastId;
    const version = VERSIONS[name] ?? '2.0';
    this.socket.send(JSON.stringify({ header: { type: 'command', name, version, requestId, ...header }, payload }));
    return requestId;
  }

  /** Sends a command and answers its completion. */
  async command(name: string, payload?: unknown, header: Record<string, unknown> = {}): Promise<Message> {
    return await this.completion(this.send(name, payload, header));
  }

  completion(requestId: number): Promise<Message> {
    return this.next(({ header }) => header.type === 'completion' && header.requestId === requestId);
  }

  /** The first message heard, or to come, that fits. */
  next(fits: (message: Message) => boolean): Promise<Message> {
    const heard = this.heard.find(fits);
    if (heard) return Promise.resolve(heard);
    return new Promise((resolve) => this.#waiting.push({ fits, resolve }));
  }

  event(name: string): Promise<Message> {
    return this.next(({ header }) => header.name === name && header.type !== 'completion');
  }

  /** Names of the events heard so far. */
  events(): string[] {
    return this.heard
      .filter(({ header }) => header.type === 'event' || header.type === 'unsolicited')
      .map(({ header }) => header.name);
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.close();
    await closed;
  }
}

/** What is not at 2.0, read off the standard once more and not taken from the code under test. */
const VERSIONS: Readonly<Record<string, string>> = {
  'Storage.SetStorage': '2.1',
  'CashDispenser.Denominate': '3.0',
  'CashDispenser.Dispense': '3.0',
  'Printer.PrintRaw': '3.0',
  'Printer.PrintNative': '3.0',
  'Printer.ControlMedia': '3.0',
  'Printer.Reset': '3.0',
  'Printer.RetractMedia': '3.0',
  'Lights.SetLight': '3.0',
  'Biometric.Import': '3.0',
};
