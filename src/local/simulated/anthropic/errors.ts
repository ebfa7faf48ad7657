import { freshId } from '../digest.ts';
import type { ErrorWire } from '../exchange.ts';
import type { Refusal } from '../refusal.ts';
import type { Path, ShapeProblem } from '../shape-problem.ts';
import { valueAt } from '../shape-problem.ts';

// providers.md §3, Answers: statuses and their types.
const TYPES: Record<number, [type: string, message: string]> = {
  400: ['invalid_request_error', 'Error'],
  401: ['authentication_error', 'invalid x-api-key'],
  402: ['billing_error', 'Your credit balance is too low to access the API.'],
  403: ['permission_error', 'Your API key does not have permission to use the specified resource.'],
  404: ['not_found_error', 'Not found'],
  409: ['conflict_error', 'The request conflicts with the current state of the resource.'],
  413: ['request_too_large', 'Request exceeds the maximum size'],
  429: ['rate_limit_error', "This request would exceed your account's rate limit. Please try again later."],
  500: ['api_error', 'Internal server error'],
  504: ['timeout_error', 'Request timed out'],
  529: ['overloaded_error', 'Overloaded'],
};

/** Anthropic's errors: `{type: "error", error: {type, message}, request_id}`. */
export function anthropicErrors(requestId: string): ErrorWire {
  const body = (refusal: Refusal) => ({
    type: 'error',
    error: { type: refusal.code ?? typeOf(refusal.status), message: refusal.message },
    request_id: requestId,
  });
  return {
    body,
    frame: (refusal) => ({ event: 'error', data: body(refusal) }),
    usual: (status) => ({ status, message: TYPES[status]?.[1] ?? 'Error', code: typeOf(status) }),
  };
}

function typeOf(status: number): string {
  return TYPES[status]?.[0] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}

/** Headers of every answer; `limits` are constant, since the simulator has no rate limit of its own. */
export function anthropicHeaders(now: number): Record<string, string> {
  const reset = new Date(now + 60_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const limits = { requests: 4_000, tokens: 2_400_000, 'input-tokens': 2_000_000, 'output-tokens': 400_000 };
  const headers: Record<string, string> = {
    'request-id': freshId('req_sim'),
    'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
    'anthropic-workspace-id': 'wrkspc_simulated',
  };
  for (const [name, limit] of Object.entries(limits)) {
    headers[`anthropic-ratelimit-${name}-limit`] = String(limit);
    headers[`anthropic-ratelimit-${name}-remaining`] = String(limit - 1);
    headers[`anthropic-ratelimit-${name}-reset`] = reset;
  }
  return headers;
}

/** A shape problem in the words of Anthropic's validator, e.g. `messages.0.content.0.text.foo: Extra inputs are not permitted`. */
export function shapeMessage(problem: ShapeProblem, body: unknown): string {
  const where = pathOf(problem.path, body);
  const at = where === '' ? '' : `${where}: `;
  switch (problem.kind) {
    case 'unknown':
      return `${at}Extra inputs are not permitted`;
    case 'missing':
      return `${at}Field required`;
    case 'type':
      return `${at}Input should be a valid ${NAMES[problem.expected] ?? problem.expected}`;
    case 'value':
      return problem.values.length === 0
        ? `${at}Input tag '${String(problem.received)}' does not match any of the expected tags`
        : `${at}Input should be ${problem.values.map((value) => `'${value}'`).join(' or ')}`;
    case 'pattern':
      return `${at}String should match pattern '${problem.pattern}'`;
    case 'limit':
      return `${at}${limitMessage(problem)}`;
  }
}

const NAMES: Record<string, string> = {
  object: 'dictionary',
  record: 'dictionary',
  array: 'list',
  'string or array': 'string or list',
  int: 'integer',
};

function limitMessage(problem: Extract<ShapeProblem, { kind: 'limit' }>): string {
  const { of, bound, limit } = problem;
  if (of === 'string') {
    return `String should have at ${bound === 'max' ? 'most' : 'least'} ${limit} character${limit === 1 ? '' : 's'}`;
  }
  if (of === 'array') return `List should have at ${bound === 'max' ? 'most' : 'least'} ${limit} items`;
  return `Input should be ${bound === 'max' ? 'less' : 'greater'} than or equal to ${limit}`;
}

/** Fields whose value is one of several shapes: the validator names the shape after them. */
const TAGGED = new Set(['cache_control', 'thinking', 'tool_choice', 'source']);

function pathOf(path: Path, body: unknown): string {
  const steps: string[] = [];
  path.forEach((key, index) => {
    steps.push(String(key));
    if (index === path.length - 1) return;
    const above = path[index - 1];
    const tagged =
      TAGGED.has(String(key)) || (typeof key === 'number' && (above === 'content' || above === 'tools'));
    if (!tagged) return;
    const tag = valueAt(body, [...path.slice(0, index + 1), 'type']);
    // A tool without a type is a custom one.
    if (typeof tag === 'string') steps.push(tag);
    else if (above === 'tools') steps.push('custom');
  });
  return steps.join('.');
}
