import type { ClientDialect } from '../client-dialect.ts';
import { writeOpenAIError } from '../openai-error.ts';
import { RESPONSES_KEEPING } from './kept.ts';
import { readResponsesRequest } from './read.ts';

/** What is called otherwise here than in Chat Completions, whose names plans and adaptations use. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
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
};

/** Clients of OpenAI's Responses. */
export const OPENAI_RESPONSES: ClientDialect = {
  wire: 'openai-responses',
  read: readResponsesRequest,
  writeError: writeOpenAIError,
  fieldNames: FIELD_NAMES,
  keeping: RESPONSES_KEEPING,
};
