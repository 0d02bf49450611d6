import type { Logger } from 'pino';

/** Where a host writes for the technician; a pino logger, or three functions. */
export type HostLog = Pick<Logger, 'info' | 'warn' | 'error'>;
