/**
 * Tokens of one answer in disjoint classes (T40): their sum is all that was read and written.
 * Anthropic reports `input_tokens` without cache tokens, OpenAI with them; each dialect takes its own apart.
 */
export interface Usage {
  /** Input neither read from nor written to a prompt cache. */
  fresh: number;
  /** Written with a 5-minute lifetime (Anthropic), a 1-hour one (Anthropic), 30 minutes or 12 hours (OpenAI from GPT-5.6). */
  write_5m: number;
  write_1h: number;
  write_30m: number;
  write_12h: number;
  /** Read from a prompt cache. */
  read: number;
  /** Output, thinking included. */
  output: number;
  /** Thinking tokens, already inside `output`: shown, never added. */
  thinking?: number;
}

/** The names of the disjoint classes, in the order they are shown. */
export const TOKEN_CLASSES = [
  'fresh',
  'write_5m',
  'write_1h',
  'write_30m',
  'write_12h',
  'read',
  'output',
] as const;
export type TokenClass = (typeof TOKEN_CLASSES)[number];

/** A usage with the given classes and zero in the others. */
export function usageOf(part: Partial<Usage>): Usage {
  return { fresh: 0, write_5m: 0, write_1h: 0, write_30m: 0, write_12h: 0, read: 0, output: 0, ...part };
}

/** Tokens written to any prompt cache. */
export function cacheWrites(usage: Usage): number {
  return usage.write_5m + usage.write_1h + usage.write_30m + usage.write_12h;
}

/** All input tokens: fresh, written and read. */
export function inputTokens(usage: Usage): number {
  return usage.fresh + cacheWrites(usage) + usage.read;
}

/** Both usages together, class by class. */
export function addUsage(a: Usage, b: Usage): Usage {
  const sum = usageOf({});
  for (const name of TOKEN_CLASSES) sum[name] = a[name] + b[name];
  const thinking = (a.thinking ?? 0) + (b.thinking ?? 0);
  return thinking > 0 ? { ...sum, thinking } : sum;
}
