/** What every part of the bank works with. Made once by bank.ts. */
import type { Logger } from 'pino';
import type { Policy } from '../src-contract/policy.ts';
import type { Chance, Clock } from './clock.ts';
import type { Database } from './database/database.ts';
import type { Platform } from './fleet/platform.ts';
import type { PinCost } from './pin.ts';
import type { Vault } from './vault.ts';

export interface BankContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly vault: Vault;
  readonly platform: Platform;
  readonly policy: Policy;
  readonly logger: Logger;
  /** Of new PIN hashes. */
  readonly pinCost: PinCost;
}
