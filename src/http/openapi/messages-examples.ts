import { COMPLETION } from './steps-examples.ts';

/** What a gateway answered on 2026-11-27 over its simulated providers; the metadata is that of the other example. */
export const MESSAGE = {
  id: 'msg_simd057c2fea21caee60965c512',
  model: 'claude-haiku-5-5',
  stop_reason: 'end_turn',
  stop_sequence: null,
  stop_details: null,
  diagnostics: null,
  container: null,
  type: 'message',
  role: 'assistant',
  content: [
    {
      type: 'text',
      text: 'This is a simulated answer of claude-haiku-5-5; no model was called. You asked: "What is the capital of France?".',
      citations: null,
    },
  ],
  usage: {
    input_tokens: 10,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: 69,
    output_tokens_details: { thinking_tokens: 32 },
    service_tier: 'standard',
    speed: 'standard',
    inference_geo: null,
    server_tool_use: null,
  },
  fluxcompute: COMPLETION.fluxcompute,
};

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}`;
}

/** Its words in the middle left out. */
export const MESSAGE_STREAM = [
  event('message_start', {
    message: { ...MESSAGE, content: [], stop_reason: null, fluxcompute: undefined },
  }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '', citations: null } }),
  event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'This' } }),
  event('content_block_stop', { index: 0 }),
  event('message_delta', {
    delta: { stop_reason: 'end_turn', stop_sequence: null, stop_details: null, container: null },
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 69,
      output_tokens_details: { thinking_tokens: 32 },
      server_tool_use: null,
    },
    fluxcompute: MESSAGE.fluxcompute,
  }),
  event('message_stop', {}),
  '',
].join('\n\n');
