import type { Conversation, Hints } from '../../conversation.ts';
import { invalidRequest } from '../../errors.ts';
import type { ClientRequest } from '../client-dialect.ts';
import { isObject } from '../provider-json.ts';
import { fieldError } from '../schema-error.ts';
import { readItems } from './input.ts';
import { createAnswerKeeper, isReference } from './kept.ts';
import { createStreamRelay, relayResponse } from './relay.ts';
import { type ResponsesRequestBody, responsesRequest } from './schema.ts';
import { createStreamWriter, KEEP_ALIVE } from './stream.ts';
import { readTools } from './tools.ts';
import { writeResponse } from './write.ts';

/** Fields read into the conversation, answered for by the gateway, or without a meaning anywhere else. */
const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  ...[
    'model',
    'input',
    'instructions',
    'previous_response_id',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
  ],
  ...['text', 'reasoning', 'max_output_tokens', 'temperature', 'top_p', 'top_logprobs', 'metadata', 'store'],
  ...[
    'stream',
    'background',
    'service_tier',
    'prompt_cache_key',
    'prompt_cache_options',
    'safety_identifier',
    'user',
  ],
]);

/** Fields whose meaning no other wire has: a step that carries one can only go to a model behind Responses. */
const RESPONSES_ONLY_FIELDS: readonly string[] = ['context_management', 'moderation', 'prompt', 'image'];

/** Parts of known objects that other wires have no word for, and that the answer can do without. */
const REASONING_EXTRAS = ['summary', 'generate_summary', 'context'];

/**
 * Reads the parsed body of POST /v1/responses. What it names of earlier answers has been put in its place before
 * (kept.ts).
 * @throws FluxError 400 that names the field
 */
export function readResponsesRequest(body: unknown): ClientRequest {
  if (!isObject(body)) throw invalidRequest('The body must be a JSON object with `model` and `input`.');
  const parsed = responsesRequest.safeParse(body);
  if (!parsed.success) throw fieldError(parsed.error, body);
  const request = parsed.data;
  const partial = keepsElsewhere(body);
  // The items themselves, not the schema's copies: an edit of the body finds them by identity.
  const items = itemsOf(body.input);
  if (items.length === 0 && !partial) {
    throw invalidRequest(
      "Missing required parameter: 'input'. Send a text, or a list of items.",
      'input',
      'missing_required_parameter',
    );
  }
  const input = readItems(items, partial);
  const { tools, choice, own, spare } = readTools(request);
  const conversation: Conversation = {
    messages: request.instructions
      ? [{ role: 'system', content: [{ type: 'text', text: request.instructions }] }, ...input.messages]
      : input.messages,
    tools,
    ...(choice ? { toolChoice: choice } : {}),
    ...(typeof request.parallel_tool_calls === 'boolean'
      ? { parallelToolCalls: request.parallel_tool_calls }
      : {}),
    output: readOutput(request),
    sampling: {
      ...(request.temperature == null ? {} : { temperature: request.temperature }),
      ...(request.top_p == null ? {} : { topP: request.top_p }),
    },
    reasoning: request.reasoning?.effort ? { effort: request.reasoning.effort } : {},
    hints: {
      ...(request.prompt_cache_key ? { promptCacheKey: request.prompt_cache_key } : {}),
      ...(request.prompt_cache_options
        ? { promptCacheOptions: readCacheOptions(request.prompt_cache_options) }
        : {}),
      ...(request.service_tier ? { serviceTier: request.service_tier } : {}),
      ...(request.safety_identifier ? { safetyIdentifier: request.safety_identifier } : {}),
      ...(request.user ? { user: request.user } : {}),
    },
  };
  return {
    model: request.model,
    stream: request.stream === true,
    conversation,
    metadata: request.metadata ?? {},
    ownFields: [...input.own, ...own, ...ownFields(request)],
    ...(spare.length > 0 ? { spareFields: spare } : {}),
    unknownFields: [...extras(request), ...input.extra],
    answerWriter: (head) => {
      const keeper = createAnswerKeeper();
      return {
        whole: (answer, metadata) => {
          const response = writeResponse(request, head, answer, metadata);
          keeper.take(response);
          return response;
        },
        relayWhole: (raw, metadata) => {
          if (head.keeps) keeper.take(JSON.parse(raw));
          return relayResponse(raw, head, metadata);
        },
        stream: () => createStreamWriter(request, head, keeper),
        relay: () => createStreamRelay(request, head, keeper),
        kept: keeper.kept,
        keepAlive: KEEP_ALIVE,
      };
    },
  };
}

/** The items of an input; a text is one message of the user. */
export function itemsOf(input: unknown): readonly unknown[] {
  if (typeof input === 'string') return input === '' ? [] : [{ role: 'user', content: input }];
  return Array.isArray(input) ? input : [];
}

/** More of the conversation is kept at the provider, under the customer's own key (core/stored-objects.ts). */
function keepsElsewhere(body: Record<string, unknown>): boolean {
  return (
    body.previous_response_id != null ||
    body.conversation != null ||
    body.prompt != null ||
    itemsOf(body.input).some((item) => isObject(item) && isReference(item))
  );
}

function readOutput({ text, max_output_tokens, top_logprobs, include }: ResponsesRequestBody) {
  const format = text?.format;
  const output: Conversation['output'] = {
    stop: [],
    n: 1,
    logprobs: include?.includes(LOGPROBS) === true,
    ...(max_output_tokens == null ? {} : { maxTokens: max_output_tokens }),
    ...(top_logprobs == null ? {} : { topLogprobs: top_logprobs }),
    ...(text?.verbosity ? { verbosity: text.verbosity } : {}),
  };
  if (format?.type === 'json_object') output.format = { type: 'json_object' };
  if (format?.type === 'json_schema') {
    output.format = {
      type: 'json_schema',
      name: format.name,
      schema: format.schema,
      ...(format.description == null ? {} : { description: format.description }),
      ...(typeof format.strict === 'boolean' ? { strict: format.strict } : {}),
    };
  }
  return output;
}

const LOGPROBS = 'message.output_text.logprobs';

/** Answers of other wires have no place for logprobs, and `pro` is a product of OpenAI's. */
function ownFields(request: ResponsesRequestBody): string[] {
  return [
    ...RESPONSES_ONLY_FIELDS.filter((field) => request[field] != null),
    ...(request.include?.includes(LOGPROBS) ? ['include'] : []),
    ...((request.top_logprobs ?? 0) > 0 ? ['top_logprobs'] : []),
    ...(request.reasoning?.mode === 'pro' ? ['reasoning.mode'] : []),
    ...(request.prompt_cache_options?.prewarm === true ? ['prompt_cache_options.prewarm'] : []),
  ];
}

function readCacheOptions({
  mode,
  ttl,
}: NonNullable<ResponsesRequestBody['prompt_cache_options']>): NonNullable<Hints['promptCacheOptions']> {
  return { ...(mode == null ? {} : { mode }), ...(ttl == null ? {} : { ttl }) };
}

function extras(request: ResponsesRequestBody): string[] {
  return [
    ...Object.keys(request).filter(
      (field) =>
        !KNOWN_FIELDS.has(field) && !RESPONSES_ONLY_FIELDS.includes(field) && isMeant(field, request[field]),
    ),
    ...REASONING_EXTRAS.filter((part) => request.reasoning?.[part] != null).map(
      (part) => `reasoning.${part}`,
    ),
  ];
}

function isMeant(field: string, value: unknown): boolean {
  if (value == null) return false;
  if (field === 'include') return Array.isArray(value) && value.length > 0;
  if (field === 'truncation') return value !== 'disabled';
  // No other wire pads its deltas.
  if (field === 'stream_options') return isObject(value) && value.include_obfuscation === true;
  return true;
}
