/** What terminals ask: src-contract/bank-api.ts, route by route. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { sql } from 'kysely';
import { z } from 'zod';
import {
  ActivateAnswer,
  ActivateRequest,
  AuthoriseAnswer,
  AuthoriseRequest,
  CaptureRequest,
  DepositRequest,
  EnrolAnswer,
  EnrolRequest,
  GalleryAnswer,
  HealthAnswer,
  PolicyAnswer,
  PostingAnswer,
  Problem,
  ResultsAnswer,
  ResultsRequest,
  ReversalRequest,
  StandInRequest,
} from '../../src-contract/bank-api.ts';
import { ClaimedIdentityAnswer, ClaimedIdentityRequest } from '../../src-contract/claimed-identity.ts';
import { CountRequest } from '../../src-contract/count.ts';
import { DayCloseAnswer, DayCloseRequest } from '../../src-contract/day-close.ts';
import {
  ErasureAnswer,
  ErasureReceiptAnswer,
  ErasureReceiptRequest,
  ErasureRequest,
} from '../../src-contract/erasure.ts';
import { InquiryAnswer, InquiryRequest } from '../../src-contract/inquiry.ts';
import { Base64Url, Sha256Hex } from '../../src-contract/primitives.ts';
import {
  ProtectionAnswer,
  ProtectionReceiptAnswer,
  ProtectionReceiptRequest,
  ProtectionVersion,
} from '../../src-contract/protection-change.ts';
import { RenewalAnswer, RenewalRequest } from '../../src-contract/renewal.ts';
import { PayeeAnswer, PayeeRequest, TransferAnswer, TransferRequest } from '../../src-contract/transfer.ts';
import { authorise } from '../accounts/authorise.ts';
import { deposit } from '../accounts/deposit.ts';
import { inquire } from '../accounts/inquiry.ts';
import { askPayee } from '../accounts/payees.ts';
import { capture, reverse } from '../accounts/settle.ts';
import { standIn } from '../accounts/stand-in.ts';
import { transfer } from '../accounts/transfer.ts';
import { recordDayClose } from '../closes/record.ts';
import type { BankContext } from '../context.ts';
import { takeCount } from '../counts/settle.ts';
import { activate } from '../fleet/activation.ts';
import { keepEmbedders } from '../fleet/embedders.ts';
import { issuePolicy } from '../fleet/policy-issue.ts';
import { authenticate, type Terminal } from '../fleet/request-assertion.ts';
import { answerClaim } from '../people/claimed-identities.ts';
import { enrol } from '../people/enrolment.ts';
import { eraseAtTerminal } from '../people/erasure.ts';
import { keepErasureReceipt } from '../people/erasure-receipts.ts';
import { GALLERY_LIMIT_MAX, readFeed } from '../people/gallery-feed.ts';
import { renew } from '../people/renewal.ts';
import { keepProtectionReceipt, tellProtection } from '../protection/change.ts';
import { recordResults } from '../results/record.ts';

/** More than a terminal needs at a time. */
const EMBEDDERS_MAX = 4;

const GalleryQuery = z.strictObject({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(GALLERY_LIMIT_MAX).default(GALLERY_LIMIT_MAX),
  protection: ProtectionVersion.optional(),
  model: Sha256Hex.optional(),
  embedders: z
    .string()
    .max(EMBEDDERS_MAX * 65)
    .transform((list) => list.split(','))
    .pipe(z.array(Sha256Hex).min(1).max(EMBEDDERS_MAX))
    .optional(),
});

const ProtectionQuery = z.strictObject({ held: ProtectionVersion });
const PolicyQuery = z.strictObject({ nonce: Base64Url.length(22).nullable().default(null) });

/** Tags, security and the shape of problems, the same for every route. */
function describeRoute<Answer extends z.ZodType>(summary: string, answer: Answer, authenticated = true) {
  return {
    tags: ['terminals'],
    summary,
    ...(authenticated ? { security: [{ requestAssertion: [] }] } : {}),
    response: { 200: answer, '4xx': Problem, '5xx': Problem },
  };
}

export function terminalRoutes(scope: FastifyInstance, context: BankContext): void {
  const open = scope.withTypeProvider<ZodTypeProvider>();
  open.get('/v1/health', { schema: describeRoute('Whether the bank answers', HealthAnswer, false) }, async () => {
    await sql`select 1`.execute(context.database.db);
    return { status: 'ok' as const, database: context.database.kind, time: context.clock.now() };
  });
  open.post(
    '/v1/terminals',
    { schema: { ...describeRoute('Introduce a new terminal', ActivateAnswer, false), body: ActivateRequest } },
    async (request) => await activate(context, request.body),
  );
  void scope.register(async (authenticated) => authenticatedRoutes(authenticated, context));
}

function authenticatedRoutes(scope: FastifyInstance, context: BankContext): void {
  // Before validation: a stranger learns nothing about what would have been accepted.
  scope.addHook('preValidation', async (request) => {
    request.terminal = await authenticate(context, {
      method: request.method,
      url: request.raw.url ?? '',
      body: request.rawBody,
      authorization: request.headers.authorization,
    });
  });
  const routes = scope.withTypeProvider<ZodTypeProvider>();
  routes.get(
    '/v1/policy',
    { schema: { ...describeRoute('What a terminal may decide', PolicyAnswer), querystring: PolicyQuery } },
    async (request) => ({
      policy: await issuePolicy(context, sender(request).terminalId, request.query.nonce),
      policyKey: context.platform.policyKey.publicKey,
    }),
  );
  routes.get(
    '/v1/gallery',
    { schema: { ...describeRoute('Changes of the gallery after a cursor', GalleryAnswer), querystring: GalleryQuery } },
    async (request) => {
      const { model, embedders = model && [model], ...query } = request.query;
      if (embedders) await keepEmbedders(context, sender(request), embedders);
      return await readFeed(context, { ...query, model });
    },
  );
  routes.get(
    '/v1/protection',
    {
      schema: {
        ...describeRoute('Which protecting matrix is current', ProtectionAnswer),
        querystring: ProtectionQuery,
      },
    },
    async (request) => await tellProtection(context, sender(request), request.query.held),
  );
  routes.post(
    '/v1/protection-receipts',
    {
      schema: {
        ...describeRoute('Everything here is under this protecting matrix', ProtectionReceiptAnswer),
        body: ProtectionReceiptRequest,
      },
    },
    async (request) => await keepProtectionReceipt(context, sender(request), request.body),
  );
  routes.post(
    '/v1/results',
    { schema: { ...describeRoute('Deliver match results in order', ResultsAnswer), body: ResultsRequest } },
    async (request) => await recordResults(context, sender(request), request.body.results),
  );
  routes.post(
    '/v1/claimed-identities',
    {
      schema: {
        ...describeRoute('The template of whom somebody says to be', ClaimedIdentityAnswer),
        body: ClaimedIdentityRequest,
      },
    },
    async (request) => await answerClaim(context, sender(request), request.body),
  );
  routes.post(
    '/v1/enrolments',
    { schema: { ...describeRoute('Register a person and open an account', EnrolAnswer), body: EnrolRequest } },
    async (request) => await enrol(context, sender(request), request.body),
  );
  routes.post(
    '/v1/renewals',
    { schema: { ...describeRoute('A template under a newer embedder', RenewalAnswer), body: RenewalRequest } },
    async (request) => await renew(context, sender(request), request.body),
  );
  routes.post(
    '/v1/authorisations',
    { schema: { ...describeRoute('Hold money, or ask for the balance', AuthoriseAnswer), body: AuthoriseRequest } },
    async (request) => await authorise(context, sender(request), request.body),
  );
  routes.post(
    '/v1/captures',
    { schema: { ...describeRoute('Money that was held has moved', PostingAnswer), body: CaptureRequest } },
    async (request) => await capture(context, sender(request), request.body),
  );
  routes.post(
    '/v1/reversals',
    { schema: { ...describeRoute('Money that was held has not moved', PostingAnswer), body: ReversalRequest } },
    async (request) => await reverse(context, sender(request), request.body),
  );
  routes.post(
    '/v1/deposits',
    { schema: { ...describeRoute('Notes are in the machine', PostingAnswer), body: DepositRequest } },
    async (request) => await deposit(context, sender(request), request.body),
  );
  routes.post(
    '/v1/stand-ins',
    { schema: { ...describeRoute('A purchase made while the bank was away', PostingAnswer), body: StandInRequest } },
    async (request) => await standIn(context, sender(request), request.body),
  );
  routes.post(
    '/v1/payees',
    { schema: { ...describeRoute('Whom an account number belongs to', PayeeAnswer), body: PayeeRequest } },
    async (request) => await askPayee(context, sender(request), request.body),
  );
  routes.post(
    '/v1/transfers',
    { schema: { ...describeRoute('Money to a payee that was asked about', TransferAnswer), body: TransferRequest } },
    async (request) => await transfer(context, sender(request), request.body),
  );
  routes.post(
    '/v1/day-closes',
    { schema: { ...describeRoute("The close of a terminal's business day", DayCloseAnswer), body: DayCloseRequest } },
    async (request) => await recordDayClose(context, sender(request), request.body),
  );
  routes.post(
    '/v1/counts',
    { schema: { ...describeRoute('What a technician counted', PostingAnswer), body: CountRequest } },
    async (request) => await takeCount(context, sender(request), request.body),
  );
  routes.post(
    '/v1/inquiries',
    { schema: { ...describeRoute('What became of a request', InquiryAnswer), body: InquiryRequest } },
    async (request) => await inquire(context, sender(request), request.body),
  );
  routes.post(
    '/v1/erasures',
    { schema: { ...describeRoute('A person withdrew consent', ErasureAnswer), body: ErasureRequest } },
    async (request) => await eraseAtTerminal(context, sender(request), request.body),
  );
  routes.post(
    '/v1/erasure-receipts',
    { schema: { ...describeRoute('A person is forgotten here', ErasureReceiptAnswer), body: ErasureReceiptRequest } },
    async (request) => await keepErasureReceipt(context, sender(request), request.body),
  );
}

function sender(request: FastifyRequest): Terminal {
  if (request.terminal === null) throw new Error('a route without its authentication hook');
  return request.terminal;
}
