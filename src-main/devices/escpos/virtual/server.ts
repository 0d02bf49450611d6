/** The virtual printer on the network, as printers are there: raw TCP, one host at a time, and no more bytes than it has room for. */
import { createServer, type Server, type Socket } from 'node:net';
import type { VirtualPrinter } from './printer.ts';

export interface VirtualPrinterServer {
  readonly port: number;
  /** Refuses connections, as a printer that is off, and drops the one it has. */
  switchOff(): Promise<void>;
  /** Listens again, at the same port. */
  switchOn(): Promise<void>;
  close(): Promise<void>;
}

/** @param port 0 for any. Listens on 127.0.0.1 unless told otherwise. */
export async function servePrinter(
  printer: VirtualPrinter,
  port: number,
  host = '127.0.0.1',
): Promise<VirtualPrinterServer> {
  let serving: Socket | null = null;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    // A second host finds the line engaged.
    if (serving) socket.destroy();
    else {
      serving = socket;
      socket.on('close', () => {
        serving = null;
      });
      attach(printer, socket);
    }
  });
  await listen(server, port, host);
  const address = server.address();
  const at = typeof address === 'object' && address ? address.port : port;
  const off = async () => {
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    serving?.destroy();
    await closed;
  };
  return {
    port: at,
    async switchOff() {
      printer.powerCycle();
      await off();
    },
    switchOn: () => listen(server, at, host),
    async close() {
      printer.close();
      await off();
    },
  };
}

function attach(printer: VirtualPrinter, socket: Socket): void {
  const wire = printer.connect({
    receive: (bytes) => {
      if (!socket.destroyed) socket.write(bytes);
    },
    gone: () => socket.resetAndDestroy(),
  });
  socket.setNoDelay(true);
  socket.on('data', (bytes) => {
    if (!wire.send(bytes)) socket.pause();
  });
  const stop = printer.onRoom(() => socket.resume());
  socket.on('close', () => {
    stop();
    wire.hangUp();
  });
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
