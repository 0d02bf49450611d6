/**
 * Brings a database to the shape this bank knows: numbered steps, each in a db transaction of its own together with its
 * record. Several bank processes may start at once on one database; a transaction-level advisory lock lines them up.
 */
import { type Kysely, sql } from 'kysely';
import type { Clock } from '../clock.ts';
import { StartError } from '../problem.ts';
import { fleet } from './migrations/0001-fleet.ts';
import { people } from './migrations/0002-people.ts';
import { ledger } from './migrations/0003-ledger.ts';
import { dispense } from './migrations/0004-dispense.ts';
import { padKeys } from './migrations/0005-pad-keys.ts';
import { kindsAndServices } from './migrations/0006-kinds-and-services.ts';
import { transfers } from './migrations/0007-transfers.ts';
import { withdrawals } from './migrations/0008-withdrawals.ts';
import { dayCloses } from './migrations/0009-day-closes.ts';
import { policies } from './migrations/0010-policies.ts';
import { counts } from './migrations/0011-counts.ts';
import { pinPairs } from './migrations/0012-pin-pairs.ts';
import { protections } from './migrations/0013-protections.ts';
import { claimedIdentities } from './migrations/0014-claimed-identities.ts';
import { embedders } from './migrations/0015-embedders.ts';
import type { Tables } from './tables.ts';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}

export const MIGRATIONS: readonly Migration[] = [
  fleet,
  people,
  ledger,
  dispense,
  padKeys,
  kindsAndServices,
  transfers,
  withdrawals,
  dayCloses,
  policies,
  counts,
  pinPairs,
  protections,
  claimedIdentities,
  embedders,
];

/** Names the advisory lock among all of the database's users: "kaop". */
const MIGRATION_LOCK = 0x6b616f70;

/** Applies what is missing, in order. Throws a StartError when the database is newer, or records other steps than these. */
export async function migrate(db: Kysely<Tables>, clock: Clock, migrations = MIGRATIONS): Promise<void> {
  for (const migration of migrations) {
    await db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(tx);
      await sql`create table if not exists schema_migrations (
        version integer primary key, name text not null, applied_at bigint not null)`.execute(tx);
      const applied = await tx.selectFrom('schema_migrations').selectAll().orderBy('version').execute();
      refuseUnknown(applied, migrations);
      if (applied.some((row) => row.version === migration.version)) return;
      for (const statement of migration.statements) await sql.raw(statement).execute(tx);
      await tx
        .insertInto('schema_migrations')
        .values({ version: migration.version, name: migration.name, applied_at: clock.now() })
        .execute();
    });
  }
}

function refuseUnknown(applied: readonly { version: number; name: string }[], migrations: readonly Migration[]): void {
  const newest = migrations.at(-1)?.version ?? 0;
  for (const row of applied) {
    if (row.version > newest) {
      throw new StartError(
        `the database is at version ${row.version} (${row.name}), newer than version ${newest} that this bank knows: start the bank that made it`,
      );
    }
    const known = migrations.find((migration) => migration.version === row.version);
    if (known?.name !== row.name) {
      throw new StartError(
        `the database records a migration ${row.version} "${row.name}" that this bank does not have`,
      );
    }
  }
}
