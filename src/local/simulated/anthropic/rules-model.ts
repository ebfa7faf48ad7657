import type { AnthropicRequest, Rule } from './accepted.ts';
import { effortInEffect, hasBeta, thinkingMode } from './accepted.ts';
import type { RequestMessage } from './request.ts';
import { blocksOf } from './request.ts';

/** Everything a model takes or refuses by itself: providers.md §2, tables of models and of refusals. */

const EFFORT_ORDER = ['low', 'medium', 'high', 'xhigh', 'max'];

// API version 2026-10-21, every model: aDoc:versioning. 2023-06-01 from Opus 4.7, Sonnet 5, Haiku 5.5, Fable on:
// ComfyUI#13923. 4.5/4.6: temperature and top_p together, open-webui/functions#9.
const sampling: Rule = ({ body, model, version }) => {
  for (const field of ['temperature', 'top_p', 'top_k'] as const) {
    if (body[field] === undefined) continue;
    if (version === '2026-10-21') return `\`${field}\` is not supported in API version 2026-10-21.`;
    if (!model.sampling) return `\`${field}\` is deprecated for this model.`;
  }
  if (body.temperature !== undefined && body.top_p !== undefined) {
    return '`temperature` and `top_p` cannot both be specified for this model. Please use only one.';
  }
  return undefined;
};

// With `thinking: enabled`: temperature 1, no top_k, top_p ≥ 0.95 (2025 docs).
const samplingWhileThinking: Rule = (request) => {
  const { body } = request;
  if (thinkingMode(request) !== 'enabled') return undefined;
  if (body.temperature !== undefined && body.temperature !== 1) {
    return '`temperature` may only be set to 1 when thinking is enabled.';
  }
  if (body.top_k !== undefined) return '`top_k` must be unset when thinking is enabled.';
  if (body.top_p !== undefined && body.top_p < 0.95) {
    return '`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.';
  }
  return undefined;
};

const thinkingType: Rule = ({ body, model }) => {
  const type = body.thinking?.type;
  if (type === undefined || model.thinking.includes(type)) return undefined;
  if (type === 'adaptive') return 'adaptive thinking is not supported on this model';
  if (type === 'enabled') {
    return '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.';
  }
  if (type === 'disabled' && model.thinking.includes('between_tools')) {
    return '"thinking.type.disabled" is not supported for this model. Use "thinking.type.between_tools" to think only between tool calls.';
  }
  return `"thinking.type.${type}" is not supported for this model.`;
};

// Opus 5: `disabled` only at effort ≤ high. Sonnet 5.5: `between_tools` with xhigh/max is a 400.
const quietThinkingNeedsLowEffort: Rule = (request) => {
  const mode = thinkingMode(request);
  const limit = request.model.quietEffortLimit;
  if (limit === undefined || (mode !== 'disabled' && mode !== 'between_tools')) return undefined;
  const effort = effortInEffect(request);
  return EFFORT_ORDER.indexOf(effort) > EFFORT_ORDER.indexOf(limit)
    ? `"thinking.type.${mode}" is not supported with effort '${effort}'. Use effort '${limit}' or lower.`
    : undefined;
};

// Haiku 4.5, Sonnet 4.5: none; `max` below 4.6, `xhigh` below Opus 4.7 and Sonnet 5: 400.
const effort: Rule = ({ body, model }) => {
  const wanted = body.output_config?.effort;
  if (wanted == null || model.efforts.includes(wanted)) return undefined;
  if (model.efforts.length === 0) return 'This model does not support the effort parameter.';
  return `This model does not support effort level '${wanted}'. Supported levels: ${model.efforts.join(', ')}.`;
};

// whats-new pages: always a 400 on Opus 5.5, Sonnet 5.5, Fable and Mythos 5.1 (T67); elsewhere only with `enabled`.
const forcedToolChoice: Rule = (request) => {
  const type = request.body.tool_choice?.type;
  if (type !== 'any' && type !== 'tool') return undefined;
  if (request.model.forcedTool === 'never') {
    return `tool_choice: type '${type}' is not supported on this model. Use 'auto' or 'none'.`;
  }
  return thinkingMode(request) === 'enabled'
    ? 'Thinking may not be enabled when tool_choice forces tool use.'
    : undefined;
};

// From 4.6 on (not 4.5): skill model-migration, quoted in providers.md §2. A paused turn of a server tool goes back as
// it is (`pause_turn`), and is no prefill.
const prefill: Rule = ({ body, model }) =>
  body.messages.at(-1)?.role === 'assistant' && !model.prefill && !isPaused(body.messages.at(-1))
    ? 'This model does not support assistant message prefill. The conversation must end with a user message.'
    : undefined;

function isPaused(message: RequestMessage | undefined): boolean {
  const last = message === undefined ? undefined : blocksOf(message.content).at(-1);
  return last?.type === 'server_tool_use' || last?.type.endsWith('_tool_result') === true;
}

const prefillWithoutTrailingSpace: Rule = ({ body }) => {
  const last = body.messages.at(-1);
  if (last?.role !== 'assistant') return undefined;
  const block = typeof last.content === 'string' ? { type: 'text', text: last.content } : last.content.at(-1);
  return block !== undefined && 'text' in block && typeof block.text === 'string' && /\s$/.test(block.text)
    ? 'messages: final assistant content cannot end with trailing whitespace'
    : undefined;
};

const maxTokensWithinModel: Rule = ({ body, model }) =>
  (body.max_tokens ?? 0) > model.maxOutput
    ? `max_tokens: ${body.max_tokens} > ${model.maxOutput}, which is the maximum allowed number of output tokens for ${model.id}`
    : undefined;

// Every model: budget_tokens < max_tokens, unless thinking is interleaved (≤ 4.6).
const budgetBelowMaxTokens: Rule = (request) => {
  const { body, counting } = request;
  if (counting || body.thinking?.type !== 'enabled' || hasBeta(request, 'interleaved-thinking-'))
    return undefined;
  return body.thinking.budget_tokens >= (body.max_tokens ?? 0)
    ? '`max_tokens` must be greater than `thinking.budget_tokens`.'
    : undefined;
};

// aDoc:prompt-caching, pre-warm: what can't go with `max_tokens: 0`.
const prewarm: Rule = (request) => {
  const { body } = request;
  if (body.max_tokens !== 0) return undefined;
  const conflict =
    body.stream === true
      ? 'stream'
      : body.thinking?.type === 'enabled'
        ? 'thinking.type enabled'
        : body.output_config?.format != null
          ? 'output_config.format'
          : body.tool_choice?.type === 'any' || body.tool_choice?.type === 'tool'
            ? `tool_choice ${body.tool_choice.type}`
            : undefined;
  return conflict === undefined ? undefined : `max_tokens: 0 cannot be combined with ${conflict}`;
};

export const MODEL_RULES: readonly Rule[] = [
  sampling,
  samplingWhileThinking,
  thinkingType,
  effort,
  quietThinkingNeedsLowEffort,
  forcedToolChoice,
  prefill,
  prefillWithoutTrailingSpace,
  maxTokensWithinModel,
  budgetBelowMaxTokens,
  prewarm,
];

/** 400 of a prompt over the window; the prompt is counted before anything else is done with it. */
export function promptTooLong({ model }: AnthropicRequest, tokens: number): string | undefined {
  return tokens > model.contextWindow
    ? `prompt is too long: ${tokens} tokens > ${model.contextWindow} maximum`
    : undefined;
}
