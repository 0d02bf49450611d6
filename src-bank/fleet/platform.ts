/**
 * The platform's own secrets, made once per database and sealed there under the bank key: the key that PIN blocks are encrypted for, and
 * the key that policies are signed with. The seeds of the protecting matrices are beside them (protection/generations.ts).
 */
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import { z } from 'zod';
import { Ed25519PublicJwk, P256PublicJwk, type PolicyKey } from '../../src-contract/bank-api.ts';
import { Base64Url } from '../../src-contract/primitives.ts';
import { SEED_BYTES } from '../../src-contract/protection.ts';
import type { Chance, Clock } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { PinKey } from '../pin.ts';
import { StartError } from '../problem.ts';
import { keepFirstGeneration } from '../protection/generations.ts';
import { createVault, type MasterKeySource, type Vault } from '../vault.ts';

export interface Platform {
  readonly pinKey: PinKey;
  readonly pinPublicKey: P256PublicJwk & { readonly kid: string };
  readonly policyKey: { readonly privateKey: CryptoKey; readonly publicKey: PolicyKey };
}

const Secrets = z.strictObject({
  /** Only in databases from before the matrix could be changed, until they are opened. */
  protectionSeed: Base64Url.length(43).optional(),
  pinPrivateKey: P256PublicJwk.extend({ d: Base64Url.length(43) }),
});

const PolicySecret = Ed25519PublicJwk.extend({ d: Base64Url.length(43) });

const SECRET_NAME = 'platform';
/** By itself: databases from before policies were signed have the other secrets already. */
const POLICY_SECRET_NAME = 'policy-key';

/** Opens the secrets, or makes them for a new database. Throws a StartError when the key does not fit the database. */
export async function openPlatform(
  database: Database,
  masterKey: MasterKeySource,
  { clock, chance }: { clock: Clock; chance: Chance },
): Promise<{ platform: Platform; vault: Vault }> {
  const stored = await readSecret(database, SECRET_NAME);
  const key = masterKey.load() ?? (stored ? null : masterKey.create(chance));
  if (key === null)
    throw new StartError(`the bank key ${masterKey.name} is missing, and this database is sealed under it`);
  const vault = createVault(key, chance);
  const open = async <Secret>(name: string, make: () => Promise<Secret>, schema: z.ZodType<Secret>) => {
    const sealed =
      (await readSecret(database, name)) ?? (await keepSecret(database, { vault, clock }, name, await make()));
    return opened(sealed, { name, vault, schema, masterKey });
  };
  const secrets = await open(SECRET_NAME, makeSecrets, Secrets);
  await moveSeed(database, vault, { clock, chance }, secrets);
  const policySecret = await open(POLICY_SECRET_NAME, makePolicySecret, PolicySecret);
  return { platform: await platformOf(secrets, policySecret), vault };
}

async function readSecret(database: Database, name: string): Promise<Uint8Array | null> {
  const row = await database.db
    .selectFrom('platform_secrets')
    .select('sealed')
    .where('name', '=', name)
    .executeTakeFirst();
  return row?.sealed ?? null;
}

/** Of several banks that start at once on one database, the first makes a secret and all read what it made. */
async function keepSecret(
  database: Database,
  { vault, clock }: { vault: Vault; clock: Clock },
  name: string,
  secret: unknown,
): Promise<Uint8Array> {
  const plain = new TextEncoder().encode(JSON.stringify(secret));
  await database.db
    .insertInto('platform_secrets')
    .values({ name, sealed: vault.seal('platform-secret', name, plain), created_at: clock.now() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const stored = await readSecret(database, name);
  if (!stored) throw new StartError("the platform's secrets vanished from the database while starting");
  return stored;
}

/** The seed has a row of its own, from which it can be taken away: the secrets are stored again without it. */
async function moveSeed(
  database: Database,
  vault: Vault,
  { clock, chance }: { clock: Clock; chance: Chance },
  { protectionSeed, ...others }: z.infer<typeof Secrets>,
): Promise<void> {
  const seed = protectionSeed === undefined ? chance.bytes(SEED_BYTES) : Buffer.from(protectionSeed, 'base64url');
  await database.transact(async (tx) => {
    await keepFirstGeneration(tx, vault, { seed: new Uint8Array(seed), at: clock.now() });
    if (protectionSeed === undefined) return;
    const sealed = vault.seal('platform-secret', SECRET_NAME, new TextEncoder().encode(JSON.stringify(others)));
    await tx.updateTable('platform_secrets').set({ sealed }).where('name', '=', SECRET_NAME).execute();
  });
}

async function makeSecrets(): Promise<z.infer<typeof Secrets>> {
  const { privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
  const { kty, crv, x, y, d } = await exportJWK(privateKey);
  return Secrets.parse({ pinPrivateKey: { kty, crv, x, y, d } });
}

async function makePolicySecret(): Promise<z.infer<typeof PolicySecret>> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { kty, crv, x, d } = await exportJWK(privateKey);
  return PolicySecret.parse({ kty, crv, x, d });
}

function opened<Secret>(
  sealed: Uint8Array,
  {
    name,
    vault,
    schema,
    masterKey,
  }: { name: string; vault: Vault; schema: z.ZodType<Secret>; masterKey: MasterKeySource },
): Secret {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(vault.open('platform-secret', name, sealed))));
  } catch (error) {
    throw new StartError(`the bank key ${masterKey.name} does not open this database: it belongs to another one`, {
      cause: error,
    });
  }
}

async function platformOf(
  secrets: z.infer<typeof Secrets>,
  policySecret: z.infer<typeof PolicySecret>,
): Promise<Platform> {
  const { d, ...publicJwk } = secrets.pinPrivateKey;
  const kid = await calculateJwkThumbprint(publicJwk);
  const privateKey = (await importJWK({ ...publicJwk, d }, 'ECDH-ES')) as CryptoKey;
  const { d: policyD, ...policyJwk } = policySecret;
  return {
    pinKey: { kid, privateKey },
    pinPublicKey: { ...publicJwk, kid },
    policyKey: {
      privateKey: (await importJWK({ ...policyJwk, d: policyD }, 'EdDSA')) as CryptoKey,
      publicKey: { ...policyJwk, kid: await calculateJwkThumbprint(policyJwk) },
    },
  };
}
