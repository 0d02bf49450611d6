/** Tags, security and the shape of problems, the same for every route of the bank's staff. */
import type { z } from 'zod';
import { Problem } from '../../src-contract/bank-api.ts';

export function describeAdminRoute<Answer extends z.ZodType>(summary: string, answer: Answer) {
  return {
    tags: ['admin'],
    summary,
    security: [{ adminToken: [] }],
    response: { 200: answer, '4xx': Problem, '5xx': Problem },
  };
}
