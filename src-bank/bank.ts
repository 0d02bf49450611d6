/** Composition of the bank: settings in, a bank that answers requests out. Listening is the caller's part. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { PolicyTerms } from '../src-contract/policy.ts';
import type { Chance, Clock } from './clock.ts';
import { type DatabaseSettings, openDatabase } from './database/database.ts';
import { migrate } from './database/migrate.ts';
import { openPlatform } from './fleet/platform.ts';
import { keepTerms } from './fleet/policy-issue.ts';
import { createServer } from './http/server.ts';
import { PIN_COST, type PinCost } from './pin.ts';
import { POLICY_VALID_MS_DEFAULT, withDigest } from './policy.ts';
import { StartError } from './problem.ts';
import { createConverter } from './protection/convert.ts';
import { createMatrices } from './protection/matrices.ts';
import type { MasterKeySource } from './vault.ts';

export interface BankOptions {
  readonly database: DatabaseSettings;
  /** What everything secret in the database is sealed under. */
  readonly masterKey: MasterKeySource;
  readonly clock: Clock;
  readonly chance: Chance;
  /** What the admin API wants as bearer token. */
  readonly adminToken: string;
  readonly policy: PolicyTerms;
  /** From the issue of a policy to its end, ms; by default {@link POLICY_VALID_MS_DEFAULT}. */
  readonly policyValidForMs?: number;
  readonly logger: Logger;
  /** Of new PIN hashes; less than the default only where no PIN is worth anything. */
  readonly pinCost?: PinCost;
  /** Templates that a change of the protecting matrix converts in one db transaction. */
  readonly conversionBatch?: number;
}

export interface Bank {
  /** Ready: `app.inject()` answers, `app.listen()` opens a port. */
  readonly app: FastifyInstance;
  readonly database: DatabaseSettings['kind'];
  /** Ends open requests, then the database. */
  close(): Promise<void>;
}

/** Opens and migrates the database. Throws a StartError that says in one sentence why it cannot. */
export async function createBank(options: BankOptions): Promise<Bank> {
  const { clock, chance, logger, policyValidForMs = POLICY_VALID_MS_DEFAULT, pinCost = PIN_COST } = options;
  const policy = withDigest(options.policy);
  const database = await openDatabase(options.database, {
    clock,
    chance,
    onIdleError: (error) => logger.warn({ err: error }, 'an idle database connection broke'),
  });
  try {
    await migrate(database.db, clock);
    const { platform, vault } = await openPlatform(database, options.masterKey, { clock, chance });
    await keepTerms(database, policy, clock);
    const matrices = createMatrices(clock);
    const parts = { database, clock, chance, vault, platform, matrices, policy, policyValidForMs, logger, pinCost };
    const converter = createConverter(parts, options.conversionBatch);
    const context = { ...parts, converter };
    const app = await createServer(context, options.adminToken);
    // What the last run of a bank left.
    converter.wake();
    return {
      app,
      database: database.kind,
      async close() {
        await app.close();
        await converter.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    if (error instanceof StartError) throw error;
    throw new StartError(`the database cannot be used: ${(error as Error).message}`, { cause: error });
  }
}
