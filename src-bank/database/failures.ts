/** What a database error means to the bank, by SQLSTATE (PostgreSQL manual, appendix A) or by Node's code. */

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Serialisation failure or deadlock: the db transaction did nothing and may be run again. */
export function isTransient(error: unknown): boolean {
  const code = codeOf(error);
  return code === '40001' || code === '40P01';
}

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return codeOf(error) === '23505' && (error as { constraint?: unknown }).constraint === constraint;
}

/** Connection lost or refused, too many connections, shutting down, a lock or statement that took too long, disk full. */
const UNAVAILABLE = /^(08|53|57P|58)|^(40001|40P01|55P03|57014|ECONN\w+|ENOTFOUND|EPIPE|ETIMEDOUT|EAI_AGAIN)$/;
const UNAVAILABLE_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|PGlite is clos|Cannot use a pool after calling end)/;

/** Whether the database, not the request, is at fault: the same request may succeed later. */
export function isUnavailable(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    if (UNAVAILABLE.test(codeOf(cause) ?? '') || UNAVAILABLE_MESSAGES.test(cause.message)) return true;
  }
  return false;
}
