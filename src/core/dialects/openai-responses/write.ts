import { type Usage, usageOf } from '../../accounting/usage.ts';
import type { Answer, StopReason } from '../../answer.ts';
import type { FluxMetadata } from '../../metadata.ts';
import type { AnswerHead } from '../client-dialect.ts';
import type { JsonObject } from '../provider-json.ts';
import { offeredTools } from './namespaces.ts';
import { createOutput, fill } from './output.ts';
import type { ResponsesRequestBody } from './schema.ts';
import { writeUsage } from './usage.ts';

/** Ids of an answer and its items end in it. */
export function answerIdOf({ requestId }: AnswerHead): string {
  return requestId.replaceAll('-', '');
}

/** A whole answer as a `response` object; its id is `resp_` and our request id. */
export function writeResponse(
  request: ResponsesRequestBody,
  head: AnswerHead,
  answer: Answer,
  metadata: FluxMetadata,
): JsonObject {
  const output = createOutput(answerIdOf(head), () => {});
  fill(output, answer.blocks, offeredTools(request));
  const ending = endingOf(
    answer.stop,
    answer.blocks.some((block) => block.type === 'refusal'),
  );
  output.close(ending.status === 'incomplete');
  return responseObject(request, head, {
    model: answer.model,
    ...ending,
    output: output.items(),
    usage: answer.usage ?? usageOf({}),
    serviceTier: answer.serviceTier,
    metadata,
  });
}

/** How a response ended, in its own words (providers.md §4). */
export function endingOf(
  stop: StopReason,
  refused: boolean,
): { status: 'completed' | 'incomplete'; incomplete: string | null } {
  if (stop === 'length') return { status: 'incomplete', incomplete: 'max_output_tokens' };
  // What the model says itself is an answer; without a word it was the provider's filter.
  if (stop === 'refusal' && !refused) return { status: 'incomplete', incomplete: 'content_filter' };
  return { status: 'completed', incomplete: null };
}

/** What a `response` object says besides the request. */
export interface ResponseState {
  model: string;
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  /** `incomplete_details.reason`. */
  incomplete?: string | null;
  error?: { code: string; message: string };
  output: readonly JsonObject[];
  usage?: Usage;
  serviceTier?: string | undefined;
  metadata?: FluxMetadata | undefined;
}

/** Tiers of service in Responses' words; Anthropic's `standard` is its `default`. Others have no word there. */
const SERVICE_TIERS: Readonly<Record<string, string>> = {
  standard: 'default',
  ...{ default: 'default', flex: 'flex', scale: 'scale', priority: 'priority', fast: 'fast' },
};

/** The `response` object with all that it repeats of the request; what has no value and may be left out is. */
export function responseObject(
  request: ResponsesRequestBody,
  head: AnswerHead,
  state: ResponseState,
): JsonObject {
  const serviceTier = SERVICE_TIERS[state.serviceTier ?? ''];
  return {
    id: `resp_${answerIdOf(head)}`,
    object: 'response',
    created_at: head.created,
    status: state.status,
    background: false,
    error: state.error ?? null,
    incomplete_details: state.incomplete == null ? null : { reason: state.incomplete },
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    model: state.model,
    output: state.output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: head.continues ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: request.reasoning?.summary ?? null },
    safety_identifier: request.safety_identifier ?? null,
    ...(serviceTier ? { service_tier: serviceTier } : {}),
    store: head.keeps === true,
    temperature: request.temperature ?? 1,
    text: {
      format: request.text?.format ?? { type: 'text' },
      verbosity: request.text?.verbosity ?? 'medium',
    },
    tool_choice: request.tool_choice ?? 'auto',
    tools: (request.tools ?? []).map(echoTool),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? 'disabled',
    ...(state.usage ? { usage: writeUsage(state.usage) } : {}),
    ...(request.user == null ? {} : { user: request.user }),
    metadata: request.metadata ?? {},
    ...(state.metadata ? { fluxcompute: state.metadata } : {}),
  };
}

/** A function as it was understood: `strict` is never made of a schema that did not ask for it. */
function echoTool(tool: NonNullable<ResponsesRequestBody['tools']>[number]): JsonObject {
  if (tool.type !== 'function') return tool;
  return { ...tool, parameters: tool.parameters ?? null, strict: tool.strict ?? false };
}
