/**
 * A barcode reader over XFS4IoT (2024-3, BarcodeReader). The device reads once per command; while anybody listens, the next Read
 * follows each completion, and Cancel ends the last.
 */
import type { Clock } from '../../clock.ts';
import type { Barcode, BarcodeScanner } from '../barcode-scanner.ts';
import type { DeviceHealth } from '../device.ts';
import { XfsDriver } from './driver.ts';
import type { ServiceLink } from './service-link.ts';

/** One scan window, ms. */
const READ_MS = 60_000;
/** Before the reader is tried again that failed or is away, ms. */
const RETRY_MS = 1_000;
const TEXT_BYTES_MAX = 4_096;

const SYMBOLOGIES: Readonly<Record<string, Barcode['symbology']>> = {
  ean13: 'ean13',
  jan13: 'ean13',
  ean8: 'ean8',
  upcA: 'upca',
  code128: 'code128',
  ean128: 'code128',
  qrCode: 'qr',
};

export class XfsBarcodeScanner extends XfsDriver implements BarcodeScanner {
  readonly #heard = new Set<(barcode: Barcode) => void>();
  #reading: AbortController | null = null;
  #loop: Promise<void> = Promise.resolve();

  constructor(link: ServiceLink, clock: Clock) {
    super('barcode-scanner', link, clock);
  }

  onBarcode(listener: (barcode: Barcode) => void): () => void {
    this.#heard.add(listener);
    if (this.#reading === null) {
      const reading = new AbortController();
      this.#reading = reading;
      this.#loop = this.#loop.then(() => this.#read(AbortSignal.any([reading.signal, this.closed])));
    }
    return () => {
      this.#heard.delete(listener);
      if (this.#heard.size > 0) return;
      this.#reading?.abort(new DOMException('nobody listens', 'AbortError'));
      this.#reading = null;
    };
  }

  override async close(): Promise<void> {
    this.#heard.clear();
    await super.close();
    await this.#loop;
  }

  protected override problem(): DeviceHealth | null {
    const { barcodeReader } = this.needConnected().status();
    return barcodeReader?.scanner === 'inoperative'
      ? { state: 'hardwareError', problem: 'the barcode reader does not work' }
      : null;
  }

  async #read(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const answer = await this.connected()?.command('BarcodeReader.Read', {}, { timeoutMs: READ_MS, signal });
      if (answer?.code === 'success') {
        for (const { symbology, barcodeData } of answer.payload.readOutput ?? []) this.#tell(symbology, barcodeData);
      } else if (answer?.code !== 'timeOut' && !signal.aborted) {
        await this.clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  #tell(symbology: string | undefined, barcodeData: string): void {
    const bytes = Buffer.from(barcodeData, 'base64');
    if (bytes.length === 0 || bytes.length > TEXT_BYTES_MAX) return;
    const barcode = { symbology: SYMBOLOGIES[symbology ?? ''] ?? 'unknown', text: bytes.toString('utf8') };
    for (const listener of [...this.#heard]) listener(barcode);
  }
}
