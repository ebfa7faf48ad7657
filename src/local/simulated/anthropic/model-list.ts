import type { ClaudeModel } from './models.ts';
import { CLAUDE_MODELS, claudeModel } from './models.ts';

const MAX_PAGE = 1_000;

/** `GET /v1/models`: the models that haven't retired, a page of at most `limit`. */
export function claudeModelList(now: number, limit: number) {
  const live = CLAUDE_MODELS.filter((model) => claudeModel(model.id, now) !== undefined);
  const page = live.slice(0, Math.min(limit, MAX_PAGE));
  return {
    data: page.map(modelInfo),
    has_more: page.length < live.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

/** One model as `GET /v1/models/{id}` tells it (aSDK `ModelInfo`). */
export function modelInfo(model: ClaudeModel): object {
  const supported = (yes: boolean) => ({ supported: yes });
  const hasEffort = (name: string) => supported(model.efforts.includes(name));
  const thinks = (type: ClaudeModel['thinking'][number]) => supported(model.thinking.includes(type));
  return {
    type: 'model',
    id: model.id,
    display_name: model.name,
    line: model.line,
    // One date for all: providers.md has release dates for some of them only.
    created_at: '2026-01-01T00:00:00Z',
    lifecycle: model.retires === undefined ? 'active' : 'deprecated',
    deprecated_at: null,
    retires_at: model.retires === undefined ? null : `${model.retires}T00:00:00Z`,
    max_input_tokens: model.contextWindow,
    max_tokens: model.maxOutput,
    capabilities: {
      batch: supported(true),
      citations: supported(true),
      code_execution: supported(true),
      context_management: {
        supported: false,
        clear_thinking_20251015: null,
        clear_tool_uses_20250919: null,
        compact_20260112: null,
      },
      effort: {
        supported: model.efforts.length > 0,
        low: hasEffort('low'),
        medium: hasEffort('medium'),
        high: hasEffort('high'),
        xhigh: hasEffort('xhigh'),
        max: hasEffort('max'),
      },
      image_input: supported(true),
      pdf_input: supported(true),
      server_tools: {
        supported: true,
        code_execution: supported(true),
        web_search: supported(true),
      },
      structured_outputs: supported(true),
      thinking: {
        supported: true,
        types: {
          adaptive: thinks('adaptive'),
          between_tools: thinks('between_tools'),
          disabled: thinks('disabled'),
          enabled: thinks('enabled'),
        },
      },
    },
  };
}
