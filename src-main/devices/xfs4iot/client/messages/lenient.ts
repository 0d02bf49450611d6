/**
 * How messages of devices are read (XFS4IoT 2024-3, data conventions): unknown properties are ignored, an unknown value of an
 * enumeration is 'unknown', null and absent are the same. A wrong type is no dialect: the message is refused.
 */
import { z } from 'zod';

export type JsonObject = { readonly [name: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An enumeration as a device sends it. */
export function oneOf<const V extends readonly string[]>(values: V) {
  const known = new Set<string>(values);
  return z
    .string()
    .transform((value): V[number] | 'unknown' => (known.has(value) ? (value as V[number]) : 'unknown'))
    .optional();
}

/** An enumeration as we send it. */
export function exactly<const V extends readonly [string, ...string[]]>(values: V) {
  return z.enum(values);
}

/** An object of booleans; what the device does not name is absent. */
export function flags<const N extends readonly string[]>(names: N) {
  const shape = Object.fromEntries(names.map((name) => [name, bool]));
  return z.object(shape as { [K in N[number]]: typeof bool }).optional();
}

/** An object used as a dictionary. Entries whose key does not fit are properties we do not know: ignored. */
export function dictionary<V extends z.ZodType>(value: V, key?: RegExp) {
  return z.preprocess((raw) => (key && isObject(raw) ? keep(raw, key) : raw), z.record(z.string(), value));
}

function keep(raw: JsonObject, key: RegExp): JsonObject {
  return Object.fromEntries(Object.entries(raw).filter(([name]) => key.test(name)));
}

export const text = z.string().optional();
export const bool = z.boolean().optional();
export const integer = z.int().optional();
export const count = z.int().nonnegative().optional();
export const number = z.number().optional();

/** No payload. */
export const nothing = z.object({});

/** What a command is made of. */
export interface CommandSpec {
  /** What we may send. */
  readonly payload: z.ZodType;
  /** What a completion says beside errorCode; read with every field optional when the command failed. */
  readonly completion: z.ZodObject;
  /** Turns the completion payload of another edition into the one of 2024-3. */
  readonly read?: (payload: JsonObject) => JsonObject;
  /** The payload as edition 2021-1 (major version 1) wrote it. */
  readonly write1?: (payload: JsonObject) => JsonObject;
}

export interface EventSpec {
  readonly payload: z.ZodType;
  /** Sent to every connection; the others belong to one command. Some editions send some of them in both forms. */
  readonly unsolicited: boolean;
  readonly read?: (payload: JsonObject) => JsonObject;
}

/** An event of one command. */
export function ofCommand<P extends z.ZodType>(payload: P) {
  return { payload, unsolicited: false } as const;
}

export function unsolicited<P extends z.ZodType>(payload: P, read?: (payload: JsonObject) => JsonObject) {
  return read ? ({ payload, unsolicited: true, read } as const) : ({ payload, unsolicited: true } as const);
}

/** Messages of the standard nest less than half as deep. */
const DEPTH_MAX = 32;

/**
 * The payload without null, and without the literal 'notSupported' that edition 2021-1 wrote where later ones leave the
 * property out. `__proto__` is nobody's property.
 */
export function withoutNulls(value: unknown, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw new Error(`nested deeper than ${DEPTH_MAX}`);
  if (Array.isArray(value)) return value.filter((item) => item !== null).map((item) => withoutNulls(item, depth + 1));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(
    ([name, inner]) => inner !== null && inner !== undefined && inner !== 'notSupported' && name !== '__proto__',
  );
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutNulls(inner, depth + 1)]));
}
