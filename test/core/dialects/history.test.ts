import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer, AnswerEvent } from '../../../src/core/answer.ts';
import type { AssistantBlock } from '../../../src/core/conversation.ts';
import { record } from '../../../src/core/dialects/answer-recorder.ts';
import { ANTHROPIC_MESSAGES } from '../../../src/core/dialects/anthropic-messages/dialect.ts';
import * as anthropic from '../../../src/core/dialects/anthropic-messages/request.ts';
import type { AnswerHead, ClientDialect } from '../../../src/core/dialects/client-dialect.ts';
import {
  goOn,
  type HistoryEntry,
  newIn,
  takeApart,
  tellStory,
  withoutMarkers,
} from '../../../src/core/dialects/history.ts';
import { OPENAI_CHAT } from '../../../src/core/dialects/openai-chat/dialect.ts';
import * as chat from '../../../src/core/dialects/openai-chat/request.ts';
import { OPENAI_RESPONSES } from '../../../src/core/dialects/openai-responses/dialect.ts';
import * as responses from '../../../src/core/dialects/openai-responses/request.ts';
import type { FluxMetadata } from '../../../src/core/metadata.ts';
import { writeJson } from '../../../src/core/raw-json.ts';
import { excludedBy, needsOf } from '../../../src/core/routing/capability.ts';
import { prepare } from '../../../src/pipeline/prepare.ts';
import { conversation } from './arbitraries.ts';
import { model } from './conversations.ts';

type Item = Record<string, unknown>;
type Body = Record<string, unknown>;

const CLIENTS = [
  { dialect: OPENAI_CHAT, write: chat.writeRequest, own: model('openai', 'gpt-4o') },
  { dialect: ANTHROPIC_MESSAGES, write: anthropic.writeRequest, own: model('anthropic', 'claude-opus-4-6') },
  { dialect: OPENAI_RESPONSES, write: responses.writeRequest, own: model('openai', 'gpt-6-luna') },
] as const;

const isLead = ({ role }: Item) => role === 'system' || role === 'developer';
const isAnswer = ({ role, type }: Item) =>
  role === 'assistant' || type === 'reasoning' || String(type).endsWith('_call');
const bare = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value), (key, inner) => (key === 'cache_control' ? undefined : inner));

/** Steps as a client would make them that sends only what is new: some of what the model said is an answer. */
function stepsOf({ history }: ClientDialect, body: Body, answers: readonly boolean[]) {
  const items = body[history.list] as Item[];
  const first = history.leads ? items.findIndex((item) => !isLead(item)) : 0;
  const lead = items.slice(0, Math.max(0, first));
  const steps: { sent: Item[]; answer: Item | null }[] = [{ sent: [], answer: null }];
  for (const [at, item] of items.slice(lead.length).entries()) {
    const step = steps.at(-1);
    const next = items[lead.length + at + 1];
    // What a request begins with is its head, where the wire has it there.
    const cuts = answers[at % answers.length] === true && next && !(history.leads && isLead(next));
    if (step && isAnswer(item) && cuts && step.sent.length > 0) {
      step.answer = item;
      steps.push({ sent: [], answer: null });
    } else step?.sent.push(item);
  }
  return { lead, steps };
}

describe('only what is new, step by step, is the same as everything at once', () => {
  test.each(CLIENTS)('$dialect.wire', ({ dialect, write, own }) => {
    const { history: form } = dialect;
    fc.assert(
      fc.property(
        conversation,
        fc.array(fc.boolean(), { minLength: 1 }),
        fc.boolean(),
        fc.constantFrom(undefined, 1),
        (given, answers, bringsHead, space) => {
          fc.pre(excludedBy(own, needsOf(given)) === null);
          const to = { provider: 'here', name: own.id };
          const meant = prepare(given, own, { defaultMaxTokens: 16_384, to }).conversation;
          const body: Body = JSON.parse(write(meant, own, { stream: false, modelId: 'auto' }));
          const { lead, steps } = stepsOf(dialect, body, answers);
          const entries: HistoryEntry[] = [];
          let whole = '';
          for (const [n, { sent: fresh, answer }] of steps.entries()) {
            const brings = n === 0 || bringsHead;
            const request: Body = { ...body, [form.list]: [...(brings ? lead : []), ...fresh] };
            for (const name of brings ? [] : form.settings) delete request[name];
            const raw = JSON.stringify(request, null, space);
            const story = tellStory(entries);
            const sent = takeApart(form, raw, request);
            whole = goOn(form, raw, story, sent);
            entries.push({
              ...{ id: `${n}`, wire: dialect.wire, after: n - 1 },
              head: newIn(sent.head, story),
              sent: withoutMarkers(sent.messages),
              answer: { text: JSON.stringify(answer), count: 1 },
            });
          }
          const continued: Body = JSON.parse(whole);
          expect(bare(continued)).toEqual(bare(body));
          expect(dialect.read(bare(continued)).conversation).toEqual(dialect.read(bare(body)).conversation);
          // Of the head nothing is kept twice.
          expect(
            entries.slice(1).every(({ head }) => Object.keys(head.settings).length === 0 && !head.lead),
          ).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a head', () => {
  const entry = (head: HistoryEntry['head'], text = '"x"'): HistoryEntry => ({
    ...{ id: '1', wire: 'openai-chat', after: null, head },
    sent: { text, count: 1 },
    answer: { text: '"y"', count: 1 },
  });
  const form = OPENAI_CHAT.history;

  test('what is brought wins, also where that is nothing; null is left out', () => {
    const story = tellStory([
      entry({ lead: '"old"', settings: { tools: '[1]' } }),
      entry({ settings: { tools: '[2]' } }),
    ]);
    const go = (raw: string) => goOn(form, raw, story, takeApart(form, raw, JSON.parse(raw)));
    expect(go('{"messages":[{"role":"user"}],"tools":null}')).toBe(
      '{"messages":["old","x","y","x","y",{"role":"user"}],"tools":[2]}',
    );
    expect(go('{"tools": [], "messages":[{"role":"developer"}, {"role":"user"}]}')).toBe(
      '{"tools": [], "messages":[{"role":"developer"},"x","y","x","y",{"role":"user"}]}',
    );
  });

  test('system messages of Anthropic’s list stay where they were said', () => {
    const raw = '{"messages":[{"role":"system","content":"Now."},{"role":"user","content":"Hi"}]}';
    const { head, messages } = takeApart(ANTHROPIC_MESSAGES.history, raw, JSON.parse(raw));
    expect([head, messages.count]).toEqual([{ settings: {} }, 2]);
  });

  test('a text is a message of the user where a wire takes one (Responses)', () => {
    const take = (raw: string) => takeApart(OPENAI_RESPONSES.history, raw, JSON.parse(raw)).messages;
    expect(take('{"input": "Hi\\n"}')).toEqual({ text: '{"role":"user","content":"Hi\\n"}', count: 1 });
    expect([take('{"input":""}'), take('{}')].map(({ count }) => count)).toEqual([0, 0]);
  });

  test('markers go, but not what a tool was called with', () => {
    const mark = '"cache_control":{"type":"ephemeral"}';
    const text = `{"role":"user","content":[{"type":"tool_result",${mark},"content":[{"n":1.0,${mark}}]}]},{"role":"assistant","content":[{"type":"tool_use","input":{${mark}}}]}`;
    expect(withoutMarkers({ text, count: 2 }).text).toBe(
      `{"role":"user","content":[{"type":"tool_result","content":[{"n":1.0}]}]},{"role":"assistant","content":[{"type":"tool_use","input":{${mark}}}]}`,
    );
  });
});

describe('an answer is kept as its client was told it', () => {
  const HEAD: AnswerHead = { requestId: 'r1', created: 1 };
  // Only its presence counts here.
  const METADATA = { request_id: 'r1' } as FluxMetadata;
  const REQUESTS: Record<string, object> = {
    'openai-chat': { model: 'auto', messages: [{ role: 'user', content: 'Hi' }] },
    'anthropic-messages': { model: 'auto', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] },
    'openai-responses': { model: 'auto', input: 'Hi' },
  };
  const call = (n: number): AssistantBlock => ({
    ...{ type: 'tool_call', id: `call_${n}`, name: 'look_up', arguments: `{"b":1.0,"a":${n}}` },
  });
  const thought = (wire: string): AssistantBlock[] => {
    if (wire === 'anthropic-messages')
      return [{ type: 'thinking', wire, raw: { type: 'thinking', thinking: 'Hm.', signature: 'sig' } }];
    if (wire === 'openai-responses')
      return [
        {
          type: 'thinking',
          wire,
          raw: { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' },
        },
      ];
    return [];
  };
  const eventsOf = (blocks: readonly AssistantBlock[]): AnswerEvent[] => [
    { type: 'start', id: 'a1', model: 'm' },
    ...blocks.flatMap((block, index): AnswerEvent[] => {
      if (block.type === 'text') return [...block.text].map((text) => ({ type: 'text', text }));
      if (block.type === 'thinking') return [{ type: 'block', block }];
      if (block.type !== 'tool_call') return [];
      return [
        { type: 'tool_call', index, id: block.id, name: block.name },
        ...[...block.arguments].map((delta): AnswerEvent => ({ type: 'tool_arguments', index, delta })),
      ];
    }),
    { type: 'stop', reason: 'tool_calls' },
  ];

  test.each(CLIENTS)('$dialect.wire: a stream says what the whole says', ({ dialect }) => {
    const blocks = [
      ...thought(dialect.wire),
      { type: 'text' as const, text: 'I look, "so"\n\n…' },
      call(0),
      call(1),
    ];
    const { answerWriter } = dialect.read(REQUESTS[dialect.wire]);
    const answer: Answer = { id: 'a1', model: 'm', blocks, stop: 'tool_calls' };
    const whole = record(dialect.history.recordAnswer());
    whole.note(writeJson(answerWriter(HEAD).whole(answer, METADATA)));
    const streamed = record(dialect.history.recordAnswer());
    const writer = streamed.over(answerWriter(HEAD).stream());
    for (const event of eventsOf(blocks)) writer.write({ raw: '', events: [event] });
    expect(streamed.said).toBeNull();
    writer.finish({ ...USAGE }, METADATA);
    expect(JSON.parse(`[${streamed.said?.text}]`)).toEqual(JSON.parse(`[${whole.said?.text}]`));
    expect(streamed.said?.count).toBe(dialect.wire === 'openai-responses' ? 4 : 1);
    if (dialect.wire !== 'openai-chat') expect(whole.said?.text).toMatch(/"sig"|"encrypted_content":"x"/);
  });

  test.each(CLIENTS)(
    '$dialect.wire: an answer that says nothing is no message, one that broke is none',
    ({ dialect }) => {
      const { answerWriter } = dialect.read(REQUESTS[dialect.wire]);
      const whole = record(dialect.history.recordAnswer());
      whole.note(
        JSON.stringify(
          answerWriter(HEAD).whole({ id: 'a1', model: 'm', blocks: [], stop: 'stop' }, METADATA),
        ),
      );
      expect(whole.said).toEqual({ text: '', count: 0 });
      const broken = record(dialect.history.recordAnswer());
      const writer = broken.over(answerWriter(HEAD).stream());
      writer.write({ raw: '', events: eventsOf([{ type: 'text', text: 'Par' }]).slice(0, 3) });
      expect(broken.said).toBeNull();
    },
  );

  test('what Anthropic streams is put together as its own clients do it: citations, blocks of its own, odd numbers', () => {
    const { answerWriter } = ANTHROPIC_MESSAGES.read(REQUESTS['anthropic-messages']);
    const streamed = record(ANTHROPIC_MESSAGES.history.recordAnswer());
    const writer = streamed.over(answerWriter(HEAD).relay());
    const frames: object[] = [
      { type: 'message_start', message: { id: 'msg_1', content: [] } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '', citations: null } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Par' } },
      {
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'citations_delta', citation: { cited_text: 'P' } },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'is.' } },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'content_block_start',
        index: 1,
        content_block: { type: 'server_tool_use', id: 's1', input: {} },
      },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"q": 1' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '.0}' } },
      { type: 'content_block_stop', index: 1 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } },
      { type: 'message_stop' },
    ];
    for (const data of frames) writer.write({ raw: JSON.stringify(data), events: [] });
    writer.finish({ ...USAGE }, METADATA);
    expect(streamed.said?.text).toBe(
      '{"role":"assistant","content":[{"type":"text","text":"Paris.","citations":[{"cited_text":"P"}]},{"type":"server_tool_use","id":"s1","input":{"q": 1.0}}]}',
    );
  });
});

const USAGE = {
  ...{ fresh: 1, write_5m: 0, write_1h: 0, write_30m: 0, write_12h: 0, read: 0, output: 1, thinking: 0 },
};
