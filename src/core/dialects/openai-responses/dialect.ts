import type { ClientDialect } from '../client-dialect.ts';
import { writeOpenAIError } from '../openai-error.ts';
import { RESPONSES_HISTORY } from './history.ts';
import { RESPONSES_KEEPING } from './kept.ts';
import { readResponsesRequest } from './read.ts';

/** Clients of OpenAI's Responses. */
export const OPENAI_RESPONSES: ClientDialect = {
  wire: 'openai-responses',
  read: readResponsesRequest,
  writeError: writeOpenAIError,
  keeping: RESPONSES_KEEPING,
  history: RESPONSES_HISTORY,
};
