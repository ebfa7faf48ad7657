import { usageOf } from '../../accounting/usage.ts';
import type { Answer, StopReason } from '../../answer.ts';
import type { FluxMetadata } from '../../metadata.ts';
import type { AnswerHead } from '../client-dialect.ts';
import { writeUsage } from './usage.ts';

/** Chat's `finish_reason` for each way an answer can end (providers.md §5). */
export const FINISH_REASONS: Record<StopReason, string> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  refusal: 'content_filter',
};

/** Tiers of service in Chat's words; Anthropic's `standard` is its `default`. Others have no word there. */
const SERVICE_TIERS: Readonly<Record<string, string>> = {
  standard: 'default',
  default: 'default',
  flex: 'flex',
  scale: 'scale',
  priority: 'priority',
};

/** A whole answer as a `chat.completion` object; its id is `chatcmpl-` and our request id. */
export function writeCompletion(
  answer: Answer,
  head: AnswerHead,
  metadata: FluxMetadata,
): Record<string, unknown> {
  const text = answer.blocks
    .filter((block) => block.type === 'text')
    .map((block) => block.text)
    .join('');
  const refusal = answer.blocks
    .filter((block) => block.type === 'refusal')
    .map((block) => block.text)
    .join('');
  const calls = answer.blocks.filter((block) => block.type === 'tool_call');
  const serviceTier = SERVICE_TIERS[answer.serviceTier ?? ''];
  return {
    id: `chatcmpl-${head.requestId}`,
    object: 'chat.completion',
    created: head.created,
    model: answer.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text === '' && (calls.length > 0 || refusal !== '') ? null : text,
          refusal: refusal === '' ? null : refusal,
          ...(calls.length > 0
            ? {
                tool_calls: calls.map(({ id, name, arguments: given, custom }) =>
                  custom === true
                    ? { id, type: 'custom', custom: { name, input: given } }
                    : { id, type: 'function', function: { name, arguments: given } },
                ),
              }
            : {}),
        },
        logprobs: null,
        finish_reason: FINISH_REASONS[answer.stop],
      },
    ],
    usage: writeUsage(answer.usage ?? usageOf({})),
    ...(serviceTier ? { service_tier: serviceTier } : {}),
    fluxcompute: metadata,
  };
}
