import { z } from 'zod';

/** Marks the exact end of a reusable prefix (GPT-5.6 and later; oSDK). */
export const breakpoint = z.strictObject({
  mode: z.literal('explicit'),
  ttl: z.enum(['30m', '12h']).optional(),
});
export type Breakpoint = z.infer<typeof breakpoint>;
export const breakable = { prompt_cache_breakpoint: breakpoint.nullish() };

/** A text part is at most 10,485,760 characters (oYAML). */
export const partText = z.string().max(10_485_760);

/** `[a-zA-Z0-9_-]{1,64}` (oYAML). */
export const functionName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-zA-Z0-9_-]+$/);

/** What is said of a function in either API; the schema itself is looked at by rules-schema.ts. */
export const functionFields = {
  name: functionName,
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
};

export const jsonSchemaFormat = {
  name: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[a-zA-Z0-9_-]+$/),
  description: z.string().nullish(),
  schema: z.record(z.string(), z.unknown()),
  strict: z.boolean().nullish(),
};

export const effort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);

/** Top-level fields both APIs share. `metadata`: 16 pairs, keys ≤ 64, values ≤ 512 (oYAML). */
export const sharedFields = {
  model: z.string(),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((pairs) => Object.keys(pairs).length <= 16)
    .nullish(),
  moderation: z.unknown().optional(),
  parallel_tool_calls: z.boolean().nullish(),
  prompt_cache_key: z.string().max(64).nullish(),
  prompt_cache_retention: z.enum(['in_memory', '24h']).nullish(),
  // 64 by oYAML, 128 by oSDK: the stricter one.
  safety_identifier: z.string().max(64).nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  user: z.string().nullish(),
};
