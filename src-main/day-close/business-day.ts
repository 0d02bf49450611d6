/**
 * The calendar of business days: which one a moment belongs to, where a terminal stands. A day is cut off at a local time; what comes
 * after it belongs to the next. Zones and their changes are Intl's (IANA time zone database). Pure.
 */
import { z } from 'zod';
import { isoTime, timeFrom } from '../clock.ts';

export const BusinessDayConfig = z.strictObject({
  /** IANA name, e.g. "Asia/Tokyo". */
  timeZone: z.string().refine(isZone, 'is no time zone that is known here').default('Asia/Tokyo'),
  /** Local time, HH:MM. What happens from then on belongs to the next day; "00:00" is the end of the calendar day. */
  cutOff: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time like 15:00')
    .default('00:00'),
});
export type BusinessDayConfig = z.infer<typeof BusinessDayConfig>;

const DAY_MS = 86_400_000;
/** Longer than any day with a change of clocks in it. */
const LOOK_BACK_MS = 27 * 3_600_000;

function isZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}

/** By zone, of which a terminal has one: making a format takes far longer than using it, and a cut-off is looked for by halves. */
const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatIn(timeZone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  FORMATS.set(timeZone, format);
  return format;
}

/** The business date of a moment, as YYYY-MM-DD. */
export function businessDateAt(ms: number, { timeZone, cutOff }: BusinessDayConfig): string {
  const local = formatIn(timeZone).format(ms);
  const [date = '', time = ''] = local.split(' ');
  return cutOff === '00:00' || time < cutOff ? date : dayAfter(date);
}

function dayAfter(date: string): string {
  return isoTime((timeFrom(date) ?? 0) + DAY_MS).slice(0, 'YYYY-MM-DD'.length);
}

/** When the business day of this moment began: the last cut-off, to the minute. UTC ms. */
export function dayBegan(ms: number, config: BusinessDayConfig): number {
  const today = businessDateAt(ms, config);
  // The date only grows with time, so the moment it changed is found by halves.
  let before = ms - LOOK_BACK_MS;
  let within = ms;
  while (within - before > 1_000) {
    const middle = Math.floor((before + within) / 2);
    if (businessDateAt(middle, config) === today) within = middle;
    else before = middle;
  }
  return Math.floor(within / 60_000) * 60_000;
}
