import { z } from 'zod';
import { countTokens, IMAGE_TOKENS } from '../../tokens.ts';
import { bad } from '../errors.ts';
import type { AcceptStateless } from './stateless-exchange.ts';
import { readStateless, statelessExchange } from './stateless-exchange.ts';

/** oSDK `ModerationModel`; the `text-` ones take no images and know nothing of what is illicit. */
export const MODERATION_MODELS = [
  'omni-moderation-latest',
  'omni-moderation-2024-09-26',
  'text-moderation-latest',
  'text-moderation-stable',
];

const CATEGORIES = [
  'harassment',
  'harassment/threatening',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/instructions',
  'self-harm/intent',
  'sexual',
  'sexual/minors',
  'violence',
  'violence/graphic',
];
/** What an image is looked at for. */
const OF_IMAGES = [
  'self-harm',
  'self-harm/instructions',
  'self-harm/intent',
  'sexual',
  'violence',
  'violence/graphic',
];

const part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('image_url'), image_url: z.strictObject({ url: z.string() }) }),
]);
const body = z.strictObject({
  model: z.string().default('omni-moderation-latest'),
  input: z.union([z.string(), z.array(z.string()).min(1), z.array(part).min(1)]),
});

/** `POST /v1/moderations`: a category applies where its name stands in the text. A list of parts is one input. */
export const acceptModerations: AcceptStateless = (request) => {
  const read = readStateless(body, request.fields, MODERATION_MODELS);
  if ('status' in read) return read;
  const { model, input } = read.body;
  const list = typeof input === 'string' ? [input] : input;
  const parts = list.flatMap((one) => (typeof one === 'string' ? [] : [one]));
  const hasImage = parts.some((one) => one.type === 'image_url');
  if (parts.length > 0 && model.startsWith('text-')) {
    return bad(`Invalid type for 'input': ${model} takes texts only.`, 'input', 'invalid_type');
  }
  const texts =
    parts.length > 0
      ? [parts.flatMap((one) => (one.type === 'text' ? [one.text] : [])).join('\n')]
      : list.flatMap((one) => (typeof one === 'string' ? [one] : []));
  return statelessExchange(request, {
    api: 'openai-moderations',
    model,
    asked: texts.join('\n'),
    inputTokens:
      texts.reduce((sum, text) => sum + countTokens(text, 'plain'), 0) + (hasImage ? IMAGE_TOKENS : 0),
    answer: () => ({
      body: {
        id: 'modr-simulated',
        model: model.replace('latest', '2024-09-26'),
        results: texts.map((text) => resultOf(text, model, hasImage)),
      },
      frames: [],
    }),
  });
};

function resultOf(text: string, model: string, hasImage: boolean): object {
  const known = model.startsWith('text-')
    ? CATEGORIES.filter((name) => !name.startsWith('illicit'))
    : CATEGORIES;
  const applies = (name: string) => text.toLowerCase().includes(name.replace('/', ' '));
  const each = <Value>(value: (name: string) => Value) =>
    Object.fromEntries(known.map((name) => [name, value(name)]));
  return {
    flagged: known.some(applies),
    categories: each(applies),
    category_scores: each((name) => (applies(name) ? 0.99 : 0.000_01)),
    category_applied_input_types: each((name) =>
      hasImage && OF_IMAGES.includes(name) ? ['text', 'image'] : ['text'],
    ),
  };
}
