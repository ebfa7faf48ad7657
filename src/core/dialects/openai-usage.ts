import { type Usage, usageOf } from '../accounting/usage.ts';
import { countAt, type JsonObject, objectAt } from './provider-json.ts';

/**
 * OpenAI's usage in disjoint classes: `cached_tokens` and `cache_write_tokens` are inside the input tokens (T40).
 * `input` and `output` are the wire's prefixes: `input`/`output` (Responses), `prompt`/`completion` (Chat).
 */
export function readOpenAiUsage(usage: JsonObject, input: string, output: string): Usage {
  const details = objectAt(usage, `${input}_tokens_details`) ?? {};
  const read = countAt(details, 'cached_tokens');
  const written = countAt(details, 'cache_write_tokens');
  const write_12h = countAt(objectAt(details, 'cache_write_tokens_details') ?? {}, 'ttl_12h_tokens');
  const thinking = countAt(objectAt(usage, `${output}_tokens_details`) ?? {}, 'reasoning_tokens');
  return usageOf({
    fresh: Math.max(0, countAt(usage, `${input}_tokens`) - read - written),
    // 30 minutes is the default lifetime; Chat reports no split.
    write_30m: Math.max(0, written - write_12h),
    write_12h,
    read,
    output: countAt(usage, `${output}_tokens`),
    ...(thinking > 0 ? { thinking } : {}),
  });
}
