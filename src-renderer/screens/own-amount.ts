/** Keying in an amount. People key what stands before the zeros of the smallest note: for steps of 1,000, "23" is 23,000. */
import type { MinorUnits } from '../../src-contract/primitives.ts';

/** Longest row of digits; any maximum a bank sets is shorter. */
const DIGITS_MAX = 7;

export interface OwnAmount {
  readonly digits: string;
  readonly stepMinor: MinorUnits;
  readonly maxMinor: MinorUnits;
}

/** The largest power of ten that every amount is a multiple of: 1,000 for steps of 1,000, 5,000 or 3,000. */
export function unitOf(stepMinor: number): number {
  let unit = 1;
  while (stepMinor > 0 && stepMinor % (unit * 10) === 0) unit *= 10;
  return unit;
}

export function keyed(own: OwnAmount, key: string): OwnAmount {
  const digits = (own.digits + key).replace(/^0+/, '');
  return digits.length > DIGITS_MAX ? own : { ...own, digits };
}

export function erased(own: OwnAmount): OwnAmount {
  return { ...own, digits: own.digits.slice(0, -1) };
}

export function amountOf(own: OwnAmount): MinorUnits {
  return (Number(own.digits || '0') * unitOf(own.stepMinor)) as MinorUnits;
}

/** Null when the amount can be asked for. */
export function problemOf(own: OwnAmount): 'nothing' | 'too-much' | 'not-a-step' | null {
  const amount = amountOf(own);
  if (amount === 0) return 'nothing';
  if (amount > own.maxMinor) return 'too-much';
  return amount % own.stepMinor === 0 ? null : 'not-a-step';
}
