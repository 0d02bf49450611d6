/** The messages of XFS4IoT 2024-3, KeyManagement, as far as a terminal reads them. Keys come from the operator (--keys). */
import { z } from 'zod';
import { command, done, failed, type Interface } from '../command.ts';
import type { Payload } from '../envelope.ts';

export interface KeyManagementActs {
  details(): Payload;
  /** Empties the PIN buffer; the keys stay. */
  reset(): void;
}

export function keyManagementInterface(acts: KeyManagementActs): Interface {
  return {
    name: 'KeyManagement',
    events: ['KeyManagement.InitializedEvent', 'KeyManagement.IllegalKeyAccessEvent'],
    capabilities: () => ({ keyNum: 16, keyCheckModes: {}, loadCertOptions: [] }),
    commands: {
      'KeyManagement.GetKeyDetail': command(
        z.object({ keyName: z.string().nullish() }),
        ({ keyName }) => {
          const details = acts.details();
          if (!keyName) return done({ keyDetails: details });
          return keyName in details
            ? done({ keyDetails: { [keyName]: details[keyName] } })
            : failed('keyNotFound', `there is no key ${keyName}`);
        },
        { withoutDevice: true },
      ),
      'KeyManagement.Reset': command(z.object({}), () => {
        acts.reset();
        return done();
      }),
    },
  };
}
