import type { Context } from 'hono';
import { ANTHROPIC_MESSAGES } from '../../core/dialects/anthropic-messages/dialect.ts';
import { OPENAI_CHAT } from '../../core/dialects/openai-chat/dialect.ts';
import { OPENAI_RESPONSES } from '../../core/dialects/openai-responses/dialect.ts';
import { answerStep } from '../answer-step.ts';
import type { AppEnv } from '../context.ts';

/** POST /v1/chat/completions */
export function chatCompletions(c: Context<AppEnv>): Promise<Response> {
  return answerStep(c, OPENAI_CHAT);
}

/** POST /v1/messages */
export function messages(c: Context<AppEnv>): Promise<Response> {
  return answerStep(c, ANTHROPIC_MESSAGES);
}

/** POST /v1/responses */
export function responses(c: Context<AppEnv>): Promise<Response> {
  return answerStep(c, OPENAI_RESPONSES);
}
