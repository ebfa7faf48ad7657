import { digest, freshId } from '../digest.ts';
import type { Part, Reply, Stop, TextPart } from '../reply.ts';
import type { TokenUsage } from '../usage.ts';
import type { AnthropicRequest } from './accepted.ts';
import { effortInEffect, hasBeta } from './accepted.ts';
import type { CacheMissReason } from './diagnostics.ts';
import type { InputTransformation, Prompt } from './prompt.ts';
import { sealedResults } from './server-tools.ts';
import { streamOf } from './stream.ts';
import type { Signature } from './thinking.ts';
import { sign } from './thinking.ts';

// providers.md §3, Answers.
const STOP_REASONS: Record<Stop, string> = {
  end: 'end_turn',
  length: 'max_tokens',
  stop_sequence: 'stop_sequence',
  tool_calls: 'tool_use',
  refusal: 'refusal',
  content_filter: 'refusal',
  context_window: 'model_context_window_exceeded',
  pause: 'pause_turn',
};

/** A content block before it is put on the wire; a call keeps its arguments as text, to be streamed as they are. */
export type AnswerBlock =
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'redacted_thinking'; data: string }
  | { type: 'text'; said: TextPart }
  | { type: 'tool_use'; id: string; name: string; json: string }
  /** As a script gave it. */
  | { type: 'other'; block: Record<string, unknown> };

/** Everything of a `Message` but its content and usage, as SDK 1.12 types it: null where there is nothing to say. */
export interface Envelope {
  id: string;
  model: string;
  stop_reason: string;
  stop_sequence: string | null;
  stop_details: { type: 'refusal'; category: string | null; explanation: string | null } | null;
  diagnostics: { cache_miss_reason: CacheMissReason | null } | null;
  container: null;
  /** Only under the beta that asks for it. */
  input_transformations?: InputTransformation[];
}

/** Usage as a whole answer reports it: no field is ever absent. */
export type MessageUsage = ReturnType<typeof messageUsage>;

/** Puts a reply on Anthropic's wire, whole and as a stream. */
export function messageAnswer(
  request: AnthropicRequest,
  prompt: Prompt,
  reply: Reply,
  counted: TokenUsage | null,
  /** Why the cache of the message named in `diagnostics` couldn't be read on. */
  missed: CacheMissReason | null = null,
) {
  const envelope: Envelope = {
    id: freshId('msg_sim'),
    model: request.body.model,
    stop_reason: STOP_REASONS[reply.stop],
    stop_sequence: reply.stopSequence ?? null,
    stop_details:
      reply.stop === 'refusal'
        ? {
            type: 'refusal',
            category: reply.refusalCategory ?? null,
            explanation: reply.refusal ?? null,
          }
        : null,
    diagnostics: request.body.diagnostics == null ? null : { cache_miss_reason: missed },
    container: null,
    ...(hasBeta(request, 'thinking-binding-controls-')
      ? { input_transformations: prompt.transformations }
      : {}),
    ...reply.extra,
  };
  const blocks = blocksOfReply(request, prompt, reply);
  const usage = counted === null ? undefined : messageUsage(request, counted, serverToolUse(blocks));
  const body = {
    ...envelope,
    type: 'message',
    role: 'assistant',
    content: blocks.map(wholeBlock),

    usage,
  };
  return { body, frames: streamOf(envelope, blocks, usage) };
}

function blocksOfReply(request: AnthropicRequest, prompt: Prompt, reply: Reply): AnswerBlock[] {
  const thoughts = reply.parts.filter((part) => part.type === 'thinking');
  // The same answer to the same request is the same turn, with the same signatures.
  const turn = digest(prompt.prefixes.at(-1) ?? '', JSON.stringify(reply.parts));
  return reply.parts.map((part): AnswerBlock => {
    switch (part.type) {
      case 'thinking': {
        const place = { turn, index: thoughts.indexOf(part), count: thoughts.length };
        return thinkingBlock(request, prompt, part, place);
      }
      case 'text':
        return { type: 'text', said: part };
      case 'call':
        return {
          type: 'tool_use',
          id: part.id ?? freshId('toolu_'),
          name: part.name,
          json: part.arguments,
        };
      default:
        return { type: 'other', block: sealedResults(part.block) };
    }
  });
}

/** `display: "omitted"` (the default from 4.7 on) leaves the text empty; the signature carries the block. */
function thinkingBlock(
  request: AnthropicRequest,
  prompt: Prompt,
  part: Extract<Part, { type: 'thinking' }>,
  place: Pick<Signature, 'turn' | 'index' | 'count'>,
): AnswerBlock {
  const config = request.body.thinking;
  const display = config !== undefined && 'display' in config ? config.display : undefined;
  const isShown = display == null ? request.model.showsThinking : display !== 'omitted';
  const text = part.text ?? 'Simulated thinking: the ask was read and an answer made up.';
  const signature = sign({
    kind: part.redacted === true ? 'redacted_thinking' : 'thinking',
    model: request.model.id,
    organisation: request.organisation,
    prefix: prompt.prefixes.at(-1) ?? '',
    ...place,
    tokens: part.tokens,
    effort: effortInEffect(request),
    text: isShown ? digest(text) : '',
  });
  return part.redacted === true
    ? { type: 'redacted_thinking', data: signature }
    : { type: 'thinking', thinking: isShown ? text : '', signature };
}

function wholeBlock(block: AnswerBlock): object {
  switch (block.type) {
    case 'thinking':
    case 'redacted_thinking':
      return block;
    case 'text':
      return { type: 'text', text: block.said.text, citations: block.said.citations ?? null };
    case 'tool_use':
      return {
        type: 'tool_use',
        id: block.id,
        name: block.name,
        input: objectOf(block.json),
        caller: { type: 'direct' },
      };
    case 'other':
      return block.block;
  }
}

/** A whole answer always holds an object, even where a script gave the stream broken JSON. */
function objectOf(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json);
    return value !== null && typeof value === 'object' ? value : {};
  } catch {
    return {};
  }
}

/** Requests of server tools in this answer; null where there was none. */
function serverToolUse(blocks: readonly AnswerBlock[]) {
  const uses = blocks.flatMap((one) =>
    one.type === 'other' && one.block.type === 'server_tool_use' ? [one.block.name] : [],
  );
  const count = (name: string) => uses.filter((one) => one === name).length;
  return uses.length === 0
    ? null
    : { web_search_requests: count('web_search'), web_fetch_requests: count('web_fetch') };
}

function messageUsage(
  request: AnthropicRequest,
  counted: TokenUsage,
  server_tool_use: ReturnType<typeof serverToolUse>,
) {
  return {
    input_tokens: counted.fresh,
    cache_creation_input_tokens: counted.write_5m + counted.write_1h,
    cache_read_input_tokens: counted.read,
    cache_creation: {
      ephemeral_5m_input_tokens: counted.write_5m,
      ephemeral_1h_input_tokens: counted.write_1h,
    },
    output_tokens: counted.output,
    output_tokens_details: { thinking_tokens: counted.thinking },
    service_tier: 'standard',
    speed: request.body.speed ?? 'standard',
    inference_geo: request.body.inference_geo ?? null,
    server_tool_use,
  };
}
