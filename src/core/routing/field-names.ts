import type { Wire } from './catalog-model.ts';

/** What is called otherwise on a wire than in Chat Completions, by whose names plans and adaptations know fields. */
const NAMES: Readonly<Record<Wire, Readonly<Record<string, string>>>> = {
  'openai-chat': {},
  'openai-responses': {
    messages: 'input',
    'messages.thinking': 'input.reasoning',
    'messages.name': 'input.name',
    'messages.is_error': 'input.is_error',
    max_tokens: 'max_output_tokens',
    response_format: 'text.format',
    reasoning_effort: 'reasoning.effort',
    verbosity: 'text.verbosity',
    logprobs: 'top_logprobs',
    cache_control: 'prompt_cache_breakpoint',
  },
  'anthropic-messages': {
    response_format: 'output_config.format',
    reasoning_effort: 'output_config.effort',
    stop: 'stop_sequences',
    'tools.parameters': 'tools.input_schema',
    'messages.tool_calls.function.arguments': 'messages.content.input',
    'messages.is_error': 'messages.content.is_error',
    'messages.tool.image': 'messages.content',
    prompt_cache_options: 'cache_control',
  },
};

/** A field of Chat Completions as clients of a wire call it. */
export function fieldOn(wire: Wire, field: string): string {
  return NAMES[wire][field] ?? field;
}
