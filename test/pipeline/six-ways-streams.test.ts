import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Wire } from '../../src/core/routing/catalog.ts';
import type { WireAnswer } from '../../src/local/simulated/exchange.ts';
import { type Content, replyTo } from '../../src/local/simulated/reply.ts';
import { tokenUsage } from '../../src/local/simulated/usage.ts';
import { model } from '../core/dialects/conversations.ts';
import { accepted } from '../core/dialects/simulators.ts';
import { gatewayOf } from '../http/gateway.ts';
import { eventViolations, hasDescription, violations } from '../journeys/conformance.ts';
import { framesOf } from '../journeys/frames.ts';

/*
 * The whole way of a streamed answer in one process: a provider's bytes, cut anywhere, through the gateway, to what
 * the official client of the step's wire makes of them.
 */

const TARGETS = [
  model('anthropic', 'claude-haiku-5-5'),
  model('openai', 'gpt-6-luna'),
  model('openai', 'gpt-4o'),
];
const names = TARGETS.map(({ kind, id }) => `${kind}/${id}`);
const gateway = gatewayOf({
  OPENAI_API_KEY: 'sk-CANARY',
  ANTHROPIC_BASE_URL: 'http://provider.test',
  OPENAI_BASE_URL: 'http://provider.test/v1',
  FLUX_TIERS: JSON.stringify({ easy: names, medium: names, hard: names }),
});

const TOOL = { name: 'look_up', description: 'Looks a thing up.' };
const SCHEMA = { type: 'object' as const, properties: { key: { type: 'string' } }, required: ['key'] };
const SAID = {
  text: 'Grüße an alle 🤖, und\n\nnoch etwas.',
  calls: [
    { name: 'look_up', arguments: '{"key":"日本語 🗾"}' },
    { name: 'look_up', arguments: '{"key":"\\n\\u0000 data: [DONE]"}' },
  ],
  thinking: 12,
};
const USAGE = tokenUsage({ fresh: 40, read: 9, output: 70, thinking: 12 });

/** Where the provider's stream is cut, and what was asked of it. */
let cuts: readonly number[] = [];
let said: Content = SAID;
let upstream: unknown;
let streamed: Uint8Array = new Uint8Array();

const realFetch = globalThis.fetch;
beforeAll(() => {
  globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.hostname !== 'provider.test') return realFetch(input, init);
    const body = String(init?.body);
    upstream = JSON.parse(body);
    const { model: asked, stream } = JSON.parse(body);
    const target = TARGETS.find(({ id }) => id === asked);
    if (!target) throw new Error(`nobody is ${asked}`);
    const exchange = accepted(target, body);
    const answer = exchange.answer(replyTo(exchange.ask, said), USAGE);
    if (stream !== true) return Response.json(answer.body);
    streamed = new TextEncoder().encode(textOf(answer));
    return new Response(inPieces(streamed, cuts), { headers: { 'content-type': 'text/event-stream' } });
  };
});
afterAll(() => {
  globalThis.fetch = realFetch;
});

function textOf({ frames }: WireAnswer): string {
  return [...frames]
    .map(({ event, data }) => {
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`;
    })
    .join('');
}

/** Bytes as `fetch` gives them: each piece is read on its own. */
function inPieces(bytes: Uint8Array, places: readonly number[]): ReadableStream<Uint8Array> {
  const at = [0, ...places.filter((place) => place < bytes.length).toSorted((a, b) => a - b), bytes.length];
  const pieces = at.slice(1).map((end, index) => bytes.slice(at[index], end));
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      let piece = pieces.shift();
      while (piece?.length === 0) piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
  });
}

let seen = '';
const viaGateway = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
  const url = new URL(input instanceof Request ? input.url : input);
  const headers = Object.fromEntries(new Headers(init?.headers));
  const response = await gateway.request(`${url.pathname}${url.search}`, { ...init, headers }, null);
  seen = await response.text();
  return new Response(seen, response);
};
const openai = new OpenAI({
  apiKey: 'flx_agent_key',
  baseURL: 'http://gateway.test/v1',
  maxRetries: 0,
  fetch: viaGateway,
});
const anthropic = new Anthropic({
  apiKey: 'flx_agent_key',
  baseURL: 'http://gateway.test',
  maxRetries: 0,
  fetch: viaGateway,
});

/** What an official client understood, in one form for all. */
interface Understood {
  text: string;
  calls: { name: string; arguments: unknown }[];
  stop: string;
  usage: { input: number; output: number };
}

const CLIENTS: { wire: Wire; stream(model: string): Promise<Understood> }[] = [
  {
    wire: 'openai-chat',
    async stream(name) {
      const { choices, usage } = await openai.chat.completions
        .stream({
          model: name,
          messages: [{ role: 'user', content: 'Hi' }],
          tools: [{ type: 'function', function: { ...TOOL, parameters: SCHEMA } }],
          stream_options: { include_usage: true },
        })
        .finalChatCompletion();
      const [choice] = choices;
      return {
        text: choice?.message.content ?? '',
        calls: (choice?.message.tool_calls ?? []).flatMap((call) =>
          call.type === 'function'
            ? [{ name: call.function.name, arguments: JSON.parse(call.function.arguments) }]
            : [],
        ),
        stop: choice?.finish_reason ?? '',
        usage: { input: usage?.prompt_tokens ?? 0, output: usage?.completion_tokens ?? 0 },
      };
    },
  },
  {
    wire: 'anthropic-messages',
    async stream(name) {
      const { content, stop_reason, usage } = await anthropic.messages
        .stream({
          model: name,
          max_tokens: 1_000,
          messages: [{ role: 'user', content: 'Hi' }],
          tools: [{ ...TOOL, input_schema: SCHEMA }],
        })
        .finalMessage();
      const { input_tokens, cache_read_input_tokens, output_tokens } = usage;
      return {
        text: content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(''),
        calls: content.flatMap((block) =>
          block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [],
        ),
        stop: stop_reason ?? '',
        usage: { input: input_tokens + (cache_read_input_tokens ?? 0), output: output_tokens },
      };
    },
  },
  {
    wire: 'openai-responses',
    async stream(name) {
      const { output, status, usage } = await openai.responses
        .stream({
          model: name,
          input: 'Hi',
          tools: [{ type: 'function', ...TOOL, parameters: SCHEMA, strict: false }],
        })
        .finalResponse();
      return {
        text: output
          .flatMap((item) => (item.type === 'message' ? item.content : []))
          .map((part) => (part.type === 'output_text' ? part.text : ''))
          .join(''),
        calls: output.flatMap((item) =>
          item.type === 'function_call' ? [{ name: item.name, arguments: JSON.parse(item.arguments) }] : [],
        ),
        stop: status ?? '',
        usage: { input: usage?.input_tokens ?? 0, output: usage?.output_tokens ?? 0 },
      };
    },
  },
];
const STOPS = {
  'openai-chat': 'tool_calls',
  'anthropic-messages': 'tool_use',
  'openai-responses': 'completed',
};

const WAYS = CLIENTS.flatMap((client) => TARGETS.map((target) => ({ client, target })));

describe('a stream cut at any bytes says the same to the official client', () => {
  test.each(WAYS)('$target.wire → $client.wire', async ({ client, target }) => {
    const wanted: Understood = {
      text: SAID.text,
      calls: SAID.calls.map((call) => ({ ...call, arguments: JSON.parse(call.arguments) })),
      stop: STOPS[client.wire],
      usage: { input: 49, output: 70 },
    };
    cuts = [];
    said = SAID;
    expect(await client.stream(target.id)).toEqual(wanted);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: streamed.length }), { maxLength: 40 }), async (places) => {
        cuts = places;
        expect(await client.stream(target.id)).toEqual(wanted);
      }),
      { numRuns: 12, endOnFailure: true },
    );
    // And one byte at a time.
    cuts = Array.from(streamed, (_, place) => place);
    expect(await client.stream(target.id)).toEqual(wanted);
    await gateway.settled();
  });
});

const ANSWERS: [string, Content][] = [
  ['calls', SAID],
  ['a text', { text: 'Good morning' }],
  ['a refusal', { text: 'First', refusal: 'Not this.' }],
  ['an answer that was cut', { text: 'x'.repeat(9_000), stop: 'length' }],
  ['nothing but thinking', { text: '', thinking: 30 }],
];
const REQUESTS: [path: string, answer: string, body: object][] = [
  [
    '/v1/chat/completions',
    'CreateChatCompletionResponse',
    {
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [{ type: 'function', function: { ...TOOL, parameters: SCHEMA } }],
      stream_options: { include_usage: true },
    },
  ],
  [
    '/v1/responses',
    'Response',
    {
      input: 'Hi',
      tools: [{ type: 'function', ...TOOL, parameters: SCHEMA, strict: false }],
      max_output_tokens: 900,
    },
  ],
];

describe.skipIf(!hasDescription)("OpenAI's description (../shared/conformance) holds for", () => {
  test.each(REQUESTS.flatMap((request) => TARGETS.map((target) => ({ path: request[0], request, target }))))(
    'what $path answers from $target.wire, and what goes there',
    async ({ request, target }) => {
      const [path, schema, body] = request;
      cuts = [];
      for (const [name, content] of ANSWERS) {
        said = content;
        for (const stream of [false, true]) {
          const { stream_options, ...whole } = { stream_options: undefined, ...body };
          const asked = { model: target.id, ...whole, ...(stream ? { stream, stream_options } : {}) };
          const response = await gateway.request(path, { method: 'POST', body: JSON.stringify(asked) });
          const text = await response.text();
          expect(response.status, text).toBe(200);
          const frames = stream ? framesOf(text).filter((frame) => frame !== '[DONE]') : [JSON.parse(text)];
          const wrong = frames.flatMap((frame) => {
            if (!stream) return violations(schema, frame);
            if (path === '/v1/chat/completions')
              return violations('CreateChatCompletionStreamResponse', frame);
            return eventViolations(frame as { type: string }) ?? ['no such event'];
          });
          expect(wrong, `${name}${stream ? ', streamed' : ''}`).toEqual([]);
          if (target.wire === 'openai-responses')
            expect(violations('CreateResponse', upstream), JSON.stringify(upstream)).toEqual([]);
          if (target.wire === 'openai-chat')
            expect(violations('CreateChatCompletionRequest', upstream)).toEqual([]);
        }
      }
      await gateway.settled();
    },
  );
});
