import { isObject, type JsonObject, textAt } from '../../core/dialects/provider-json.ts';
import { providerOf, readLoggedAnswer, readLoggedUsage } from './log-answer.ts';
import { type LogEntry, UnreadableRecord } from './log-entry.ts';
import { readLoggedRequest } from './log-request.ts';
import { timeOf, unpacked } from './log-values.ts';

/*
 * What LiteLLM writes to s3, GCS, a queue or a file: docs.litellm.ai/docs/proxy/logging_spec (StandardLoggingPayload)
 * and /docs/proxy/bucket; and rows of its spend log, which hold messages and response where store_prompts_in_spend_logs
 * is on: /docs/proxy/ui_logs.
 */

/** Calls that are steps: the others embed, transcribe, make images … */
const STEPS = /^(?:a?completion|a?text_completion|a?responses|anthropic_messages|a?create_response)$/;

export function isLiteLlm(record: JsonObject): boolean {
  return typeof record.call_type === 'string' && 'startTime' in record;
}

/** @throws UnreadableRecord */
export function readLiteLlm(record: JsonObject): LogEntry {
  const isStep = STEPS.test(textAt(record, 'call_type') ?? '');
  // A failed call took no tokens; one that LiteLLM's own cache answered reached no provider.
  if (!isStep || record.status === 'failure' || record.cache_hit === true) return { kind: 'other' };
  const body = bodyOf(record);
  const response = unpacked(record.response);
  const model = textAt(record, 'model') ?? '';
  const usage = (isObject(response) ? response.usage : undefined) ?? totals(record);
  const provider = providerOf(`${textAt(record, 'custom_llm_provider') ?? ''}/${model}`, usage);
  const cost = record.response_cost ?? record.spend;
  return {
    kind: 'request',
    id: textAt(record, 'id') ?? textAt(record, 'request_id') ?? null,
    ...readLoggedRequest(body),
    answer: readLoggedAnswer(response),
    at: timeOf(record.startTime),
    bill: {
      ...{ model, provider, usage: readLoggedUsage(usage, provider) },
      reported: typeof cost === 'number' ? cost : null,
    },
  };
}

function bodyOf(record: JsonObject): JsonObject {
  const parameters = unpacked(record.model_parameters);
  const request = unpacked(record.proxy_server_request);
  const messages = unpacked(record.messages);
  const body = { ...(isObject(request) ? request : {}), ...(isObject(parameters) ? parameters : {}) };
  if (Array.isArray(messages) || typeof messages === 'string') {
    return { ...body, messages: [messages].flat() };
  }
  if (Array.isArray(body.messages) || body.input !== undefined) return body;
  throw new UnreadableRecord('its messages were not stored (LiteLLM: store_prompts_in_spend_logs)');
}

function totals({ prompt_tokens, completion_tokens }: JsonObject): JsonObject {
  return { prompt_tokens, completion_tokens };
}
