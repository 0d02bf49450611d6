/** Technician codes and counts: http/counts-api.ts, route by route. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { BankContext } from '../context.ts';
import { listCounts } from '../counts/report.ts';
import { settleCountByStaff } from '../counts/settle.ts';
import { makeTechnicianCode } from '../fleet/technician-codes.ts';
import { ListQuery } from './admin-api.ts';
import { describeAdminRoute } from './admin-description.ts';
import * as api from './counts-api.ts';

/** In the scope of the admin routes, behind their token. */
export function countsRoutes(scope: FastifyInstance, context: BankContext): void {
  const routes = scope.withTypeProvider<ZodTypeProvider>();
  routes.post(
    '/admin/technician-codes',
    {
      schema: {
        ...describeAdminRoute('Make a code that lets one count at a terminal move money', api.TechnicianCodeAnswer),
        body: api.TechnicianCodeRequest,
      },
    },
    async (request) => api.TechnicianCodeAnswer.parse(await makeTechnicianCode(context, request.body)),
  );
  routes.get(
    '/admin/counts',
    { schema: { ...describeAdminRoute('What technicians counted', api.CountsAnswer), querystring: ListQuery } },
    async (request) => api.CountsAnswer.parse(await listCounts(context, request.query)),
  );
  routes.post(
    '/admin/counts/:countId/settlement',
    {
      schema: {
        ...describeAdminRoute('Settle by hand what was counted without a code', api.CountSettlementAnswer),
        params: api.CountParams,
        body: api.CountSettlementRequest,
      },
    },
    async (request) => {
      await settleCountByStaff(context, { ...request.params, ...request.body });
      return { settled: true as const };
    },
  );
}
