/** A barcode reader that looks while it is asked to (XFS4IoT 2024-3, BarcodeReader): a Read ends with what a hand holds before it. */
import { z } from 'zod';
import { command, done, type Outcome } from '../command.ts';
import { untilHands } from '../hands.ts';
import { type Runtime, Service } from '../service.ts';

/** What this reader decodes. */
export const SYMBOLOGIES = [
  'ean8',
  'ean13',
  'jan13',
  'upcA',
  'upcE0',
  'code39',
  'code128',
  'itf',
  'codabar',
  'qrCode',
  'dataMatrix',
  'pdf417',
] as const;
export type Symbology = (typeof SYMBOLOGIES)[number];

interface Reading {
  /** Null: all. */
  readonly wanted: ReadonlySet<string> | null;
  see(outcome: Outcome): void;
}

export class BarcodeReader {
  readonly service: Service;
  #reading: Reading | null = null;

  constructor(runtime: Runtime) {
    this.service = new Service(runtime, ({ changed }) => ({
      name: 'BarcodeReader1',
      model: { modelName: 'BR-2', serialNumber: 'BR2-0001', modelDescription: 'Area image barcode reader' },
      status: () => ({ barcodeReader: { scanner: this.#reading ? 'on' : 'off' } }),
      interfaces: [
        {
          name: 'BarcodeReader',
          events: [],
          capabilities: () => ({
            canFilterSymbologies: true,
            symbologies: Object.fromEntries(SYMBOLOGIES.map((name) => [name, true])),
          }),
          commands: {
            'BarcodeReader.Read': command(
              z.object({ symbologies: z.record(z.string(), z.boolean()).nullish() }),
              ({ symbologies }, context) => {
                const names = Object.entries(symbologies ?? {}).flatMap(([name, on]) => (on ? [name] : []));
                return untilHands<Outcome>(context.signal, (see) => {
                  this.#reading = { wanted: names.length > 0 ? new Set(names) : null, see };
                  changed();
                  return () => {
                    this.#reading = null;
                    changed();
                  };
                });
              },
            ),
            'BarcodeReader.Reset': command(z.object({}), () => done()),
          },
        },
      ],
    }));
  }

  reading(): boolean {
    return this.#reading !== null;
  }

  /** A hand holds a code before the reader. False when it does not look, or not for this symbology. */
  scan(symbology: Symbology, data: Uint8Array): boolean {
    const reading = this.#reading;
    if (reading === null || this.service.device() !== 'online') return false;
    if (reading.wanted && !reading.wanted.has(symbology)) return false;
    this.#reading = null;
    reading.see(done({ readOutput: [{ symbology, barcodeData: Buffer.from(data).toString('base64') }] }));
    return true;
  }
}
