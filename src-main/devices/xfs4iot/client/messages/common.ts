/** XFS4IoT 2024-3, Common: what every service has. */
import { z } from 'zod';
import { CapabilitiesPayload, readCapabilities } from './capabilities.ts';
import { nothing, oneOf, text, unsolicited } from './lenient.ts';
import { readStatus, StatusPayload } from './status.ts';

const Majors = z.record(z.string(), z.int().min(1)).optional();

export const commonCommands = {
  'Common.Status': { payload: nothing, completion: StatusPayload, read: readStatus },
  'Common.Capabilities': { payload: nothing, completion: CapabilitiesPayload, read: readCapabilities },
  'Common.SetVersions': { payload: z.object({ commands: Majors, events: Majors }), completion: nothing },
  /** Absent `requestIds`: every queued and running command of this connection. */
  'Common.Cancel': {
    payload: z.object({ requestIds: z.array(z.int().min(1)).min(1).optional() }),
    completion: nothing,
  },
  'Common.GetCommandNonce': {
    payload: nothing,
    /** 128 random bits in hexadecimal, or a counter. */
    completion: z.object({ commandNonce: z.string().regex(/^(?:[0-9A-F]{32}|[0-9]{1,100})$/) }),
  },
  'Common.ClearCommandNonce': { payload: nothing, completion: nothing },
  'Common.SetTransactionState': {
    payload: z.object({ state: z.enum(['active', 'inactive']), transactionID: text }),
    completion: nothing,
  },
  'Common.GetTransactionState': {
    payload: nothing,
    completion: z.object({ state: oneOf(['active', 'inactive']), transactionID: text }),
  },
} as const;

export const commonEvents = {
  'Common.StatusChangedEvent': unsolicited(StatusPayload, readStatus),
  'Common.ErrorEvent': unsolicited(
    z.object({
      eventId: oneOf(['hardware', 'software', 'user', 'fraudAttempt']),
      action: oneOf(['reset', 'softwareError', 'configuration', 'clear', 'maintenance', 'suspend']),
      vendorDescription: text,
    }),
  ),
  'Common.NonceClearedEvent': unsolicited(z.object({ reasonDescription: text })),
} as const;
