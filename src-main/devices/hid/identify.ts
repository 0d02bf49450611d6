/**
 * Makes one of several devices on the bus show itself, configured or not: a keypad blinks its lock lights, a scanner beeps. A relay
 * board is left alone, for what hangs on it may be a gate.
 */
import { type Clock, deadline } from '../../clock.ts';
import { type HidBus, type HidDevice, type HidInfo, nameOf } from './bus.ts';
import { orAbort } from './connection.ts';
import { kindOf, POS_SCANNER_PAGE } from './kinds.ts';
import { findValue, parseReportDescriptor, type ReportDescriptor, reportBytes } from './report-descriptor.ts';

const BLINKS = 4;
const BLINK_MS = 250;
const TRANSFER_MS_MAX = 6_000;
/** HID Usage Tables, 11: the page of LEDs, Num Lock. */
const NUM_LOCK = { page: 0x08, usage: 0x01 };
/** HID Point of Sale Usage Tables 1.02, 3: Sound Good Read Beep. */
const BEEP = { page: POS_SCANNER_PAGE, usage: 0x86 };

export interface Identification {
  readonly shown: boolean;
  /** One sentence for the technician: what to see, or why there is nothing to see. */
  readonly says: string;
}

/** Ends within half a minute. Rejects with the signal's reason alone. */
export async function identify(bus: HidBus, clock: Clock, info: HidInfo, signal: AbortSignal): Promise<Identification> {
  try {
    return await show(bus, clock, info, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { shown: false, says: `${nameOf(info)}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function show(bus: HidBus, clock: Clock, info: HidInfo, signal: AbortSignal): Promise<Identification> {
  const name = nameOf(info);
  const { descriptor: bytes } = await bus.inspect(info.path);
  const descriptor = bytes && parseReportDescriptor(bytes);
  const report = descriptor && (outputWith(descriptor, NUM_LOCK) ?? outputWith(descriptor, BEEP));
  if (!report || kindOf(info) === 'relay') {
    return { shown: false, says: `${name} cannot show itself: unplug it, and see which one is missing from the list.` };
  }
  const opened = await bus.open(info.path, { onReport: (input) => input.fill(0), onGone: () => undefined });
  if (opened.outcome !== 'opened') return { shown: false, says: `${name} cannot be opened: ${opened.reason}` };
  const off = new Uint8Array(report.length);
  off[0] = report[0]!;
  try {
    for (let blink = 0; blink < BLINKS; blink += 1) {
      for (const state of [report, off]) {
        await send(opened.device, state, clock, signal);
        await clock.sleep(BLINK_MS, signal);
      }
    }
  } finally {
    await opened.device.close();
  }
  return { shown: true, says: `${name} blinked its lock lights, or beeped, ${BLINKS} times.` };
}

async function send(device: HidDevice, report: Uint8Array, clock: Clock, signal: AbortSignal): Promise<void> {
  using limit = deadline(clock, TRANSFER_MS_MAX, signal);
  await orAbort(device.write(report), limit.signal);
}

/** The output report, its id byte first, that sets one usage and nothing else. Null: the device has no such output. */
function outputWith(descriptor: ReportDescriptor, usage: { page: number; usage: number }): Uint8Array | null {
  const found = findValue(descriptor, 'output', usage);
  if (!found) return null;
  const { field, index } = found;
  const report = new Uint8Array(1 + reportBytes(descriptor, 'output', field.reportId));
  report[0] = field.reportId;
  const bit = field.bitOffset + index * field.bitSize;
  report[1 + (bit >> 3)]! |= 1 << (bit & 7);
  return report;
}
