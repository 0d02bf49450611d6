/**
 * Where secrets rest: a port of named byte strings. The file driver (file-key-store.ts) is for machines without a
 * security module; one with a TPM or an HSM implements the same five methods.
 */

/** Lower-case words joined by hyphens, e.g. "signing-key"; a name is also a file name. */
export const SECRET_NAME = /^[a-z][a-z0-9-]{0,40}$/;

export interface KeyStore {
  /** The bytes, or null when there is no secret of that name. Throws TerminalError KEY_STORE_INVALID, naming the file. */
  get(name: string): Promise<Uint8Array | null>;
  /** Stores or replaces, durably and all at once: a reader sees the old bytes or the new ones. The old ones are overwritten as far as the
   *  medium allows. */
  put(name: string, secret: Uint8Array): Promise<void>;
  /** Stores unless the name is taken. False, and nothing changed, when it is: a key made once is never overwritten. */
  create(name: string, secret: Uint8Array): Promise<boolean>;
  /** Takes the secret away, durably, and overwrites it as far as the medium allows. Nothing happens where there is none. */
  remove(name: string): Promise<void>;
  /** Names, sorted. */
  list(): Promise<readonly string[]>;
}
