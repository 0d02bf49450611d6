/** What was asked for cannot be evaluated: a sentence that names the file and what is wrong with it. Not a bug: no stack is shown. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}
