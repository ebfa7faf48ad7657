import type { Conversation } from '../../conversation.ts';
import type { Report } from '../../routing/adaptation.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { hasCacheMarks } from '../cache-marks.ts';
import { speakInText } from '../speaker.ts';
import { markErrors } from '../tool-errors.ts';

/** The API refuses fewer output tokens than this (OpenAI's OpenAPI file). */
const LEAST_OUTPUT = 16;

/** A conversation as OpenAI's Responses API takes it: afterwards it can be written one to one. */
export function adaptToResponses(
  conversation: Conversation,
  _model: CatalogModel,
  report: Report,
): Conversation {
  if (hasCacheMarks(conversation)) report({ field: 'cache_control', action: 'dropped' });
  const messages = markErrors(
    conversation.messages.map((message) => speakInText(message, report)),
    report,
  );
  const { maxTokens } = conversation.output;
  if (maxTokens === undefined || maxTokens >= LEAST_OUTPUT) return { ...conversation, messages };
  report({ field: 'max_tokens', action: 'clamped', from: maxTokens, to: LEAST_OUTPUT });
  return { ...conversation, messages, output: { ...conversation.output, maxTokens: LEAST_OUTPUT } };
}
