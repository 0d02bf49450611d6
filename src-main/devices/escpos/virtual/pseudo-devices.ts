/** The virtual printer behind what the USB and serial lines hold on to, for tests: a device file, and a serial port. */
import { SerialPortMock } from 'serialport';
import type { SerialPortClass } from '../serial-line.ts';
import type { OpenFile } from '../usb-line.ts';
import type { VirtualPrinter } from './printer.ts';

const failure = (code: string) => Object.assign(new Error(`${code}: pseudo device`), { code });

/** Reads and writes as usblp does when opened non-blocking: EAGAIN for "nothing there" and "no room", ENODEV when it is gone. */
export function pseudoFile(printer: VirtualPrinter): OpenFile {
  return async () => {
    const said: number[] = [];
    let gone = false;
    const wire = printer.connect({
      receive: (bytes) => said.push(...bytes),
      gone: () => {
        gone = true;
      },
    });
    return {
      async read(buffer, offset, length) {
        if (gone) throw failure('ENODEV');
        if (said.length === 0) throw failure('EAGAIN');
        const bytes = said.splice(0, length);
        buffer.set(bytes, offset);
        return { bytesRead: bytes.length };
      },
      async write(buffer, offset, length) {
        if (gone) throw failure('ENODEV');
        if (printer.full) throw failure('EAGAIN');
        // usblp takes a page at most, and less when it likes.
        const bytesWritten = Math.min(length, 700);
        wire.send(buffer.slice(offset, offset + bytesWritten));
        return { bytesWritten };
      },
      async close() {
        wire.hangUp();
      },
    };
  };
}

/** The mock of the package `serialport`, with a printer at its other end. */
export function pseudoPort(printer: VirtualPrinter): SerialPortClass {
  return class extends SerialPortMock {
    constructor(options: ConstructorParameters<SerialPortClass>[0]) {
      SerialPortMock.binding.createPort(options.path);
      super(options);
      this.once('open', () => {
        const { port } = this;
        if (!port) return;
        const wire = printer.connect({
          receive: (bytes) => port.emitData(Buffer.from(bytes)),
          gone: () => this.close(undefined, Object.assign(new Error('unplugged'), { disconnected: true })),
        });
        this.once('close', () => wire.hangUp());
        const toMock = port.write.bind(port);
        port.write = async (bytes) => {
          await toMock(bytes);
          if (wire.send(bytes)) return;
          await new Promise<void>((resolve) => {
            const stop = printer.onRoom(() => {
              stop();
              resolve();
            });
          });
        };
      });
    }
  };
}
