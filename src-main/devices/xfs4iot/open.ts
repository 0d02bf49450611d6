/**
 * The devices of a machine that speaks XFS4IoT, as the terminal's ports. Services are found by the interfaces they report; one that
 * is not there yet, goes away or comes back is followed, and its driver says so in its health.
 */
import type { Chance, Clock } from '../../clock.ts';
import type { Devices } from '../devices.ts';
import { XfsBarcodeScanner } from './barcode-scanner.ts';
import { XfsCashAcceptor } from './cash-acceptor.ts';
import { XfsCashDispenser } from './cash-dispenser.ts';
import { CashInRecords } from './cash-in-record.ts';
import type { Refill } from './cash-units.ts';
import { replenish } from './cash-units.ts';
import type { ClientOptions, InterfaceName, LogEntry, Xfs4IotClient } from './client/index.ts';
import { connect } from './client/index.ts';
import { DispenseRecords } from './dispense-record.ts';
import { XfsLights } from './lights.ts';
import { XfsPinPad } from './pin-pad.ts';
import { XfsReceiptPrinter } from './receipt-printer.ts';
import { ServiceLink } from './service-link.ts';
import { type SurveillanceCamera, surveillanceCamera } from './surveillance-camera.ts';

export interface Xfs4IotDevicesOptions {
  readonly host: string;
  /** Where publishers may listen; all ports of the standard when not given. */
  readonly ports?: ClientOptions['ports'];
  readonly tls?: ClientOptions['tls'];
  readonly clock: Clock;
  readonly chance: Chance;
  /** atm: cash, PIN pad, printer, lights. checkout: PIN pad, printer, scanner, lights. gate: lights. */
  readonly profile: 'atm' | 'checkout' | 'gate';
  /** Holds what was told to the cash devices: xfs4iot-dispense.json and xfs4iot-cash-in.json. Made when missing. To be kept as
   *  safe as the journal: without it nobody can say whose notes the device's last ones were. */
  readonly stateDir: string;
  /** ISO 4217; units and notes of others are left alone. */
  readonly currency?: string;
  /** "required" (default): cash is paid out only by a dispenser that enforces the bank's tokens. */
  readonly tokens?: 'required' | 'as-configured';
  /** The PIN pad's working key; the first that fits when not given. */
  readonly pinKeyName?: string | null;
  readonly log?: (entry: LogEntry) => void;
  /** A message that did not fit: to be raised as an alarm. */
  readonly onDeadLetter?: ClientOptions['onDeadLetter'];
  readonly limits?: ClientOptions['limits'];
  /** Gives up the first search. */
  readonly signal?: AbortSignal;
}

export interface Xfs4IotDevices {
  readonly devices: Devices;
  /** Pictures of the machine's surveillance cameras. */
  readonly surveillance: SurveillanceCamera;
  /** A technician's replenishment; null where there is no cash. Rejects with DEVICE_UNAVAILABLE while the device is away. */
  readonly replenish: ((work: () => Promise<readonly Refill[]>, signal: AbortSignal) => Promise<void>) | null;
  /** Ends every command (the device is told), closes every connection. */
  close(): Promise<void>;
}

/** Between two searches for services that no publisher has yet, ms. */
const SEARCH_MS = 15_000;

/** Throws DEVICE_FAILED, naming the file, when a record on disk is damaged; a machine that is away is no error. */
export async function openXfs4IotDevices(options: Xfs4IotDevicesOptions): Promise<Xfs4IotDevices> {
  const { clock, profile, stateDir, currency = 'JPY', tokens = 'required' } = options;
  const cash = profile === 'atm';
  const dispenses = cash ? new DispenseRecords(stateDir) : null;
  const cashIns = cash ? new CashInRecords(stateDir) : null;
  const client = await connect({
    host: options.host,
    ...(options.ports && { ports: options.ports }),
    ...(options.tls && { tls: options.tls }),
    ...(options.limits && { limits: options.limits }),
    ...(options.log && { log: options.log }),
    ...(options.signal && { signal: options.signal }),
    clock,
    jitter: () => options.chance.fraction(),
    onDeadLetter: (letter) => options.onDeadLetter?.(letter),
  });
  const links: ServiceLink[] = [];
  const link = (...interfaces: InterfaceName[]) => {
    const one = new ServiceLink(client, interfaces);
    links.push(one);
    return one;
  };
  const served = profile !== 'gate';
  const dispenserLink = cash ? link('CashDispenser', 'CashManagement', 'Storage') : null;
  const cashDispenser =
    dispenserLink && dispenses && new XfsCashDispenser(dispenserLink, { clock, currency, records: dispenses, tokens });
  const cashAcceptor = cashIns
    ? new XfsCashAcceptor(link('CashAcceptor', 'CashManagement', 'Storage'), { clock, currency, records: cashIns })
    : null;
  const pinPad = served
    ? new XfsPinPad(link('Keyboard', 'PinPad', 'KeyManagement'), { clock, keyName: options.pinKeyName ?? null })
    : null;
  const receiptPrinter = served ? new XfsReceiptPrinter(link('Printer'), clock) : null;
  const barcodeScanner = profile === 'checkout' ? new XfsBarcodeScanner(link('BarcodeReader'), clock) : null;
  const lights = new XfsLights(link('Lights'), clock);
  const surveillance = surveillanceCamera(link('Camera'));
  const devices = { cashDispenser, cashAcceptor, pinPad, receiptPrinter, barcodeScanner, lights };
  const stopped = new AbortController();
  const searching = search(client, links, clock, stopped.signal);
  return {
    devices,
    surveillance,
    replenish: cashDispenser && ((work, signal) => replenish(cashDispenser.service(), work, signal)),
    close: async () => {
      stopped.abort(new DOMException('closed', 'AbortError'));
      await Promise.all(Object.values(devices).map((device) => device?.close()));
      for (const one of links) one.close();
      await client.close();
      await searching;
    },
  };
}

/** The client follows services it knows; one that was never seen (a vendor's process that starts last) is looked for here. */
async function search(
  client: Xfs4IotClient,
  links: readonly ServiceLink[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(SEARCH_MS, signal);
      if (links.some((link) => link.service() === null)) await client.rediscover(signal);
    } catch {
      // Aborted, or nobody answered: looked for again after the next pause.
    }
  }
}
