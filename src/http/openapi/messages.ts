import * as z from 'zod';
import { countRequest, messagesRequest } from '../../core/dialects/anthropic-messages/request-schema.ts';
import type { RouteGroup } from './description.ts';
import { BUDGET_ERRORS, HISTORY_ERRORS, KEY_ERRORS } from './errors.ts';
import { MESSAGE, MESSAGE_STREAM } from './messages-examples.ts';
import { STEP_HEADERS } from './parameters.ts';
import type { metadataShape } from './steps.ts';

const QUESTION = {
  model: 'auto',
  max_tokens: 1000,
  messages: [{ role: 'user', content: 'What is the capital of France?' }],
};
const WITH_TOOL = {
  ...QUESTION,
  messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
  tools: [
    {
      name: 'get_weather',
      description: 'Weather of a city',
      input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  ],
};

const ANTHROPIC_BETA = {
  name: 'anthropic-beta',
  in: 'header' as const,
  description:
    'Goes up to Anthropic, and to nobody else, without those that open objects stored there. ' +
    '`anthropic-version` is read by nobody: the gateway speaks 2026-10-21.',
  schema: { type: 'string' },
};

/** /v1/messages. What is Anthropic's stays loose: its own answer comes byte for byte. */
export function messageRoutes(fluxcompute: ReturnType<typeof metadataShape>): RouteGroup {
  const usage = z.looseObject({ input_tokens: z.int(), output_tokens: z.int() });
  const errors = [
    ...KEY_ERRORS,
    ...HISTORY_ERRORS,
    ...(['no_anthropic_messages', 'invalid_json', 'model_not_found', 'request_too_large'] as const),
    ...(['rate_limit_exceeded', 'provider_auth', 'provider_quota', 'provider_timeout'] as const),
  ];
  const otherErrors =
    "Anthropic's own 400, 404, 413, 422, 429 or 5xx, as it came; another provider's in this shape.";
  return {
    name: 'messages',
    about: "Requests to a model, in Anthropic's words.",
    sent: { MessagesRequest: messagesRequest, MessageCountRequest: countRequest },
    given: {
      Message: z.looseObject({
        id: z.string(),
        type: z.literal('message'),
        role: z.literal('assistant'),
        model: z.string(),
        content: z.array(z.looseObject({ type: z.string() })),
        stop_reason: z.string().nullable(),
        usage,
        fluxcompute,
      }),
      MessageEvent: z.looseObject({ type: z.string(), fluxcompute: fluxcompute.optional() }),
      MessageTokens: z.looseObject({ input_tokens: z.int() }),
    },
    routes: [
      {
        route: 'POST /v1/messages',
        operationId: 'createMessage',
        summary: "Anthropic's Messages, streamed or not",
        about:
          '`model` is as in Chat Completions. On an Anthropic model the body goes up as it is, but for what that model ' +
          "can't take, which is told in `adapted`.",
        scope: 'infer',
        parameters: [...STEP_HEADERS, ANTHROPIC_BETA],
        body: {
          shape: 'MessagesRequest',
          examples: {
            question: { value: QUESTION },
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
            { shape: 'Message', examples: { answer: { value: MESSAGE } } },
            {
              type: 'text/event-stream',
              shape: 'MessageEvent',
              text:
                'Server-sent events, `event:` as in `type`; `fluxcompute` rides on `message_delta`. `ping` keeps a silent ' +
                'stream alive. An error ends the stream with `event: error` and without `message_stop`.',
              examples: { stream: { summary: 'its words in the middle left out', value: MESSAGE_STREAM } },
            },
          ],
        },
        errorsOf: 'anthropic',
        errors: [...errors, ...BUDGET_ERRORS, 'no_max_tokens'],
        otherErrors,
      },
      {
        route: 'POST /v1/messages/count_tokens',
        operationId: 'countMessageTokens',
        summary: 'Input tokens of a request',
        about:
          'On the model that is named, else on the top one, which `x-fluxcompute-model` names. Anthropic counts for its own; ' +
          'for others it is an estimate. No step: it costs nothing, and metrics count nothing.',
        scope: 'infer',
        parameters: [...STEP_HEADERS.filter(({ name }) => /(Session|History)$/.test(name)), ANTHROPIC_BETA],
        body: {
          shape: 'MessageCountRequest',
          examples: { question: { value: { model: QUESTION.model, messages: QUESTION.messages } } },
        },
        answer: {
          status: 200,
          about: 'How many.',
          headers: ['x-fluxcompute-model'],
          content: { shape: 'MessageTokens', examples: { counted: { value: { input_tokens: 10 } } } },
        },
        errorsOf: 'anthropic',
        errors,
        otherErrors,
      },
    ],
  };
}
