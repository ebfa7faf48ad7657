import type { Frame } from '../wire.ts';
import { pieces, textPieces, words } from '../wire.ts';
import type { AnswerBlock, Envelope, MessageUsage } from './answer.ts';

/**
 * The events of a streamed message (providers.md §3, Stream): `message_start` with the input side of usage, each
 * block, one `message_delta` with the stop reason and cumulative usage, `message_stop`. `event:` repeats the type.
 */
export function* streamOf(
  envelope: Envelope,
  blocks: readonly AnswerBlock[],
  usage: MessageUsage | undefined,
): Generator<Frame> {
  const { stop_reason, stop_sequence, stop_details, container, ...rest } = envelope;
  yield event('message_start', {
    message: {
      ...rest,
      type: 'message',
      role: 'assistant',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      container,
      // The first frame has seen next to no output yet.
      usage: usage && { ...usage, output_tokens: 1, output_tokens_details: null, server_tool_use: null },
    },
  });
  yield event('ping', {});
  for (const [index, block] of blocks.entries()) {
    yield event('content_block_start', { index, content_block: opening(block) });
    for (const delta of deltasOf(block)) yield event('content_block_delta', { index, delta });
    yield event('content_block_stop', { index });
  }
  yield event('message_delta', {
    delta: { stop_reason, stop_sequence, stop_details, container },
    usage: usage && {
      input_tokens: usage.input_tokens,
      cache_creation_input_tokens: usage.cache_creation_input_tokens,
      cache_read_input_tokens: usage.cache_read_input_tokens,
      output_tokens: usage.output_tokens,
      output_tokens_details: usage.output_tokens_details,
      server_tool_use: usage.server_tool_use,
    },
  });
  yield event('message_stop', {});
}

function opening(block: AnswerBlock): object {
  switch (block.type) {
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'redacted_thinking':
      return block;
    case 'text':
      return { type: 'text', text: '', citations: block.said.citations === undefined ? null : [] };
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: {}, caller: { type: 'direct' } };
    case 'other':
      return 'input' in block.block ? { ...block.block, input: {} } : block.block;
  }
}

function* deltasOf(block: AnswerBlock): Generator<object> {
  switch (block.type) {
    case 'thinking':
      for (const thinking of words(block.thinking)) yield { type: 'thinking_delta', thinking };
      yield { type: 'signature_delta', signature: block.signature };
      return;
    case 'redacted_thinking':
      return;
    case 'text':
      for (const text of textPieces(block.said)) yield { type: 'text_delta', text };
      for (const citation of block.said.citations ?? []) yield { type: 'citations_delta', citation };
      return;
    case 'tool_use':
      yield* inputDeltas(block.json);
      return;
    case 'other':
      if ('input' in block.block) yield* inputDeltas(JSON.stringify(block.block.input));
  }
}

function* inputDeltas(json: string): Generator<object> {
  yield { type: 'input_json_delta', partial_json: '' };
  for (const partial_json of pieces(json)) yield { type: 'input_json_delta', partial_json };
}

function event(type: string, fields: object): Frame {
  return { event: type, data: { type, ...fields } };
}
