import { cacheWrites, inputTokens, type Usage } from '../../accounting/usage.ts';

/** Usage as Chat Completions shows it: `prompt_tokens` holds cached and written tokens (T40). */
export function writeUsage(usage: Usage): Record<string, unknown> {
  const prompt = inputTokens(usage);
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.output,
    total_tokens: prompt + usage.output,
    prompt_tokens_details: {
      cached_tokens: usage.read,
      cache_write_tokens: cacheWrites(usage),
      audio_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: usage.thinking ?? 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
