import { createParser } from 'eventsource-parser';
import { usageOf } from '../../src/core/accounting/usage.ts';
import type { Conversation } from '../../src/core/conversation.ts';
import type { ClientDialect } from '../../src/core/dialects/client-dialect.ts';
import type { CatalogModel, Wire } from '../../src/core/routing/catalog.ts';
import { acceptMessages } from '../../src/local/simulated/anthropic/messages.ts';
import type { Exchange } from '../../src/local/simulated/exchange.ts';
import { acceptChat } from '../../src/local/simulated/openai/chat.ts';
import { acceptResponses } from '../../src/local/simulated/openai/responses.ts';
import { StoredResponses } from '../../src/local/simulated/openai/stored-responses.ts';
import { PromptCache } from '../../src/local/simulated/prompt-cache.ts';
import type { Refusal } from '../../src/local/simulated/refusal.ts';
import { replyTo } from '../../src/local/simulated/reply.ts';
import { prepare } from '../../src/pipeline/prepare.ts';
import { cpuMsOf, EVENT_READERS, WRITERS } from './wires.ts';

const RUNS = 30;
const WORDS = 1_000;

const ASKED: Conversation = {
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
  tools: [{ name: 'look_up' }],
  output: { stop: [], n: 1, logprobs: false, maxTokens: 16_000 },
  sampling: {},
  reasoning: {},
  hints: {},
};

/**
 * What a chunk of a simulated provider's stream costs on its way to the client: read from the bytes' text, understood,
 * written as the client's and encoded.
 */
export function measureStream(client: ClientDialect, model: CatalogModel): { chunks: number; cpuUs: number } {
  const frames = framesOf(model);
  const sent = frames
    .map(({ data, event }) => `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`)
    .join('');
  const pieces = sent.match(/[\s\S]{1,700}/g) ?? [];
  const text = clientBody(client.wire, model);
  const read = client.read(JSON.parse(text), text);
  const writer = read.answerWriter({ requestId: 'bench', created: 1_764_000_000 });
  const encoder = new TextEncoder();
  const work = (): void => {
    const events = EVENT_READERS[model.wire]();
    const stream = client.wire === model.wire ? writer.relay() : writer.stream();
    let size = 0;
    const parser = createParser({
      onEvent: ({ data, event }) => {
        const meant = events({ data, event });
        const text = stream.write({ raw: data, ...(event === undefined ? {} : { event }), events: meant });
        size += encoder.encode(text).length;
      },
    });
    for (const piece of pieces) parser.feed(piece);
    if (size === 0) throw new RangeError('an empty stream');
    stream.finish(usageOf({}), METADATA);
  };
  return { chunks: frames.length, cpuUs: (cpuMsOf(work, RUNS) * 1_000) / frames.length };
}

// Settle's business: a stream only carries it.
const METADATA: Parameters<ReturnType<ReturnType<ClientDialect['read']>['answerWriter']>['whole']>[1] =
  JSON.parse('{}');

function framesOf(model: CatalogModel): { event: string | undefined; data: string }[] {
  const { conversation } = prepare(ASKED, model, { defaultMaxTokens: 16_384 });
  const exchange = accept(
    model.wire,
    WRITERS[model.wire](conversation, model, { stream: true, modelId: model.id }),
  );
  if ('status' in exchange) throw new Error(exchange.message);
  const text = Array.from({ length: WORDS }, (_, i) => `word-${i}`).join(' ');
  const argumentsOf = JSON.stringify({ key: 'x'.repeat(400) });
  const reply = replyTo(exchange.ask, {
    text,
    calls: Array.from({ length: 4 }, () => ({ name: 'look_up', arguments: argumentsOf })),
  });
  return [...exchange.answer(reply, null).frames].map(({ event, data }) => ({
    event,
    data: typeof data === 'string' ? data : JSON.stringify(data),
  }));
}

function clientBody(wire: Wire, model: CatalogModel): string {
  return WRITERS[wire](ASKED, model, { stream: true, modelId: 'auto' });
}

function accept(wire: Wire, body: string): Exchange | Refusal {
  const now = Date.UTC(2026, 10, 23);
  const headers = { authorization: 'Bearer sk-bench' };
  switch (wire) {
    case 'anthropic-messages':
      return acceptMessages(body, { ...headers, 'anthropic-version': '2026-10-21' }, new PromptCache(), now);
    case 'openai-responses':
      return acceptResponses(body, headers, new PromptCache(), new StoredResponses(), now);
    case 'openai-chat':
      return acceptChat(body, headers, new PromptCache(), now);
  }
}
