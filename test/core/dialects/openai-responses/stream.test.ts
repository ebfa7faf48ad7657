import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { usageOf } from '../../../../src/core/accounting/usage.ts';
import type { Answer, AnswerEvent } from '../../../../src/core/answer.ts';
import type { AssistantBlock } from '../../../../src/core/conversation.ts';
import { readAnswer } from '../../../../src/core/dialects/openai-responses/answer.ts';
import { createEventReader } from '../../../../src/core/dialects/openai-responses/events.ts';
import { readResponsesRequest } from '../../../../src/core/dialects/openai-responses/read.ts';
import { FluxError } from '../../../../src/core/errors.ts';
import type { FluxMetadata } from '../../../../src/core/metadata.ts';
import { eventViolations, hasDescription } from '../../../journeys/conformance.ts';
import { assemble } from '../assembly.ts';

// The writer only carries it; what stands in it is settle's business.
const metadata = { request_id: 'r' } as FluxMetadata;
const head = { requestId: '0f-1', created: 1 };
const usage = usageOf({ fresh: 5, read: 20, write_5m: 3, output: 7, thinking: 2 });
const request = {
  model: 'auto',
  input: 'Hi',
  instructions: 'Be brief.',
  tools: [
    { type: 'function', name: 'weather' },
    { type: 'custom', name: 'sql' },
  ],
  metadata: { team: 'a' },
};
const writerOf = (more: object = {}, told: object = {}) =>
  readResponsesRequest({ ...request, ...more }).answerWriter({ ...head, ...told });

type Event = { type: string; sequence_number: number; [field: string]: unknown };

/** The events of a stream, each under the name of its type. */
function eventsOf(text: string): Event[] {
  return text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const [, name, data = ''] = /^event: (.*)\ndata: (.*)$/.exec(frame) ?? [];
      const event: Event = JSON.parse(data);
      expect(event.type).toBe(name);
      // Those that are relayed here are short, or new.
      if (hasDescription && !/resp_up|brand_new/.test(data)) expect(eventViolations(event), data).toEqual([]);
      return event;
    });
}

function streamed(events: AnswerEvent[], writer = writerOf()): Event[] {
  const stream = writer.stream();
  return eventsOf(
    events.map((event) => stream.write({ raw: '', events: [event] })).join('') +
      stream.finish(usage, metadata),
  );
}

const said: AnswerEvent[] = [
  { type: 'start', id: 'msg', model: 'claude-haiku-5-5' },
  { type: 'progress' },
  { type: 'text', text: 'Let me ' },
  { type: 'text', text: 'see.' },
  { type: 'tool_call', index: 0, id: 'a', name: 'weather' },
  { type: 'tool_arguments', index: 0, delta: '{"city":' },
  { type: 'tool_call', index: 1, id: 'b', name: 'sql' },
  { type: 'tool_arguments', index: 0, delta: '"Paris"}' },
  { type: 'tool_arguments', index: 1, delta: 'SELECT 1' },
  { type: 'stop', reason: 'tool_calls' },
];

describe('a translated stream', () => {
  test('traps T32: every event in order and numbered from 0; parallel calls keep their places', () => {
    const events = streamed(said);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.map(({ type, output_index }) => [type.replace('response.', ''), output_index])).toEqual([
      ['created', undefined],
      ['in_progress', undefined],
      ['output_item.added', 0],
      ['content_part.added', 0],
      ['output_text.delta', 0],
      ['output_text.delta', 0],
      ['output_text.done', 0],
      ['content_part.done', 0],
      ['output_item.done', 0],
      ['output_item.added', 1],
      ['function_call_arguments.delta', 1],
      ['output_item.added', 2],
      ['function_call_arguments.delta', 1],
      ['custom_tool_call_input.delta', 2],
      ['function_call_arguments.done', 1],
      ['output_item.done', 1],
      ['custom_tool_call_input.done', 2],
      ['output_item.done', 2],
      ['completed', undefined],
    ]);
    expect(events.at(-1)?.response).toMatchObject({
      id: 'resp_0f1',
      status: 'completed',
      model: 'claude-haiku-5-5',
      instructions: 'Be brief.',
      metadata: { team: 'a' },
      store: false,
      output: [
        { id: 'msg_0f100', status: 'completed', content: [{ type: 'output_text', text: 'Let me see.' }] },
        { id: 'fc_0f101', call_id: 'a', name: 'weather', arguments: '{"city":"Paris"}', status: 'completed' },
        { id: 'ctc_0f102', call_id: 'b', name: 'sql', input: 'SELECT 1' },
      ],
      usage: {
        input_tokens: 28,
        input_tokens_details: { cached_tokens: 20, cache_write_tokens: 3 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 2 },
        total_tokens: 35,
      },
      fluxcompute: metadata,
    });
    expect(JSON.stringify(events.slice(0, -1))).not.toContain('fluxcompute');
  });

  test.each([
    ['length', 'incomplete', { reason: 'max_output_tokens' }],
    ['refusal', 'incomplete', { reason: 'content_filter' }],
    ['stop', 'completed', null],
  ] as const)('ends for %s as %s', (reason, status, incomplete_details) => {
    const events = streamed([...said.slice(0, 3), { type: 'stop', reason }]);
    expect(events.at(-1)).toMatchObject({
      type: `response.${status}`,
      response: { status, incomplete_details, output: [{ status }] },
    });
  });

  test('a refusal in words is an answer, in a part of its own', () => {
    const events = streamed([
      { type: 'text', text: 'Hm. ' },
      { type: 'refusal', text: 'No.' },
      { type: 'stop', reason: 'refusal' },
    ]);
    expect(events.at(-1)?.response).toMatchObject({
      status: 'completed',
      output: [{ content: [{ text: 'Hm. ' }, { type: 'refusal', refusal: 'No.' }] }],
    });
  });

  test('traps T30: a broken one ends with response.failed, also before its first event', () => {
    const writer = writerOf().stream();
    const begun = writer.write({ raw: '', events: said.slice(0, 3) });
    const cut = new FluxError('cut', { status: 502, code: 'stream_cut' });
    const events = eventsOf(begun + writer.fail(cut, metadata));
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      sequence_number: events.length - 1,
      response: {
        status: 'failed',
        error: { code: 'server_error', message: 'cut' },
        fluxcompute: metadata,
      },
    });
    const early = eventsOf(writerOf().stream().fail(cut));
    expect(early.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.failed',
    ]);
  });
});

const text = fc.string({ minLength: 1, maxLength: 8 });
const block: fc.Arbitrary<AssistantBlock> = fc.oneof(
  text.map((value): AssistantBlock => ({ type: 'text', text: value })),
  text.map((value): AssistantBlock => ({ type: 'refusal', text: value })),
  fc.record({
    type: fc.constant('tool_call' as const),
    id: text,
    name: fc.constantFrom('weather', 'other'),
    arguments: text,
  }),
);

/** A whole answer as a provider would stream it, cut into characters. */
function eventsFor(answer: Answer): AnswerEvent[] {
  let calls = 0;
  const said = answer.blocks.flatMap((one): AnswerEvent[] => {
    if (one.type === 'text' || one.type === 'refusal')
      return [...one.text].map((part) => ({ type: one.type, text: part }));
    if (one.type !== 'tool_call') return [];
    const index = calls++;
    const deltas = [...one.arguments].map((delta) => ({ type: 'tool_arguments' as const, index, delta }));
    return [{ type: 'tool_call', index, id: one.id, name: one.name }, ...deltas];
  });
  return [{ type: 'start', id: 'x', model: answer.model }, ...said, { type: 'stop', reason: answer.stop }];
}

test('streamed or whole, an answer is the same response, and says what the model said', () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 5 }), fc.constantFrom('stop', 'length'), (blocks, stop) => {
      const answer: Answer = { id: 'x', model: 'm', blocks, stop, usage };
      const whole = writerOf().whole(answer, metadata);
      const events = streamed(eventsFor(answer));
      expect(events.at(-1)?.response).toEqual(JSON.parse(JSON.stringify(whole)));
      const reader = createEventReader();
      const read = events.flatMap((event) => reader({ data: JSON.stringify(event) }));
      const { usage: _usage, ...assembled } = assemble(read);
      const { usage: _same, serviceTier: _tier, ...again } = readAnswer(whole);
      const joined = (kind: string, all: AssistantBlock[]) =>
        all.map((one) => (one.type === kind && 'text' in one ? one.text : '')).join('');
      for (const kind of ['text', 'refusal']) {
        expect(joined(kind, assembled.blocks)).toBe(joined(kind, blocks));
        expect(joined(kind, again.blocks)).toBe(joined(kind, blocks));
      }
      expect(again.blocks.filter(({ type }) => type === 'tool_call')).toEqual(
        blocks.filter(({ type }) => type === 'tool_call'),
      );
    }),
  );
});

describe('a relayed stream', () => {
  const response = {
    id: 'resp_up',
    object: 'response',
    status: 'in_progress',
    store: false,
    previous_response_id: null,
  };
  const item = { type: 'message', id: 'msg_1', content: [] };
  const done = { ...response, status: 'completed', output: [item], odd: 1 };
  const raws = [
    `{"type":"response.created","sequence_number":0,"response":${JSON.stringify(response)}}`,
    '{"type":"response.brand_new.delta","sequence_number":1,"n":1.0}',
    '{"type":"response.output_text.delta","sequence_number":2,"delta":"it says \\"type\\":\\"response.completed\\""}',
    `{"type":"response.completed", "sequence_number":3,"response":${JSON.stringify(done)}}`,
  ];
  const relayed = (told: object = {}) => {
    const writer = writerOf({}, told);
    const relay = writer.relay();
    const shown = raws.map((raw) => relay.write({ raw, event: JSON.parse(raw).type, events: [] }));
    return { shown: [...shown, relay.finish(usage, metadata)], writer };
  };

  test('events pass byte for byte, unknown ones too; metadata rides on the last', () => {
    const { shown, writer } = relayed();
    expect(shown.slice(0, 3)).toEqual(
      raws.slice(0, 3).map((raw) => `event: ${JSON.parse(raw).type}\ndata: ${raw}\n\n`),
    );
    expect(shown[3]).toBe('');
    expect(shown[4]).toBe(
      `event: response.completed\ndata: ${raws[3]?.replace('"odd":1}', `"odd":1,"fluxcompute":${JSON.stringify(metadata)}}`)}\n\n`,
    );
    expect(writer.kept?.()).toBeNull();
  });

  test('what the gateway keeps, and went on from, is told as its own; the answer is kept under its id', () => {
    const { shown, writer } = relayed({ keeps: true, continues: 'resp_before' });
    for (const event of eventsOf([shown[0], shown[4]].join(''))) {
      expect(event.response).toMatchObject({ store: true, previous_response_id: 'resp_before' });
    }
    expect(writer.kept?.()).toEqual({ id: 'resp_up', items: [item] });
  });

  test('traps T30: a break goes on from the last number with the response as it began', () => {
    const relay = writerOf().relay();
    const begun = raws
      .slice(0, 2)
      .map((raw) => relay.write({ raw, event: JSON.parse(raw).type, events: [] }));
    const events = eventsOf(
      begun.join('') + relay.fail(new FluxError('slow', { status: 429, code: 'x' }), metadata),
    );
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      sequence_number: 2,
      response: { id: 'resp_up', status: 'failed', error: { code: 'rate_limit_exceeded' } },
    });
  });

  test('a whole answer keeps its text, with one member more', () => {
    const raw = `{ "id":"resp_up","n":1.0,"status":"completed","output":[] }`;
    expect(writerOf().relayWhole?.(raw, metadata)).toBe(
      `{ "id":"resp_up","n":1.0,"status":"completed","output":[] ,"fluxcompute":${JSON.stringify(metadata)}}`,
    );
  });
});
