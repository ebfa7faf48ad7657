import type { Wire } from './catalog-model.ts';

/** The client's own name of a field that goes by another one in Chat Completions, by which fields are known here. */
const NAMES: Readonly<Record<Wire, Readonly<Record<string, string>>>> = {
  'openai-chat': {},
  'openai-responses': {
    messages: 'input',
    response_format: 'text.format',
    logprobs: 'top_logprobs',
  },
  'anthropic-messages': { response_format: 'output_config.format' },
};

/** A field of Chat Completions as clients of a wire call it. */
export function fieldOn(wire: Wire, field: string): string {
  return NAMES[wire][field] ?? field;
}
