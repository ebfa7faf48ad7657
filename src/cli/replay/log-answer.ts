import { type Usage, usageOf } from '../../core/accounting/usage.ts';
import type { Message } from '../../core/conversation.ts';
import { readUsage as readAnthropicUsage } from '../../core/dialects/anthropic-messages/answer.ts';
import { readOpenAiUsage } from '../../core/dialects/openai-usage.ts';
import { countAt, isObject, type JsonObject, objectAt } from '../../core/dialects/provider-json.ts';
import type { ProviderKind } from '../../core/routing/catalog.ts';
import { readLoggedMessages } from './log-messages.ts';

/**
 * The message in an answer of Chat Completions, Messages or Responses, or a message or text by itself; null where
 * there is none, e.g. in a stream that was logged as it came.
 */
export function readLoggedAnswer(answer: unknown): Message | null {
  if (typeof answer === 'string') {
    return answer === '' || answer.startsWith('data:') || answer.startsWith('event:')
      ? null
      : { role: 'assistant', content: [{ type: 'text', text: answer }] };
  }
  const read = readLoggedMessages(answerMessages(answer)).map(({ message }) => message);
  return read.findLast(({ role }) => role === 'assistant') ?? null;
}

function answerMessages(answer: unknown): readonly unknown[] {
  if (Array.isArray(answer)) return answer;
  if (!isObject(answer)) return [];
  const choice: unknown = Array.isArray(answer.choices) ? answer.choices[0] : undefined;
  if (isObject(choice)) return [choice.message];
  if (Array.isArray(answer.output)) return answer.output;
  return answer.role === 'assistant' || answer.type === 'message' ? [{ ...answer, role: 'assistant' }] : [];
}

/** Usage as any of the three APIs reports it; null where it is none. */
export function readLoggedUsage(usage: unknown, provider: ProviderKind): Usage | null {
  if (!isObject(usage)) return null;
  if ('prompt_tokens' in usage || 'completion_tokens' in usage) return readChatUsage(usage, provider);
  if (!('input_tokens' in usage) && !('output_tokens' in usage)) return null;
  // Only OpenAI adds it up.
  return 'total_tokens' in usage || 'input_tokens_details' in usage
    ? readOpenAiUsage(usage, 'input', 'output')
    : readAnthropicUsage(usage);
}

/** LiteLLM writes Claude's usage in OpenAI's words: cache tokens stand inside `prompt_tokens`, writes on their own. */
function readChatUsage(usage: JsonObject, provider: ProviderKind): Usage {
  const read = readOpenAiUsage(usage, 'prompt', 'completion');
  const details = objectAt(usage, 'prompt_tokens_details') ?? {};
  const written = countAt(usage, 'cache_creation_input_tokens') || countAt(details, 'cache_creation_tokens');
  if (provider !== 'anthropic' || written === 0) return read;
  return usageOf({ ...read, fresh: Math.max(0, read.fresh - written), write_5m: written });
}

/** Whose prices a model of a log has, by its name or by how its usage is written. */
export function providerOf(model: string, usage: unknown): ProviderKind {
  if (/claude|anthropic/i.test(model)) return 'anthropic';
  const isMessages = isObject(usage) && 'input_tokens' in usage && !('total_tokens' in usage);
  return isMessages && !/gpt|openai|^o\d/i.test(model) ? 'anthropic' : 'openai';
}

/** A model's own name, without the provider that a gateway puts before it: `bedrock/us.anthropic.claude-…`. */
export function bareModel(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1).replace(/^(?:[a-z]{2,6}\.)?anthropic\./, '');
}
