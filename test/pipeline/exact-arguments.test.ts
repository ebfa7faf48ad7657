import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { usageOf } from '../../src/core/accounting/usage.ts';
import { readAnswer as readMessage } from '../../src/core/dialects/anthropic-messages/answer.ts';
import { ANTHROPIC_MESSAGES } from '../../src/core/dialects/anthropic-messages/dialect.ts';
import { createEventReader as readMessageEvents } from '../../src/core/dialects/anthropic-messages/events.ts';
import type { ClientDialect } from '../../src/core/dialects/client-dialect.ts';
import { readAnswer as readCompletion } from '../../src/core/dialects/openai-chat/answer.ts';
import { OPENAI_CHAT } from '../../src/core/dialects/openai-chat/dialect.ts';
import { createEventReader as readChatEvents } from '../../src/core/dialects/openai-chat/events.ts';
import { readAnswer as readResponse } from '../../src/core/dialects/openai-responses/answer.ts';
import { OPENAI_RESPONSES } from '../../src/core/dialects/openai-responses/dialect.ts';
import { createEventReader as readResponseEvents } from '../../src/core/dialects/openai-responses/events.ts';
import { valueText } from '../../src/core/json-scan.ts';
import type { FluxMetadata } from '../../src/core/metadata.ts';
import { writeJson } from '../../src/core/raw-json.ts';
import type { Wire } from '../../src/core/routing/catalog.ts';
import { prepare } from '../../src/pipeline/prepare.ts';
import { writeWireRequest } from '../../src/pipeline/wire-request.ts';
import { model } from '../core/dialects/conversations.ts';
import { textOf } from './in-process.ts';

/** Objects as models and clients write them: with numbers that a double changes, and texts that a parser does. */
const space = fc.constantFrom('', '', '', ' ', '\n  ');
const number = fc.oneof(
  fc.constantFrom(
    ...['12345678901234567890', '-9007199254740993', '1.0', '-0', '-0.0', '0.10', '1e400', '1E+2', '1e-7'],
    ...['0.1000000000000000055511151231257827', '100000000000000000000000'],
  ),
  fc.bigInt().map(String),
);
const words = fc.oneof(
  fc.constantFrom('"\\u00e9\\/"', '"\\ud83e\\udd16"', '"\\ud800"', '"]}{[,:"', '"\\\\"', '"flux"', '"é 🤖"'),
  fc.string({ maxLength: 8 }).map((value) => JSON.stringify(value)),
);
const key = fc.constantFrom('"a"', '"b"', '"10"', '"2"', '"\\u0061"', '"__proto__"', '"input"', '""');
const { object } = fc.letrec<{ object: string; value: string }>((tie) => ({
  object: fc
    .tuple(fc.array(fc.tuple(space, key, space, tie('value'), space), { maxLength: 4 }), space)
    .map(([members, end]) => {
      const all = members.map(
        ([before, name, between, value, after]) => `${before}${name}:${between}${value}${after}`,
      );
      return `{${all.join(',')}${end}}`;
    }),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    ...[number, words, fc.constantFrom('true', 'null'), tie('object')],
    fc.array(tie('value'), { maxLength: 3 }).map((values) => `[${values.join(' ,')}]`),
  ),
}));
const args = fc.array(object, { minLength: 1, maxLength: 3 });

/** Texts with `args` as the wire has them, and where they stand in what is written for it. */
interface WireTexts {
  dialect: ClientDialect;
  target: ReturnType<typeof model>;
  whole(args: string[]): string;
  readWhole: typeof readMessage;
  inWhole(text: string, place: number): unknown;
  frames(args: string[]): string[];
  readFrames: typeof readMessageEvents;
  /** All pieces of a stream's arguments, by call. */
  inStream(events: Record<string, unknown>[]): string[];
  request(args: string[]): string;
  inRequest(text: string, place: number): unknown;
}

const parse = (text: string | undefined): unknown => JSON.parse(text ?? 'null');
const both = <T>(some: T[]) => some.join(',');
const halves = (text: string): string[] => [text.slice(0, text.length >> 1), text.slice(text.length >> 1)];
const SCHEMA = '{"type":"object"}';

const WIRES: Record<Wire, WireTexts> = {
  'anthropic-messages': {
    dialect: ANTHROPIC_MESSAGES,
    target: model('anthropic', 'claude-sonnet-5'),
    whole: (given) =>
      `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"\\"input\\":{}"},${both(
        given.map((input, i) => `{"type":"tool_use","id":"toolu_${i}", "input" : ${input},"name":"f"}`),
      )}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}`,
    readWhole: readMessage,
    inWhole: (text, place) => {
      const blocks = parse(valueText(text, ['content'])) as { type: string }[];
      const calls = blocks.flatMap(({ type }, index) => (type === 'tool_use' ? [index] : []));
      return valueText(text, ['content', calls[place] ?? 0, 'input']);
    },
    frames: (given) => [
      '{"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":1}}}',
      ...given.flatMap((input, index) => [
        // Some servers give them at once.
        `{"type":"content_block_start","index":${index},"content_block":{"type":"tool_use","id":"t${index}","name":"f","input":${index === 0 ? input : '{}'}}}`,
        ...(index === 0 ? [] : halves(input)).map((partial_json) =>
          JSON.stringify({
            type: 'content_block_delta',
            index,
            delta: { type: 'input_json_delta', partial_json },
          }),
        ),
        `{"type":"content_block_stop","index":${index}}`,
      ]),
      '{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":1}}',
      '{"type":"message_stop"}',
    ],
    readFrames: readMessageEvents,
    inStream: (events) =>
      gathered(events, ({ index, delta }) => [index, (delta as { partial_json?: string })?.partial_json]),
    request: (given) =>
      `{"model":"auto","max_tokens":100,"tools":[{"name":"f","input_schema":${SCHEMA}}],"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[${both(
        given.map((input, i) => `{"type":"tool_use","id":"toolu_${i}","name":"f","input":${input}}`),
      )}]},{"role":"user","content":[${both(
        given.map((_, i) => `{"type":"tool_result","tool_use_id":"toolu_${i}","content":"done"}`),
      )}]}]}`,
    inRequest: (text, place) => valueText(text, ['messages', 1, 'content', place, 'input']),
  },
  'openai-chat': {
    dialect: OPENAI_CHAT,
    target: model('openai', 'gpt-4o'),
    whole: (given) =>
      `{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[${both(
        // Some servers have the object itself.
        given.map(
          (one, i) =>
            `{"id":"call_${i}","type":"function","function":{"name":"f","arguments":${i === 0 ? one : JSON.stringify(one)}}}`,
        ),
      )}]}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`,
    readWhole: readCompletion,
    inWhole: (text, place) =>
      parse(valueText(text, ['choices', 0, 'message', 'tool_calls', place, 'function', 'arguments'])),
    frames: (given) => [
      ...given.flatMap((one, index) =>
        (index === 0 ? [one] : halves(one).map((half) => JSON.stringify(half))).map(
          (piece, part) =>
            `{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":${index},${part === 0 ? `"id":"call_${index}",` : ''}"function":{${part === 0 ? '"name":"f",' : ''}"arguments":${piece}}}]}}]}`,
        ),
      ),
      '{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
      '[DONE]',
    ],
    readFrames: readChatEvents,
    inStream: (events) =>
      gathered(events, ({ choices }) => {
        const [choice] = (choices ?? []) as {
          delta: { tool_calls?: { index: number; function: { arguments: string } }[] };
        }[];
        const call = choice?.delta.tool_calls?.[0];
        return [call?.index, call?.function.arguments];
      }),
    request: (given) =>
      JSON.stringify({
        model: 'auto',
        tools: [{ type: 'function', function: { name: 'f', parameters: JSON.parse(SCHEMA) } }],
        messages: [
          { role: 'user', content: 'go' },
          {
            role: 'assistant',
            tool_calls: given.map((one, i) => ({
              id: `call_${i}`,
              type: 'function',
              function: { name: 'f', arguments: one },
            })),
          },
          ...given.map((_, i) => ({ role: 'tool', tool_call_id: `call_${i}`, content: 'done' })),
        ],
      }),
    inRequest: (text, place) =>
      parse(valueText(text, ['messages', 1, 'tool_calls', place, 'function', 'arguments'])),
  },
  'openai-responses': {
    dialect: OPENAI_RESPONSES,
    target: model('openai', 'gpt-6-luna'),
    whole: (given) =>
      JSON.stringify({
        ...{ id: 'resp_1', object: 'response', status: 'completed', model: 'm' },
        output: given.map((one, i) => ({
          type: 'function_call',
          id: `fc_${i}`,
          call_id: `call_${i}`,
          name: 'f',
          arguments: one,
        })),
      }),
    readWhole: readResponse,
    inWhole: (text, place) => {
      const items = parse(valueText(text, ['output'])) as { type: string; arguments: string }[];
      return items.filter(({ type }) => type === 'function_call')[place]?.arguments;
    },
    frames: (given) =>
      [
        { type: 'response.created', response: { id: 'resp_1', model: 'm' } },
        ...given.flatMap((one, output_index) => [
          {
            ...{ type: 'response.output_item.added', output_index },
            item: {
              type: 'function_call',
              id: 'fc',
              call_id: `call_${output_index}`,
              name: 'f',
              arguments: '',
            },
          },
          ...halves(one).map((delta) => ({
            type: 'response.function_call_arguments.delta',
            output_index,
            delta,
          })),
          { type: 'response.function_call_arguments.done', output_index, arguments: one },
          { type: 'response.output_item.done', output_index, item: { type: 'function_call' } },
        ]),
        { type: 'response.completed', response: { id: 'resp_1', model: 'm', status: 'completed' } },
      ].map((event) => JSON.stringify(event)),
    readFrames: readResponseEvents,
    inStream: (events) =>
      gathered(events, ({ type, output_index, delta }) => [
        output_index,
        type === 'response.function_call_arguments.delta' ? delta : undefined,
      ]),
    request: (given) =>
      JSON.stringify({
        model: 'auto',
        tools: [{ type: 'function', name: 'f', parameters: JSON.parse(SCHEMA) }],
        input: [
          { role: 'user', content: 'go' },
          ...given.map((one, i) => ({
            type: 'function_call',
            call_id: `call_${i}`,
            name: 'f',
            arguments: one,
          })),
          ...given.map((_, i) => ({ type: 'function_call_output', call_id: `call_${i}`, output: 'done' })),
        ],
      }),
    inRequest: (text, place) => parse(valueText(text, ['input', 1 + place, 'arguments'])),
  },
};

/** The pieces of each call, joined, in the order of the calls. */
function gathered(
  events: Record<string, unknown>[],
  piece: (event: Record<string, unknown>) => [index: unknown, text: unknown],
): string[] {
  const texts = new Map<unknown, string>();
  for (const event of events) {
    const [index, text] = piece(event);
    if (typeof text === 'string') texts.set(index, (texts.get(index) ?? '') + text);
  }
  return [...texts.values()];
}

const names = Object.keys(WIRES) as Wire[];
const WAYS = names.flatMap((client) => names.map((upstream) => ({ client, upstream })));
// What is in it does not matter here.
const metadata = { request_id: 'r' } as FluxMetadata;
const head = { requestId: '00000000-0000-4000-8000-000000000000', created: 1 };

describe('the arguments of calls arrive byte for byte, whatever numbers and texts they hold', () => {
  test.each(WAYS)('whole: $client ← $upstream', ({ client, upstream }) => {
    const { dialect, inWhole, request } = WIRES[client];
    const { whole, readWhole } = WIRES[upstream];
    const asked = request(['{}']);
    const writer = dialect.read(JSON.parse(asked), asked).answerWriter(head);
    fc.assert(
      fc.property(args, (given) => {
        const raw = whole(given);
        const text = writeJson(writer.whole(readWhole(JSON.parse(raw), raw), metadata));
        expect(() => JSON.parse(text)).not.toThrow();
        expect(given.map((_, place) => inWhole(text, place))).toEqual(given);
      }),
    );
  });

  test.each(WAYS)('streamed: $client ← $upstream', ({ client, upstream }) => {
    const { dialect, inStream, request } = WIRES[client];
    const { frames, readFrames } = WIRES[upstream];
    const asked = request(['{}']);
    fc.assert(
      fc.property(args, (given) => {
        const read = readFrames();
        const writer = dialect.read(JSON.parse(asked), asked).answerWriter(head).stream();
        const written = frames(given).map((data) => writer.write({ raw: data, events: read({ data }) }));
        const text = written.join('') + writer.finish(usageOf({}), metadata);
        const data = text.split('\n').filter((line) => line.startsWith('data: {'));
        const events = data.map((line): Record<string, unknown> => JSON.parse(line.slice('data: '.length)));
        // How each of Anthropic's calls begins, whether or not more comes.
        const isNone = upstream === 'anthropic-messages' && /^\{\s*\}$/.test(given[0] ?? '');
        expect(inStream(events)).toEqual(isNone ? ['{}', ...given.slice(1)] : given);
      }),
    );
  });

  test.each(WAYS)('sent: $client → $upstream', ({ client, upstream }) => {
    const { dialect, request } = WIRES[client];
    const { target, inRequest } = WIRES[upstream];
    const candidate = { provider: 'here', name: target.id, model: target, tier: null };
    fc.assert(
      fc.property(args, (given) => {
        const rawBody = request(given);
        const body: unknown = JSON.parse(rawBody);
        const read = dialect.read(body, rawBody);
        const sameWire = client === upstream;
        const prepared = prepare(read.conversation, target, {
          defaultMaxTokens: 100,
          to: candidate,
          sameWire,
        });
        const asked = { ...read, wire: dialect.wire, rawBody, body, userHash: null };
        const text = textOf(writeWireRequest(asked, candidate, prepared));
        expect(() => JSON.parse(text)).not.toThrow();
        expect(given.map((_, place) => inRequest(text, place))).toEqual(given);
      }),
    );
  });
});
