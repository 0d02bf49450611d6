/** The keys inside the PIN device (XFS4IoT 2024-3, KeyManagement): what they are for is told, their values never. */
import { z } from 'zod';
import type { Payload } from '../envelope.ts';

/** How one key is kept on disk and given by the operator. */
export const PinKey = z
  .strictObject({
    name: z.string().min(1).max(64),
    /** PIN encryption (X9.143). Keys of other usages do not belong into a PIN device. */
    usage: z.literal('P0').default('P0'),
    /** A: AES, for iso4; T: TDES, for the older formats. */
    algorithm: z.enum(['A', 'T']),
    /** Hex; null: the key's place is there and no value was loaded. */
    value: z
      .string()
      .regex(/^([0-9A-Fa-f]{2})+$/, 'hexadecimal digits, two a byte')
      .nullable(),
  })
  .superRefine((key, context) => {
    if (key.value === null) return;
    const bytes = key.value.length / 2;
    const fits = key.algorithm === 'A' ? [16, 24, 32] : [16, 24];
    if (!fits.includes(bytes)) {
      context.addIssue({ code: 'custom', path: ['value'], message: `needs ${fits.join(' or ')} bytes, not ${bytes}` });
    }
  });
export type PinKey = z.infer<typeof PinKey>;

/** KeyManagement.GetKeyDetail's `keyDetails`. */
export function keyDetails(keys: readonly PinKey[]): Payload {
  return Object.fromEntries(
    keys.map(({ name, usage, algorithm, value }) => [
      name,
      {
        loaded: value === null ? 'no' : 'yes',
        keyBlockInfo: {
          keyUsage: usage,
          algorithm,
          modeOfUse: 'E',
          keyVersionNumber: '00',
          exportability: 'N',
          // Parity bits of TDES included (X9.143).
          keyLength: value === null ? 0 : value.length * 4,
        },
      },
    ]),
  );
}
