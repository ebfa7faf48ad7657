import type * as z from 'zod';
import { type FluxError, invalidRequest } from '../errors.ts';
import { deepestIssue, valueAt } from './schema-issue.ts';

/**
 * The first problem of a body, or of a part of it, in the words of a path and never with the value that was sent.
 * @param part what was checked
 * @param at the path of the part; empty for the body itself
 */
export function fieldError(error: z.ZodError, part: unknown, at = ''): FluxError {
  const issue = deepestIssue(error.issues);
  const path = pathOf(issue.path, at);
  if (valueAt(part, issue.path) === undefined) {
    return invalidRequest(`Missing required parameter: '${path}'.`, path, 'missing_required_parameter');
  }
  return invalidRequest(
    `Invalid '${path}': ${issue.message}.`,
    path,
    issue.code === 'invalid_type' ? 'invalid_type' : 'invalid_value',
  );
}

/** As OpenAI writes a path: `messages[0].content`. @param at what stands before it */
export function pathOf(path: readonly PropertyKey[], at = ''): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    at,
  );
}
