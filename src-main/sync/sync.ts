/**
 * Keeps terminal and bank in step: the outbox goes up, gallery and policy come down, and it is known at any moment whether
 * the bank can be asked.
 */
import type { Logger } from 'pino';
import type { GalleryAnswer } from '../../src-contract/bank-api.ts';
import type { Chance, Clock } from '../clock.ts';
import { type Config, SYNC_DEFAULT } from '../config/config.ts';
import { TerminalError } from '../errors.ts';
import type { FedGallery, Gallery } from '../gallery/gallery.ts';
import type { Alarm, Journal } from '../journal/journal.ts';
import type { PolicyBook } from '../policy/policy-book.ts';
import type { TrustedTime } from '../policy/trusted-time.ts';
import { acknowledgeErasures, keepErased } from './acknowledge.ts';
import { type BankClient, BankRefusal } from './bank-client.ts';
import { drainMessages, drainResults } from './drain.ts';
import type { ProtectionKeeper } from './protection-keeper.ts';
import { isNotBelieved, jittered } from './retry-rules.ts';

export interface Sync {
  /** True once the bank has answered, false from the first call that did not reach it. */
  readonly online: boolean;
  /** Why match results no longer go up, null while they do. Only a person can mend a refused chain. */
  readonly resultsRefused: string | null;
  /** Called with each change of `online`. Returns how to stop. */
  onOnline(listener: (online: boolean) => void): () => void;
  /** Sends everything that waits, now, in order; before an authorisation, so that the bank knows the match result.
   *  'refused': the bank does not accept this terminal's results any more. Rejects with the signal's reason. */
  flush(signal: AbortSignal): Promise<'drained' | 'offline' | 'refused'>;
  /** Pulls gallery and policy once, now. Throws what the bank client throws. */
  pull(signal: AbortSignal): Promise<void>;
  /** Begins the periodic work. */
  start(): void;
  /** Begins the next round now rather than after its pause. */
  soon(): void;
  /** Ends it, and waits for what is under way. */
  close(): Promise<void>;
}

export interface SyncOptions {
  readonly journal: Journal;
  readonly bank: BankClient;
  readonly gallery: Pick<
    Gallery,
    'feeds' | 'templateOf' | 'retire' | 'unacknowledged' | 'acknowledged' | 'isErased' | 'erase' | 'forgetOldFaces'
  >;
  /** Asked when the gallery's feed tells of a matrix that the terminal has not. */
  readonly protection: Pick<ProtectionKeeper, 'learn'>;
  readonly policies: Pick<PolicyBook, 'current' | 'take' | 'key'>;
  readonly time: Pick<TrustedTime, 'bankSaid' | 'bankHeardEverything'>;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly onAlarm: (alarm: Alarm) => void;
  /** A round broke down on what nobody foresaw, told once until it goes well or breaks otherwise; the next one is tried all the same. */
  readonly failed: (error: unknown) => void;
  readonly times?: Config['sync'];
}

const GALLERY_PAGE = 500;
const NONCE_BYTES = 16;
/** One pull brings a gallery of 100,000; what is beyond comes with the next. */
const GALLERY_PAGES_MAX = 200;

/** Does nothing until start(), flush() or pull(). */
export function createSync(options: SyncOptions): Sync {
  const { journal, bank, gallery, protection, policies, time, clock, chance, log, onAlarm } = options;
  const { times = SYNC_DEFAULT } = options;
  const listeners = new Set<(online: boolean) => void>();
  const closing = new AbortController();
  let online = false;
  let resultsRefused: string | null = null;
  let loop: Promise<void> | null = null;
  let wake: (() => void) | null = null;
  /** Somebody wants a round at once, perhaps while one is under way. */
  let hurried = false;

  const stopListening = bank.onReached((reached) => {
    if (reached === online) return;
    online = reached;
    log.info({ online }, online ? 'the bank answers' : 'the bank cannot be reached');
    for (const listener of listeners) listener(online);
    wake?.();
  });

  const drain = async (signal: AbortSignal): Promise<'drained' | 'offline' | 'refused'> => {
    const results =
      resultsRefused === null ? await drainResults(options, signal) : { outcome: 'still-refused' as const };
    if (results.outcome === 'offline') {
      log.warn({ why: results.why }, 'match results wait');
      return 'offline';
    }
    if (results.outcome === 'refused') {
      resultsRefused = results.why;
      const message = `the bank refuses this terminal's match results (${results.why}); they wait, and what depends on them`;
      log.error({ why: results.why }, 'match results refused');
      onAlarm({ kind: 'results-refused', message });
    }
    // Money that already moved is told to the bank even when it no longer takes results.
    if ((await drainMessages(options, signal)) === 'offline') return 'offline';
    if (results.outcome !== 'drained') return 'refused';
    // A period ends when the bank has heard of all of it; a line that comes and goes must not renew the limits.
    if (journal.outboxSize() === 0) {
      if (journal.standIn.spentInAll() > 0) journal.standIn.settle();
      time.bankHeardEverything();
    }
    return 'drained';
  };

  // One pass at a time: two at once would send each message twice.
  let turn: Promise<unknown> = Promise.resolve();
  const flush = async (signal: AbortSignal): Promise<'drained' | 'offline' | 'refused'> => {
    const both = AbortSignal.any([signal, closing.signal]);
    both.throwIfAborted();
    const pass = turn.then(() => {
      both.throwIfAborted();
      return drain(both);
    });
    turn = pass.catch(() => undefined);
    return await orAborted(pass, both);
  };

  /** One page. Hears from it whether the bank has another matrix, and learns of that; null where this one is not to be had any more. */
  const askGallery = async (
    feed: FedGallery,
    question: Parameters<BankClient['gallery']>[0],
    signal: AbortSignal,
  ): Promise<GalleryAnswer | null> => {
    const { protection: held } = question;
    const answer = await bank.gallery(question, signal).catch((error: unknown) => {
      if (error instanceof BankRefusal && error.problem.field === 'protection') return error;
      throw error;
    });
    const refused = answer instanceof BankRefusal;
    if (refused || (answer.protectionVersion ?? held) !== held) await protection.learn(signal);
    if (!refused) return answer;
    if (feed.protections.at(-1) === held) throw answer;
    return null;
  };

  const pullGallery = async (gallery: FedGallery, signal: AbortSignal): Promise<void> => {
    const model = gallery.modelSha256;
    const embedders = options.gallery.feeds.map((feed) => feed.modelSha256);
    for (let page = 0; page < GALLERY_PAGES_MAX; page++) {
      const after = gallery.cursor;
      const newest = gallery.protections.at(-1) ?? '';
      const question = { after, limit: GALLERY_PAGE, protection: newest, model, embedders };
      const answer = await askGallery(gallery, question, signal);
      // The matrix changed while the answer was under way: what it brings may be under one that is gone.
      if (answer === null || newest !== gallery.protections.at(-1)) continue;
      if (answer.next < after || (answer.more && answer.next === after)) {
        throw new TerminalError(
          'BANK_ANSWER_INVALID',
          `the bank's answer to GET /v1/gallery does not fit: field "next": ${answer.next} after ${after}`,
        );
      }
      const before = gallery.notComparable;
      if (answer.entries.length > 0 || answer.next > after) gallery.applyFeed(answer);
      if (gallery.notComparable > before) {
        const unknown = new Set(
          answer.entries
            .flatMap((entry) => (entry.kind === 'put' ? [entry.template.protectionVersion] : []))
            .filter((version) => !gallery.protections.includes(version)),
        );
        const which = unknown.size > 0 ? ` (protection ${[...unknown].join(', ')} is not known here)` : '';
        const message = `${gallery.notComparable} templates are of another model or protection and are not compared${which}`;
        onAlarm({ kind: 'gallery', message });
      }
      if (!answer.more) return;
    }
  };

  const pullPolicy = async (signal: AbortSignal): Promise<void> => {
    const nonce = Buffer.from(chance.bytes(NONCE_BYTES)).toString('base64url');
    const askedMs = clock.monotonicMs();
    await policies.take(await bank.policy(nonce, signal), { nonce, askedMs });
  };

  /** Also what the bank's clock shows: it judges this terminal's requests by it. */
  const askHealth = async (signal: AbortSignal): Promise<void> => {
    const askedMs = clock.monotonicMs();
    const { time: bankTime } = await bank.health(signal);
    if (bankTime !== undefined) time.bankSaid(bankTime, askedMs);
  };

  const pull = async (signal: AbortSignal): Promise<void> => {
    // Without the key nothing that the bank announces can be believed.
    if (policies.key() === null) await pullPolicy(signal);
    for (const feed of gallery.feeds) await pullGallery(feed, signal);
    await pullPolicy(signal);
  };

  /** Something else may sit on the line and answer everything, as a captive portal does: the bank's health tells, and a
   *  health that does not fit counts as not reached. */
  const suspectLine = async (signal: AbortSignal): Promise<void> => {
    if (!online) return;
    await askHealth(signal).catch((error: unknown) => {
      if (!signal.aborted && !(error instanceof TerminalError)) throw error;
    });
  };

  let endedEarly: string | null = null;
  const round = async (signal: AbortSignal): Promise<void> => {
    try {
      const policy = policies.current();
      if (policy) gallery.forgetOldFaces(clock.now(), policy.attempts);
      await acknowledgeErasures(options);
      if (!online) await askHealth(signal);
      if ((await flush(signal)) !== 'offline') {
        await pull(signal);
        if ((await acknowledgeErasures(options)) > 0) await flush(signal);
      } else await suspectLine(signal);
      endedEarly = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof TerminalError)) throw error;
      // Tried every few seconds: a night without the bank is a line or two for the technician, not thousands.
      if (error.message !== endedEarly)
        log.warn({ code: error.code, reason: error.message }, 'round with the bank ended early');
      endedEarly = error.message;
      // Not believed: most often because of the clock.
      if (isNotBelieved(error) || error.code === 'BANK_ANSWER_INVALID') await suspectLine(signal);
    }
  };

  /** Until the delay is over, the bank comes or goes, or everything closes. */
  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const callOff = clock.after(ms, resolve);
      wake = () => {
        callOff();
        resolve();
      };
      if (closing.signal.aborted || hurried) wake();
      hurried = false;
    });

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await round(closing.signal).catch((error: unknown) => {
        const reason = String(error);
        if (closing.signal.aborted || reason === endedEarly) return;
        endedEarly = reason;
        options.failed(error);
      });
      await rest(jittered(online ? times.roundMs : times.probeMs, chance));
    }
  };

  return {
    get online() {
      return online;
    },
    get resultsRefused() {
      return resultsRefused;
    },
    onOnline: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    flush,
    pull: (signal) => pull(AbortSignal.any([signal, closing.signal])),
    start: () => {
      if (loop) return;
      keepErased(options);
      loop = run();
    },
    soon: () => {
      hurried = true;
      wake?.();
    },
    close: async () => {
      closing.abort(new DOMException('sync was closed', 'AbortError'));
      wake?.();
      stopListening();
      await loop;
      await turn;
    },
  };
}

/** The value, or the signal's reason as soon as it aborts; the work itself then ends by the same signal. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
