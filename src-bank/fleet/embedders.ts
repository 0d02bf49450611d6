/** Which embedders terminals can compare with, and how many people have a template under each. */
import type { z } from 'zod';
import { Sha256Hex } from '../../src-contract/primitives.ts';
import type { BankContext } from '../context.ts';
import type { EmbeddersAnswer } from '../http/embedders-api.ts';
import type { Terminal } from './request-assertion.ts';

/** Keeps what a terminal says it has. Writes only what is new. */
export async function keepEmbedders(
  { database }: BankContext,
  { terminalId }: Terminal,
  embedders: readonly string[],
): Promise<void> {
  const said = JSON.stringify([...embedders].sort());
  await database.db
    .updateTable('terminals')
    .set({ embedders: said })
    .where('terminal_id', '=', terminalId)
    .where((where) => where.or([where('embedders', 'is', null), where('embedders', '<>', said)]))
    .execute();
}

/** How far people have moved. */
export async function embeddersReport({ database }: BankContext): Promise<z.input<typeof EmbeddersAnswer>> {
  const embedders = await database.db
    .selectFrom('templates')
    .select(['model_sha256', ({ fn }) => fn.countAll<number>().as('templates')])
    .select(({ fn, selectFrom, exists, not }) =>
      fn
        .countAll<number>()
        .filterWhere(
          not(
            exists(
              selectFrom('templates as other')
                .select('other.person_id')
                .whereRef('other.person_id', '=', 'templates.person_id')
                .whereRef('other.model_sha256', '<>', 'templates.model_sha256'),
            ),
          ),
        )
        .as('no_other'),
    )
    .select(({ fn }) => fn.min('cursor').as('since'))
    .groupBy('model_sha256')
    .orderBy('since')
    .execute();
  const terminals = await database.db
    .selectFrom('terminals')
    .select(['terminal_id', 'name', 'embedders'])
    .where('revoked_at', 'is', null)
    .orderBy('terminal_id')
    .execute();
  return {
    embedders: embedders.map((row) => ({
      modelSha256: row.model_sha256,
      people: row.templates,
      peopleWithNoOther: row.no_other,
    })),
    terminals: terminals.map((row) => ({
      terminalId: row.terminal_id,
      name: row.name,
      embedders: row.embedders === null ? null : Sha256Hex.array().parse(JSON.parse(row.embedders)),
    })),
  };
}
