/**
 * A receipt printer over XFS4IoT (2024-3, Printer): the receipt's ESC/POS bytes as a raw job, then cut and eject as far as the
 * device lets us ask for them. Whatever the printer says, a payout stays paid.
 */
import type { Clock } from '../../clock.ts';
import type { DeviceHealth } from '../device.ts';
import type { PrintCompletion, PrinterStatus, ReceiptPrinter } from '../receipt-printer.ts';
import type { Status } from './client/index.ts';
import { type Failure, MECHANICS_MS_MAX, neverArrived, orAbort, reasonOf, sentenceOf, XfsDriver } from './driver.ts';
import type { ServiceLink } from './service-link.ts';

/** More than any receipt; services refuse messages over 2 MiB. */
const BYTES_MAX = 1_000_000;
/** ESC/POS full and partial cut (GS V 0, GS V 1). */
const CUTS = new Set([0x00, 0x01, 0x30, 0x31]);

export class XfsReceiptPrinter extends XfsDriver implements ReceiptPrinter {
  constructor(link: ServiceLink, clock: Clock) {
    super('receipt-printer', link, clock);
  }

  async status(signal: AbortSignal): Promise<PrinterStatus> {
    signal.throwIfAborted();
    const service = this.needConnected();
    await orAbort(service.refresh(signal), AbortSignal.any([signal, this.closed]));
    return { paper: paperOf(service.status()) };
  }

  print(bytes: Uint8Array, signal: AbortSignal): Promise<PrintCompletion> {
    return this.inTurn(signal, async (limit) => {
      const service = this.connected();
      if (!service) return failedPrint('noDevice', 'the receipt printer does not answer');
      if (bytes.length > BYTES_MAX) return failedPrint('hardwareError', `${bytes.length} bytes are no receipt`);
      const { control } = service.capabilities.printer ?? {};
      const cuts = control?.cut === true || control?.partialCut === true;
      const options = { timeoutMs: MECHANICS_MS_MAX, signal: limit };
      const data = Buffer.from(cuts ? withoutCut(bytes) : bytes).toString('base64');
      const raw = await service.command('Printer.PrintRaw', { inputData: 'no', data }, options);
      if (raw.code !== 'success') return failureOf(raw as Failure);
      const mediaControl = {
        ...(control?.cut === true ? { cut: true } : cuts ? { partialCut: true } : {}),
        ...(control?.eject === true ? { move: 'eject' as const } : {}),
      };
      if (Object.keys(mediaControl).length > 0) {
        const moved = await service.command('Printer.ControlMedia', { mediaControl }, options);
        // It lay there already cut, or there was no slot to bring it to: the customer has the paper.
        if (moved.code !== 'success' && reasonOf(moved as Failure) !== 'noMediaPresent')
          return failureOf(moved as Failure);
      }
      return { outcome: 'printed' };
    });
  }

  protected override problem(): DeviceHealth | null {
    const status = this.needConnected().status();
    switch (paperOf(status)) {
      case 'out':
        return { state: 'hardwareError', problem: 'the receipt printer is out of paper' };
      case 'jammed':
        return { state: 'hardwareError', problem: 'the paper of the receipt printer is jammed' };
      case 'low':
        return { state: 'online', problem: 'the paper of the receipt printer is running low' };
      default:
        return null;
    }
  }
}

/** The worst of all paper sources. */
function paperOf({ printer }: Status): PrinterStatus['paper'] {
  if (printer?.media === 'jammed') return 'jammed';
  const sources = Object.values(printer?.paper ?? {});
  for (const worst of ['jammed', 'out', 'low'] as const) if (sources.includes(worst)) return worst;
  return sources.includes('full') ? 'full' : 'unknown';
}

/** The job without its last cut: the device is told to cut in its own words, and must not cut twice. */
function withoutCut(bytes: Uint8Array): Uint8Array {
  const [esc, cut, how] = bytes.subarray(-3);
  return esc === 0x1d && cut === 0x56 && how !== undefined && CUTS.has(how) ? bytes.subarray(0, -3) : bytes;
}

type PrintError = Extract<PrintCompletion, { outcome: 'failed' }>['error'];
const failedPrint = (error: PrintError, message: string): PrintCompletion => ({ outcome: 'failed', error, message });

function failureOf(failure: Failure): PrintCompletion {
  const sentence = sentenceOf(failure);
  if (neverArrived(failure) || failure.code === 'connectionLost' || failure.code === 'noAnswer') {
    return failedPrint('noDevice', sentence);
  }
  switch (reasonOf(failure)) {
    case 'paperOut':
      return failedPrint('paperOut', sentence);
    case 'paperJammed':
    case 'mediaJammed':
      return failedPrint('paperJammed', sentence);
    default:
      return failedPrint('hardwareError', sentence);
  }
}
