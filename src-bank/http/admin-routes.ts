/** What the bank's staff ask: http/admin-api.ts, route by route. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { accountAtCounter, openAtCounter, setAccountStatus, setHolderName } from '../accounts/counter.ts';
import { listAccounts, listEntries, listHolds, trialBalance } from '../accounts/report.ts';
import { DayClosesAnswer, DayClosesQuery, listDayCloses } from '../closes/report.ts';
import type { BankContext } from '../context.ts';
import { setDispenserKeys } from '../dispense/keys.ts';
import { listDispenses, settleByStaff } from '../dispense/staff.ts';
import { makeActivationCode } from '../fleet/activation.ts';
import { listIncidents, listPeople, listResults, listTerminals } from '../fleet/report.ts';
import { erasePerson } from '../people/erasure.ts';
import { erasureReport } from '../people/erasure-receipts.ts';
import { setPadKey } from '../people/pad-keys.ts';
import { unlockPin } from '../people/pin-check.ts';
import { ProblemError } from '../problem.ts';
import { verifyChain } from '../results/chain.ts';
import * as api from './admin-api.ts';
import { describeAdminRoute } from './admin-description.ts';
import { countsRoutes } from './counts-routes.ts';
import { embeddersRoutes } from './embedders-routes.ts';
import { protectionRoutes } from './protection-routes.ts';

export function adminRoutes(scope: FastifyInstance, context: BankContext, adminToken: string): void {
  scope.addHook('onRequest', async (request) => requireToken(request.headers.authorization, adminToken));
  countsRoutes(scope, context);
  protectionRoutes(scope, context);
  embeddersRoutes(scope, context);
  const routes = scope.withTypeProvider<ZodTypeProvider>();
  routes.post(
    '/admin/activation-codes',
    {
      schema: {
        ...describeAdminRoute('Make a one-time activation code', api.ActivationCodeAnswer),
        body: api.ActivationCodeRequest,
      },
    },
    async (request) => api.ActivationCodeAnswer.parse(await makeActivationCode(context, request.body)),
  );
  routes.get(
    '/admin/terminals',
    {
      schema: {
        ...describeAdminRoute('Terminals and how far their chains reach', api.TerminalsAnswer),
        querystring: api.ListQuery,
      },
    },
    async (request) => api.TerminalsAnswer.parse(await listTerminals(context, request.query)),
  );
  routes.post(
    '/admin/terminals/:terminalId/dispenser-keys',
    {
      schema: {
        ...describeAdminRoute("Set the keys of a terminal's dispenser", api.DispenserKeysAnswer),
        params: api.TerminalParams,
        body: api.DispenserKeysRequest,
      },
    },
    async (request) => await setDispenserKeys(context, request.params.terminalId, request.body),
  );
  routes.post(
    '/admin/terminals/:terminalId/pin-keys',
    {
      schema: {
        ...describeAdminRoute("Set a working key of a terminal's PIN pad", api.PadKeyAnswer),
        params: api.TerminalParams,
        body: api.PadKeyRequest,
      },
    },
    async (request) => await setPadKey(context, request.params.terminalId, request.body),
  );
  routes.get(
    '/admin/dispenses',
    {
      schema: { ...describeAdminRoute('Withdrawals under a token', api.DispensesAnswer), querystring: api.ListQuery },
    },
    async (request) => api.DispensesAnswer.parse(await listDispenses(context, request.query)),
  );
  routes.post(
    '/admin/dispenses/:authorisationId/settlement',
    {
      schema: {
        ...describeAdminRoute('Settle by hand a withdrawal that nothing else settles', api.DispenseSettlementAnswer),
        params: api.DispenseParams,
        body: api.DispenseSettlementRequest,
      },
    },
    async (request) => {
      await settleByStaff(context, { ...request.params, ...request.body });
      return { settled: true as const };
    },
  );
  routes.get(
    '/admin/people',
    {
      schema: { ...describeAdminRoute('People, consents and PIN state', api.PeopleAnswer), querystring: api.ListQuery },
    },
    async (request) => api.PeopleAnswer.parse(await listPeople(context, request.query)),
  );
  routes.delete(
    '/admin/people/:personId/template',
    {
      schema: {
        ...describeAdminRoute('Withdraw consent and erase the face', api.EraseAnswer),
        params: api.PersonParams,
      },
    },
    async (request) => await erasePerson(context, request.params.personId),
  );
  routes.get(
    '/admin/people/:personId/erasure',
    {
      schema: {
        ...describeAdminRoute('How far a withdrawal of consent has come', api.ErasureReportAnswer),
        params: api.PersonParams,
      },
    },
    async (request) => api.ErasureReportAnswer.parse(await erasureReport(context, request.params.personId)),
  );
  routes.post(
    '/admin/people/:personId/pin-unlock',
    { schema: { ...describeAdminRoute('Allow PIN attempts again', api.UnlockAnswer), params: api.PersonParams } },
    async (request) => {
      await unlockPin(context, request.params.personId);
      return { pin: 'unlocked' as const };
    },
  );
  routes.get(
    '/admin/accounts',
    {
      schema: {
        ...describeAdminRoute('Accounts, with what is available', api.AccountsAnswer),
        querystring: api.ListQuery,
      },
    },
    async (request) => api.AccountsAnswer.parse(await listAccounts(context, request.query)),
  );
  routes.post(
    '/admin/accounts',
    {
      schema: {
        ...describeAdminRoute('Open an account at the counter', api.AccountAnswer),
        body: api.OpenAccountRequest,
      },
    },
    async (request) => api.AccountAnswer.parse(await openAtCounter(context, request.body.holderName)),
  );
  routes.get(
    '/admin/accounts/:accountId',
    { schema: { ...describeAdminRoute("One customer's account", api.AccountAnswer), params: api.AccountParams } },
    async (request) => api.AccountAnswer.parse(await accountAtCounter(context, request.params.accountId)),
  );
  routes.post(
    '/admin/accounts/:accountId/holder',
    {
      schema: {
        ...describeAdminRoute('Say whose an account is', api.AccountAnswer),
        params: api.AccountParams,
        body: api.HolderRequest,
      },
    },
    async ({ params, body }) =>
      api.AccountAnswer.parse(await setHolderName(context, params.accountId, body.holderName)),
  );
  routes.post(
    '/admin/accounts/:accountId/status',
    {
      schema: {
        ...describeAdminRoute('Close an empty account, or open it again', api.AccountAnswer),
        params: api.AccountParams,
        body: api.AccountStatusRequest,
      },
    },
    async ({ params, body }) => api.AccountAnswer.parse(await setAccountStatus(context, params.accountId, body.status)),
  );
  routes.get(
    '/admin/trial-balance',
    { schema: describeAdminRoute('Whether the books balance', api.TrialBalanceAnswer) },
    async () => api.TrialBalanceAnswer.parse(await trialBalance(context)),
  );
  routes.get(
    '/admin/entries',
    { schema: { ...describeAdminRoute('Journal entries', api.EntriesAnswer), querystring: api.SequenceQuery } },
    async (request) => api.EntriesAnswer.parse(await listEntries(context, request.query)),
  );
  routes.get(
    '/admin/holds',
    { schema: { ...describeAdminRoute('Holds', api.HoldsAnswer), querystring: api.ListQuery } },
    async (request) => api.HoldsAnswer.parse(await listHolds(context, request.query)),
  );
  routes.get(
    '/admin/results',
    {
      schema: {
        ...describeAdminRoute("One terminal's match results", api.ResultsListAnswer),
        querystring: api.ResultsQuery,
      },
    },
    async (request) => api.ResultsListAnswer.parse(await listResults(context, request.query)),
  );
  routes.get(
    '/admin/chains/:terminalId',
    {
      schema: {
        ...describeAdminRoute("Verify a terminal's whole chain again", api.ChainAnswer),
        params: api.ChainParams,
      },
    },
    async (request) => api.ChainAnswer.parse(await verifyChain(context, request.params.terminalId)),
  );
  routes.get(
    '/admin/day-closes',
    {
      schema: {
        ...describeAdminRoute('Closes of business days, and what differs', DayClosesAnswer),
        querystring: DayClosesQuery,
      },
    },
    async (request) => await listDayCloses(context, request.query),
  );
  routes.get(
    '/admin/incidents',
    {
      schema: {
        ...describeAdminRoute('What was refused as tampering', api.IncidentsAnswer),
        querystring: api.ListQuery,
      },
    },
    async (request) => api.IncidentsAnswer.parse(await listIncidents(context, request.query)),
  );
}

function requireToken(authorization: string | undefined, adminToken: string): void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${adminToken}`))) {
    throw new ProblemError('unauthenticated', 'the Authorization header does not carry the admin token');
  }
}
