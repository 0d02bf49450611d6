/** The two HMAC keys of end-to-end security, as an operator loads them: kept in the machine's folder, shown to nobody. */
import { z } from 'zod';
import { StateFile } from '../state-file.ts';

const HmacKey = z.string().regex(/^([0-9a-fA-F]{2}){16,64}$/, 'must be 16 to 64 bytes in hex');
export const SecurityKeys = z.strictObject({
  /** XFSAuthenticateHost: checks command tokens. */
  host: HmacKey.nullable(),
  /** XFSAuthenticateDevice: makes response tokens. */
  device: HmacKey.nullable(),
});
export type SecurityKeys = z.output<typeof SecurityKeys>;

export class KeyStore {
  readonly #file: StateFile<SecurityKeys>;

  /** `loaded` replaces what the folder has. Throws an Error naming the key that is no key. */
  constructor(stateDir: string, loaded?: SecurityKeys) {
    this.#file = StateFile.open(stateDir, 'security-keys', SecurityKeys, () => ({ host: null, device: null }));
    if (loaded) this.load(loaded);
  }

  load(keys: SecurityKeys): void {
    this.#file.set(SecurityKeys.parse(keys));
  }

  erase(): void {
    this.#file.set({ host: null, device: null });
  }

  host(): Uint8Array | null {
    return bytes(this.#file.value.host);
  }

  device(): Uint8Array | null {
    return bytes(this.#file.value.device);
  }
}

const bytes = (hex: string | null) => (hex === null ? null : Buffer.from(hex, 'hex'));
