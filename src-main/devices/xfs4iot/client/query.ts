/** Asking before the versions are known (XFS4IoT 2024-3, version negotiation): the first one the service understands. */
import type { Completion } from './completion.ts';
import type { Connection, Patience } from './connection.ts';
import type { CommandName } from './messages/table.ts';
import type { CommandOptions } from './surface.ts';
import { BOOTSTRAP_VERSIONS } from './versions.ts';

/** Codes with which services turn down a version. */
const NOT_UNDERSTOOD = new Set<string>(['unsupportedCommand', 'invalidCommand', 'invalidMessage']);

/** A query moves nothing: what does not answer it in time need not be waited for as long as a mechanism. */
const PATIENCE: Patience = { answerMarginMs: 1_000, cancelMs: 1_000 };

/** The answer, and the version that was understood; the last failure where none was. */
export async function ask<N extends CommandName>(
  connection: Connection,
  name: N,
  options: CommandOptions,
  first?: string | null,
): Promise<{ readonly completion: Completion<N>; readonly version: string }> {
  const versions = first ? [first, ...BOOTSTRAP_VERSIONS.filter((version) => version !== first)] : BOOTSTRAP_VERSIONS;
  let last: { completion: Completion<N>; version: string } | null = null;
  for (const version of versions) {
    const completion = await connection.request(name, null, version, options, PATIENCE);
    last = { completion, version };
    if (!NOT_UNDERSTOOD.has(completion.code)) break;
  }
  return last!;
}
