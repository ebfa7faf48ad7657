import { createServer, type Socket } from 'node:net';
import { answerParent } from '../../src/local/lifeline.ts';

/**
 * The provider of the bench, in a process of its own. On bare sockets: node:http would cost more than the contestants
 * and hide what they differ in. Answers Chat Completions, as JSON or as a stream of 200 chunks.
 */
const CHUNKS = 200;
/** Chunks that leave in one write: on a network several tokens arrive in one packet. */
const CHUNKS_A_WRITE = 8;

const answer = Buffer.from(
  respond(
    'application/json',
    JSON.stringify({
      id: 'chatcmpl-bench',
      object: 'chat.completion',
      created: 1_790_000_000,
      model: 'small',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'The capital of France is Paris. '.repeat(10),
            refusal: null,
          },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 40, completion_tokens: 80, total_tokens: 120 },
    }),
  ),
);
const streamed = streamWrites();

const server = createServer({ noDelay: true }, serve);

/** One request after the other on a connection that stays. */
function serve(socket: Socket): void {
  let head = '';
  /** Bytes of the body still to come; null while the head is read, Infinity where its end is a last chunk. */
  let rest: number | null = null;
  let wantsStream = false;
  let tail = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (data: Buffer) => {
    let body = data;
    if (rest === null) {
      head += data.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end))?.[1];
      rest = length === undefined ? Number.POSITIVE_INFINITY : Number(length);
      body = Buffer.from(head.slice(end + 4), 'latin1');
      wantsStream = false;
    }
    // Only small bodies ask for a stream here; the large ones need not be searched.
    wantsStream ||= body.length < 4_096 && body.includes('"stream":true');
    tail = (tail + body.subarray(-7).toString('latin1')).slice(-7);
    rest -= body.length;
    if (rest > 0 && !(rest === Number.POSITIVE_INFINITY && tail.endsWith('0\r\n\r\n'))) return;
    head = '';
    tail = '';
    rest = null;
    if (wantsStream) writeStream(socket, 0);
    else socket.write(answer);
  });
}

function writeStream(socket: Socket, at: number): void {
  const part = streamed[at];
  if (part === undefined || socket.destroyed) return;
  socket.write(part);
  setImmediate(writeStream, socket, at + 1);
}

function streamWrites(): Buffer[] {
  const chunk = (rest: object): string =>
    `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_790_000_000, model: 'small', ...rest })}\n\n`;
  const events = Array.from({ length: CHUNKS }, (_, index) =>
    chunk({
      choices: [
        {
          index: 0,
          delta: index === 0 ? { role: 'assistant', content: '' } : { content: ` token ${index}` },
          finish_reason: index === CHUNKS - 1 ? 'stop' : null,
        },
      ],
    }),
  );
  events.push(
    chunk({
      choices: [],
      usage: { prompt_tokens: 40, completion_tokens: CHUNKS, total_tokens: 40 + CHUNKS },
    }),
    'data: [DONE]\n\n',
  );
  const framed = events.map((event) => `${event.length.toString(16)}\r\n${event}\r\n`);
  const writes = [
    Buffer.from('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'),
  ];
  for (let at = 0; at < framed.length; at += CHUNKS_A_WRITE) {
    writes.push(Buffer.from(framed.slice(at, at + CHUNKS_A_WRITE).join('')));
  }
  writes.push(Buffer.from('0\r\n\r\n'));
  return writes;
}

function respond(type: string, body: string): string {
  return `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function start(): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

answerParent({ start, stop: async () => {} }, async () => {});
