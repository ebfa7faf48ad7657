import type { Ask, OfferedTool, Turn } from '../ask.ts';
import type { AnthropicRequest } from './accepted.ts';
import { effortInEffect, thinkingMode } from './accepted.ts';
import { citationOf } from './citations.ts';
import type { ContentBlock } from './request.ts';
import { blocksOf } from './request.ts';

/** Thinking tokens a simulated model spends at each effort: small, so that answers stay readable in tests. */
const THINKING_TOKENS: Record<string, number> = { low: 16, medium: 32, high: 64, xhigh: 128, max: 256 };

/** Reads a request into what scripts and the improviser look at. */
export function askOf(request: AnthropicRequest, promptTokens: number): Ask {
  const { body, model } = request;
  const choice = body.tool_choice;
  const format = body.output_config?.format;
  const last = body.messages.at(-1);
  return {
    api: 'anthropic',
    model: body.model,
    stream: body.stream === true,
    turns: turnsOf(body.messages),
    callIds: last === undefined ? [] : blocksOf(last.content).flatMap(resultId),
    tools: (body.tools ?? []).flatMap((tool): OfferedTool[] =>
      'input_schema' in tool && typeof tool.name === 'string' && !isRemoved(request, tool.name)
        ? [{ name: tool.name, description: String(tool.description ?? ''), schema: tool.input_schema }]
        : [],
    ),
    toolChoice:
      choice?.type === 'tool' ? { type: 'tool', name: choice.name } : { type: choice?.type ?? 'auto' },
    format: format == null ? { type: 'text' } : { type: 'json_schema', schema: format.schema },
    maxTokens: body.max_tokens ?? 0,
    windowLeft: model.contextWindow - promptTokens,
    stop: body.stop_sequences ?? [],
    thinkingTokens: thinks(request) ? (THINKING_TOKENS[effortInEffect(request)] ?? 0) : 0,
    tokenizer: model.tokenizer,
    citation: citationOf(request),
  };
}

/** The last word on a tool in a `system` message: whether it was taken away. */
function isRemoved({ body }: AnthropicRequest, name: string): boolean {
  const changes = body.messages.flatMap((message) =>
    blocksOf(message.content).flatMap((block) =>
      (block.type === 'tool_addition' || block.type === 'tool_removal') && block.tool.name === name
        ? [block.type]
        : [],
    ),
  );
  return changes.at(-1) === 'tool_removal';
}

/** `between_tools` thinks only after a tool result; every other mode but `disabled` always does here. */
function thinks(request: AnthropicRequest): boolean {
  const mode = thinkingMode(request);
  if (mode === 'disabled') return false;
  const last = request.body.messages.at(-1);
  return mode !== 'between_tools' || (last !== undefined && blocksOf(last.content).some(isResult));
}

function turnsOf(messages: AnthropicRequest['body']['messages']): Turn[] {
  return messages.flatMap((message): Turn[] => {
    if (message.role === 'system') return [];
    const blocks = blocksOf(message.content);
    const results = blocks.flatMap((block): Turn[] =>
      block.type === 'tool_result' ? [{ role: 'tool', text: textOfResult(block) }] : [],
    );
    const text = blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
    const calls = blocks.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, arguments: JSON.stringify(block.input) }] : [],
    );
    if (message.role === 'assistant') return [{ role: 'assistant', text, calls }];
    return text === '' && results.length > 0 ? results : [...results, { role: 'user', text }];
  });
}

function textOfResult(block: Extract<ContentBlock, { type: 'tool_result' }>): string {
  if (typeof block.content === 'string') return block.content;
  return (block.content ?? []).flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

function isResult(block: ContentBlock): boolean {
  return block.type === 'tool_result';
}

function resultId(block: ContentBlock): string[] {
  return block.type === 'tool_result' ? [block.tool_use_id] : [];
}
