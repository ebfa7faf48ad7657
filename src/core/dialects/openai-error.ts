import { FluxError } from '../errors.ts';
import { type JsonObject, textAt } from './provider-json.ts';

/** HTTP statuses of OpenAI's error codes and types, for errors that come inside a 200. */
const STATUSES: Record<string, number> = {
  invalid_request_error: 400,
  invalid_prompt: 400,
  context_length_exceeded: 400,
  content_policy_violation: 400,
  bio_policy: 400,
  misalignment_policy_violation: 400,
  invalid_api_key: 401,
  authentication_error: 401,
  model_not_found: 404,
  not_found_error: 404,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  tokens: 429,
  requests: 429,
  server_error: 500,
  overloaded: 503,
  slow_down: 503,
  vector_store_timeout: 504,
};

/** An error object of OpenAI (or a server like it) as the error it would have been over HTTP; without one, a 500. */
export function openAiError(error: JsonObject): FluxError {
  const code = textAt(error, 'code');
  const type = textAt(error, 'type');
  const message = textAt(error, 'message') ?? 'The provider reported an error without saying which.';
  return new FluxError(message, {
    status: statusOf(error, code, type),
    code: code ?? type ?? 'server_error',
  });
}

function statusOf(error: JsonObject, code: string | undefined, type: string | undefined): number {
  // vLLM and llama.cpp put the HTTP status into `code`.
  const number = error.code ?? error.status;
  if (typeof number === 'number' && number >= 400 && number <= 599) return number;
  const known = STATUSES[code ?? ''] ?? STATUSES[type ?? ''];
  if (known !== undefined) return known;
  return code !== undefined && /image/.test(code) ? 400 : 500;
}

/** OpenAI's `type` for a status. */
function openaiType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** An error as the body of OpenAI's wires; our own `/api` speaks it too. */
export function writeOpenAIError(error: FluxError): {
  error: { message: string; type: string; param: string | null; code: string | null };
} {
  // An OpenAI provider's own words stay its own (T69); there `code` may be null.
  const own = error.provider?.kind === 'openai' ? error.provider : null;
  return {
    error: {
      message: error.message,
      type: own?.type ?? openaiType(error.status),
      param: error.param ?? null,
      code: own ? own.code : error.code,
    },
  };
}
