/** What `kaopass devices` lets a technician do with a HID device: make it show itself, and try it out. */
import { exportJWK, generateKeyPair } from 'jose';
import type { P256PublicJwk } from '../../../src-contract/bank-api.ts';
import { type Clock, deadline } from '../../clock.ts';
import type { Barcode, BarcodeScanner } from '../barcode-scanner.ts';
import type { LightPosition, Lights } from '../lights.ts';
import type { PinPad } from '../pin-pad.ts';
import { type HidBus, type HidDevice, type HidInfo, nameOf } from './bus.ts';
import { orAbort } from './connection.ts';
import { kindOf, POS_SCANNER_PAGE } from './kinds.ts';
import type { HidDevices } from './open.ts';
import { findValue, parseReportDescriptor, type ReportDescriptor, reportBytes } from './report-descriptor.ts';

const ANSWER_MS_MAX = 60_000;
const LIT_MS = 1_000;
const BLINKS = 4;
const BLINK_MS = 250;
/** HID Usage Tables, 11: the page of LEDs, Num Lock. */
const NUM_LOCK = { page: 0x08, usage: 0x01 };
/** HID Point of Sale Usage Tables 1.02, 3: Sound Good Read Beep. */
const BEEP = { page: POS_SCANNER_PAGE, usage: 0x86 };
const POSITIONS: readonly LightPosition[] = ['camera', 'pinPad', 'cashOutput', 'cashInput', 'receipt', 'status'];

export interface HidTrial {
  readonly passed: boolean;
  /** One sentence for the technician. */
  readonly says: string;
}

export interface HidProcedure {
  readonly device: 'pinPad' | 'barcodeScanner' | 'lights';
  /** What the technician is asked to do, before run(). */
  readonly ask: string;
  /** Ends within two minutes. Rejects with the signal's reason alone: what goes wrong with the device is its result. */
  run(signal: AbortSignal): Promise<HidTrial>;
}

/** One procedure for each device that is configured. */
export function hidProcedures({ pinPad, barcodeScanner, lights }: HidDevices, clock: Clock): HidProcedure[] {
  return [
    pinPad && {
      device: 'pinPad' as const,
      ask: 'Key in 1 2 3 4 and Enter. Use no real PIN.',
      run: (signal: AbortSignal) => trial(signal, () => tryPinPad(pinPad, signal)),
    },
    barcodeScanner && {
      device: 'barcodeScanner' as const,
      ask: 'Scan any code.',
      run: (signal: AbortSignal) => trial(signal, () => tryScanner(barcodeScanner, clock, signal)),
    },
    lights && {
      device: 'lights' as const,
      ask: 'Watch: each light comes on for a second. Keep clear of a gate.',
      run: (signal: AbortSignal) => trial(signal, () => tryLights(lights, clock, signal)),
    },
  ].filter((procedure) => procedure !== null);
}

async function trial(signal: AbortSignal, run: () => Promise<HidTrial>): Promise<HidTrial> {
  try {
    return await run();
  } catch (error) {
    if (signal.aborted) throw error;
    return { passed: false, says: error instanceof Error ? error.message : String(error) };
  }
}

/** The block is made for a key that nobody keeps. */
async function tryPinPad(pinPad: PinPad, signal: AbortSignal): Promise<HidTrial> {
  const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
  const { kty, crv, x, y } = (await exportJWK(publicKey)) as P256PublicJwk;
  const request = {
    digitsMin: 4,
    digitsMax: 4,
    encryptFor: { kty, crv, x, y, kid: 'test' },
    boundTo: 'test',
    timeoutMs: ANSWER_MS_MAX,
  };
  let most = 0;
  const { outcome } = await pinPad.enterPin(request, (count) => (most = Math.max(most, count)), signal);
  if (outcome === 'entered') return { passed: true, says: 'Four digits and Enter came, and made a PIN block.' };
  return { passed: false, says: `The entry ended with "${outcome}"; at most ${most} digits had come.` };
}

async function tryScanner(scanner: BarcodeScanner, clock: Clock, signal: AbortSignal): Promise<HidTrial> {
  const heard = Promise.withResolvers<Barcode>();
  const stop = scanner.onBarcode(heard.resolve);
  using limit = deadline(clock, ANSWER_MS_MAX, signal);
  try {
    const { symbology, text } = await orAbort(heard.promise, limit.signal);
    return { passed: true, says: `Read ${symbology}: ${text}` };
  } finally {
    stop();
  }
}

async function tryLights(lights: Lights, clock: Clock, signal: AbortSignal): Promise<HidTrial> {
  for (const position of POSITIONS) {
    await lights.set(position, 'continuous');
    await clock.sleep(LIT_MS, signal).finally(() => lights.set(position, 'off'));
  }
  return { passed: true, says: 'Every relay followed.' };
}

/**
 * Makes one of several devices show itself: a keypad blinks its lock lights, a scanner beeps. A relay board is left alone: what
 * hangs on it may be a gate. Rejects with the signal's reason alone.
 */
export async function identify(bus: HidBus, clock: Clock, info: HidInfo, signal: AbortSignal): Promise<HidTrial> {
  const { descriptor: bytes } = await bus.inspect(info.path);
  const descriptor = bytes && parseReportDescriptor(bytes);
  const report = descriptor && (outputWith(descriptor, NUM_LOCK) ?? outputWith(descriptor, BEEP));
  if (!report || kindOf(info) === 'relay') {
    return {
      passed: false,
      says: `${nameOf(info)} cannot show itself: unplug it, and see which one is missing from the list.`,
    };
  }
  const opened = await bus.open(info.path, { onReport: (input) => input.fill(0), onGone: () => undefined });
  if (opened.outcome !== 'opened') return { passed: false, says: `${nameOf(info)} cannot be opened: ${opened.reason}` };
  const off = new Uint8Array(report.length);
  off[0] = report[0]!;
  return await trial(signal, async () => {
    try {
      for (let blink = 0; blink < BLINKS; blink += 1) {
        await send(opened.device, report, clock, signal);
        await send(opened.device, off, clock, signal);
      }
    } finally {
      await opened.device.close();
    }
    return { passed: true, says: `${nameOf(info)} blinked its lock lights or beeped ${BLINKS} times.` };
  });
}

async function send(device: HidDevice, report: Uint8Array, clock: Clock, signal: AbortSignal): Promise<void> {
  using limit = deadline(clock, ANSWER_MS_MAX, signal);
  await orAbort(device.write(report), limit.signal);
  await clock.sleep(BLINK_MS, signal);
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
