/** Policy, time and whether the terminal may serve, opened together: each needs the others. */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Activation } from '../identity/activation.ts';
import type { KeyStore } from '../identity/key-store.ts';
import type { Alarm, Memory } from '../journal/journal.ts';
import { openPolicyBook, type PolicyBook } from './policy-book.ts';
import { type PolicyStanding, watchStanding } from './standing.ts';
import { createTrustedTime, type TrustedTime } from './trusted-time.ts';

export interface BankWord {
  readonly policies: PolicyBook;
  readonly time: TrustedTime;
  readonly standing: PolicyStanding;
}

/** Save the time and close `standing` before the journal. Throws KEY_STORE_INVALID. */
export async function openBankWord(options: {
  readonly memory: Memory;
  readonly activation: Pick<Activation, 'policy' | 'policyKey'>;
  readonly keyStore: KeyStore;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly onAlarm: (alarm: Alarm) => void;
}): Promise<BankWord> {
  const { memory, clock, log } = options;
  const time = createTrustedTime(memory, clock);
  const policies = await openPolicyBook({ ...options, time });
  return { policies, time, standing: watchStanding({ policies, time, clock, log }) };
}
