import * as z from 'zod';
import { chatRequest } from '../../core/dialects/openai-chat/schema.ts';
import type { Escalation, FluxMetadata } from '../../core/metadata.ts';
import type { Adaptation } from '../../core/routing/adaptation.ts';
import { FAILURE_SIGNALS } from '../../core/routing/failure-signals.ts';
import { TIERS } from '../../core/routing/tier.ts';
import type { RouteGroup } from './description.ts';
import { BUDGET_ERRORS, HISTORY_ERRORS, KEY_ERRORS } from './errors.ts';
import { STEP_HEADERS } from './parameters.ts';
import { RESPONSES_ROUTE, responsesShapes } from './responses.ts';
import { COMPLETION, STREAM } from './steps-examples.ts';

export const QUESTION = {
  model: 'auto',
  messages: [{ role: 'user', content: 'What is the capital of France?' }],
};
const WITH_TOOL = {
  model: 'auto',
  messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
  tools: [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        description: 'Weather of a city',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    },
  ],
};

/** Why a model was chosen. */
export function reasonShape() {
  return z.enum([
    ...(['pinned', 'forced_tier', 'floor', 'cheapest_ahead', 'stay_warm', 'capped', 'rule'] as const),
    ...(['capability', 'portability', 'health', 'housekeeping', 'observe', 'escalated'] as const),
  ]);
}

/** What of a request was changed for its model. */
export function adaptedShape() {
  const word = z.union([z.number(), z.string()]).exactOptional();
  return z.array(
    z.strictObject({
      field: z.string(),
      action: z.enum(['dropped', 'clamped', 'translated']),
      from: word,
      to: word,
    }) satisfies z.ZodType<Adaptation>,
  );
}

/** What `reserved_usd` is, wherever it stands. */
export const RESERVED = 'What a budget holds back for it until its cost is known; absent where none applies.';

/** What of a conversation a model was shown. */
export const contextShape = {
  kept_messages: z.int(),
  left_out_messages: z.int(),
  left_out_tokens: z.int().meta({ description: 'Estimated, as the model counts them.' }),
};

/** The `fluxcompute` object. */
export function metadataShape() {
  const tier = z.enum(TIERS);
  const usd = z.number().nullable().meta({ description: 'USD; null where a price is not known.' });
  return z.strictObject({
    request_id: z.uuid(),
    difficulty_score: z.number().min(0).max(1),
    difficulty_label: tier,
    floor: tier.meta({ description: 'The lowest tier that this step was allowed.' }),
    reason: reasonShape(),
    tier: tier.nullable().meta({ description: 'Of the model that answered; null outside the tiers.' }),
    provider: z.string(),
    model_selected: z.string().meta({ description: 'The one that answered.' }),
    model_attempted: z.string().meta({ description: 'The first one tried.' }),
    baseline_model: z.string(),
    cost_usd: usd,
    baseline_cost_usd: usd,
    savings_usd: usd,
    savings_pct: z.number().nullable().meta({ description: '0–100; negative is a loss.' }),
    classification_ms: z.number().nullable(),
    overhead_ms: z.number(),
    session_id: z.string(),
    context_compression: z.number().min(0).max(1).meta({ description: 'Share of the input kept out.' }),
    context: z
      .strictObject({
        history_messages: z
          .int()
          .min(0)
          .exactOptional()
          .meta({ description: "Messages of the session's history that were put before those sent." }),
        kept_messages: contextShape.kept_messages.exactOptional(),
        left_out_messages: contextShape.left_out_messages.exactOptional(),
        left_out_tokens: contextShape.left_out_tokens.exactOptional(),
        summary: z.boolean().exactOptional().meta({ description: 'A summary of it stands in its place.' }),
      })
      .exactOptional()
      .meta({ description: 'Only where what was sent on differs from what was sent.' }),
    cache: z.strictObject({
      cache_write_tokens: z.int(),
      cache_read_tokens: z.int(),
      cache_hit: z.boolean(),
    }),
    failure_signals: z.array(z.enum(FAILURE_SIGNALS)).optional(),
    escalations: z.array(
      z.strictObject({
        from: z.string(),
        to: z.string(),
        why: z.string(),
        status: z.int().meta({ description: '0 where none came.' }),
        cost_usd: usd,
      }) satisfies z.ZodType<Escalation>,
    ),
    adapted: adaptedShape(),
    estimated: z.array(z.enum(['cost', 'baseline', 'warm'])),
    signals: z.record(z.string(), z.number()),
    profile_version: z.int(),
    basis: z.enum(['prior', 'measured', 'certified']),
    price_book: z.string(),
    simulated: z.boolean().meta({ description: 'A simulated provider answered: the money is made up.' }),
    reserved_usd: z.number().exactOptional().meta({ description: RESERVED }),
  }) satisfies z.ZodType<FluxMetadata>;
}

/** /v1/chat/completions and /v1/responses. What is OpenAI's stays loose: an OpenAI-compatible server's answer comes byte for byte. */
export function stepRoutes(fluxcompute: ReturnType<typeof metadataShape>): RouteGroup {
  const responses = responsesShapes(fluxcompute);
  const usage = z.looseObject({
    prompt_tokens: z.int(),
    completion_tokens: z.int(),
    total_tokens: z.int(),
  });
  const toolCall = z.looseObject({
    id: z.string().optional(),
    function: z.looseObject({ name: z.string().optional(), arguments: z.string().optional() }).optional(),
  });
  const text = { content: z.string().nullish(), refusal: z.string().nullish() };
  const message = z.looseObject({ role: z.string(), ...text, tool_calls: z.array(toolCall).optional() });
  const delta = message.partial();
  const head = { id: z.string(), created: z.int(), model: z.string() };
  const finish_reason = z.string().nullable();
  return {
    name: 'steps',
    about: 'Requests to a model: the thing that is routed.',
    sent: { ChatCompletionRequest: chatRequest, ...responses.sent },
    given: {
      FluxMetadata: fluxcompute,
      ...responses.given,
      ChatCompletion: z.looseObject({
        ...head,
        object: z.literal('chat.completion'),
        choices: z.array(z.looseObject({ index: z.int(), message, finish_reason })),
        usage,
        fluxcompute,
      }),
      ChatCompletionChunk: z.looseObject({
        ...head,
        object: z.literal('chat.completion.chunk'),
        choices: z.array(z.looseObject({ index: z.int(), delta, finish_reason })),
        usage: usage.nullish(),
        fluxcompute: fluxcompute.optional(),
      }),
    },
    routes: [
      {
        route: 'POST /v1/chat/completions',
        operationId: 'createChatCompletion',
        summary: "OpenAI's Chat Completions, streamed or not",
        about:
          '`model` is `auto`, a floor (`auto:easy`, `auto:medium`, `auto:hard`), or a model of `GET /v1/models`. All other ' +
          "fields are OpenAI's. What a model can't take is adapted and told in `adapted`, or a 400 that names the field.",
        scope: 'infer',
        parameters: STEP_HEADERS,
        body: {
          shape: 'ChatCompletionRequest',
          examples: {
            question: { value: QUESTION },
            floor: { summary: 'at least the medium tier', value: { ...QUESTION, model: 'auto:medium' } },
            tools: { value: WITH_TOOL },
            stream: { value: { ...QUESTION, stream: true } },
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
            { shape: 'ChatCompletion', examples: { answer: { value: COMPLETION } } },
            {
              type: 'text/event-stream',
              shape: 'ChatCompletionChunk',
              text:
                'Server-sent events. Each `data:` is a ChatCompletionChunk, the last one `[DONE]`; `fluxcompute` rides on ' +
                'the last chunk that has `choices`, or on the usage chunk where `stream_options.include_usage` asks for ' +
                'one. Comments keep a silent stream alive. An error ends the stream with its object and without `[DONE]`.',
              examples: { stream: { summary: 'its words in the middle left out', value: STREAM } },
            },
          ],
        },
        errors: [
          ...KEY_ERRORS,
          ...BUDGET_ERRORS,
          ...HISTORY_ERRORS,
          ...(['no_messages', 'invalid_json', 'model_not_found', 'request_too_large'] as const),
          ...(['rate_limit_exceeded', 'provider_auth', 'provider_quota', 'provider_timeout'] as const),
          'provider_overloaded',
        ],
        otherErrors: "A provider's own 400, 404, 413, 422, 429 or 5xx, with its status, message and code.",
      },
      RESPONSES_ROUTE,
    ],
  };
}
