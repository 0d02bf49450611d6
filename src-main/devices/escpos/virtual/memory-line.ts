/** The line to a virtual printer in the same process: what it says arrives in a later microtask, as from any line. */
import { LineError, type PrinterLine } from '../line.ts';
import type { VirtualPrinter } from './printer.ts';

export function memoryLine(printer: VirtualPrinter): PrinterLine {
  return {
    label: 'the virtual printer',
    async open(events, signal) {
      signal.throwIfAborted();
      const ended = new AbortController();
      const later = (call: () => void) =>
        queueMicrotask(() => {
          if (!ended.signal.aborted) call();
        });
      const wire = printer.connect({
        receive: (bytes) => later(() => events.data(bytes)),
        gone: () =>
          later(() => {
            ended.abort();
            events.closed(new LineError('gone', 'the virtual printer was switched off'));
          }),
      });
      return {
        async write(bytes, writeSignal) {
          writeSignal.throwIfAborted();
          if (ended.signal.aborted) throw new LineError('gone', 'the virtual printer is switched off');
          if (wire.send(bytes)) return;
          await room(printer, AbortSignal.any([writeSignal, ended.signal]));
          writeSignal.throwIfAborted();
          if (ended.signal.aborted) throw new LineError('gone', 'the virtual printer was switched off');
        },
        async close() {
          ended.abort();
          wire.hangUp();
        },
      };
    },
  };
}

function room(printer: VirtualPrinter, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = printer.onRoom(() => {
      stop();
      resolve();
    });
    signal.addEventListener(
      'abort',
      () => {
        stop();
        resolve();
      },
      { once: true },
    );
  });
}
