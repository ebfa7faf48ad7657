import type { Context } from 'hono';
import { OPENAI_CHAT } from '../../core/dialects/openai-chat/dialect.ts';
import { answerStep } from '../answer-step.ts';
import type { AppEnv } from '../context.ts';

/** POST /v1/chat/completions */
export function chatCompletions(c: Context<AppEnv>): Promise<Response> {
  return answerStep(c, OPENAI_CHAT);
}
