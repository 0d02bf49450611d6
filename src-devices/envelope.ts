/**
 * The XFS4IoT envelope (2023-2 and later): what comes in is parsed here, and what goes out is put into the words of the
 * dialect here and nowhere else.
 */
import { z } from 'zod';
import type { Dialect } from './dialect.ts';

/** XFS4IoT 2024-3, completion codes of the header. */
export type CompletionCode =
  | 'success'
  | 'commandErrorCode'
  | 'canceled'
  | 'timeOut'
  | 'deviceNotReady'
  | 'hardwareError'
  | 'internalError'
  | 'invalidCommand'
  | 'unsupportedCommand'
  | 'invalidRequestID'
  | 'invalidData'
  | 'unsupportedData'
  | 'userError'
  | 'fraudAttempt'
  | 'sequenceError'
  | 'authorizationRequired'
  | 'noCommandNonce'
  | 'invalidToken'
  | 'invalidTokenNonce'
  | 'invalidTokenHMAC'
  | 'invalidTokenFormat'
  | 'invalidTokenKeyNoValue'
  | 'notEnoughSpace';

export type Payload = Readonly<Record<string, unknown>>;

export type AcknowledgeStatus = 'invalidMessage' | 'invalidRequestID' | 'tooManyRequests';

export type OutgoingMessage =
  | {
      readonly type: 'acknowledge';
      readonly name: string | null;
      readonly version: string | null;
      readonly requestId: number | null;
      readonly status: AcknowledgeStatus | null;
    }
  | {
      readonly type: 'event';
      readonly name: string;
      readonly version: string;
      readonly requestId: number;
      readonly payload: Payload | null;
    }
  | { readonly type: 'unsolicited'; readonly name: string; readonly version: string; readonly payload: Payload | null }
  | {
      readonly type: 'completion';
      readonly name: string;
      readonly version: string;
      readonly requestId: number;
      readonly code: CompletionCode;
      readonly description: string | null;
      readonly payload: Payload | null;
    };

export interface Command {
  readonly name: string;
  readonly version: string;
  readonly requestId: number;
  /** Ms from receipt; null: no limit. */
  readonly timeoutMs: number | null;
  readonly payload: unknown;
}

const Header = z.looseObject({
  type: z.literal('command'),
  name: z.string().regex(/^[A-Za-z0-9]+\.[A-Za-z0-9]+$/),
  version: z.string().regex(/^[1-9][0-9]*\.([1-9][0-9]*|0)$/),
  requestId: z.unknown().optional(),
  timeout: z.int().nonnegative().nullish(),
});
const Envelope = z.looseObject({ header: Header, payload: z.unknown().optional() });
const RequestId = z.int().min(1);

export type Incoming =
  | { readonly command: Command }
  | { readonly refused: Extract<OutgoingMessage, { type: 'acknowledge' }> };

/** Reads one WebSocket message. What is no command is answered by the acknowledge in `refused` (XFS4IoT, 2.1). */
export function readCommand(text: string): Incoming {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { refused: refusal(undefined, 'invalidMessage') };
  }
  const parsed = Envelope.safeParse(json);
  if (!parsed.success) return { refused: refusal(json, 'invalidMessage') };
  const { header, payload } = parsed.data;
  const requestId = RequestId.safeParse(header.requestId);
  if (!requestId.success) return { refused: refusal(json, 'invalidRequestID') };
  return {
    command: {
      name: header.name,
      version: header.version,
      requestId: requestId.data,
      timeoutMs: header.timeout || null,
      payload: payload ?? {},
    },
  };
}

const Readable = z.object({
  header: z.object({
    name: z.string().nullable().catch(null),
    version: z.string().nullable().catch(null),
    requestId: z.int().nullable().catch(null),
  }),
});

/** As much of the sender's header as can be read is repeated, so that it can find what it sent. */
function refusal(json: unknown, status: AcknowledgeStatus): Extract<OutgoingMessage, { type: 'acknowledge' }> {
  const readable = Readable.safeParse(json);
  const header = readable.success ? readable.data.header : { name: null, version: null, requestId: null };
  return { type: 'acknowledge', ...header, status };
}

/** One message as this dialect writes it. `extra` are fields no edition knows, put in for a client that must ignore them. */
export function write(message: OutgoingMessage, dialect: Dialect, extra: Payload = {}): string {
  const nulls = dialect.emptyFields === 'null';
  const header: Record<string, unknown> = {
    type: message.type === 'unsolicited' ? dialect.unsolicitedType : message.type,
    name: message.name,
    version: message.version,
    ...('requestId' in message ? { requestId: message.requestId } : nulls ? { requestId: null } : {}),
  };
  let payload: Record<string, unknown> | null = 'payload' in message && message.payload ? { ...message.payload } : null;
  if (message.type === 'acknowledge') {
    if (dialect.acknowledgeStatus === 'payload') payload = { status: message.status ?? 'ok' };
    else header['status'] = message.status;
  }
  if (message.type === 'completion') {
    const result = {
      completionCode: spelled(message.code, dialect),
      errorDescription: message.description,
    };
    if (dialect.completionCodeIn === 'payload') payload = { ...result, ...payload };
    else Object.assign(header, result);
  }
  const tidy = (fields: Record<string, unknown>) => (nulls ? fields : withoutNulls(fields));
  const body = payload === null ? null : (tidy(payload) as Record<string, unknown>);
  const envelope: Record<string, unknown> = { header: { ...(tidy(header) as object), ...extra } };
  if (body !== null && Object.keys(body).length > 0) envelope['payload'] = { ...body, ...extra };
  else if (dialect.emptyPayload !== 'absent')
    envelope['payload'] = dialect.emptyPayload === 'null' ? null : { ...extra };
  return JSON.stringify(envelope);
}

function spelled(code: CompletionCode, dialect: Dialect): string | null {
  if (code === 'success') return dialect.success === 'sent' ? code : null;
  if (code === 'authorizationRequired' && dialect.authorizationRequired === 's') return 'authorisationRequired';
  return code;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null && field !== undefined)
      .map(([key, field]) => [key, withoutNulls(field)]),
  );
}
