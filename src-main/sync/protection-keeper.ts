/**
 * Follows the bank's changes of the protecting matrix. What the bank announces must be signed with its policy key, made for this terminal,
 * and newer than what is held. Then, with power allowed to fail between any two steps:
 *
 * 1. The key store has the next seed beside the one in use.
 * 2. The gallery compares under both (gallery.ts), and its people go over in the background, batch by batch.
 * 3. With nobody left the gallery ends the old matrix, and its log with the last of the old templates is emptied. A damaged gallery
 *    that was moved aside is deleted.
 * 4. The key store has the new seed alone.
 * 5. The journal stores the signed receipt and its message to the bank in one commit, unless it has one.
 *
 * A start finds how far it came: with two seeds in the key store it goes on at 2, with one it makes sure of 5. A terminal that slept
 * through several changes is told of the last one, and goes there directly: it needs no matrix but the one it has.
 */
import { compactVerify, importJWK } from 'jose';
import type { Logger } from 'pino';
import { SEED_BYTES } from '../../src-contract/protection.ts';
import { PROTECTION_TYP, ProtectionAnnouncement } from '../../src-contract/protection-change.ts';
import type { Clock } from '../clock.ts';
import { TerminalError } from '../errors.ts';
import type { Gallery } from '../gallery/gallery.ts';
import type { Activation } from '../identity/activation.ts';
import type { Identity } from '../identity/identity.ts';
import type { KeyStore } from '../identity/key-store.ts';
import { adoptNextProtection, keepNextProtection, type NextProtection } from '../identity/protection.ts';
import type { Alarm, Journal } from '../journal/journal.ts';
import type { PolicyBook } from '../policy/policy-book.ts';
import { type BankClient, BankRefusal } from './bank-client.ts';

export interface ProtectionKeeper {
  /** Asks the bank once, and takes up what is new. Throws BANK_UNREACHABLE, and what the key store and the disk did. What is wrong with
   *  the answer is an alarm. */
  learn(signal: AbortSignal): Promise<void>;
  /** Goes on with what the last run left. */
  start(): void;
  /** Ends after the step under way. */
  close(): Promise<void>;
}

export interface ProtectionKeeperOptions {
  readonly activation: Activation;
  /** The change that was under way when the gallery was opened. */
  readonly next: NextProtection | null;
  readonly keyStore: KeyStore;
  readonly identity: Pick<Identity, 'openSecret'>;
  readonly gallery: Pick<
    Gallery,
    'protections' | 'unconverted' | 'beginProtection' | 'convert' | 'endProtection' | 'size'
  >;
  /** Deletes a damaged gallery that lies beside this one: it has templates under the old matrix. */
  readonly deleteAside: () => void;
  readonly bank: Pick<BankClient, 'protection'>;
  readonly policies: Pick<PolicyBook, 'key'>;
  readonly journal: Pick<Journal, 'recordProtectionReceipt'>;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly onAlarm: (alarm: Alarm) => void;
}

/** One pack of the gallery's: a few hundredths of a second for 512 dimensions, during which nobody is searched. */
const BATCH = 64;
/** Between two batches, ms: searches and screens come first. A million people take about half an hour. */
const PAUSE_MS = 50;
/** After a step that failed, ms. */
const RETRY_MS = 10_000;

/** Does nothing until start() or learn(). */
export function createProtectionKeeper(options: ProtectionKeeperOptions): ProtectionKeeper {
  const { activation, keyStore, identity, gallery, bank, policies, journal, clock, log, onAlarm, deleteAside } =
    options;
  const closing = new AbortController();
  let { next } = options;
  let work: Promise<void> | null = null;
  let told: string | null = null;

  const alarm = (message: string) => {
    // Asked every few seconds: told once until it is otherwise.
    if (message !== told) onAlarm({ kind: 'protection', message });
    told = message;
  };

  const finish = async (over: NextProtection): Promise<void> => {
    gallery.endProtection();
    deleteAside();
    await adoptNextProtection(keyStore, activation, over);
    next = null;
    log.info({ protection: over.version, people: gallery.size }, 'all templates are under the new protecting matrix');
  };
  const acknowledge = async (): Promise<void> => {
    const { protectionGeneration: generation, protectionVersion } = activation;
    if (generation > 1) await journal.recordProtectionReceipt({ generation, protectionVersion });
  };
  const goOn = async (): Promise<void> => {
    if (next) {
      while (gallery.unconverted > 0) {
        gallery.convert(BATCH);
        await clock.sleep(PAUSE_MS, closing.signal);
      }
      await finish(next);
    }
    await acknowledge();
    told = null;
  };
  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await goOn();
        return;
      } catch (error) {
        if (closing.signal.aborted) return;
        // Everybody is matched all the while; only the old matrix lives longer.
        alarm(`the change of the protecting matrix waits: ${error instanceof Error ? error.message : String(error)}`);
        await clock.sleep(RETRY_MS, closing.signal).catch(() => undefined);
      }
    }
  };
  const wake = (): void => {
    work ??= run().finally(() => {
      work = null;
    });
  };

  /** Null, and an alarm, for what is not taken. */
  const verified = async (jws: string): Promise<NextProtection | null> => {
    const refused = (why: string) => {
      alarm(`the protecting matrix that the bank announces is not taken: ${why}`);
      return null;
    };
    const key = policies.key();
    // Comes with the first policy, in this very round.
    if (key === null) return null;
    let announced: Awaited<ReturnType<typeof compactVerify>>;
    try {
      const { kty, crv, x } = key;
      announced = await compactVerify(jws, await importJWK({ kty, crv, x }, 'EdDSA'), { algorithms: ['EdDSA'] });
    } catch {
      return refused("its signature does not verify with the bank's policy key");
    }
    if (announced.protectedHeader.typ !== PROTECTION_TYP) return refused(`its typ is not ${PROTECTION_TYP}`);
    const parsed = ProtectionAnnouncement.safeParse(json(announced.payload));
    if (!parsed.success) return refused(`it does not fit at ${parsed.error.issues[0]?.path.join('.') || 'its top'}`);
    const { terminalId, generation, protectionVersion, seed: jwe } = parsed.data;
    if (terminalId !== activation.terminalId) return refused('it is for another terminal');
    const { protectionGeneration: held } = activation;
    if (generation <= held) return refused(`generation ${generation} is not newer than ${held}, which is held`);
    const seed = await identity.openSecret(jwe).catch(() => null);
    if (seed?.length !== SEED_BYTES) return refused(`its seed is not ${SEED_BYTES} bytes for this terminal`);
    return { generation, version: protectionVersion, seed };
  };

  const ask = async (signal: AbortSignal): Promise<string | null> => {
    try {
      return (await bank.protection(activation.protectionVersion, signal)).announcement;
    } catch (error) {
      if (error instanceof BankRefusal) {
        // A bank that does not change its matrix need not know the question.
        if (error.problem.code !== 'not-found')
          alarm(`the bank does not say which matrix is current: ${error.message}`);
        return null;
      }
      if (!(error instanceof TerminalError) || error.code !== 'BANK_ANSWER_INVALID') throw error;
      alarm(error.message);
      return null;
    }
  };

  return {
    learn: async (signal) => {
      // One change after the other.
      if (gallery.protections.length > 1 || work) return;
      const announcement = await ask(signal);
      const found = announcement === null ? null : await verified(announcement);
      if (!found) return;
      await keepNextProtection(keyStore, found);
      await gallery.beginProtection(found, () => clock.sleep(0, closing.signal));
      next = found;
      log.info({ protection: found.version, people: gallery.unconverted }, 'a new protecting matrix is taken up');
      wake();
    },
    start: wake,
    close: async () => {
      closing.abort(new DOMException('the protection keeper was closed', 'AbortError'));
      await work;
    },
  };
}

/** Undefined, which fits no schema, when it is no JSON. */
function json(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}
