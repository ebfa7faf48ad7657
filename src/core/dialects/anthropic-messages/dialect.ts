import type { ClientDialect } from '../client-dialect.ts';
import { ownHeaders } from './client-headers.ts';
import { writeAnthropicError } from './error.ts';
import { MESSAGES_HISTORY } from './history.ts';
import { readCountRequest, readMessagesRequest } from './read.ts';

/** Clients of Anthropic's Messages. */
export const ANTHROPIC_MESSAGES: ClientDialect = {
  wire: 'anthropic-messages',
  read: readMessagesRequest,
  writeError: writeAnthropicError,
  ownHeaders,
  history: MESSAGES_HISTORY,
};

/** Those that only count tokens. */
export const ANTHROPIC_COUNT: ClientDialect = { ...ANTHROPIC_MESSAGES, read: readCountRequest };
