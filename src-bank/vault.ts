/**
 * The bank's secrets at rest. One master key of 32 bytes lives in a file outside the database; each purpose has a key of its
 * own derived from it (HKDF-SHA-256, RFC 5869). Who has only the database has no template, no PIN and no platform secret;
 * who moves a sealed value to another row or purpose gets an authentication failure.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Chance } from './clock.ts';
import { StartError } from './problem.ts';

const MASTER_KEY_BYTES = 32;
/** AES-256-GCM with the 96-bit nonce and 128-bit tag of NIST SP 800-38D. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where the master key comes from. */
export interface MasterKeySource {
  /** Null when there is none yet. */
  load(): Uint8Array | null;
  /** Called once, for a database without secrets. */
  create(chance: Chance): Uint8Array;
  /** For messages. */
  readonly name: string;
}

type SealPurpose = 'template' | 'platform-secret' | 'dispenser-keys' | 'pad-key';
type MacPurpose = 'pin-pepper' | 'activation-code' | 'technician-code';

export interface Vault {
  /** @param name is authenticated with the value: opening under another name fails. */
  seal(purpose: SealPurpose, name: string, plain: Uint8Array): Uint8Array;
  /** Throws when the value was altered, moved, or sealed under another master key. */
  open(purpose: SealPurpose, name: string, sealed: Uint8Array): Uint8Array;
  /** HMAC-SHA-256 under the purpose's key. */
  mac(purpose: MacPurpose, value: string): Uint8Array;
}

export function createVault(masterKey: Uint8Array, chance: Chance): Vault {
  if (masterKey.length !== MASTER_KEY_BYTES) {
    throw new StartError(`the bank key must have ${MASTER_KEY_BYTES} bytes, not ${masterKey.length}`);
  }
  const keys = new Map<string, Buffer>();
  const keyOf = (purpose: string): Buffer => {
    let key = keys.get(purpose);
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), `kaopass-bank/${purpose}`, 32));
      keys.set(purpose, key);
    }
    return key;
  };
  return {
    seal(purpose, name, plain) {
      const nonce = chance.bytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyOf(purpose), nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(`${purpose}:${name}`));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), body]));
    },
    open(purpose, name, sealed) {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', keyOf(purpose), nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(`${purpose}:${name}`));
      decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      const body = sealed.subarray(NONCE_BYTES + TAG_BYTES);
      return new Uint8Array(Buffer.concat([decipher.update(body), decipher.final()]));
    },
    mac: (purpose, value) => new Uint8Array(createHmac('sha256', keyOf(purpose)).update(value).digest()),
  };
}

/** A key kept as base64url in a file that only its owner may read (mode 0600). */
export function keyFile(path: string): MasterKeySource {
  return {
    name: path,
    load() {
      let text: string;
      try {
        text = readFileSync(path, 'utf8').trim();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw new StartError(`cannot read the bank key ${path}: ${(error as Error).message}`, { cause: error });
      }
      const key = new Uint8Array(Buffer.from(text, 'base64url'));
      if (!/^[\w-]{43}$/.test(text) || key.length !== MASTER_KEY_BYTES) {
        throw new StartError(`the bank key ${path} is damaged: it must be ${MASTER_KEY_BYTES} bytes as base64url`);
      }
      return key;
    },
    create(chance) {
      const key = chance.bytes(MASTER_KEY_BYTES);
      writeSecretFile(path, Buffer.from(key).toString('base64url'));
      return key;
    },
  };
}

/** A key held by the caller; for tests and for banks that keep theirs in a hardware module. */
export function fixedKey(key: Uint8Array): MasterKeySource {
  return { name: 'the given key', load: () => key, create: () => key };
}

/** Creates the file with mode 0600 and has it on disk before returning; refuses to replace one. */
export function writeSecretFile(path: string, text: string): void {
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      writeSync(file, `${text}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new StartError(`cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}
