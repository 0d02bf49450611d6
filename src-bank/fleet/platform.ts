/**
 * The platform's own secrets, made once per database and sealed there under the bank key: the seed of the protecting matrix
 * that all terminals share, and the key that PIN blocks are encrypted for.
 */
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import { z } from 'zod';
import { P256PublicJwk } from '../../src-contract/bank-api.ts';
import { Base64Url } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { sha256Base64Url } from '../digest.ts';
import type { PinKey } from '../pin.ts';
import { StartError } from '../problem.ts';
import { createVault, type MasterKeySource, type Vault } from '../vault.ts';

export interface Platform {
  /** 32 bytes. */
  readonly protectionSeed: Uint8Array;
  readonly protectionVersion: string;
  readonly pinKey: PinKey;
  readonly pinPublicKey: P256PublicJwk & { readonly kid: string };
}

const Secrets = z.strictObject({
  protectionSeed: Base64Url.length(43),
  pinPrivateKey: P256PublicJwk.extend({ d: Base64Url.length(43) }),
});

const SECRET_NAME = 'platform';

/** Opens the secrets, or makes them for a new database. Throws a StartError when the key does not fit the database. */
export async function openPlatform(
  database: Database,
  masterKey: MasterKeySource,
  { clock, chance }: { clock: Clock; chance: Chance },
): Promise<{ platform: Platform; vault: Vault }> {
  const read = () =>
    database.db.selectFrom('platform_secrets').select('sealed').where('name', '=', SECRET_NAME).executeTakeFirst();
  let stored = await read();
  const key = masterKey.load() ?? (stored ? null : masterKey.create(chance));
  if (key === null)
    throw new StartError(`the bank key ${masterKey.name} is missing, and this database is sealed under it`);
  const vault = createVault(key, chance);
  if (!stored) {
    const plain = new TextEncoder().encode(JSON.stringify(await makeSecrets(chance)));
    // Of several banks that start at once on one database, the first makes them and all read what it made.
    await database.db
      .insertInto('platform_secrets')
      .values({ name: SECRET_NAME, sealed: vault.seal('platform-secret', SECRET_NAME, plain), created_at: clock.now() })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    stored = await read();
  }
  if (!stored) throw new StartError("the platform's secrets vanished from the database while starting");
  return { platform: await openSecrets(stored.sealed, vault, masterKey), vault };
}

async function makeSecrets(chance: Chance): Promise<z.infer<typeof Secrets>> {
  const { privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
  const { kty, crv, x, y, d } = await exportJWK(privateKey);
  return Secrets.parse({
    protectionSeed: Buffer.from(chance.bytes(32)).toString('base64url'),
    pinPrivateKey: { kty, crv, x, y, d },
  });
}

async function openSecrets(sealed: Uint8Array, vault: Vault, masterKey: MasterKeySource): Promise<Platform> {
  let secrets: z.infer<typeof Secrets>;
  try {
    const plain = vault.open('platform-secret', SECRET_NAME, sealed);
    secrets = Secrets.parse(JSON.parse(new TextDecoder().decode(plain)));
  } catch (error) {
    throw new StartError(`the bank key ${masterKey.name} does not open this database: it belongs to another one`, {
      cause: error,
    });
  }
  const { d, ...publicJwk } = secrets.pinPrivateKey;
  const kid = await calculateJwkThumbprint(publicJwk);
  const privateKey = (await importJWK({ ...publicJwk, d }, 'ECDH-ES')) as CryptoKey;
  const protectionSeed = new Uint8Array(Buffer.from(secrets.protectionSeed, 'base64url'));
  return {
    protectionSeed,
    // Says which seed without telling it.
    protectionVersion: `p1-${sha256Base64Url(protectionSeed).slice(0, 8)}`,
    pinKey: { kid, privateKey },
    pinPublicKey: { ...publicJwk, kid },
  };
}
