/** Money at the edge: JSON numbers in major units on the wire (XFS4IoT 2024-3, data conventions), whole minor units here. */

/** Decimal places of a currency's minor unit (ISO 4217): JPY 0, EUR 2. */
function exponentOf(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 0;
}

/** 123.45 for 12345 EUR cents. */
export function toMajor(amountMinor: number, currency: string): number {
  return amountMinor / 10 ** exponentOf(currency);
}

/** Null for an amount that is no whole number of minor units: nothing may be rounded into or out of existence. */
export function toMinor(amountMajor: number, currency: string): number | null {
  const scaled = amountMajor * 10 ** exponentOf(currency);
  const whole = Math.round(scaled);
  // A double holds 0.29 only nearly: 0.29 × 100 is 28.999999999999996.
  return Number.isSafeInteger(whole) && Math.abs(scaled - whole) < 1e-6 ? whole : null;
}
