import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AnswerFrame } from '../../src/core/dialects/client-dialect.ts';
import { modelOrAssumed, type Wire } from '../../src/core/routing/catalog.ts';
import { closeServer, listenOnLoopback, readBody } from '../../src/local/loopback-server.ts';
import type { CallOutcome, Failure, ProviderCall } from '../../src/pipeline/ports.ts';
import type { Timeouts } from '../../src/pipeline/settings.ts';
import { callProvider } from '../../src/providers/attempt.ts';

/** What a provider does with one request. */
export type Reply = (response: ServerResponse, request: IncomingMessage) => void;

/** A provider on loopback that does what it is told, request by request; the last reply repeats. */
export interface Upstream {
  url: string;
  replies: Reply[];
  /** Requests so far. */
  requests: { path: string; headers: Record<string, unknown>; body: string; at: number }[];
  /** Requests whose connection the caller gave up before the answer was whole. */
  left: number;
  close(): Promise<void>;
}

export async function startUpstream(): Promise<Upstream> {
  const server = createServer((request, response) => {
    response.once('close', () => {
      if (!response.writableFinished) upstream.left += 1;
    });
    readBody(request).then((body) => {
      const reply = upstream.replies[Math.min(upstream.requests.length, upstream.replies.length - 1)];
      upstream.requests.push({
        path: request.url ?? '',
        headers: { ...request.headers },
        body: body.toString(),
        at: Date.now(),
      });
      reply?.(response, request);
    }, String);
  });
  const upstream: Upstream = {
    url: `http://127.0.0.1:${await listenOnLoopback(server)}`,
    replies: [],
    requests: [],
    left: 0,
    close: () => {
      server.closeAllConnections();
      return closeServer(server);
    },
  };
  return upstream;
}

const MODELS: Record<Wire, string> = {
  'anthropic-messages': 'claude-haiku-5-5',
  'openai-responses': 'gpt-6-luna',
  'openai-chat': 'gpt-4.1',
};

const PATIENT: Timeouts = {
  firstByte: 15_000,
  idle: 15_000,
  keepAlive: 15_000,
  session: 1_000,
  abandoned: 900_000,
  laneEnd: 3_600_000,
  retryBase: 1,
};

/** A call of one wire's model, patient unless a test says otherwise. */
export function callOf(
  wire: Wire,
  url: string,
  { timeouts, ...more }: Partial<Omit<ProviderCall, 'timeouts'>> & { timeouts?: Partial<Timeouts> } = {},
): ProviderCall {
  const kind = wire === 'anthropic-messages' ? 'anthropic' : 'openai';
  return {
    provider: {
      id: kind,
      kind,
      baseUrl: url,
      apiKey: 'sk-test',
      keyVariable: `${kind.toUpperCase()}_API_KEY`,
    },
    model: modelOrAssumed(kind, MODELS[wire]),
    body: '{"model":"any","messages":[]}',
    stream: false,
    showsThinking: false,
    signal: null,
    timeouts: { ...PATIENT, ...timeouts },
    ...more,
  };
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** SSE frames, then the end, or silence with the connection open, or a cut. */
export const sse =
  (frames: readonly object[], then: 'end' | 'silence' | 'cut' = 'end'): Reply =>
  (response) => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const frame of frames) {
      const { type } = frame as { type?: string };
      response.write(`${type ? `event: ${type}\n` : ''}data: ${JSON.stringify(frame)}\n\n`);
    }
    if (then === 'end') response.end();
    // What was written has to leave first.
    if (then === 'cut') response.write('', () => response.destroy());
  };

/** Calls, and reads a stream to its end. */
export async function read(
  call: ProviderCall,
): Promise<{ outcome: CallOutcome; frames: AnswerFrame[]; broke: Failure | null }> {
  const outcome = await callProvider(call);
  const frames: AnswerFrame[] = [];
  if (outcome.kind !== 'stream') return { outcome, frames, broke: null };
  try {
    for await (const batch of outcome.stream.frames) frames.push(...batch);
    return { outcome, frames, broke: null };
  } catch (error) {
    // Only StreamFailure is thrown, which ports.ts says.
    return { outcome, frames, broke: (error as { failure: Failure }).failure };
  }
}

export function textOf(frames: readonly AnswerFrame[]): string {
  return frames
    .flatMap((frame) => frame.events)
    .map((event) => (event.type === 'text' ? event.text : ''))
    .join('');
}

/** The whole answer and the frames of a stream that says "Paris it is.", on each wire. */
export const ANSWERS: Record<Wire, { body: object; start: object[]; said: object[]; end: object[] }> = {
  'anthropic-messages': {
    body: {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      model: 'claude-haiku-5-5',
      content: [{ type: 'text', text: 'Paris it is.' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 10, output_tokens: 4 },
    },
    start: [
      {
        type: 'message_start',
        message: { id: 'msg_1', model: 'claude-haiku-5-5', usage: { input_tokens: 10, output_tokens: 1 } },
      },
      { type: 'ping' },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ],
    said: [
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Paris' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' it is.' } },
    ],
    end: [
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } },
      { type: 'message_stop' },
    ],
  },
  'openai-responses': {
    body: {
      id: 'resp_1',
      object: 'response',
      model: 'gpt-6-luna',
      status: 'completed',
      error: null,
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'Paris it is.' }] }],
      usage: { input_tokens: 10, output_tokens: 4 },
    },
    start: [
      { type: 'response.created', response: { id: 'resp_1', model: 'gpt-6-luna' } },
      { type: 'response.output_item.added', output_index: 0, item: { type: 'message' } },
    ],
    said: [
      { type: 'response.output_text.delta', output_index: 0, delta: 'Paris' },
      { type: 'response.output_text.delta', output_index: 0, delta: ' it is.' },
    ],
    end: [
      {
        type: 'response.completed',
        response: {
          id: 'resp_1',
          model: 'gpt-6-luna',
          status: 'completed',
          usage: { input_tokens: 10, output_tokens: 4 },
        },
      },
    ],
  },
  'openai-chat': {
    body: {
      id: 'chatcmpl-1',
      model: 'gpt-4.1-2025-04-14',
      choices: [{ index: 0, message: { content: 'Paris it is.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 4 },
    },
    start: [chunk({ role: 'assistant', content: '' })],
    said: [chunk({ content: 'Paris' }), chunk({ content: ' it is.' })],
    end: [
      chunk({}, 'stop'),
      { id: 'chatcmpl-1', model: 'gpt-4.1', choices: [], usage: { prompt_tokens: 10, completion_tokens: 4 } },
    ],
  },
};

export function chunk(delta: object, finish: string | null = null, index = 0): object {
  return { id: 'chatcmpl-1', model: 'gpt-4.1', choices: [{ index, delta, finish_reason: finish }] };
}
