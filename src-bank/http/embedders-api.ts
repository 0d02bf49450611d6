/** What the bank's staff ask about embedders, and the way of people from one to the next. */
import { z } from 'zod';
import { Sha256Hex, Uuid } from '../../src-contract/primitives.ts';

export const EmbeddersAnswer = z.strictObject({
  /** The one with the oldest template first. */
  embedders: z.array(
    z.strictObject({
      modelSha256: Sha256Hex,
      /** Who has a template under it. */
      people: z.int().nonnegative(),
      /** Of these, who has none under any other: nobody a terminal without this embedder knows. */
      peopleWithNoOther: z.int().nonnegative(),
    }),
  ),
  /** In service. Older templates stay for as long as one of these lacks the newer embedder. */
  terminals: z.array(
    z.strictObject({
      terminalId: Uuid,
      name: z.string(),
      /** Those it can compare with; null where it has not said. */
      embedders: z.array(Sha256Hex).nullable(),
    }),
  ),
});
