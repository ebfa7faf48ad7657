import * as z from 'zod';
import { responsesRequest } from '../../core/dialects/openai-responses/schema.ts';
import type { RouteDescription } from './description.ts';
import { BUDGET_ERRORS, HISTORY_ERRORS, KEY_ERRORS } from './errors.ts';
import { STEP_HEADERS } from './parameters.ts';
import { RESPONSE, RESPONSE_STREAM } from './responses-examples.ts';

const ASK = { model: 'auto', input: 'What is the capital of France?' };
const WITH_TOOL = {
  model: 'auto',
  input: [{ role: 'user', content: 'What is the weather in Paris?' }],
  tools: [
    {
      type: 'function',
      name: 'get_weather',
      description: 'Weather of a city',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      strict: false,
    },
  ],
};

/** Shapes of /v1/responses. What is OpenAI's stays loose: its own answers come byte for byte. */
export function responsesShapes(fluxcompute: z.ZodType): {
  sent: Record<string, z.ZodType>;
  given: Record<string, z.ZodType>;
} {
  const response = z.looseObject({
    id: z.string(),
    object: z.literal('response'),
    created_at: z.number(),
    status: z.string(),
    model: z.string(),
    output: z.array(z.looseObject({ type: z.string() })),
    fluxcompute: fluxcompute.optional(),
  });
  return {
    sent: { ResponsesRequest: responsesRequest },
    given: {
      Response: response,
      ResponseEvent: z.looseObject({
        type: z.string(),
        sequence_number: z.int(),
        response: response.optional(),
      }),
    },
  };
}

export const RESPONSES_ROUTE: RouteDescription = {
  route: 'POST /v1/responses',
  operationId: 'createResponse',
  summary: "OpenAI's Responses, streamed or not",
  about:
    "`model` is what it is for chat completions. All other fields are OpenAI's. Unless `store` is `false`, the answer " +
    'and what came before it are kept, sealed, for 30 days: `previous_response_id` and items of type `item_reference` ' +
    'then name them, for the same customer only. `instructions` are not inherited.',
  scope: 'infer',
  parameters: STEP_HEADERS,
  body: {
    shape: 'ResponsesRequest',
    examples: {
      question: { value: ASK },
      tools: { value: WITH_TOOL },
      stream: { value: { ...ASK, stream: true } },
    },
  },
  answer: {
    status: 200,
    about: 'The answer, with `fluxcompute`: what was chosen, why, and what it cost.',
    headers: [
      ...['x-fluxcompute-model', 'x-fluxcompute-tier', 'x-fluxcompute-reason'],
      'x-fluxcompute-session',
    ],
    content: [
      { shape: 'Response', examples: { answer: { value: RESPONSE } } },
      {
        type: 'text/event-stream',
        shape: 'ResponseEvent',
        text:
          'Server-sent events, numbered from 0. `fluxcompute` rides on the `response` of the last one: ' +
          '`response.completed`, `response.incomplete`, or `response.failed`, which ends a stream that broke. Comments ' +
          'keep a silent stream alive.',
        examples: { stream: { summary: 'its events in the middle left out', value: RESPONSE_STREAM } },
      },
    ],
  },
  errors: [
    ...KEY_ERRORS,
    ...BUDGET_ERRORS,
    ...HISTORY_ERRORS,
    ...(['no_input', 'invalid_json', 'model_not_found', 'previous_response_not_found'] as const),
    ...(['request_too_large', 'rate_limit_exceeded', 'provider_auth', 'provider_quota'] as const),
    ...(['kept_answers_unavailable', 'provider_timeout', 'provider_overloaded'] as const),
  ],
  otherErrors: "A provider's own 400, 404, 413, 422, 429 or 5xx, with its status, message and code.",
};
