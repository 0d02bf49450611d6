import { describe, expect, test } from 'vitest';
import { timeFrom } from '../clock.ts';
import { BusinessDayConfig, businessDateAt, dayBegan } from './business-day.ts';

const at = (text: string) => timeFrom(text)!;
const tokyo = BusinessDayConfig.parse({});
const afternoon = BusinessDayConfig.parse({ cutOff: '15:00' });
const berlin = BusinessDayConfig.parse({ timeZone: 'Europe/Berlin', cutOff: '03:00' });

describe('a business day', () => {
  test.each([
    ['2026-11-28T23:59:59+09:00', tokyo, '2026-11-28'],
    ['2026-11-29T00:00:00+09:00', tokyo, '2026-11-29'],
    ['2026-11-28T14:59:59+09:00', afternoon, '2026-11-28'],
    ['2026-11-28T15:00:00+09:00', afternoon, '2026-11-29'],
    ['2026-12-31T15:00:00+09:00', afternoon, '2027-01-01'],
    ['2028-02-28T15:00:00+09:00', afternoon, '2028-02-29'],
  ])('at %s is %j → %s', (moment, config, date) => {
    expect(businessDateAt(at(moment), config)).toBe(date);
  });

  test.each([
    ['2026-11-28T10:00:00+09:00', tokyo, '2026-11-28T00:00:00+09:00'],
    ['2026-11-28T00:00:00+09:00', tokyo, '2026-11-28T00:00:00+09:00'],
    ['2026-11-28T14:00:00+09:00', afternoon, '2026-11-27T15:00:00+09:00'],
    // A day of 23 hours, and one of 25 (clocks change at 02:00 and 03:00).
    ['2026-03-29T23:00:00+02:00', berlin, '2026-03-29T03:00:00+02:00'],
    ['2026-10-26T02:59:00+01:00', berlin, '2026-10-25T03:00:00+01:00'],
  ])('at %s began at its cut-off', (moment, config, began) => {
    expect(dayBegan(at(moment), config)).toBe(at(began));
  });

  test.each([{ timeZone: 'Mars/Olympus' }, { cutOff: '24:00' }, { cutOff: '9:00' }, { cutoff: '09:00' }])(
    'is not configured by %j',
    (value) => expect(BusinessDayConfig.safeParse(value).success).toBe(false),
  );
});
