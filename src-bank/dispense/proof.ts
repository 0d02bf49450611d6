/** What a response token proves. Pure but for the HMAC's mathematics. */
import { timingSafeEqual } from 'node:crypto';
import { type PresentReport, parseToken, readPresentReport } from '../../src-contract/security-token.ts';
import type { ProofsCover } from '../database/tables.ts';
import { isSignedWith } from './token-mac.ts';

export type Proof =
  | { readonly is: 'valid'; readonly report: PresentReport }
  | { readonly is: 'missing' }
  | { readonly is: 'invalid'; readonly why: string };

/** Only a token of this dispenser, made for this very question, is believed; and then what it says must make sense. */
export function readProof(text: string | null, responseNonce: string, deviceKeys: readonly Uint8Array[]): Proof {
  if (text === null) return { is: 'missing' };
  const token = parseToken(text);
  if ('problem' in token) return { is: 'invalid', why: token.problem };
  if (!deviceKeys.some((key) => isSignedWith(key, token)))
    return { is: 'invalid', why: 'its HMAC is not the dispenser’s' };
  if (!sameText(token.nonce, responseNonce)) return { is: 'invalid', why: 'it answers another nonce' };
  const report = readPresentReport(token);
  return 'problem' in report ? { is: 'invalid', why: report.problem } : { is: 'valid', report };
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

export type Finding =
  /** All that the token allows was dispensed, and all of that presented: nothing more can come. */
  | { readonly finding: 'spent'; readonly paidMinor: number }
  /** Less than that so far. While the token lives or notes wait inside, more may follow. */
  | { readonly finding: 'part'; readonly paidMinor: number }
  /** Less than the token allows was dispensed, by figures that leave out what came before under the same token. */
  | { readonly finding: 'partial' }
  | { readonly finding: 'uncounted' }
  /** More than the token allowed, or other money. */
  | { readonly finding: 'impossible' };

export interface GrantTerms {
  readonly amountMinor: number;
  readonly currency: string;
  /**
   * One token may serve several dispenses until its amount is reached. A device's figures may add all of them up
   * ("whole-token"), or be of the last stack alone, as the rest of its present status is ("last-stack"): then a small last one
   * hides those before, and only a stack of the whole amount shows that there were none.
   */
  readonly proofsCover: ProofsCover;
}

/** What a report about this very grant means for the customer's account. */
export function findingOf(report: PresentReport, grant: GrantTerms): Finding {
  const { dispensedMinor, presentedMinor, retractedMinor } = report;
  if (report.currency !== grant.currency || dispensedMinor > grant.amountMinor) return { finding: 'impossible' };
  if (dispensedMinor < grant.amountMinor && grant.proofsCover === 'last-stack') return { finding: 'partial' };
  if (retractedMinor === '?') return { finding: 'uncounted' };
  const spent = dispensedMinor === grant.amountMinor && presentedMinor === dispensedMinor;
  return { finding: spent ? 'spent' : 'part', paidMinor: presentedMinor - retractedMinor };
}

/** Whether nobody could know this nonce before the dispenser gave it: 128 random bits, not a counter. */
export function isUnforeseeable(commandNonce: string): boolean {
  return /^[0-9A-F]{32}$/.test(commandNonce);
}
