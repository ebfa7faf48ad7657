import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const STREAM_BYTES = 10 * 1024 * 1024;
const PIECE_BYTES = 6_000;

/** One stream's beginning, and what is repeated until it is 10 MB long. */
interface Stream {
  type: string;
  head: string;
  more: string;
}

/** A provider that streams 10 MB in any wire, as fast as it is taken. */
export interface SlowProvider {
  url: string;
  /** Bytes it has handed to the network. */
  sent: number;
  close(): void;
}

/** @param delta characters of text in each event */
export async function startProvider(delta: number): Promise<SlowProvider> {
  const streams = streamsOf('x'.repeat(delta));
  const server = createServer((asked, response) => {
    asked.resume();
    const found = Object.entries(streams).find(([path]) => asked.url?.endsWith(path))?.[1];
    if (!found) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': found.type });
    const piece = Buffer.from(found.more.repeat(Math.ceil(PIECE_BYTES / found.more.length)));
    response.write(found.head);
    let left = STREAM_BYTES;
    const write = (): void => {
      while (left > 0 && !response.destroyed) {
        left -= piece.length;
        provider.sent += piece.length;
        if (!response.write(piece)) return void response.once('drain', write);
      }
      response.end();
    };
    write();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  const provider = {
    url: `http://127.0.0.1:${port}`,
    sent: 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return provider;
}

/** By the end of the path. What of a frame nobody reads is left out. */
function streamsOf(text: string): Record<string, Stream> {
  const events = 'text/event-stream';
  const frame = (data: Record<string, unknown>): string =>
    `${typeof data.type === 'string' ? `event: ${data.type}\n` : ''}data: ${JSON.stringify(data)}\n\n`;
  const chunk = (delta: Record<string, unknown>): string =>
    frame({
      ...{ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' },
      choices: [{ index: 0, delta, finish_reason: null }],
    });
  const message = {
    ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-haiku-5-5', content: [] },
    ...{ stop_reason: null, stop_sequence: null, usage: { input_tokens: 10, output_tokens: 1 } },
  };
  const response = {
    id: 'resp_1',
    object: 'response',
    model: 'gpt-6-luna',
    status: 'in_progress',
    output: [],
  };
  const item = { id: 'msg_1', type: 'message', status: 'in_progress', role: 'assistant', content: [] };
  const part = { item_id: 'msg_1', output_index: 0, content_index: 0 };
  return {
    '/chat/completions': { type: events, head: chunk({ role: 'assistant' }), more: chunk({ content: text }) },
    '/messages': {
      type: events,
      head:
        frame({ type: 'message_start', message }) +
        frame({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      more: frame({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    },
    '/responses': {
      type: events,
      head:
        frame({ type: 'response.created', sequence_number: 0, response }) +
        frame({ type: 'response.output_item.added', sequence_number: 1, output_index: 0, item }) +
        frame({
          ...{ type: 'response.content_part.added', sequence_number: 2, ...part },
          part: { type: 'output_text', text: '', annotations: [] },
        }),
      more: frame({ type: 'response.output_text.delta', sequence_number: 3, ...part, delta: text }),
    },
    '/speech': { type: 'audio/mpeg', head: '', more: text },
    '/embeddings': {
      type: 'application/json',
      head: '{"object":"list","model":"text-embedding-3-small","data":[{"object":"embedding","index":0,"embedding":[0',
      more: ',0.0123',
    },
  };
}
