/** Embedders, and who is under which: http/embedders-api.ts. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { BankContext } from '../context.ts';
import { embeddersReport } from '../fleet/embedders.ts';
import { describeAdminRoute } from './admin-description.ts';
import { EmbeddersAnswer } from './embedders-api.ts';

/** In the scope of the admin routes, behind their token. */
export function embeddersRoutes(scope: FastifyInstance, context: BankContext): void {
  scope
    .withTypeProvider<ZodTypeProvider>()
    .get(
      '/admin/embedders',
      { schema: describeAdminRoute('How many people have a template under which embedder', EmbeddersAnswer) },
      async () => EmbeddersAnswer.parse(await embeddersReport(context)),
    );
}
