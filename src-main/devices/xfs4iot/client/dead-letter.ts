/** A message that could not be taken: kept, told, and never taken for an answer. */
import type { JsonObject } from './messages/lenient.ts';

export type DeadLetterReason =
  /** No JSON object, or a binary frame. */
  | 'malformed'
  /** JSON without a usable header. */
  | 'invalidEnvelope'
  /** Header understood, payload of a wrong type. */
  | 'invalidPayload'
  /** Larger than the limit; the content is gone. */
  | 'tooLarge'
  /** Belongs to no request of this connection. */
  | 'unknownRequest'
  /** The request has already been answered. */
  | 'duplicate'
  /** Right number, wrong command. */
  | 'nameMismatch';

export interface DeadLetter {
  readonly uri: string;
  /** On the client's clock. */
  readonly monotonicMs: number;
  readonly reason: DeadLetterReason;
  /** What did not fit, naming the field. Holds nothing of the payload. */
  readonly detail: string;
  readonly bytes: number | null;
  /** The message as JSON without what must not be kept, cut to a bounded length; null where it could not be read at all. */
  readonly message: string | null;
  /** Letters of this service since the one told before that were kept but not told, because they came too fast. */
  readonly untold: number;
}

const MESSAGE_LENGTH_MAX = 2_048;
const STRING_LENGTH_MAX = 64;

/**
 * Properties whose values are not kept: tokens, PIN blocks, customer data, pictures, biometric data, serial numbers, key
 * presses, and whatever a vendor calls by such a name.
 */
const SECRET =
  /token|pin(?!pad)|customer|picture|image|data|template|signature|serial|digit|ksn|track|card(?!reader)|prompt|identifier|transactionid/i;

/** The message as text for a technician; null for one that is nested too deeply to be written. */
export function redacted(message: JsonObject): string | null {
  try {
    return written(message);
  } catch {
    return null;
  }
}

function written(message: JsonObject): string {
  const text = JSON.stringify(message, (name, value: unknown) => {
    if (SECRET.test(name)) return '[redacted]';
    if (typeof value !== 'string') return value;
    // An account number or a PIN in a field nobody expects it in.
    if (/^\d{4,}$/.test(value)) return '[redacted]';
    if (/\d{8}/.test(value)) return value.slice(0, STRING_LENGTH_MAX).replace(/\d{4,}/g, '[digits]');
    return value.length > STRING_LENGTH_MAX ? `[${value.length} characters]` : value;
  });
  return text.length > MESSAGE_LENGTH_MAX ? `${text.slice(0, MESSAGE_LENGTH_MAX)}…` : text;
}
