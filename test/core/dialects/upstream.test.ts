import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conversation } from '../../../src/core/conversation.ts';
import * as anthropicAnswer from '../../../src/core/dialects/anthropic-messages/answer.ts';
import * as anthropicEvents from '../../../src/core/dialects/anthropic-messages/events.ts';
import * as anthropic from '../../../src/core/dialects/anthropic-messages/request.ts';
import * as chatAnswer from '../../../src/core/dialects/openai-chat/answer.ts';
import * as chatEvents from '../../../src/core/dialects/openai-chat/events.ts';
import { readChatRequest } from '../../../src/core/dialects/openai-chat/read.ts';
import * as chat from '../../../src/core/dialects/openai-chat/request.ts';
import * as responsesAnswer from '../../../src/core/dialects/openai-responses/answer.ts';
import * as responsesEvents from '../../../src/core/dialects/openai-responses/events.ts';
import * as responses from '../../../src/core/dialects/openai-responses/request.ts';
import { spliceMembers } from '../../../src/core/json-splice.ts';
import { excludedBy, needsOf } from '../../../src/core/routing/capability.ts';
import { replyTo, STOPS } from '../../../src/local/simulated/reply.ts';
import { tokenUsage } from '../../../src/local/simulated/usage.ts';
import { prepare } from '../../../src/pipeline/prepare.ts';
import { conversation } from './arbitraries.ts';
import { assemble } from './assembly.ts';
import { conversationOf, LOOK_UP, model, say } from './conversations.ts';
import { readAll } from './frames.ts';
import { accepted } from './simulators.ts';

const WIRES = {
  'anthropic-messages': { ...anthropic, ...anthropicAnswer, ...anthropicEvents },
  'openai-responses': { ...responses, ...responsesAnswer, ...responsesEvents },
  'openai-chat': { ...chat, ...chatAnswer, ...chatEvents },
};
const DEFAULT = { defaultMaxTokens: 16_384 };

const CLAUDE = ['claude-haiku-5-5', 'claude-opus-5-5', 'claude-sonnet-5', 'claude-haiku-4-5'].map((id) =>
  model('anthropic', id),
);
const GPT = ['gpt-6-luna', 'gpt-6.2-sol', 'gpt-5.4'].map((id) => model('openai', id));
const OLDER_GPT = ['gpt-4o', 'gpt-5', 'o3'].map((id) => model('openai', id));

/** A 400 of Anthropic's that its clients get as it is: no other client can ask for both. */
function citesInJson({ messages, output }: Conversation): boolean {
  return output.format !== undefined && JSON.stringify(messages).includes('"citations":true');
}

/** Chat's clients show nothing else in a tool's result. */
function withTextResults(given: Conversation): Conversation {
  const messages = given.messages.map((message) =>
    message.role === 'tool'
      ? {
          ...message,
          content: message.content.map((result) => ({
            ...result,
            content: result.content.filter((block) => block.type === 'text'),
          })),
        }
      : message,
  );
  return { ...given, messages };
}

describe('a conversation that does not exclude the model is accepted by it', () => {
  test.each([...CLAUDE, ...GPT, ...OLDER_GPT])('$id', (target) => {
    fc.assert(
      fc.property(conversation, fc.boolean(), (given, stream) => {
        fc.pre(excludedBy(target, needsOf(given)) === null && !citesInJson(given));
        const prepared = prepare(given, target, { ...DEFAULT, to: { provider: 'here', name: target.id } });
        const body = WIRES[target.wire].writeRequest(prepared.conversation, target, {
          stream,
          modelId: target.id,
        });
        accepted(target, body);
      }),
    );
  });

  test.each(OLDER_GPT)("$id, its body spliced from the client's", (target) => {
    fc.assert(
      fc.property(conversation.map(withTextResults), fc.boolean(), (given, stream) => {
        fc.pre(excludedBy(target, needsOf(given)) === null);
        // Spliced tools stay the client's own, also where OpenAI refuses them.
        fc.pre(
          given.tools.every(({ parameters }) => parameters === undefined || parameters.type === 'object'),
        );
        const raw = chat.writeRequest(given, target, { stream, modelId: 'auto' });
        const read = readChatRequest(JSON.parse(raw)).conversation;
        const prepared = prepare(read, target, DEFAULT);
        const edits = chat.requestEdits({ original: read, prepared: prepared.conversation }, target, {
          stream,
          modelId: target.id,
        });
        accepted(target, spliceMembers(raw, edits));
      }),
    );
  });
});

const content = fc.record(
  {
    text: fc.oneof(fc.constant(''), fc.string({ maxLength: 200 }), fc.constant('Grüße  an\n\nalle 🤖 ')),
    calls: fc.array(
      fc.record({
        name: fc.constantFrom('look_up', 'ping'),
        arguments: fc
          .dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 })
          .map((value) => JSON.stringify(value)),
      }),
      { maxLength: 3 },
    ),
    stop: fc.constantFrom(...STOPS.filter((stop) => stop !== 'refusal' && stop !== 'content_filter')),
    thinking: fc.nat({ max: 50 }),
  },
  { requiredKeys: ['text', 'calls'] },
);
const count = fc.nat({ max: 100_000 });
const counted = fc.option(
  fc.record({
    fresh: count,
    write_5m: count,
    write_1h: count,
    write_30m: count,
    write_12h: count,
    read: count,
    output: count,
    thinking: count,
  }),
  { nil: null },
);

describe('a streamed answer adds up to the same answer unstreamed', () => {
  const asked = conversationOf([say('user', 'Hi')], { tools: [LOOK_UP, { name: 'ping' }] });
  test.each([...CLAUDE.slice(0, 1), ...GPT.slice(0, 1), ...OLDER_GPT.slice(0, 1)])('$wire', (target) => {
    const wire = WIRES[target.wire];
    const { conversation: prepared } = prepare(asked, target, DEFAULT);
    const exchange = accepted(
      target,
      wire.writeRequest(prepared, target, { stream: true, modelId: target.id }),
    );
    fc.assert(
      fc.property(content, counted, (said, usage) => {
        const onWire = exchange.answer(replyTo(exchange.ask, said), usage && tokenUsage(usage));
        const { serviceTier: _tier, ...whole } = wire.readAnswer(onWire.body);
        const frames = [...onWire.frames].map(({ data }) => data);
        const events = readAll(wire.createEventReader(), frames);
        expect(assemble(events)).toEqual(whole);
        expect(events.at(-1)).toEqual({ type: 'end' });
      }),
    );
  });
});

describe('no stream, however mangled, makes a reader throw', () => {
  const frame = fc.oneof(
    fc.string(),
    fc.jsonValue(),
    fc.record(
      {
        type: fc.constantFrom(
          'message_start',
          'content_block_start',
          'content_block_delta',
          'content_block_stop',
          'message_delta',
          'error',
          'response.created',
          'response.output_item.added',
          'response.function_call_arguments.done',
          'response.completed',
          'response.failed',
        ),
        index: fc.constantFrom(0, 1, 'x'),
        output_index: fc.constantFrom(0, 1, null),
        message: fc.jsonValue(),
        content_block: fc.oneof(
          fc.jsonValue(),
          fc.constant({ type: 'tool_use', id: 'a', name: 'f', input: [] }),
        ),
        delta: fc.oneof(fc.jsonValue(), fc.constant({ type: 'input_json_delta', partial_json: '{' })),
        item: fc.oneof(fc.jsonValue(), fc.constant({ type: 'function_call', call_id: 'a', name: 'f' })),
        response: fc.jsonValue(),
        usage: fc.jsonValue(),
        error: fc.jsonValue(),
        choices: fc.oneof(
          fc.jsonValue(),
          fc.array(
            fc.record({ index: fc.constant(0), delta: fc.jsonValue(), finish_reason: fc.jsonValue() }),
          ),
        ),
      },
      { requiredKeys: [] },
    ),
  );
  test.each(Object.entries(WIRES))('%s', (_name, wire) => {
    fc.assert(
      fc.property(fc.array(frame), (frames) => {
        for (const event of readAll(wire.createEventReader(), frames))
          expect(typeof event.type).toBe('string');
      }),
    );
  });
});
