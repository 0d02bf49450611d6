/**
 * Failures of the terminal: one class, one closed list of codes. Expected outcomes (a refusal, a non-match, a jam that the
 * device reported) are values, not errors. docs/errors.md lists the codes; a test keeps the two in step.
 */
import type { SorryCode } from '../src-contract/screen.ts';

/** code → what the customer may be told. */
export const ERROR_CODES = {
  CONFIG_INVALID: 'failed',
  MODEL_MISSING: 'failed',
  MODEL_ALTERED: 'failed',
  MODEL_MANIFEST_INVALID: 'failed',
  VISION_FAILED: 'failed',
  FRAME_INVALID: 'failed',
  DATABASE_CORRUPT: 'failed',
  DATABASE_NEWER: 'failed',
  DISK_FULL: 'failed',
  DISK_FAILED: 'failed',
  KEY_STORE_INVALID: 'failed',
  GALLERY_UNREADABLE: 'failed',
  PORT_IN_USE: 'failed',
  BROWSER_MISSING: 'failed',
  HOST_FAILED: 'failed',
  NOT_ACTIVATED: 'failed',
  ALREADY_ACTIVATED: 'failed',
  ALREADY_RUNNING: 'failed',
  BANK_UNREACHABLE: 'offline-service',
  BANK_ANSWER_INVALID: 'offline-service',
  BANK_REFUSED: 'failed',
  DEVICE_UNAVAILABLE: 'device-unavailable',
  DEVICE_FAILED: 'device-unavailable',
  TRANSACTION_UNKNOWN: 'failed',
} as const satisfies Record<string, SorryCode>;
export type ErrorCode = keyof typeof ERROR_CODES;

export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly code: ErrorCode;

  /** @param message one sentence for the technician that names what was wrong: no PIN, name, account number or template. */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get customer(): SorryCode {
    return ERROR_CODES[this.code];
  }
}
