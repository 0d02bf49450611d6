import type { DeadLetterReason } from './dead-letter.ts';
import { isObject, type JsonObject } from './messages/lenient.ts';

/** A message that cannot be taken. */
export class Unfit extends Error {
  readonly reason: DeadLetterReason;

  constructor(reason: DeadLetterReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** A message as JSON; throws Unfit. */
export function parsed(text: string): JsonObject {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    throw new Unfit('malformed', 'not JSON');
  }
  if (!isObject(message)) throw new Unfit('malformed', 'not a JSON object');
  return message;
}
