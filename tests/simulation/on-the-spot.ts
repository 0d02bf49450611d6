/**
 * Cryptography without threads. Node does WebCrypto and scrypt in a thread pool, and the pool answers in whatever order the machine
 * pleases; a simulation that must replay bit for bit cannot have that. Here the same primitives are computed on the spot by the
 * same OpenSSL, and random bytes come from the seed. The code under test, jose included, is what it is. What is not here throws, so
 * that nothing is done in a thread unnoticed.
 */
import crypto, {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createPrivateKey,
  diffieHellman,
  KeyObject,
  type ScryptOptions,
  scryptSync,
  sign,
  verify,
} from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

type Algorithm = { readonly name?: string } & Readonly<Record<string, unknown>>;
const TAG_BYTES = 16;

let random: ((length: number) => Uint8Array) | null = null;

/** Random bytes of WebCrypto from now on, until the next call. */
export function randomFrom(bytes: (length: number) => Uint8Array): void {
  random = bytes;
}

const drawn = (length: number): Uint8Array => {
  if (!random) throw new Error('nobody said where random bytes come from');
  return random(length);
};
const bytesOf = (source: BufferSource): Uint8Array =>
  ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
const bufferOf = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
const nameOf = (algorithm: Algorithm | string): string =>
  typeof algorithm === 'string' ? algorithm : String(algorithm.name);
const refuse = (what: string): never => {
  throw new Error(`${what} is not done on the spot: add it to on-the-spot.ts`);
};
const need = (is: string, wanted: string, what: string) => {
  if (is !== wanted) refuse(`${what} ${is}`);
};

/** Node would rather not show the inside of a key that may not be exported; here nobody else looks. */
function insideOf(key: CryptoKey): KeyObject {
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    return KeyObject.from(key);
  } finally {
    process.noDeprecation = noDeprecation ?? false;
  }
}

const DIGESTS: Readonly<Record<string, string>> = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
const COORDINATE_BYTES = 32;

const subtle = {
  async sign(algorithm: Algorithm | string, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    need(nameOf(algorithm), 'Ed25519', 'signing with');
    return bufferOf(sign(null, bytesOf(data), insideOf(key)));
  },
  async verify(algorithm: Algorithm | string, key: CryptoKey, signature: BufferSource, data: BufferSource) {
    need(nameOf(algorithm), 'Ed25519', 'verifying with');
    return verify(null, bytesOf(data), insideOf(key), bytesOf(signature));
  },
  async digest(algorithm: Algorithm | string, data: BufferSource): Promise<ArrayBuffer> {
    const name = DIGESTS[nameOf(algorithm)] ?? refuse(`the digest ${nameOf(algorithm)}`);
    return bufferOf(createHash(name).update(bytesOf(data)).digest());
  },
  async encrypt(algorithm: AesGcmParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    need(algorithm.name, 'AES-GCM', 'encrypting with');
    const secret = insideOf(key);
    const bits = (secret.symmetricKeySize ?? 0) * 8;
    const cipher = createCipheriv(`aes-${bits}-gcm` as 'aes-256-gcm', secret, bytesOf(algorithm.iv), {
      authTagLength: TAG_BYTES,
    });
    if (algorithm.additionalData) cipher.setAAD(bytesOf(algorithm.additionalData));
    return bufferOf(Buffer.concat([cipher.update(bytesOf(data)), cipher.final(), cipher.getAuthTag()]));
  },
  async decrypt(algorithm: AesGcmParams, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer> {
    need(algorithm.name, 'AES-GCM', 'decrypting with');
    const secret = insideOf(key);
    const bits = (secret.symmetricKeySize ?? 0) * 8;
    const sealed = bytesOf(data);
    const decipher = createDecipheriv(`aes-${bits}-gcm` as 'aes-256-gcm', secret, bytesOf(algorithm.iv), {
      authTagLength: TAG_BYTES,
    });
    if (algorithm.additionalData) decipher.setAAD(bytesOf(algorithm.additionalData));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return bufferOf(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]));
  },
  async deriveBits(algorithm: { name: string; public: CryptoKey }, key: CryptoKey, length: number) {
    need(algorithm.name, 'ECDH', 'deriving bits with');
    const secret = diffieHellman({ privateKey: insideOf(key), publicKey: insideOf(algorithm.public) });
    return bufferOf(secret.subarray(0, length / 8));
  },
  async generateKey(algorithm: Algorithm, extractable: boolean, usages: KeyUsage[]): Promise<CryptoKeyPair> {
    if (nameOf(algorithm) === 'Ed25519') return await signingKeys(extractable);
    need(`${nameOf(algorithm)} ${String(algorithm['namedCurve'])}`, 'ECDH P-256', 'making a key for');
    const curve = createECDH('prime256v1');
    const secret = drawn(COORDINATE_BYTES);
    // Below the order of the curve, which begins with 32 ones, and not zero.
    secret[0] = secret[0]! & 0x7f;
    secret[COORDINATE_BYTES - 1] = secret[COORDINATE_BYTES - 1]! | 1;
    curve.setPrivateKey(secret);
    const point = curve.getPublicKey();
    const part = (from: number) => point.subarray(from, from + COORDINATE_BYTES).toString('base64url');
    const jwk = { kty: 'EC', crv: 'P-256', x: part(1), y: part(1 + COORDINATE_BYTES) };
    const d = Buffer.from(secret).toString('base64url');
    const P256 = { name: 'ECDH', namedCurve: 'P-256' };
    return {
      privateKey: await globalThis.crypto.subtle.importKey('jwk', { ...jwk, d }, P256, extractable, usages),
      publicKey: await globalThis.crypto.subtle.importKey('jwk', jwk, P256, true, []),
    };
  },
};

/** RFC 8410, section 7: what comes before the 32 bytes of an Ed25519 private key in PKCS #8. */
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

async function signingKeys(extractable: boolean): Promise<CryptoKeyPair> {
  const der = Buffer.concat([ED25519_PREFIX, drawn(32)]);
  const { d, ...jwk } = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  const { subtle: imported } = globalThis.crypto;
  return {
    privateKey: await imported.importKey('jwk', { ...jwk, d } as JsonWebKey, 'Ed25519', extractable, ['sign']),
    publicKey: await imported.importKey('jwk', jwk as JsonWebKey, 'Ed25519', true, ['verify']),
  };
}

/** Replaces what Node would do in its thread pool, for this whole process (or test worker), once. */
export function workOnTheSpot(): void {
  if (Object.hasOwn(globalThis.crypto.subtle, 'sign')) return;
  for (const [name, value] of Object.entries(subtle))
    Object.defineProperty(globalThis.crypto.subtle, name, { value, configurable: true, writable: true });
  for (const name of ['wrapKey', 'unwrapKey', 'deriveKey']) {
    Object.defineProperty(globalThis.crypto.subtle, name, { value: async () => refuse(name) });
  }
  Object.defineProperty(globalThis.crypto, 'getRandomValues', {
    value: <Into extends ArrayBufferView>(into: Into): Into => {
      bytesOf(into as unknown as BufferSource).set(drawn(into.byteLength));
      return into;
    },
  });
  Object.assign(crypto, {
    scrypt: (
      secret: string | Uint8Array,
      salt: string | Uint8Array,
      length: number,
      options: ScryptOptions,
      done: (error: Error | null, key: Buffer) => void,
    ) => {
      const key = scryptSync(secret, salt, length, options);
      queueMicrotask(() => done(null, key));
    },
  });
  syncBuiltinESMExports();
}
