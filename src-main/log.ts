/** The technician's log: JSON lines on standard error. Ids and codes, never a person (design, invariant 4). */
import { destination, type Logger, pino } from 'pino';

/** Keys that must not be logged, at any depth up to three, whoever logs them by mistake. */
const SECRET_KEYS = [
  'pin',
  'pinBlock',
  'pinBlocks',
  'digits',
  'template',
  'values',
  'embedding',
  'name',
  'accountNumber',
  'authorization',
  'protectionSeed',
  'token',
];

export function technicianLog(level: string): Logger {
  const paths = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  return pino({ level, base: null, redact: { paths, censor: '[redacted]' } }, destination(2));
}
