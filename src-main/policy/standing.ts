/** Whether this terminal may serve anybody: only by a policy that has not expired, and only with a clock that can be believed. */
import type { Logger } from 'pino';
import type { Policy } from '../../src-contract/policy.ts';
import type { Clock } from '../clock.ts';
import type { OutOfServiceReason, Standing, Words } from '../session/standing.ts';
import type { PolicyBook } from './policy-book.ts';
import { CLOCK_WRONG_MS, type ClockError, type TrustedTime } from './trusted-time.ts';

export interface PolicyStanding extends Standing {
  /** Writes down what the clock knows. What a disk in trouble does not take is logged, and lost with the power: that makes the terminal
   *  more careful, and must keep nothing from closing. */
  saveTime(): void;
  close(): void;
}

/** Between two looks at the clock, ms. */
const LOOK_MS = 30_000;
/** Between two times that what the clock knows is written down, ms. */
const SAVE_MS = 5 * 60_000;

/** Looks every half minute (a visit asks for itself), when a policy is taken and when one expires; saves the time every five minutes. Tells of a look that finds another
 *  reason than anybody was given since the one before. */
export function watchStanding(options: {
  readonly policies: Pick<PolicyBook, 'current' | 'onTaken'>;
  readonly time: Pick<TrustedTime, 'now' | 'clockError' | 'save'>;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}): PolicyStanding {
  const { policies, time, clock, log } = options;
  const listeners = new Set<() => void>();
  let told: string | null = null;
  let savedMs = clock.monotonicMs();
  let callOff = () => {};

  const reason = (): OutOfServiceReason | null => {
    const error = time.clockError();
    if (error !== null && Math.abs(error.byMs) >= CLOCK_WRONG_MS) return 'clock-wrong';
    const policy = policies.current();
    return policy === null || policy.expiresAt <= time.now() ? 'policy-expired' : null;
  };
  /** What was answered since the last look that told. */
  const given = new Set([reason()]);
  const words = () => [...clockWords(time.clockError()), ...policyWords(policies.current(), time.now())];

  const tell = () => {
    const now = reason();
    const said = words()
      .map(({ en }) => en)
      .join(' ');
    const key = `${now} ${said === '' ? '' : (time.clockError()?.by ?? 'policy')}`;
    if (key === told) return;
    const first = told === null;
    told = key;
    if (now !== null) log.error({ reason: now }, `out of service. ${said}`);
    else if (said !== '') log.warn(said);
    else if (!first) log.info('clock and policy are well again');
  };
  const look = () => {
    tell();
    const now = reason();
    if ([...given].some((before) => before !== now)) {
      given.clear();
      given.add(now);
      for (const listener of listeners) listener();
    }
    if (clock.monotonicMs() - savedMs >= SAVE_MS) {
      savedMs = clock.monotonicMs();
      saveTime();
    }
    plan();
  };
  const saveTime = () => {
    try {
      time.save();
    } catch (error) {
      log.error({ err: error }, 'the time could not be written down');
    }
  };
  const plan = () => {
    callOff();
    const leftMs = (policies.current()?.expiresAt ?? 0) - time.now();
    callOff = clock.after(leftMs > 0 ? Math.min(leftMs, LOOK_MS) : LOOK_MS, look);
  };

  const stop = policies.onTaken(look);
  tell();
  plan();
  return {
    reason: () => {
      const now = reason();
      given.add(now);
      return now;
    },
    words,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    saveTime,
    close: () => {
      stop();
      callOff();
    },
  };
}

/** Nothing where nothing is wrong. */
export function clockWords(error: ClockError | null): Words[] {
  if (error === null) return [];
  const seconds = Math.round(Math.abs(error.byMs) / 1000);
  const ahead = error.byMs > 0;
  const seen = error.by === 'highest-seen';
  return [
    {
      ja: `この機械の時計は、${seen ? 'この端末が以前に確認した時刻' : '銀行の時計'}より${seconds}秒${ahead ? '進んで' : '遅れて'}います。時計を合わせ、NTPで同期してください。`,
      en: `This machine's clock is ${seconds} s ${ahead ? 'ahead of' : 'behind'} ${seen ? 'a time this terminal has seen before' : "the bank's"}: set it, and have it kept by NTP.`,
    },
  ];
}

/** Nothing where nothing is wrong. */
export function policyWords(policy: Pick<Policy, 'version' | 'expiresAt'> | null, now: number): Words[] {
  if (policy === null) {
    return [
      {
        ja: '確認できた銀行のポリシーがありません。銀行との通信が戻れば、自動で受け取ります。',
        en: 'There is no policy of the bank that verifies: it comes as soon as the bank answers.',
      },
    ];
  }
  if (policy.expiresAt > now) return [];
  const { version, expiresAt } = policy;
  return [
    {
      ja: `銀行のポリシー ${version} は ${utc(expiresAt)} UTC に期限が切れました。銀行との通信が戻れば、新しいものを自動で受け取ります。`,
      en: `The bank's policy ${version} expired at ${utc(expiresAt)} UTC: a new one comes as soon as the bank answers.`,
    },
  ];
}

const UTC = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: 'UTC' });
const utc = (ms: number) => UTC.format(ms);
