/**
 * A new terminal introduces itself to the bank with a one-time code and comes back with its name, policy and secrets.
 */
import type { Profile } from '../../src-contract/primitives.ts';
import type { Chance, Clock } from '../clock.ts';
import type { Activation } from '../identity/activation.ts';
import type { FetchPort } from '../sync/bank-client.ts';

export interface ActivateOptions {
  readonly bankUrl: string;
  /** Like ABCD-EFGH-2345; lower case and surrounding space are forgiven. */
  readonly activationCode: string;
  readonly name: string;
  readonly profile: Profile;
  /** The terminal's data directory; keys go to its keys/ folder. */
  readonly dataDir: string;
  readonly fetch: FetchPort;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly signal: AbortSignal;
}

/** Activates the terminal. Throws ALREADY_ACTIVATED, BANK_UNREACHABLE, BANK_REFUSED (unknown, used or expired code) or
 *  CONFIG_INVALID (naming the option); then nothing is half-done and the same call can be repeated. */
export declare function activate(options: ActivateOptions): Promise<Activation>;
