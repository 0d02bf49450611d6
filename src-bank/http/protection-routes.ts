/** The protecting matrix and its changes, and terminals out of service: http/protection-api.ts, route by route. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { BankContext } from '../context.ts';
import { beginChange, protectionReport, revokeTerminal } from '../protection/change.ts';
import { TerminalParams } from './admin-api.ts';
import { describeAdminRoute } from './admin-description.ts';
import * as api from './protection-api.ts';

/** In the scope of the admin routes, behind their token. */
export function protectionRoutes(scope: FastifyInstance, context: BankContext): void {
  const routes = scope.withTypeProvider<ZodTypeProvider>();
  routes.post(
    '/admin/protection',
    {
      schema: {
        ...describeAdminRoute('Begin to change the protecting matrix for a new one', api.BegunAnswer),
        body: api.BeginRequest,
      },
    },
    async (request) => api.BegunAnswer.parse(await beginChange(context, request.body)),
  );
  routes.get(
    '/admin/protection',
    { schema: describeAdminRoute('The protecting matrix, and how far a change has come', api.ProtectionReportAnswer) },
    async () => api.ProtectionReportAnswer.parse(await protectionReport(context)),
  );
  routes.post(
    '/admin/terminals/:terminalId/revocation',
    {
      schema: {
        ...describeAdminRoute('Take a terminal out of service for good', api.RevocationAnswer),
        params: TerminalParams,
      },
    },
    async (request) => api.RevocationAnswer.parse(await revokeTerminal(context, request.params.terminalId)),
  );
}
