import type * as z from 'zod';
import { FluxError, invalidRequest } from '../../errors.ts';
import { isObject } from '../provider-json.ts';
import { deepestIssue, valueAt } from '../schema-issue.ts';

/** A body that is no request, as Anthropic says it: `messages.0.content: Field required`. Never with what was sent. */
export function shapeError(error: z.ZodError, body: unknown): FluxError {
  if (!isObject(body)) {
    return invalidRequest('The body must be a JSON object with `model`, `max_tokens` and `messages`.');
  }
  const issue = deepestIssue(error.issues);
  const path = issue.path.map(String).join('.');
  const code = issue.code === 'invalid_type' ? 'invalid_type' : 'invalid_value';
  if (valueAt(body, issue.path) === undefined && code === 'invalid_type') {
    return new FluxError(`${path}: Field required`, {
      status: 400,
      code: 'missing_required_parameter',
      param: path,
    });
  }
  if (path === 'messages' && issue.code === 'too_small') {
    return invalidRequest('messages: at least one message is required', path, 'empty_array');
  }
  return invalidRequest(`${path}: ${wordsOf(issue)}`, path, code);
}

/** As Anthropic's validator names them. */
const TYPES: Readonly<Record<string, string>> = {
  object: 'dictionary',
  record: 'dictionary',
  array: 'list',
  int: 'integer',
};

function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `Input should be a valid ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `Input should be ${issue.values.map((value) => `'${String(value)}'`).join(' or ')}`;
    case 'invalid_union':
      return issue.discriminator === 'role'
        ? "Input should be 'user', 'assistant' or 'system'"
        : 'Input tag does not match any of the expected tags';
    case 'too_small':
      return issue.origin === 'string'
        ? 'String should have at least 1 character'
        : `Input should be greater than or equal to ${issue.minimum}`;
    case 'too_big':
      return `Input should be less than or equal to ${issue.maximum}`;
    default:
      return issue.message;
  }
}
