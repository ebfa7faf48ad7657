import { cacheWrites, type Usage } from '../../accounting/usage.ts';
import type { JsonObject } from '../provider-json.ts';

/** Usage as a whole message shows it: disjoint input classes (T40), and no member ever absent (SDK 1.x types). */
export function writeUsage(usage: Usage, serviceTier?: string): JsonObject {
  return {
    ...writeDeltaUsage(usage),
    // OpenAI's lifetimes (30 minutes, 12 hours) count with the nearest of Anthropic's.
    cache_creation: {
      ephemeral_5m_input_tokens: usage.write_5m + usage.write_30m,
      ephemeral_1h_input_tokens: usage.write_1h + usage.write_12h,
    },
    service_tier: serviceTier === 'priority' ? 'priority' : 'standard',
    speed: 'standard',
    inference_geo: null,
  };
}

/** Usage as `message_delta` shows it: cumulative, of the whole answer. */
export function writeDeltaUsage(usage: Usage): JsonObject {
  return {
    input_tokens: usage.fresh,
    cache_creation_input_tokens: cacheWrites(usage),
    cache_read_input_tokens: usage.read,
    output_tokens: usage.output,
    output_tokens_details: { thinking_tokens: usage.thinking ?? 0 },
    server_tool_use: null,
  };
}
