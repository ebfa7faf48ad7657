import * as z from 'zod';
import type { PassthroughMetadata } from '../../core/metadata.ts';
import { RESERVED } from './steps.ts';

/*
 * Answers of OpenAI's endpoints that keep nothing, as its own library (openai 7.57.0, `resources/`) has them. They go
 * on as they come, so each is loose: what it always has is asked for, what it may leave out is optional, and what is
 * newer than this file survives.
 */

/** By the names that the description has for them. */
export function passthroughShapes() {
  const usd = z
    .number()
    .nullable()
    .meta({ description: 'USD; null where the price or the usage is not known.' });
  const none = z.null().meta({ description: 'Nothing is routed, so nothing is compared.' });
  const PassthroughMetadata = z.strictObject({
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
  const fluxcompute = PassthroughMetadata.optional();
  const tokens = z.int().min(0);
  const seconds = z.number();

  const EmbeddingList = z.looseObject({
    object: z.literal('list'),
    data: z.array(
      z.looseObject({
        object: z.literal('embedding'),
        index: z.int(),
        embedding: z
          .union([z.array(z.number()), z.string()])
          .meta({ description: 'Numbers, or with `encoding_format: base64` their bytes.' }),
      }),
    ),
    model: z.string(),
    usage: z.looseObject({ prompt_tokens: tokens, total_tokens: tokens }).optional(),
    fluxcompute,
  });
  const ModerationList = z.looseObject({
    id: z.string(),
    model: z.string(),
    results: z.array(
      z.looseObject({
        flagged: z.boolean(),
        categories: z.record(z.string(), z.boolean().nullable()),
        category_scores: z.record(z.string(), z.number().nullable()),
        category_applied_input_types: z.record(z.string(), z.array(z.string()).nullable()).optional(),
      }),
    ),
    fluxcompute,
  });
  const madeOf = {
    background: z.string().optional(),
    output_format: z.string().optional(),
    quality: z.string().optional(),
    size: z.string().optional(),
  };
  const imageUsage = z.looseObject({
    input_tokens: tokens,
    output_tokens: tokens,
    total_tokens: tokens,
    input_tokens_details: z.looseObject({ image_tokens: tokens, text_tokens: tokens }).optional(),
  });
  const ImageList = z.looseObject({
    created: z.int(),
    data: z
      .array(
        z.looseObject({
          b64_json: z.string().optional(),
          url: z.string().optional(),
          revised_prompt: z.string().optional(),
        }),
      )
      .optional(),
    ...madeOf,
    usage: imageUsage.optional(),
    fluxcompute,
  });
  const ImageEvent = z.looseObject({
    type: z.enum(['image_generation.partial_image', 'image_generation.completed']),
    b64_json: z.string(),
    created_at: z.int(),
    partial_image_index: z.int().optional(),
    ...madeOf,
    usage: imageUsage.optional(),
  });
  const SpeechEvent = z.looseObject({
    type: z.enum(['speech.audio.delta', 'speech.audio.done']),
    audio: z.string().optional().meta({ description: 'Base64, in each `speech.audio.delta`.' }),
    usage: z.looseObject({ input_tokens: tokens, output_tokens: tokens, total_tokens: tokens }).optional(),
  });
  const transcriptUsage = z.union([
    z.looseObject({ type: z.literal('duration'), seconds }),
    z.looseObject({
      ...{ type: z.literal('tokens'), input_tokens: tokens, output_tokens: tokens, total_tokens: tokens },
      input_token_details: z
        .looseObject({ audio_tokens: tokens.optional(), text_tokens: tokens.optional() })
        .optional(),
    }),
  ]);
  const Transcript = z.looseObject({
    text: z.string(),
    task: z.string().optional(),
    language: z.string().optional(),
    duration: seconds.optional(),
    segments: z.array(z.looseObject({ text: z.string() })).optional(),
    words: z.array(z.looseObject({ word: z.string(), start: seconds, end: seconds })).optional(),
    logprobs: z.array(z.looseObject({})).optional(),
    usage: transcriptUsage.optional(),
    fluxcompute,
  });
  const TranscriptEvent = z.looseObject({
    type: z.enum(['transcript.text.delta', 'transcript.text.segment', 'transcript.text.done']),
    delta: z.string().optional(),
    text: z.string().optional(),
    logprobs: z.array(z.looseObject({})).optional(),
    usage: transcriptUsage.optional(),
  });
  const completion = {
    id: z.string(),
    object: z.literal('text_completion'),
    created: z.int(),
    model: z.string(),
    system_fingerprint: z.string().optional(),
  };
  const completionUsage = z.looseObject({
    ...{ prompt_tokens: tokens, completion_tokens: tokens, total_tokens: tokens },
  });
  const choice = {
    index: z.int(),
    text: z.string(),
    logprobs: z.looseObject({}).nullable().optional(),
  };
  const Completion = z.looseObject({
    ...completion,
    choices: z.array(z.looseObject({ ...choice, finish_reason: z.string() })),
    usage: completionUsage.optional(),
    fluxcompute,
  });
  const CompletionChunk = z.looseObject({
    ...completion,
    choices: z
      .array(z.looseObject({ ...choice, finish_reason: z.string().nullable() }))
      .meta({ description: 'Empty in the chunk with the usage.' }),
    usage: completionUsage.nullable().optional(),
    fluxcompute,
  });
  return {
    ...{ PassthroughMetadata, EmbeddingList, ModerationList, ImageList, ImageEvent, SpeechEvent },
    ...{ Transcript, TranscriptEvent, Completion, CompletionChunk },
  };
}
