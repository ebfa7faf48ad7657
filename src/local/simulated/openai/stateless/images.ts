import { z } from 'zod';
import { countTokens } from '../../tokens.ts';
import { bad } from '../errors.ts';
import type { AcceptStateless } from './stateless-exchange.ts';
import { readStateless, statelessExchange } from './stateless-exchange.ts';

/** oSDK `ImageModel`, without the snapshots. DALL·E has its own rules. */
export const IMAGE_MODELS = [
  'gpt-image-1',
  'gpt-image-1-mini',
  'gpt-image-1.5',
  'gpt-image-2',
  'gpt-image-2.5-sunburst',
  'gpt-image-2.5-flare',
  'gpt-image-2.6-sunburst',
  'gpt-image-2.6-flare',
  'dall-e-2',
  'dall-e-3',
];

/** One grey pixel. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mOor6//DwAFgQKAcNFGYgAAAABJRU5ErkJggg==';
/** Output tokens of an image of any size and quality: what gpt-image-1 makes of 1024 × 1024 at medium. */
const IMAGE_OUTPUT_TOKENS = 1_056;

const count = z.number().int();
const body = z.strictObject({
  model: z.string().default('dall-e-2'),
  prompt: z.string().min(1).max(32_000),
  background: z.enum(['transparent', 'opaque', 'auto']).nullish(),
  complexity: z.enum(['low', 'medium', 'high']).nullish(),
  frame_count: count.nullish(),
  frame_duration_ms: count.nullish(),
  moderation: z.enum(['low', 'auto']).nullish(),
  n: count.min(1).max(10).nullish(),
  output_compression: count.min(0).max(100).nullish(),
  output_format: z.enum(['png', 'webp', 'jpeg', 'gif', 'svg']).nullish(),
  partial_images: count.min(0).max(3).nullish(),
  quality: z.enum(['low', 'medium', 'high', 'xhigh', 'max', 'auto', 'standard', 'hd']).nullish(),
  response_format: z.enum(['url', 'b64_json']).nullish(),
  safety_identifier: z.string().max(64).nullish(),
  size: z.string().nullish(),
  stream: z.boolean().nullish(),
  style: z.enum(['vivid', 'natural']).nullish(),
  svg: z.unknown().optional(),
  user: z.string().optional(),
});

/** Fields of one family that the other doesn't know (oSDK comments on `ImageGenerateParams`). */
const ONLY_GPT = [
  'background',
  'moderation',
  'output_compression',
  'output_format',
  'partial_images',
  'stream',
] as const;
const ONLY_DALLE = ['response_format', 'style'] as const;

/** `POST /v1/images/generations`: one grey pixel an image. */
export const acceptImages: AcceptStateless = (request) => {
  const read = readStateless(body, request.fields, IMAGE_MODELS);
  if ('status' in read) return read;
  const image = read.body;
  const isGpt = image.model.startsWith('gpt-');
  for (const field of isGpt ? ONLY_DALLE : ONLY_GPT) {
    if (image[field] != null) return bad(`Unknown parameter: '${field}'.`, field, 'unknown_parameter');
  }
  const n = image.n ?? 1;
  if (image.model === 'dall-e-3' && n > 1) {
    return bad(`You requested ${n} images, but dall-e-3 can only make 1 image per request.`, 'n');
  }
  const created = Math.floor(request.now / 1_000);
  const prompt = countTokens(image.prompt, 'plain');
  const usage = {
    input_tokens: prompt,
    input_tokens_details: { image_tokens: 0, text_tokens: prompt },
    output_tokens: IMAGE_OUTPUT_TOKENS * n,
    total_tokens: prompt + IMAGE_OUTPUT_TOKENS * n,
  };
  const made = {
    background: image.background === 'transparent' ? 'transparent' : 'opaque',
    output_format: image.output_format ?? 'png',
    quality: image.quality === 'auto' || image.quality == null ? 'medium' : image.quality,
    size: image.size === 'auto' || image.size == null ? '1024x1024' : image.size,
  };
  const wantsUrl = !isGpt && image.response_format !== 'b64_json';
  return statelessExchange(request, {
    api: 'openai-images',
    model: image.model,
    stream: image.stream === true,
    asked: image.prompt,
    inputTokens: prompt,
    answer: () => ({
      body: {
        created,
        data: Array.from({ length: n }, () =>
          wantsUrl
            ? { url: 'https://images.example.com/simulated.png', revised_prompt: image.prompt }
            : { b64_json: PNG },
        ),
        ...(isGpt ? { ...made, usage } : {}),
      },
      frames: [
        ...Array.from({ length: image.partial_images ?? 0 }, (_, partial_image_index) =>
          event('image_generation.partial_image', {
            ...made,
            created_at: created,
            b64_json: PNG,
            partial_image_index,
          }),
        ),
        event('image_generation.completed', { ...made, created_at: created, b64_json: PNG, usage }),
      ],
    }),
  });
};

function event(type: string, fields: object) {
  return { event: type, data: { type, ...fields } };
}
