import { freshId } from '../digest.ts';
import type { ErrorWire } from '../exchange.ts';
import type { Refusal } from '../refusal.ts';
import type { Path, ShapeProblem } from '../shape-problem.ts';

// providers.md §4, Errors and headers.
const USUAL: Record<number, [type: string, code: string | null, message: string]> = {
  400: ['invalid_request_error', null, 'Invalid request.'],
  401: ['invalid_request_error', 'invalid_api_key', 'Incorrect API key provided: {{key}}.'],
  403: [
    'invalid_request_error',
    'unsupported_country_region_territory',
    'Country, region, or territory not supported',
  ],
  404: [
    'invalid_request_error',
    'model_not_found',
    'The model does not exist or you do not have access to it.',
  ],
  413: ['invalid_request_error', 'request_too_large', 'Request body too large.'],
  429: ['requests', 'rate_limit_exceeded', 'Rate limit reached for requests. Please try again later.'],
  500: [
    'server_error',
    'server_error',
    'The server had an error while processing your request. Sorry about that!',
  ],
  503: ['server_error', 'overloaded', 'That model is currently overloaded with other requests.'],
};

/** OpenAI's errors: `{error: {message, type, param, code}}`; inside a stream each API has its own form. */
export function openaiErrors(api: 'chat' | 'responses'): ErrorWire {
  const error = (refusal: Refusal) => ({
    message: refusal.message,
    type: typeOf(refusal),
    param: refusal.param ?? null,
    code: refusal.code ?? null,
  });
  return {
    body: (refusal) => ({ error: error(refusal) }),
    frame: (refusal, count) =>
      api === 'chat'
        ? { data: { error: error(refusal) } }
        : {
            event: 'error',
            data: {
              type: 'error',
              code: refusal.code ?? null,
              message: refusal.message,
              param: refusal.param ?? null,
              sequence_number: count,
            },
          },
    usual: (status) => {
      const [, code, message] = USUAL[status] ?? ['', status < 500 ? null : 'server_error', 'Error'];
      return { status, code, message };
    },
  };
}

function typeOf({ status, code }: Refusal): string {
  if (code === 'insufficient_quota') return 'insufficient_quota';
  return USUAL[status]?.[0] ?? (status < 500 ? 'invalid_request_error' : 'server_error');
}

/** Headers of every answer; `limits` are constant, since the simulator has no rate limit of its own. */
export function openaiHeaders(): Record<string, string> {
  return {
    'x-request-id': freshId('req_sim'),
    'openai-processing-ms': '1',
    'openai-organization': 'org-simulated',
    'openai-version': '2020-10-01',
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-reset-requests': '6ms',
    'x-ratelimit-limit-tokens': '30000000',
    'x-ratelimit-remaining-tokens': '29999999',
    'x-ratelimit-reset-tokens': '0s',
  };
}

/** A 400 in OpenAI's words. */
export function bad(message: string, param: string | null, code: string | null = null): Refusal {
  return { status: 400, message, param, code };
}

export function unsupportedParameter(param: string): Refusal {
  return bad(
    `Unsupported parameter: '${param}' is not supported with this model.`,
    param,
    'unsupported_parameter',
  );
}

/** A shape problem as the API called puts it. */
export function shapeRefusal(problem: ShapeProblem, api: 'chat' | 'responses'): Refusal {
  const param = pathOf(problem.path);
  switch (problem.kind) {
    case 'unknown':
      return api === 'chat' && problem.path.length === 1
        ? bad(`Unrecognized request argument supplied: ${param}`, null)
        : bad(`Unknown parameter: '${param}'.`, param, 'unknown_parameter');
    case 'missing':
      return bad(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter');
    case 'type':
      return bad(
        `Invalid type for '${param}': expected ${withArticle(problem.expected)}, but got ${kindOf(problem.received)} instead.`,
        param,
        'invalid_type',
      );
    case 'value': {
      const supported =
        problem.values.length === 0
          ? ''
          : ` Supported values are: ${problem.values.map((value) => `'${value}'`).join(', ')}.`;
      return bad(`Invalid value: '${String(problem.received)}'.${supported}`, param, 'invalid_value');
    }
    case 'pattern':
      return bad(
        `Invalid '${param}': string does not match pattern. Expected a string that matches the pattern '${problem.pattern}'.`,
        param,
        'invalid_value',
      );
    case 'limit':
      return limitRefusal(problem, param);
  }
}

function limitRefusal(problem: Extract<ShapeProblem, { kind: 'limit' }>, param: string): Refusal {
  const { of, bound, limit, received } = problem;
  if (of === 'string' || of === 'array') {
    // Strings and arrays both have a length.
    const length = (received as string | unknown[]).length;
    if (of === 'array' && length === 0) {
      return bad(
        `Invalid '${param}': empty array. Expected an array with minimum length ${limit}, but got an empty array instead.`,
        param,
        'empty_array',
      );
    }
    const [word, name] = bound === 'max' ? ['long', 'maximum'] : ['short', 'minimum'];
    return bad(
      `Invalid '${param}': ${of} too ${word}. Expected ${withArticle(of)} with ${name} length ${limit}, but got ${withArticle(of)} with length ${length} instead.`,
      param,
      `${of}_${bound === 'max' ? 'above_max' : 'below_min'}_length`,
    );
  }
  const number = Number.isInteger(received) && Number.isInteger(limit) ? 'integer' : 'decimal';
  const [word, sign] = bound === 'max' ? ['above maximum', '<='] : ['below minimum', '>='];
  return bad(
    `Invalid '${param}': ${number} ${word} value. Expected a value ${sign} ${limit}, but got ${String(received)} instead.`,
    param,
    `${number}_${bound === 'max' ? 'above_max' : 'below_min'}_value`,
  );
}

function pathOf(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

function withArticle(expected: string): string {
  const name = expected === 'int' ? 'integer' : expected === 'record' ? 'object' : expected;
  return name
    .split(' or ')
    .map((one) => `${/^[aeiou]/.test(one) ? 'an' : 'a'} ${one}`)
    .join(' or ');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal';
  return withArticle(typeof value);
}
