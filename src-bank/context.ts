/** What every part of the bank works with. Made once by bank.ts. */
import type { Logger } from 'pino';
import type { PolicyTerms } from '../src-contract/policy.ts';
import type { Chance, Clock } from './clock.ts';
import type { Database } from './database/database.ts';
import type { Platform } from './fleet/platform.ts';
import type { PinCost } from './pin.ts';
import type { Converter } from './protection/convert.ts';
import type { Matrices } from './protection/matrices.ts';
import type { Vault } from './vault.ts';

export interface BankContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly vault: Vault;
  readonly platform: Platform;
  /** Between protecting matrices. */
  readonly matrices: Matrices;
  /** Brings templates under the current one. */
  readonly converter: Converter;
  /** What is issued now; its version names exactly these terms. */
  readonly policy: PolicyTerms;
  /** From the issue of a policy to its end, ms. */
  readonly policyValidForMs: number;
  readonly logger: Logger;
  /** Of new PIN hashes. */
  readonly pinCost: PinCost;
}
