import type { Conversation } from '../../conversation.ts';
import type { Report } from '../../routing/adaptation.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { marksForOpenAi } from '../cache-breakpoints.ts';
import { documentsForOpenAi } from '../documents.ts';
import { strictForOpenAi } from '../openai-strictness.ts';
import { speakInText } from '../speaker.ts';
import { markErrors } from '../tool-errors.ts';

/** The API refuses fewer output tokens than this (OpenAI's OpenAPI file). */
export const LEAST_OUTPUT = 16;

/** A conversation as OpenAI's Responses API takes it: afterwards it can be written one to one. */
export function adaptToResponses(
  conversation: Conversation,
  model: CatalogModel,
  report: Report,
): Conversation {
  const marked = marksForOpenAi(conversation, model, report);
  const adapted = strictForOpenAi(documentsForOpenAi(marked, report), report);
  const spoken = markErrors(
    adapted.messages.map((message) => speakInText(message, report)),
    report,
  );
  // The same list where it holds the same messages: a client's own body is then left alone.
  const isSame = spoken.every((message, index) => message === adapted.messages[index]);
  const messages = isSame ? adapted.messages : spoken;
  const { maxTokens } = adapted.output;
  if (maxTokens === undefined || maxTokens >= LEAST_OUTPUT) return { ...adapted, messages };
  report({ field: 'max_tokens', action: 'clamped', from: maxTokens, to: LEAST_OUTPUT });
  return { ...adapted, messages, output: { ...adapted.output, maxTokens: LEAST_OUTPUT } };
}
