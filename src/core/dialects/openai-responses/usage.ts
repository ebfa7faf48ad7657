import { cacheWrites, inputTokens, type Usage } from '../../accounting/usage.ts';
import type { JsonObject } from '../provider-json.ts';

/** Usage as Responses shows it: `input_tokens` holds cached and written tokens (T40). */
export function writeUsage(usage: Usage): JsonObject {
  const input = inputTokens(usage);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.read, cache_write_tokens: cacheWrites(usage) },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.thinking ?? 0 },
    total_tokens: input + usage.output,
  };
}
