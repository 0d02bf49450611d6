/** The HTTP face: schemas, problem details, one log line a request, and the OpenAPI document. */
import swagger from '@fastify/swagger';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Problem } from '../../src-contract/bank-api.ts';
import type { BankContext } from '../context.ts';
import { isUnavailable } from '../database/failures.ts';
import type { Terminal } from '../fleet/request-assertion.ts';
import { PROBLEM_STATUS, ProblemError, problem } from '../problem.ts';
import { recordIncident } from '../results/incidents.ts';
import { adminRoutes } from './admin-routes.ts';
import { terminalRoutes } from './terminal-routes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body's bytes as received; none for a GET. */
    rawBody: Uint8Array;
    /** Set once the request's assertion has been verified; null before, and on routes without one. */
    terminal: Terminal | null;
  }
}

const BODY_BYTES_MAX = 1024 * 1024;
/** Longest a client may take to send a request, ms. */
const REQUEST_TIMEOUT_MS = 15_000;

export async function createServer(context: BankContext, adminToken: string): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: context.logger as FastifyBaseLogger,
    // Its own lines would log the whole request object; see logRequest.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: () => context.chance.id(),
    forceCloseConnections: true,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.decorateRequest('rawBody');
  app.decorateRequest('terminal', null);
  app.addHook('onRequest', async (request) => {
    request.rawBody = new Uint8Array(0);
  });
  keepRawBody(app);
  app.addHook('onResponse', async (request, reply) => logRequest(request, reply));
  app.setErrorHandler(async (error, request, reply) => await answerError(context, error, request, reply));
  app.setNotFoundHandler(async (_request, reply) => {
    await send(reply, problem('not-found', 'no such path, or not with this method'));
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Kaopass bank',
        version: '1',
        description: 'The reference bank of Kaopass: terminals, enrolment, accounts, match results.',
      },
      tags: [
        { name: 'terminals', description: 'For terminals, authenticated by a signed assertion per request' },
        { name: 'admin', description: "For the bank's staff, authenticated by a bearer token" },
      ],
      components: {
        securitySchemes: {
          requestAssertion: { type: 'http', scheme: 'bearer', bearerFormat: 'JWS' },
          adminToken: { type: 'http', scheme: 'bearer' },
        },
      },
    },
    transform: jsonSchemaTransform,
  });
  const typed = app.withTypeProvider<ZodTypeProvider>();
  await typed.register(async (scope) => terminalRoutes(scope, context));
  await typed.register(async (scope) => adminRoutes(scope, context, adminToken));
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  await app.ready();
  return app;
}

/** The assertion speaks of the body's bytes, so they are kept beside what was parsed from them. */
function keepRawBody(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = body as Buffer;
    parseJson(request, body.toString('utf8'), done);
  });
}

function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  request.log.info(
    {
      method: request.method,
      // The route's pattern: a path may name a person.
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      terminalId: request.terminal?.terminalId ?? null,
    },
    'request',
  );
}

async function answerError(
  context: BankContext,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  let answer = describe(error);
  if (error instanceof ProblemError && error.incident) {
    const { evidence } = error.incident;
    const code = evidence.startsWith('PIN block') ? 'pin-block-replayed' : error.code;
    const terminalId = request.terminal?.terminalId ?? null;
    try {
      await recordIncident(context, { code, terminalId, detail: error.message, evidence });
    } catch (failure) {
      request.log.error({ err: failure }, 'an incident could not be recorded');
      answer = describe(failure);
    }
  }
  if (answer.status >= 500) request.log.error({ err: error, code: answer.code }, 'request failed');
  else request.log.warn({ code: answer.code, field: answer.field, reason: answer.detail }, 'request refused');
  await send(reply, answer);
}

async function send(reply: FastifyReply, answer: Problem): Promise<void> {
  if (answer.status === 401) void reply.header('WWW-Authenticate', 'Bearer');
  if (answer.status === 503) void reply.header('Retry-After', '2');
  await reply
    .code(answer.status)
    .type('application/problem+json')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(answer);
}

function describe(error: unknown): Problem {
  if (error instanceof ProblemError) return problem(error.code, error.message, error.field, PROBLEM_STATUS[error.code]);
  if (hasZodFastifySchemaValidationErrors(error)) return describeValidation(error.validation, error.validationContext);
  if (isUnavailable(error)) return problem('unavailable', "the bank's database cannot be reached: try again later");
  const { statusCode } = error as Partial<FastifyError>;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return problem('invalid-request', (error as Error).message, undefined, statusCode);
  }
  return problem('internal', 'the bank failed; its log has the reason under this request');
}

type ValidationIssues = Extract<FastifyError['validation'], readonly unknown[]>;

/** Names each field by its path from the body (or the query, as "query.limit"); a key too many by its own name. */
function describeValidation(issues: ValidationIssues, part = 'body'): Problem {
  const described = issues.map((issue) => {
    const keys = (issue.params as { keys?: unknown }).keys;
    const unknownKey = issue.keyword === 'unrecognized_keys' && Array.isArray(keys) ? [String(keys[0])] : [];
    const path = [...issue.instancePath.split('/').filter((step) => step !== ''), ...unknownKey];
    const field = [...(part === 'body' ? [] : [part]), ...path].join('.') || part;
    return { field, text: `${field}: ${unknownKey.length > 0 ? 'is not a known key' : issue.message}` };
  });
  return problem('invalid-request', described.map(({ text }) => text).join('; '), described[0]?.field);
}
