/**
 * The envelope of every message (XFS4IoT 2024-3, message types), in and out. Read leniently: fields that moved from the payload
 * into the header between editions are looked for in both places, and what a message is, is told by its request id.
 */
import { z } from 'zod';
import { completionCode, type FailureCode } from './completion.ts';
import { isObject, type JsonObject } from './messages/lenient.ts';

const NAME_LENGTH_MAX = 200;
const word = z.string().max(NAME_LENGTH_MAX).nullish();

const Header = z.object({
  type: z.string(),
  name: z.string().min(1).max(NAME_LENGTH_MAX),
  requestId: z.int().nullish(),
  status: word,
  completionCode: word,
  errorDescription: z.string().nullish(),
});

/** What 2021-1 and early builds of 2023 put into the payload. */
const Moved = z.object({
  status: word,
  completionCode: word,
  errorCode: word,
  errorDescription: z.string().nullish(),
});

export type Incoming =
  | {
      readonly kind: 'acknowledge';
      readonly name: string;
      readonly requestId: number;
      /** Null: accepted. */
      readonly refused: string | null;
    }
  | {
      readonly kind: 'completion';
      readonly name: string;
      readonly requestId: number;
      readonly code: FailureCode | 'success';
      readonly errorCode: string | null;
      readonly description: string | null;
      readonly payload: JsonObject;
    }
  | {
      readonly kind: 'event';
      readonly name: string;
      /** Null: sent to everybody. */
      readonly requestId: number | null;
      readonly payload: JsonObject;
    };

/** The message, or what does not fit in it. */
export function readEnvelope(message: JsonObject): Incoming | { readonly kind: 'unreadable'; readonly detail: string } {
  const header = Header.safeParse(message['header']);
  if (!header.success) return unreadable('header', header.error);
  const { name, requestId } = header.data;
  const raw = message['payload'] ?? {};
  if (!isObject(raw)) return { kind: 'unreadable', detail: `payload of ${name}: expected an object` };
  const type = header.data.type.toLowerCase();

  if (type === 'event' || type === 'unsolicited') {
    // Services send events to everybody as `event` without a request id.
    return { kind: 'event', name, requestId: requestId && requestId > 0 ? requestId : null, payload: raw };
  }
  if (type !== 'acknowledge' && type !== 'completion') {
    return { kind: 'unreadable', detail: `header.type: neither acknowledge, event nor completion (${name})` };
  }
  if (!requestId || requestId < 1)
    return { kind: 'unreadable', detail: `header.requestId: missing in ${type} of ${name}` };

  const moved = Moved.safeParse(raw);
  if (type === 'acknowledge') {
    if (!moved.success) return unreadable('payload', moved.error);
    const status = header.data.status ?? moved.data.status ?? null;
    return { kind: 'acknowledge', name, requestId, refused: status === 'ok' ? null : status };
  }
  if (!moved.success) return unreadable('payload', moved.error);
  return {
    kind: 'completion',
    name,
    requestId,
    code: codeOf(header.data.completionCode, moved.data.completionCode, moved.data.errorCode),
    errorCode: moved.data.errorCode ?? null,
    description: header.data.errorDescription ?? moved.data.errorDescription ?? null,
    payload: raw,
  };
}

/**
 * Success is what both places call success. An error code without any completion code is a failure: absence means success only
 * where nothing speaks against it.
 */
function codeOf(
  inHeader: string | null | undefined,
  inPayload: string | null | undefined,
  errorCode: string | null | undefined,
): FailureCode | 'success' {
  const first = completionCode(inHeader);
  const code = first === 'success' ? completionCode(inPayload) : first;
  const said = (inHeader ?? inPayload ?? null) !== null;
  return code === 'success' && !said && errorCode ? 'commandErrorCode' : code;
}

function unreadable(part: string, error: z.ZodError) {
  return { kind: 'unreadable', detail: issues(part, error) } as const;
}

/** The fields that did not fit; nothing of their content. */
export function issues(part: string, error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => {
      const path = [part, ...issue.path.map(String)].join('.').slice(0, NAME_LENGTH_MAX);
      return issue.code === 'invalid_type' ? `${path}: expected ${issue.expected}` : `${path}: ${issue.code}`;
    })
    .join('; ');
}

/** Edition 2021-1 (major version 1) reads the time-out in the payload; it is in the header all the same. */
export function writeCommand(
  command: { name: string; version: string; requestId: number; timeoutMs: number },
  payload: JsonObject,
): string {
  const { name, version, requestId, timeoutMs: timeout } = command;
  const body = version.startsWith('1.') ? { ...payload, timeout } : payload;
  return JSON.stringify({ header: { type: 'command', name, version, requestId, timeout }, payload: body });
}
