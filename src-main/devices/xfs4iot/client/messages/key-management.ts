/** XFS4IoT 2024-3, KeyManagement, reading only: loading keys is no job of a running terminal. */
import { z } from 'zod';
import { count, dictionary, nothing, ofCommand, oneOf, text, unsolicited } from './lenient.ts';

export const keyManagementCommands = {
  'KeyManagement.GetKeyDetail': {
    payload: z.object({ keyName: text }),
    completion: z.object({
      keyDetails: dictionary(
        z.object({
          generation: count,
          version: count,
          activatingDate: text,
          expiryDate: text,
          loaded: oneOf(['no', 'yes', 'construct']),
          keyBlockInfo: z
            .object({
              keyUsage: text,
              restrictedKeyUsage: text,
              algorithm: text,
              modeOfUse: text,
              keyVersionNumber: text,
              exportability: text,
              /** Bits; 0 unknown. */
              keyLength: count,
            })
            .optional(),
        }),
      ).optional(),
    }),
  },
} as const;

export const keyManagementEvents = {
  /** The host needs the key serial number together with the PIN block. */
  'KeyManagement.DUKPTKSNEvent': ofCommand(z.object({ key: text, ksn: text })),
  'KeyManagement.InitializedEvent': unsolicited(nothing),
  'KeyManagement.IllegalKeyAccessEvent': unsolicited(
    z.object({
      keyName: text,
      errorCode: oneOf(['keyNotFound', 'keyNoValue', 'useViolation', 'algorithmNotSupported', 'dukptOverflow']),
    }),
  ),
  'KeyManagement.CertificateChangeEvent': unsolicited(z.object({ certificateChange: oneOf(['secondary']) })),
} as const;
