import { freshId } from '../digest.ts';
import type { Call, Part, Reply } from '../reply.ts';
import type { TokenUsage } from '../usage.ts';
import { inputOf } from '../usage.ts';
import { logprobsOf } from './logprobs.ts';
import type { Reasoning } from './reasoning.ts';
import { reasoningItem } from './reasoning.ts';
import type { HostedItem, ResponsesBody } from './responses-request.ts';
import { conversationOf } from './rules-inputs.ts';
import { strictComplaint } from './rules-schema.ts';
import { servedTier } from './service-tier.ts';

export type OutputPart =
  | { type: 'output_text'; text: string; annotations: unknown[]; logprobs: object[] }
  | { type: 'refusal'; refusal: string };

interface Message {
  type: 'message';
  id: string;
  role: 'assistant';
  status: 'completed' | 'incomplete';
  content: OutputPart[];
}

/** An item of an answer, whole. */
export type OutputItem =
  | Reasoning
  | Message
  | {
      type: 'function_call';
      id: string;
      call_id: string;
      name: string;
      arguments: string;
      status: 'completed';
    }
  | { type: 'custom_tool_call'; id: string; call_id: string; name: string; input: string }
  | HostedItem;

/** The items of a reply, in the order the model made them; neighbouring texts are parts of one message. */
export function outputItems(body: ResponsesBody, organisation: string, reply: Reply): OutputItem[] {
  const items: OutputItem[] = [];
  const custom = new Set((body.tools ?? []).flatMap((tool) => (tool.type === 'custom' ? [tool.name] : [])));
  const say = (part: OutputPart) => {
    const last = items.at(-1);
    if (last?.type === 'message') last.content.push(part);
    else
      items.push({
        type: 'message',
        id: freshId('msg_sim'),
        role: 'assistant',
        status: 'completed',
        content: [part],
      });
  };
  for (const part of reply.parts) {
    switch (part.type) {
      case 'thinking':
        items.push(reasoningOf(body, organisation, part));
        break;
      case 'text':
        say({
          type: 'output_text',
          text: part.text,
          annotations: part.citations ?? [],
          logprobs: wantsLogprobs(body) ? logprobsOf(part.text, body.top_logprobs ?? 0) : [],
        });
        break;
      case 'call':
        items.push(callItem(part, custom.has(part.name)));
        break;
      case 'block':
        // A script may give an item that no schema knows: it goes out as it is.
        items.push({ id: freshId('item_sim'), ...part.block } as HostedItem);
    }
  }
  if (reply.refusal !== undefined) say({ type: 'refusal', refusal: reply.refusal });
  const last = items.at(-1);
  if (last?.type === 'message' && incompleteReason(reply) !== undefined) last.status = 'incomplete';
  return items;
}

function reasoningOf(
  body: ResponsesBody,
  organisation: string,
  part: Extract<Part, { type: 'thinking' }>,
): Reasoning {
  const wantsSummary = body.reasoning?.summary != null || body.reasoning?.generate_summary != null;
  return reasoningItem(organisation, part.tokens, {
    summary: wantsSummary
      ? (part.text ?? 'Simulated reasoning: the ask was read and an answer made up.')
      : undefined,
    encrypted: body.include?.includes('reasoning.encrypted_content') === true,
  });
}

function callItem(call: Call, isCustom: boolean): OutputItem {
  const call_id = call.id ?? freshId('call_');
  const { name } = call;
  return isCustom
    ? { type: 'custom_tool_call', id: freshId('ctc_sim'), call_id, name, input: call.arguments }
    : {
        type: 'function_call',
        id: freshId('fc_sim'),
        call_id,
        name,
        arguments: call.arguments,
        status: 'completed',
      };
}

function wantsLogprobs(body: ResponsesBody): boolean {
  return body.include?.includes('message.output_text.logprobs') === true;
}

/** Cut by tokens or by a filter: `status: "incomplete"` and why. */
export function incompleteReason(reply: Reply): 'max_output_tokens' | 'content_filter' | undefined {
  if (reply.stop === 'length' || reply.stop === 'context_window') return 'max_output_tokens';
  return reply.stop === 'content_filter' ? 'content_filter' : undefined;
}

/** The response object with all it echoes of the request; the caller adds status, output and usage. */
export function responseEnvelope(
  body: ResponsesBody,
  effort: string | null,
  hasBreakpoints: boolean,
  now: number,
) {
  const conversation = conversationOf(body);
  return {
    id: freshId('resp_sim'),
    object: 'response',
    created_at: Math.floor(now / 1_000),
    access_programs: null,
    background: body.background ?? false,
    ...(conversation === undefined ? {} : { conversation: { id: conversation } }),
    error: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    metadata: body.metadata ?? {},
    model: body.model,
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    ...(hasBreakpoints
      ? {
          prompt_cache_options: {
            mode: body.prompt_cache_options?.mode ?? 'implicit',
            ttl: body.prompt_cache_options?.ttl ?? '30m',
          },
        }
      : { prompt_cache_retention: body.prompt_cache_retention ?? '24h' }),
    reasoning: { effort, summary: body.reasoning?.summary ?? null },
    safety_identifier: body.safety_identifier ?? null,
    service_tier: servedTier(body.service_tier),
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: { format: body.text?.format ?? { type: 'text' }, verbosity: body.text?.verbosity ?? 'medium' },
    tool_choice: body.tool_choice ?? 'auto',
    tools: (body.tools ?? []).map(echoedTool),
    top_logprobs: body.top_logprobs ?? 0,
    top_p: body.top_p ?? 1,
    truncation: body.truncation ?? 'disabled',
    ...(body.user == null ? {} : { user: body.user }),
  };
}

/** An omitted `strict` comes back as what it was normalised to (oDoc:function-calling). */
function echoedTool(tool: NonNullable<ResponsesBody['tools']>[number]): object {
  if (tool.type !== 'function') return tool;
  const parameters = tool.parameters ?? { type: 'object', properties: {}, additionalProperties: false };
  return {
    ...tool,
    description: tool.description ?? null,
    parameters,
    strict: tool.strict ?? strictComplaint(parameters) === undefined,
  };
}

/** `input_tokens` contains cached and written tokens (T40). */
export function responseUsage(counted: TokenUsage) {
  const input = inputOf(counted);
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: counted.read,
      cache_write_tokens: counted.write_30m + counted.write_12h,
      cache_write_tokens_details: { ttl_30m_tokens: counted.write_30m, ttl_12h_tokens: counted.write_12h },
    },
    output_tokens: counted.output,
    output_tokens_details: { reasoning_tokens: counted.thinking },
    total_tokens: input + counted.output,
  };
}
