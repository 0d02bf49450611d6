/** XFS4IoT 2024-3, BarcodeReader. The scanner is on while Read runs; the header time-out is the scan window. */
import { z } from 'zod';
import { nothing, text } from './lenient.ts';

export const barcodeReaderCommands = {
  'BarcodeReader.Read': {
    /** Names of symbologies; none: all. */
    payload: z.object({ symbologies: z.record(z.string(), z.boolean()).optional() }),
    completion: z.object({
      readOutput: z
        .array(
          z.object({
            /** A name of the standard, or `symbologyUnknown`. */
            symbology: text,
            /** base64 of bytes; their encoding is the symbology's. */
            barcodeData: z.string(),
            symbologyName: text,
          }),
        )
        .optional(),
    }),
  },
  'BarcodeReader.Reset': { payload: nothing, completion: nothing },
} as const;
