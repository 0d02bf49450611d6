/**
 * Who this terminal is: an Ed25519 key that signs match results and requests, a P-256 key that opens what the bank sends
 * to this terminal alone, and an AES-256 key for what rests on its disk. Made on first use, kept in the key store, held
 * here as KeyObjects, whose bytes no log, error or inspection prints.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { CompactSign, compactDecrypt } from 'jose';
import {
  Ed25519PublicJwk,
  P256PublicJwk,
  REQUEST_ASSERTION_TYP,
  type RequestAssertion,
} from '../../src-contract/bank-api.ts';
import { COUNT_TYP, type Count } from '../../src-contract/count.ts';
import { DAY_CLOSE_TYP, type DayClose } from '../../src-contract/day-close.ts';
import { ERASURE_RECEIPT_TYP, type ErasureReceipt } from '../../src-contract/erasure.ts';
import { MATCH_RESULT_TYP, type MatchResult } from '../../src-contract/match-result.ts';
import type { Uuid } from '../../src-contract/primitives.ts';
import { PROTECTION_RECEIPT_TYP, type ProtectionReceipt } from '../../src-contract/protection-change.ts';
import type { Chance, Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import { type Activation, readActivation } from './activation.ts';
import type { KeyStore } from './key-store.ts';

export interface RequestToAssert {
  readonly method: 'GET' | 'POST';
  /** As sent, e.g. "/v1/gallery?after=0". */
  readonly pathAndQuery: string;
  /** The body's bytes; empty for a GET. */
  readonly body: Uint8Array;
}

export interface Identity {
  /** Null before activation. */
  readonly activation: Activation | null;
  /** Null before activation. */
  readonly terminalId: Uuid | null;
  readonly signingPublicKey: Ed25519PublicJwk;
  readonly encryptionPublicKey: P256PublicJwk;
  /** AES-256, for data at rest on this machine (gallery). */
  readonly dataKey: KeyObject;
  /** JWS compact (RFC 7515, 7.1), EdDSA (RFC 8037), typ "kaopass-match+jws", kid = terminalId. NOT_ACTIVATED before. */
  signResult(result: MatchResult): Promise<string>;
  /** As a match result, typ "kaopass-erasure+jws". */
  signErasureReceipt(receipt: ErasureReceipt): Promise<string>;
  /** The same, typ "kaopass-protection-receipt+jws". */
  signProtectionReceipt(receipt: ProtectionReceipt): Promise<string>;
  /** The same of a day's close, typ "kaopass-day-close+jws". */
  signDayClose(close: DayClose): Promise<string>;
  /** The same, of a technician's count (typ "kaopass-count+jws"). */
  signCount(count: Count): Promise<string>;
  /** The bearer token of one request (RequestAssertion). NOT_ACTIVATED before. */
  assertRequest(request: RequestToAssert): Promise<string>;
  /** Proof of possession of the signing key over an activation code. */
  proveActivationCode(activationCode: string): Promise<string>;
  /** Opens a compact JWE (ECDH-ES, A256GCM) made for encryptionPublicKey. KEY_STORE_INVALID when it was not. */
  openSecret(jwe: string): Promise<Uint8Array>;
}

export interface IdentityOptions {
  readonly keyStore: KeyStore;
  readonly clock: Clock;
  readonly chance: Chance;
}

/** JWS `typ` of the proof of possession; the payload is the code's ASCII bytes. */
const ACTIVATION_PROOF_TYP = 'kaopass-activation+jws';

/** Names in the key store. */
const SIGNING_KEY = 'signing-key';
const ENCRYPTION_KEY = 'encryption-key';
const DATA_KEY = 'data-key';
const DATA_KEY_BYTES = 32;

/** Opens the terminal's identity, making its keys on first use. Throws TerminalError KEY_STORE_INVALID. */
export async function openIdentity({ keyStore, clock, chance }: IdentityOptions): Promise<Identity> {
  const signingKey = await privateKey(keyStore, SIGNING_KEY, 'ed25519', newSigningKey);
  const encryptionKey = await privateKey(keyStore, ENCRYPTION_KEY, 'ec', newEncryptionKey);
  const dataKey = createSecretKey(await dataKeyBytes(keyStore, chance));
  const activation = await readActivation(keyStore);
  const terminalId = activation?.terminalId ?? null;

  /** One compact JWS; `kid` only once there is a name to give. */
  const sign = (payload: Uint8Array, typ: string, kid: string | null): Promise<string> =>
    new CompactSign(payload)
      .setProtectedHeader({ alg: 'EdDSA', typ, ...(kid === null ? {} : { kid }) })
      .sign(signingKey);

  return {
    activation,
    terminalId,
    signingPublicKey: Ed25519PublicJwk.parse(createPublicKey(signingKey).export({ format: 'jwk' })),
    encryptionPublicKey: P256PublicJwk.parse(createPublicKey(encryptionKey).export({ format: 'jwk' })),
    dataKey,
    signResult: async (result) => sign(utf8(JSON.stringify(result)), MATCH_RESULT_TYP, named(terminalId)),
    signErasureReceipt: async (receipt) => sign(utf8(JSON.stringify(receipt)), ERASURE_RECEIPT_TYP, named(terminalId)),
    signProtectionReceipt: async (receipt) =>
      sign(utf8(JSON.stringify(receipt)), PROTECTION_RECEIPT_TYP, named(terminalId)),
    signDayClose: async (close) => sign(utf8(JSON.stringify(close)), DAY_CLOSE_TYP, named(terminalId)),
    signCount: async (count) => sign(utf8(JSON.stringify(count)), COUNT_TYP, named(terminalId)),
    assertRequest: async ({ method, pathAndQuery, body }) => {
      const claims: RequestAssertion = {
        iss: named(terminalId),
        aud: 'kaopass-bank',
        jti: chance.id(),
        iat: Math.floor(clock.now() / 1000),
        htm: method,
        htu: pathAndQuery,
        bodySha256: createHash('sha256').update(body).digest('base64url'),
      };
      return sign(utf8(JSON.stringify(claims)), REQUEST_ASSERTION_TYP, claims.iss);
    },
    proveActivationCode: (activationCode) => sign(utf8(activationCode), ACTIVATION_PROOF_TYP, null),
    openSecret: async (jwe) => {
      try {
        const { plaintext } = await compactDecrypt(jwe, encryptionKey, {
          keyManagementAlgorithms: ['ECDH-ES'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        return new Uint8Array(plaintext);
      } catch {
        // The cause is left out: a library's words about key material do not belong in a log.
        throw invalid("a secret from the bank cannot be opened with this terminal's encryption key");
      }
    },
  };
}

/** The public half of the key that signs; null where there is none yet. Makes nothing. Throws KEY_STORE_INVALID. */
export async function signingKeyIn(keyStore: KeyStore): Promise<KeyObject | null> {
  const der = await keyStore.get(SIGNING_KEY);
  return der && createPublicKey(keyOf(der, SIGNING_KEY, 'ed25519'));
}

/** Replaces the signing key of a terminal that is not activated. Throws ALREADY_ACTIVATED for one that is: its results
 *  would verify no more. */
export async function renewSigningKey(keyStore: KeyStore): Promise<void> {
  if ((await readActivation(keyStore)) !== null) {
    throw new TerminalError('ALREADY_ACTIVATED', 'the signing key of an activated terminal is not replaced');
  }
  await keyStore.put(SIGNING_KEY, newSigningKey());
}

function newSigningKey(): Uint8Array {
  return new Uint8Array(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }));
}

function newEncryptionKey(): Uint8Array {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' }));
}

function named(terminalId: Uuid | null): Uuid {
  if (terminalId !== null) return terminalId;
  throw new TerminalError('NOT_ACTIVATED', 'this terminal has no name yet: activate it with a code from the bank');
}

/** PKCS #8 (RFC 5958) in DER. */
async function privateKey(
  keyStore: KeyStore,
  name: string,
  type: 'ed25519' | 'ec',
  generate: () => Uint8Array,
): Promise<KeyObject> {
  let der = await keyStore.get(name);
  if (der === null) {
    const made = generate();
    // Of two processes that start at once, one wins, and both use its key.
    der = (await keyStore.create(name, made)) ? made : await keyStore.get(name);
  }
  return keyOf(der ?? new Uint8Array(), name, type);
}

function keyOf(der: Uint8Array, name: string, type: 'ed25519' | 'ec'): KeyObject {
  try {
    const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    if (key.asymmetricKeyType === type) return key;
  } catch {
    // Falls through: OpenSSL's message adds nothing a technician could use.
  }
  throw invalid(`the key store's "${name}" is not the private key it should be`);
}

async function dataKeyBytes(keyStore: KeyStore, chance: Chance): Promise<Uint8Array> {
  let bytes = await keyStore.get(DATA_KEY);
  if (bytes === null) {
    const made = chance.bytes(DATA_KEY_BYTES);
    bytes = (await keyStore.create(DATA_KEY, made)) ? made : await keyStore.get(DATA_KEY);
  }
  if (bytes?.length === DATA_KEY_BYTES) return bytes;
  throw invalid(`the key store's "${DATA_KEY}" is not ${DATA_KEY_BYTES} bytes long`);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function invalid(message: string): TerminalError {
  return new TerminalError('KEY_STORE_INVALID', message);
}
