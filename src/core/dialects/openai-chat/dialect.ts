import type { ClientDialect } from '../client-dialect.ts';
import { writeOpenAIError } from '../openai-error.ts';
import { CHAT_HISTORY } from './history.ts';
import { readChatRequest } from './read.ts';

/** Clients of OpenAI's Chat Completions. */
export const OPENAI_CHAT: ClientDialect = {
  wire: 'openai-chat',
  read: readChatRequest,
  writeError: writeOpenAIError,
  history: CHAT_HISTORY,
};
