/** The contract suite of tests/contract/devices against this driver, over every kind of line. */
import { cashDrawerContract } from '../../../tests/contract/devices/cash-drawer.ts';
import { receiptPrinterContract } from '../../../tests/contract/devices/receipt-printer.ts';
import { VirtualClock } from '../../../tests/contract/devices/virtual-clock.ts';
import { systemClock } from '../../clock.ts';
import type { PrinterLine } from './line.ts';
import { openEscPosPrinter } from './open.ts';
import { EscPosPrinter } from './receipt-printer.ts';
import { serialLine } from './serial-line.ts';
import { usbLine } from './usb-line.ts';
import { memoryLine } from './virtual/memory-line.ts';
import { VirtualPrinter } from './virtual/printer.ts';
import { pseudoFile, pseudoPort } from './virtual/pseudo-devices.ts';
import { servePrinter } from './virtual/server.ts';

const form = { text: 'codepage', widthDots: 576 } as const;
const log = () => undefined;
const hands = (hardware: VirtualPrinter) => ({
  takePaper: () => hardware.setPaper(0),
  putPaper: () => hardware.setPaper(),
});

const overTcp = async () => {
  const clock = systemClock;
  const hardware = new VirtualPrinter({ clock });
  const server = await servePrinter(hardware, 0);
  const line = { kind: 'tcp', host: '127.0.0.1', port: server.port } as const;
  const drawer = { pin: 2, openLevel: 'low', pulseMs: 100 } as const;
  const printer = await openEscPosPrinter({ line, ...form, drawer, clock, log });
  return {
    printer,
    drawer: printer.drawer!,
    push: () => hardware.setDrawer(false),
    ...hands(hardware),
    close: async () => {
      await printer.close();
      await server.close();
    },
  };
};
receiptPrinterContract('ESC/POS over TCP', overTcp);
cashDrawerContract('ESC/POS over TCP', overTcp);

const overLine = (lineOf: (hardware: VirtualPrinter, clock: VirtualClock) => PrinterLine) => async () => {
  const clock = new VirtualClock();
  const hardware = new VirtualPrinter({ clock, bufferBytes: 1_024 });
  const printer = new EscPosPrinter({ line: lineOf(hardware, clock), form, clock, log });
  await printer.tried();
  return {
    printer,
    ...hands(hardware),
    close: async () => {
      await printer.close();
      hardware.close();
    },
  };
};

receiptPrinterContract('ESC/POS in memory', overLine(memoryLine));

receiptPrinterContract(
  'ESC/POS over a USB printer class file',
  overLine((hardware, clock) => usbLine('/dev/usb/lp0', clock, pseudoFile(hardware))),
);

receiptPrinterContract(
  'ESC/POS over a serial port',
  overLine((hardware, clock) => serialLine({ path: '/dev/ttyS0', baudRate: 38_400 }, clock, pseudoPort(hardware))),
);
