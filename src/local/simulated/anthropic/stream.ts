import type { Frame } from '../wire.ts';
import { pieces, words } from '../wire.ts';
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
  const { id, model, stop_reason, stop_sequence, stop_details, container, diagnostics } = envelope;
  yield event('message_start', {
    message: {
      id,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      container,
      diagnostics,
      // The first frame has seen next to no output yet.
      usage: usage && { ...usage, output_tokens: 1, output_tokens_details: null },
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
      server_tool_use: null,
    },
  });
  yield event('message_stop', {});
}

function opening(block: AnswerBlock): object {
  switch (block.type) {
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'text':
      return { type: 'text', text: '', citations: null };
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: {}, caller: { type: 'direct' } };
  }
}

function deltasOf(block: AnswerBlock): object[] {
  switch (block.type) {
    case 'thinking':
      return [
        ...words(block.thinking).map((thinking) => ({ type: 'thinking_delta', thinking })),
        { type: 'signature_delta', signature: block.signature },
      ];
    case 'text':
      return words(block.text).map((text) => ({ type: 'text_delta', text }));
    case 'tool_use':
      return ['', ...pieces(block.json)].map((partial_json) => ({ type: 'input_json_delta', partial_json }));
  }
}

function event(type: string, fields: object): Frame {
  return { event: type, data: { type, ...fields } };
}
