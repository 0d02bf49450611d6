import type { KeyStore } from './key-store.ts';

/** Secrets as files of mode 0600 in a directory of mode 0700. Throws KEY_STORE_INVALID, naming what others can read. */
export declare function openFileKeyStore(directory: string): Promise<KeyStore>;
