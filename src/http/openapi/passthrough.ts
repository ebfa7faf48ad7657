import * as z from 'zod';
import type { PassthroughMetadata } from '../../core/metadata.ts';
import type { Content, RouteDescription, RouteGroup } from './description.ts';
import { BUDGET_ERRORS, KEY_ERRORS } from './errors.ts';
import { STEP_HEADERS } from './parameters.ts';
import { RESERVED } from './steps.ts';

/** Of the headers of a step, those that say something where nothing is routed. */
const HEADERS = STEP_HEADERS.filter(({ name }) => !/(Max-Tier|History)$/.test(name));

const EVENTS: Content = {
  type: 'text/event-stream',
  text: "The provider's events as they come. An error ends them with its object.",
};

/** The endpoints that pass through. What is OpenAI's stays loose: bodies and answers go on as they are. */
export function passthroughRoutes(): RouteGroup {
  const usd = z
    .number()
    .nullable()
    .meta({ description: 'USD; null where the price or the usage is not known.' });
  const none = z.null().meta({ description: 'Nothing is routed, so nothing is compared.' });
  const fluxcompute = z.strictObject({
    request_id: z.uuid(),
    passthrough: z.literal(true),
    reason: z.literal('pinned'),
    tier: z.null(),
    provider: z.string(),
    model_selected: z.string().nullable().meta({ description: 'As the answer names it.' }),
    cost_usd: usd,
    baseline_model: none,
    baseline_cost_usd: none,
    savings_usd: none,
    savings_pct: none,
    overhead_ms: z.number(),
    session_id: z.string(),
    price_book: z.string(),
    simulated: z.boolean(),
    reserved_usd: z.number().exactOptional().meta({ description: RESERVED }),
  }) satisfies z.ZodType<PassthroughMetadata>;
  const model = z.string().meta({ description: 'A model of OpenAI, or `provider/model`.' });
  const words = z.union([z.string(), z.array(z.unknown())]);
  const file = z.string().meta({ format: 'binary' });
  const answer = z.looseObject({ fluxcompute: fluxcompute.optional() });
  return {
    name: 'pass-through',
    about:
      "OpenAI's endpoints that keep nothing and hold no conversation: sent on as they come, logged and priced.",
    sent: {
      EmbeddingRequest: z.looseObject({ model, input: words }),
      ModerationRequest: z.looseObject({ model: model.optional(), input: words }),
      ImageRequest: z.looseObject({ model: model.optional(), prompt: z.string() }),
      SpeechRequest: z.looseObject({ model, input: z.string(), voice: z.unknown() }),
      AudioForm: z.looseObject({ model, file }),
      CompletionRequest: z.looseObject({ model, prompt: words.optional() }),
    },
    given: { PassthroughMetadata: fluxcompute, PassthroughAnswer: answer },
    routes: [
      route('POST /v1/embeddings', 'createEmbedding', 'Embeddings', {
        shape: 'EmbeddingRequest',
        examples: {
          text: { value: { model: 'text-embedding-3-small', input: 'What is the capital of France?' } },
        },
      }),
      route('POST /v1/moderations', 'createModeration', 'Moderations', {
        shape: 'ModerationRequest',
        examples: { text: { value: { input: 'What is the capital of France?' } } },
      }),
      route(
        'POST /v1/images/generations',
        'createImage',
        'Images out of words',
        { shape: 'ImageRequest', examples: { cat: { value: { model: 'gpt-image-1', prompt: 'a cat' } } } },
        [EVENTS],
      ),
      route(
        'POST /v1/audio/speech',
        'createSpeech',
        'Speech out of words',
        {
          shape: 'SpeechRequest',
          examples: { hello: { value: { model: 'gpt-4o-mini-tts', input: 'hello', voice: 'alloy' } } },
        },
        [{ type: 'audio/mpeg', text: 'The sound, in the format that was asked for.' }, EVENTS],
      ),
      ...(['transcriptions', 'translations'] as const).map((name) =>
        route(
          `POST /v1/audio/${name}`,
          name === 'transcriptions' ? 'createTranscription' : 'createTranslation',
          name === 'transcriptions' ? 'Words out of speech' : 'English words out of speech',
          { type: 'multipart/form-data', shape: 'AudioForm' },
          [{ type: 'text/plain', text: 'Where the form asks for text.' }],
        ),
      ),
      route(
        'POST /v1/completions',
        'createCompletion',
        "OpenAI's older completions, streamed or not",
        {
          shape: 'CompletionRequest',
          examples: { hello: { value: { model: 'gpt-3.5-turbo-instruct', prompt: 'Say hello' } } },
        },
        [EVENTS],
      ),
    ],
  };
}

function route(
  path: string,
  operationId: string,
  summary: string,
  body: Content,
  others: readonly Content[] = [],
): RouteDescription {
  const isForm = body.type !== undefined;
  return {
    route: path,
    operationId,
    summary,
    about:
      'Goes to the provider that `model` names, else to one with a price for it, else to OpenAI, else to the first that ' +
      "speaks OpenAI's API. The body is sent on as it is, less that provider's name.",
    scope: 'infer',
    parameters: HEADERS,
    body,
    answer: {
      status: 200,
      about: "The provider's answer; a JSON object has `fluxcompute` besides.",
      headers: [
        ...['x-fluxcompute-model', 'x-fluxcompute-tier', 'x-fluxcompute-reason'],
        'x-fluxcompute-session',
      ],
      content: [...(path.endsWith('/speech') ? [] : [{ shape: 'PassthroughAnswer' }]), ...others],
    },
    errors: [
      ...KEY_ERRORS,
      ...BUDGET_ERRORS,
      isForm ? 'invalid_form' : 'invalid_json',
      ...(['request_too_large', 'rate_limit_exceeded', 'no_openai_provider'] as const),
    ],
    otherErrors: "A provider's own 400, 404, 413, 422, 429 or 5xx; 502 to 504 in our words, as for a step.",
  };
}
