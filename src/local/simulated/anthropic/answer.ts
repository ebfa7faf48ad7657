import { digest, freshId } from '../digest.ts';
import type { WireAnswer } from '../exchange.ts';
import type { Reply, Stop } from '../reply.ts';
import type { TokenUsage } from '../usage.ts';
import type { AnthropicRequest } from './accepted.ts';
import type { Prompt } from './prompt.ts';
import { streamOf } from './stream.ts';
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
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; json: string };

/** Everything of a `Message` but its content and usage, as SDK 1.12 types it: null where there is nothing to say. */
export interface Envelope {
  id: string;
  model: string;
  stop_reason: string;
  stop_sequence: string | null;
  stop_details: { type: 'refusal'; category: null; explanation: string | null } | null;
  diagnostics: { cache_miss_reason: null } | null;
  container: null;
}

/** Usage as a whole answer reports it: no field is ever absent. */
export type MessageUsage = ReturnType<typeof messageUsage>;

/** Puts a reply on Anthropic's wire, whole and as a stream. */
export function messageAnswer(
  request: AnthropicRequest,
  prompt: Prompt,
  reply: Reply,
  counted: TokenUsage | null,
): WireAnswer {
  const envelope: Envelope = {
    id: freshId('msg_sim'),
    model: request.body.model,
    stop_reason: STOP_REASONS[reply.stop],
    stop_sequence: reply.stopSequence ?? null,
    stop_details:
      reply.stop === 'refusal'
        ? { type: 'refusal', category: null, explanation: reply.refusal ?? null }
        : null,
    // What a real answer has while the comparison is still pending.
    diagnostics: request.body.diagnostics == null ? null : { cache_miss_reason: null },
    container: null,
  };
  const blocks = blocksOfReply(request, prompt, reply);
  const usage = counted === null ? undefined : messageUsage(request, counted);
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
  const blocks: AnswerBlock[] = [];
  if (reply.thinkingTokens > 0) blocks.push(thinkingBlock(request, prompt, reply.thinkingTokens));
  if (reply.text !== '') blocks.push({ type: 'text', text: reply.text });
  for (const call of reply.calls) {
    blocks.push({
      type: 'tool_use',
      id: call.id ?? freshId('toolu_'),
      name: call.name,
      json: call.arguments,
    });
  }
  return blocks;
}

/** `display: "omitted"` (the default from 4.7 on) leaves the text empty; the signature carries the block. */
function thinkingBlock(request: AnthropicRequest, prompt: Prompt, tokens: number): AnswerBlock {
  const config = request.body.thinking;
  const display = config !== undefined && 'display' in config ? config.display : undefined;
  const isShown = display == null ? request.model.showsThinking : display !== 'omitted';
  const thinking = isShown ? 'Simulated thinking: the ask was read and an answer made up.' : '';
  return {
    type: 'thinking',
    thinking,
    signature: sign({
      model: request.model.id,
      organisation: request.organisation,
      prefix: prompt.prefixes.at(-1) ?? '',
      turn: freshId('turn_'),
      index: 0,
      count: 1,
      tokens,
      text: isShown ? digest(thinking) : '',
    }),
  };
}

function wholeBlock(block: AnswerBlock): object {
  switch (block.type) {
    case 'thinking':
      return block;
    case 'text':
      return { ...block, citations: null };
    case 'tool_use':
      return {
        type: 'tool_use',
        id: block.id,
        name: block.name,
        input: objectOf(block.json),
        caller: { type: 'direct' },
      };
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

function messageUsage(request: AnthropicRequest, counted: TokenUsage) {
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
    inference_geo: null,
    server_tool_use: null,
  };
}
