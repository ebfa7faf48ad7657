import { writeRequest as writeMessages } from '../core/dialects/anthropic-messages/request.ts';
import {
  requestEdits,
  spliceRequest,
  writeRequest as writeChat,
} from '../core/dialects/openai-chat/request.ts';
import { writeRequest as writeResponses } from '../core/dialects/openai-responses/request.ts';
import type { Candidate } from '../core/routing/plan.ts';
import type { Prepared } from './prepare.ts';
import type { StepRequest } from './step.ts';

const WRITERS = {
  'anthropic-messages': writeMessages,
  'openai-responses': writeResponses,
  'openai-chat': writeChat,
};

/**
 * The body for a candidate, as JSON text. Where it speaks the client's own wire, the client's body with only the
 * changes made in its text: numbers, key order and fields we have never heard of stay byte for byte.
 */
export function writeWireRequest(request: StepRequest, candidate: Candidate, prepared: Prepared): string {
  const options = {
    stream: request.stream,
    modelId: candidate.name,
    ...(request.userHash === null ? {} : { userHash: request.userHash }),
  };
  const { model } = candidate;
  if (model.wire === 'openai-chat' && request.wire === 'openai-chat') {
    return spliceRequest(
      request.rawBody,
      requestEdits(request.conversation, prepared.conversation, model, options),
    );
  }
  return WRITERS[model.wire](prepared.conversation, model, options);
}
