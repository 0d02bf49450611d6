/** Everything the control page shows, as one value. */
import { cashView } from './cash-view.ts';
import type { Machine } from './machine.ts';

/** Receipts listed; the folder has more. */
const RECEIPTS_MAX = 24;

export async function controlState(machine: Machine) {
  const atm = machine.atm();
  const common = { url: machine.url, powered: atm !== null, dialect: machine.dialect() };
  if (!atm) return common;
  const { pin, printer, barcode, lights, camera, biometric } = atm.peripherals;
  return {
    ...common,
    services: atm.services.map((service) => ({
      name: service.name,
      device: service.device(),
      connections: service.connections(),
    })),
    ...(atm.cash && { cash: cashView(atm.cash) }),
    pin: pin.state(),
    printer: { ...printer.state(), receipts: (await printer.receipts.names()).slice(0, RECEIPTS_MAX) },
    barcode: { reading: barcode.reading() },
    lights: lights.lamps(),
    camera: { pictures: camera.pictures(), last: camera.last() !== null },
    biometric: { subject: biometric.subject() },
    faults: atm.faults.armed(),
  };
}
