/** Payloads of completions and events, parsed by the message table. */
import { type Completion, unanswered } from './completion.ts';
import { type Incoming, issues } from './envelope.ts';
import { type JsonObject, withoutNulls } from './messages/lenient.ts';
import {
  type CommandName,
  type CommandPayload,
  commandSpec,
  type EventName,
  type EventPayload,
  eventSpec,
} from './messages/table.ts';

interface Read<T> {
  readonly value: T;
  /** What did not fit; null when everything did. */
  readonly unfit: string | null;
}

type IncomingCompletion = Extract<Incoming, { kind: 'completion' }>;

/**
 * A completion in one shape. A success whose payload does not fit is no answer: the device did something, and what is unknown.
 * A failure stays one, without its payload.
 */
export function readCompletion<N extends CommandName>(name: N, incoming: IncomingCompletion): Read<Completion<N>> {
  const spec = commandSpec(name);
  const plain = withoutNulls(incoming.payload) as JsonObject;
  const payload = spec.read ? spec.read(plain) : plain;
  if (incoming.code === 'success') {
    const result = spec.completion.safeParse(payload);
    if (result.success) return { value: { code: 'success', payload: result.data } as Completion<N>, unfit: null };
    const unfit = issues('payload', result.error);
    return { value: unanswered('noAnswer', `the completion could not be read: ${unfit}`) as Completion<N>, unfit };
  }
  const result = spec.completion.partial().safeParse(payload);
  const { code, errorCode, description } = incoming;
  return {
    value: { code, errorCode, description, payload: result.data ?? {} } as Completion<N>,
    unfit: result.success ? null : issues('payload', result.error),
  };
}

export function readEvent<E extends EventName>(name: E, payload: JsonObject): Read<EventPayload<E> | null> {
  const spec = eventSpec(name);
  const plain = withoutNulls(payload) as JsonObject;
  const result = spec.payload.safeParse(spec.read ? spec.read(plain) : plain);
  return result.success
    ? { value: result.data as EventPayload<E>, unfit: null }
    : { value: null, unfit: issues('payload', result.error) };
}

/** The payload as it goes on the wire: checked, without absent keys, in the shape of the version's edition. */
export function writePayload<N extends CommandName>(
  name: N,
  payload: CommandPayload<N> | null,
  version: string,
): Read<JsonObject | null> {
  const spec = commandSpec(name);
  let plain: unknown;
  try {
    plain = withoutNulls(payload ?? {});
  } catch (error) {
    // An object that holds itself.
    return { value: null, unfit: `payload: ${error instanceof Error ? error.message : error}` };
  }
  const result = spec.payload.safeParse(plain);
  if (!result.success) return { value: null, unfit: issues('payload', result.error) };
  const checked = result.data as JsonObject;
  return { value: version.startsWith('1.') && spec.write1 ? spec.write1(checked) : checked, unfit: null };
}
