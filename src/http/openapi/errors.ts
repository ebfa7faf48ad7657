import * as z from 'zod';
import { writeAnthropicError } from '../../core/dialects/anthropic-messages/error.ts';
import { writeOpenAIError } from '../../core/dialects/openai-error.ts';
import { FluxError } from '../../core/errors.ts';
import type { Scope } from '../../env-keys.ts';

/** An error as it was answered. */
type ErrorExample = readonly [status: number, code: string, message: string, param?: string];

/** Real answers, word for word; docs/api.md says of each code what to do. */
export const ERRORS = {
  missing_api_key: [
    401,
    'missing_api_key',
    'No API key: send `Authorization: Bearer flx_…` (or `x-api-key`).',
  ],
  invalid_api_key: [
    401,
    'invalid_api_key',
    'This API key is not known here. It must be one of the gateway (FLUX_API_KEYS, or made with POST /api/keys), not a provider key.',
  ],
  revoked_api_key: [
    401,
    'revoked_api_key',
    'This API key was revoked. Ask an admin of your gateway for a new one.',
  ],
  missing_scope: [403, 'missing_scope', "This API key lacks the scope 'SCOPE'."],
  wrong_customer: [
    403,
    'wrong_customer',
    'This API key acts on its own customer only: leave `customer` out.',
    'customer',
  ],
  no_customer: [
    400,
    'missing_required_parameter',
    'The admin key acts on all customers: say which with `?customer=`.',
    'customer',
  ],
  no_messages: [400, 'empty_array', "'messages' is empty: send at least one message.", 'messages'],
  no_anthropic_messages: [400, 'empty_array', 'messages: at least one message is required', 'messages'],
  no_max_tokens: [400, 'missing_required_parameter', 'max_tokens: Field required', 'max_tokens'],
  no_input: [
    400,
    'missing_required_parameter',
    "Missing required parameter: 'input'. Send a text, or a list of items.",
    'input',
  ],
  invalid_json: [
    400,
    'invalid_json',
    'The body is not valid JSON: send an object with `model` and `messages`.',
  ],
  invalid_form: [
    400,
    'invalid_form',
    'Send this as multipart/form-data, with `file` and `model`.',
    'content-type',
  ],
  no_object: [400, 'invalid_json', 'The body must be a JSON object.'],
  unknown_key: [
    400,
    'unknown_key',
    "There is no 'mood' here. There are: tiers, allowed_models, model_map, mode, promise, sampling_share, retention_days, tags, rules, handover, baseline_model, default_max_tokens, provider_keys.",
    'mood',
  ],
  invalid_scopes: [
    400,
    'invalid_value',
    "Invalid 'scopes': Too small: expected array to have >=1 items.",
    'scopes',
  ],
  invalid_per_minute: [
    400,
    'invalid_value',
    "Invalid 'requests_per_minute': Too small: expected number to be >=1.",
    'requests_per_minute',
  ],
  invalid_period: [
    400,
    'invalid_period',
    'period must be a number of hours or days up to 366d, such as 24h or 7d.',
    'period',
  ],
  invalid_limit: [400, 'invalid_value', 'limit must be 1–200.', 'limit'],
  invalid_version: [400, 'invalid_value', 'version must be the number of a version.', 'version'],
  model_not_found: [
    404,
    'model_not_found',
    'There is no such model here. Available: auto, auto:easy, auto:medium, auto:hard, claude-haiku-5-5, claude-sonnet-5-5, claude-opus-5-5.',
    'model',
  ],
  previous_response_not_found: [
    404,
    'previous_response_not_found',
    "Previous response with id 'resp_1' not found. Answers are kept for 30 days at most, and none that came with 'store': false. Send the whole conversation as 'input'.",
    'previous_response_id',
  ],
  unknown_session: [
    404,
    'unknown_session',
    'No such session has steps here: give an id of /api/metrics/sessions or the name your client gave it, and look whether `period`, `tag.` filters or `cursor` leave its steps out.',
    'id',
  ],
  unknown_key_id: [404, 'unknown_key_id', 'There is no such key: GET /api/keys lists their ids.', 'id'],
  unknown_limited_key: [
    404,
    'unknown_key_id',
    'There is no such key: GET /api/keys lists their ids.',
    'key_id',
  ],
  unknown_version: [
    404,
    'unknown_version',
    'There is no such version: GET /api/settings/versions lists them.',
    'version',
  ],
  unknown_page: [
    404,
    'unknown_url',
    'There is no GET /docs/other.js here: GET /openapi.json says what there is.',
  ],
  version_conflict: [
    409,
    'version_conflict',
    'These settings were changed since you read them. The version in force is 2: read them again, and repeat the edit.',
    'version',
  ],
  request_too_large: [
    413,
    'request_too_large',
    'The body is larger than 10485760 bytes. Shorten the conversation or its images, or raise FLUX_MAX_BODY_BYTES where the gateway runs.',
  ],
  settings_too_large: [
    413,
    'request_too_large',
    'The body is larger than 262144 bytes. Send less in one request.',
  ],
  rate_limit_exceeded: [
    429,
    'rate_limit_exceeded',
    'The limit of this API key is 1 requests a minute, and it is reached. Try again in 97 s; an admin can change it with PUT /api/limits.',
  ],
  budget_exceeded: [
    429,
    'budget_exceeded',
    'The budget of this API key is $0.5 a day (UTC): $0.3 is spent and $0.1 reserved by requests under way, and this one may cost $0.2. It begins anew at 2026-11-28T00:00:00.000Z; an admin can raise it with PUT /api/limits.',
  ],
  request_exceeds_budget: [
    429,
    'request_exceeds_budget',
    "The budget of this API key is $0.000001 a day (UTC), and this request alone may cost $0.2: waiting won't help. Ask for fewer `max_tokens`, shorten it, or have an admin raise the budget with PUT /api/limits.",
  ],
  unpriced_model: [
    400,
    'unpriced_model',
    "A budget applies to this key, and llama has no price, so nothing could keep the budget: give it one under `prices` of provider 'local' in FLUX_PROVIDERS (0 is a price), or name another model.",
    'model',
  ],
  budget_unavailable: [
    503,
    'budget_unavailable',
    "A budget applies to this key, and what it has left can't be told just now, so nothing was sent. Try again in a moment.",
  ],
  provider_auth: [
    502,
    'provider_auth',
    "Provider 'anthropic' refused the gateway's key (your own is fine): check ANTHROPIC_API_KEY where the gateway runs.",
  ],
  provider_quota: [
    503,
    'provider_quota',
    "The gateway's account at provider 'anthropic' is out of quota or credit: top it up, or configure another provider.",
  ],
  keys_unavailable: [
    503,
    'keys_unavailable',
    "This API key can't be checked now: the gateway's stores do not answer. Try again; the key may be fine.",
  ],
  kept_answers_unavailable: [
    503,
    'kept_answers_unavailable',
    "What was said before can't be read just now. Try again in a moment, or send the whole conversation as 'input', without previous_response_id and item references.",
    'previous_response_id',
  ],
  history_unavailable: [
    503,
    'history_unavailable',
    "What was said before can't be read just now. Try again in a moment, or send the whole conversation, without X-FluxCompute-History.",
    'X-FluxCompute-History',
  ],
  history_incomplete: [
    503,
    'history_incomplete',
    "Of this session's history something is missing: an answer could not be kept, or is being kept still. Try again in a moment; if it stays so, send the whole conversation with X-FluxCompute-History: start.",
    'X-FluxCompute-History',
  ],
  database_unavailable: [
    503,
    'database_unavailable',
    'Postgres did not answer: nothing was read or changed. See /health, and try again.',
  ],
  log_unavailable: [
    503,
    'log_unavailable',
    'The log could not be read: Postgres did not answer. See /health, and try again.',
  ],
  not_configured: [
    503,
    'not_configured',
    "The gateway is not configured. DATABASE_URL: is not set: give the Neon database's postgresql:// URL.",
  ],
  no_openai_provider: [
    503,
    'not_configured',
    "This endpoint is sent on to a provider with OpenAI's API, and none is set up here: set OPENAI_API_KEY where the gateway runs, or add a server with FLUX_PROVIDERS.",
  ],
  provider_timeout: [
    504,
    'provider_timeout',
    "Provider 'anthropic' did not answer in time. Try again; if it lasts, ask for fewer tokens or use streaming.",
  ],
  provider_overloaded: [529, 'overloaded_error', 'Overloaded'],
} as const satisfies Record<string, ErrorExample>;

export type ErrorName = keyof typeof ERRORS;

/** Whoever asks with a key may get these. */
export const KEY_ERRORS: readonly ErrorName[] = [
  'missing_api_key',
  'invalid_api_key',
  'revoked_api_key',
  'missing_scope',
  'keys_unavailable',
];

/** Whoever asks a model may get these, where a budget applies. */
export const BUDGET_ERRORS: readonly ErrorName[] = [
  'budget_exceeded',
  'request_exceeds_budget',
  'unpriced_model',
  'budget_unavailable',
];

/** Whoever goes on from a session's history may get these. */
export const HISTORY_ERRORS: readonly ErrorName[] = ['history_unavailable', 'history_incomplete'];

/** Whoever asks about a customer's data may get these besides. */
export const CUSTOMER_ERRORS: readonly ErrorName[] = ['no_customer', 'wrong_customer'];

/** The body of an error as it stands in the description of a route that wants this scope. */
export function errorBody(
  [status, code, message, param]: ErrorExample,
  scope: Scope | null,
  write: (error: FluxError) => object,
) {
  const text = message.replace('SCOPE', scope ?? '');
  return write(new FluxError(text, { status, code, ...(param === undefined ? {} : { param }) }));
}

/** Error shapes by name, and who writes errors in them. */
export const ERROR_WRITERS = { Error: writeOpenAIError, AnthropicError: writeAnthropicError };

/** The shape of an error where Anthropic's API was called. */
export function anthropicErrorShape(): z.ZodType {
  return z.strictObject({
    type: z.literal('error'),
    error: z.looseObject({
      type: z.string().meta({ description: "Anthropic's type of the status." }),
      message: z.string().meta({ description: 'What to do next, and the field at fault.' }),
      details: z
        .looseObject({ error_code: z.string().optional() })
        .nullish()
        .meta({ description: 'Stable, for programs.' }),
    }),
    request_id: z.string().nullish().meta({ description: "The provider's own, on its errors." }),
  });
}

/** The shape of every other error: OpenAI's. */
export function errorShape(): z.ZodType {
  return z.strictObject({
    error: z.strictObject({
      message: z.string().meta({ description: 'What to do next.' }),
      type: z.string().meta({ description: "OpenAI's type of the status." }),
      param: z.string().nullable().meta({ description: 'The field at fault, as a path.' }),
      code: z
        .string()
        .nullable()
        .meta({ description: 'Stable, for programs; null only where a provider says none.' }),
    }),
  });
}
