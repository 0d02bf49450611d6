/** The protecting matrix and its changes, and terminals out of service: http/protection-api.ts, route by route. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { Problem } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import { beginChange, protectionReport, revokeTerminal } from '../protection/change.ts';
import { TerminalParams } from './admin-api.ts';
import * as api from './protection-api.ts';

/** In the scope of the admin routes, behind their token. */
export function protectionRoutes(scope: FastifyInstance, context: BankContext): void {
  const routes = scope.withTypeProvider<ZodTypeProvider>();
  const described = <Answer extends z.ZodType>(summary: string, answer: Answer) => ({
    tags: ['admin'],
    summary,
    security: [{ adminToken: [] }],
    response: { 200: answer, '4xx': Problem, '5xx': Problem },
  });
  routes.post(
    '/admin/protection',
    {
      schema: {
        ...described('Begin to change the protecting matrix for a new one', api.BegunAnswer),
        body: api.BeginRequest,
      },
    },
    async (request) => api.BegunAnswer.parse(await beginChange(context, request.body)),
  );
  routes.get(
    '/admin/protection',
    { schema: described('The protecting matrix, and how far a change has come', api.ProtectionReportAnswer) },
    async () => api.ProtectionReportAnswer.parse(await protectionReport(context)),
  );
  routes.post(
    '/admin/terminals/:terminalId/revocation',
    {
      schema: { ...described('Take a terminal out of service for good', api.RevocationAnswer), params: TerminalParams },
    },
    async (request) => api.RevocationAnswer.parse(await revokeTerminal(context, request.params.terminalId)),
  );
}
