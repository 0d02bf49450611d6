/**
 * The bank's log: ids and codes, never the person. Redaction is by name at any depth, and errors keep only what names the
 * fault: a database error carries the query's parameters with it.
 */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

/** Members whose value never reaches a log, wherever they stand. */
const SECRET_NAMES = new Set(
  [
    'authorization',
    'pin',
    'digits',
    'pinBlock',
    'pinBlocks',
    'pinHash',
    'pin_hash',
    'template',
    'values',
    'sealed',
    'protectionSeed',
    'activationCode',
    'proof',
    'priorProof',
    'dispense',
    'token',
    'hostKey',
    'deviceKey',
    'name',
    'number',
    'accountNumber',
    'payeeAccountNumber',
    'holderName',
    'holder_name',
    'result',
    'results',
    'jws',
    'body',
    'params',
    'parameters',
    'query',
  ].map((name) => name.toLowerCase()),
);
const REDACTED = '[redacted]';
const DEPTH_MAX = 6;

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** @param destination stderr by default: stdout carries the one line that says the bank is ready. */
export function createLogger(level: LogLevel, destination: DestinationStream = pino.destination(2)): Logger {
  const options: LoggerOptions = {
    level,
    base: { process: 'bank' },
    formatters: { log: (fields) => redact(fields, 0) as Record<string, unknown> },
    serializers: { err: (error: unknown) => error },
  };
  return pino(options, destination);
}

function redact(value: unknown, depth: number): unknown {
  if (value instanceof Error) return describeError(value, depth);
  if (value === null || typeof value !== 'object') return value;
  if (depth > DEPTH_MAX) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  // Buffers, requests, replies, connections: whatever is in them is not for the log.
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return REDACTED;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      SECRET_NAMES.has(key.toLowerCase()) ? REDACTED : redact(member, depth + 1),
    ]),
  );
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const code = (error as { code?: unknown }).code;
  return {
    type: error.constructor.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    stack: error.stack,
    ...(error.cause instanceof Error && depth < DEPTH_MAX ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}
