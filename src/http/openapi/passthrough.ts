import * as z from 'zod';
import type { Content, RouteDescription, RouteGroup } from './description.ts';
import { BUDGET_ERRORS, KEY_ERRORS } from './errors.ts';
import { STEP_HEADERS } from './parameters.ts';
import * as examples from './passthrough-examples.ts';
import { passthroughShapes } from './passthrough-shapes.ts';

/** Of the headers of a step, those that say something where nothing is routed. */
const HEADERS = STEP_HEADERS.filter(({ name }) => !/(Max-Tier|History)$/.test(name));

/** The provider's events as they come. */
function events(shape: string, value: string): Content {
  return {
    type: 'text/event-stream',
    text: "The provider's events as they come. An error ends them with its object.",
    shape: [shape, 'Error'],
    examples: { stream: { value } },
  };
}

function json(shape: string, value: unknown): Content {
  return { shape, examples: { answer: { value } } };
}

/** The endpoints that pass through. What is OpenAI's stays loose: bodies and answers go on as they are. */
export function passthroughRoutes(): RouteGroup {
  const model = z.string().meta({ description: 'A model of OpenAI, or `provider/model`.' });
  const words = z.union([z.string(), z.array(z.unknown())]);
  const file = z.string().meta({ format: 'binary' });
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
    given: passthroughShapes(),
    routes: [
      route(
        'POST /v1/embeddings',
        'createEmbedding',
        'Embeddings',
        {
          shape: 'EmbeddingRequest',
          examples: {
            text: { value: { model: 'text-embedding-3-small', input: 'What is the capital of France?' } },
          },
        },
        [json('EmbeddingList', examples.EMBEDDINGS)],
      ),
      route(
        'POST /v1/moderations',
        'createModeration',
        'Moderations',
        {
          shape: 'ModerationRequest',
          examples: { text: { value: { input: 'What is the capital of France?' } } },
        },
        [json('ModerationList', examples.MODERATIONS)],
      ),
      route(
        'POST /v1/images/generations',
        'createImage',
        'Images out of words',
        { shape: 'ImageRequest', examples: { cat: { value: { model: 'gpt-image-1', prompt: 'a cat' } } } },
        [json('ImageList', examples.IMAGES), events('ImageEvent', examples.IMAGE_EVENTS)],
      ),
      route(
        'POST /v1/audio/speech',
        'createSpeech',
        'Speech out of words',
        {
          shape: 'SpeechRequest',
          examples: { hello: { value: { model: 'gpt-4o-mini-tts', input: 'hello', voice: 'alloy' } } },
        },
        [
          { type: 'audio/mpeg', text: 'The sound, in the format that was asked for.' },
          events('SpeechEvent', examples.SPEECH_EVENTS),
        ],
      ),
      ...(['transcriptions', 'translations'] as const).map((name) =>
        route(
          `POST /v1/audio/${name}`,
          name === 'transcriptions' ? 'createTranscription' : 'createTranslation',
          name === 'transcriptions' ? 'Words out of speech' : 'English words out of speech',
          { type: 'multipart/form-data', shape: 'AudioForm' },
          [
            json('Transcript', examples.TRANSCRIPT),
            { type: 'text/plain', text: 'Where the form asks for text.' },
            // Whisper's translations have no stream.
            ...(name === 'transcriptions' ? [events('TranscriptEvent', examples.TRANSCRIPT_EVENTS)] : []),
          ],
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
        [json('Completion', examples.COMPLETION), events('CompletionChunk', examples.COMPLETION_STREAM)],
      ),
    ],
  };
}

function route(
  path: string,
  operationId: string,
  summary: string,
  body: Content,
  content: readonly Content[],
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
      content,
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
