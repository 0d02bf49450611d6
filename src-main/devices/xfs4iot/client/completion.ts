/** How a command can end (XFS4IoT 2024-3, completion codes), in one spelling. */
import type { CommandName, CompletionPayload } from './messages/table.ts';

const FAILURE_CODES = [
  'commandErrorCode',
  'canceled',
  'timeOut',
  'deviceNotReady',
  'hardwareError',
  'internalError',
  'invalidCommand',
  'unsupportedCommand',
  /** Acknowledge statuses, too: the service refused the message and did nothing. */
  'invalidMessage',
  'invalidRequestID',
  'invalidData',
  'unsupportedData',
  'userError',
  'fraudAttempt',
  'sequenceError',
  'authorizationRequired',
  'noCommandNonce',
  'invalidToken',
  'invalidTokenNonce',
  'invalidTokenHMAC',
  'invalidTokenFormat',
  'invalidTokenKeyNoValue',
  'notEnoughSpace',
  'unknown',
] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

/**
 * What a command came to. `success` is only ever what the device said. A failure may come with data, such as the counts of a
 * move that was partly done.
 *
 * - `connectionLost`, `noAnswer`: sent, and nobody knows what happened. Ask the device (status, storage, present status); never
 *   take it for "not done".
 * - `tooManyRequests`, `notSent`: certainly not executed.
 */
export type Completion<N extends CommandName> =
  | { readonly code: 'success'; readonly payload: CompletionPayload<N> }
  | {
      readonly code: FailureCode | UnansweredCode;
      /** The command's own error code, as the device spells it; null where the completion code says it all. */
      readonly errorCode: string | null;
      /** For a technician's log. */
      readonly description: string | null;
      readonly payload: Partial<CompletionPayload<N>>;
    };

export type UnansweredCode = 'connectionLost' | 'noAnswer' | 'tooManyRequests' | 'notSent';

const codes = new Map<string, FailureCode>(FAILURE_CODES.map((code) => [code.toLowerCase(), code]));
codes.set('authorisationrequired', 'authorizationRequired');
codes.set('cancelled', 'canceled');

/** The code as this client spells it: absent and null are success (publications after 2023-2), unknown codes `unknown`. */
export function completionCode(raw: string | null | undefined): FailureCode | 'success' {
  if (raw === undefined || raw === null || raw.toLowerCase() === 'success') return 'success';
  return codes.get(raw.toLowerCase()) ?? 'unknown';
}

export function unanswered(code: UnansweredCode, description: string) {
  return { code, errorCode: null, description, payload: {} } as const;
}
