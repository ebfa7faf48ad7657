import { describe, expect, test } from 'vitest';
import type { Conversation } from '../../../../src/core/conversation.ts';
import { readChatRequest } from '../../../../src/core/dialects/openai-chat/read.ts';
import { requestEdits, writeRequest } from '../../../../src/core/dialects/openai-chat/request.ts';
import { spliceMembers } from '../../../../src/core/json-splice.ts';
import { type CatalogModel, modelOrAssumed } from '../../../../src/core/routing/catalog.ts';
import { prepare } from '../../../../src/pipeline/prepare.ts';
import { calls, conversationOf, LOOK_UP, model, results, say } from '../conversations.ts';

const GPT_4O = model('openai', 'gpt-4o');
const GPT_5 = model('openai', 'gpt-5');
const LOCAL = modelOrAssumed('openai', 'qwen3-8b');

/** A Chat client's body as a Chat server of this model gets it. */
function splice(rawBody: string, target: CatalogModel, stream = false) {
  const { conversation } = readChatRequest(JSON.parse(rawBody));
  const prepared = prepare(conversation, target, { defaultMaxTokens: 16_384 });
  const edits = requestEdits({ original: conversation, prepared: prepared.conversation }, target, {
    stream,
    modelId: target.id,
  });
  const text = spliceMembers(rawBody, edits);
  return { text, body: JSON.parse(text), adapted: prepared.adapted };
}

const MESSAGES = '"messages": [ {"role": "user", "content": "Hi", "x_new": 1.0} ]';

describe('a spliced body', () => {
  test('changes only the model where nothing else has to', () => {
    const body = `{ ${MESSAGES}, "model" : "auto", "temperature": 1e0, "x_unknown": {"a": 12345678901234567890} }`;
    const expected = body.replace('"auto"', '"gpt-4o"').replace(/ }$/, ' ,"store":false}');
    expect(splice(body, GPT_4O).text.replace(/\s+(,"store":false})/, ' $1')).toBe(expected);
  });

  test('asks for usage when it streams, and has no stream options when not', () => {
    const body = `{"model":"auto",${MESSAGES},"stream":true,"stream_options":{"include_usage":false}}`;
    expect(splice(body, GPT_4O, true).body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
    const plain = splice(body, GPT_4O, false).body;
    expect(plain).not.toHaveProperty('stream');
    expect(plain).not.toHaveProperty('stream_options');
  });

  test.each([
    ['"max_tokens":100', GPT_5, { max_completion_tokens: 100 }],
    ['"max_completion_tokens":100', GPT_4O, { max_tokens: 100 }],
    ['"max_tokens":300,"max_completion_tokens":100', GPT_4O, { max_tokens: 100 }],
    ['"max_completion_tokens":100', LOCAL, { max_tokens: 100 }],
    ['"max_tokens":9000000', GPT_4O, { max_tokens: 16_384 }],
    ['"n":1', GPT_4O, {}],
  ])('%s has the right name and limit', (limit, target, expected) => {
    const { max_tokens, max_completion_tokens } = splice(
      `{"model":"auto",${MESSAGES},${limit}}`,
      target,
    ).body;
    expect({ max_tokens, max_completion_tokens }).toEqual({
      max_tokens: undefined,
      max_completion_tokens: undefined,
      ...expected,
    });
  });

  test('drops what a reasoning model refuses, and says so', () => {
    const { body, adapted } = splice(
      `{"model":"auto",${MESSAGES},"temperature":0.2,"top_p":0.9,"stop":["END"],"presence_penalty":1,"reasoning_effort":"max"}`,
      GPT_5,
    );
    expect(Object.keys(body).sort()).toEqual(['messages', 'model', 'reasoning_effort', 'store']);
    expect(body.reasoning_effort).toBe('high');
    expect(adapted.map(({ field, action }) => `${field} ${action}`).sort()).toEqual([
      'presence_penalty dropped',
      'reasoning_effort clamped',
      'stop translated',
      'temperature dropped',
      'top_p dropped',
    ]);
  });

  test('nothing is stored at the provider', () => {
    const { body } = splice(`{"model":"auto",${MESSAGES},"store":true,"metadata":{"a":"b"}}`, GPT_4O);
    expect(body).toMatchObject({ store: false });
    expect(body).not.toHaveProperty('metadata');
  });

  test('cache marks, which OpenAI refuses, take the messages and tools with them; the rest stays', () => {
    const mark = '"cache_control":{"type":"ephemeral"}';
    const { body, adapted } = splice(
      `{"model":"auto","messages":[{"role":"user","content":[{"type":"text","text":"Hi",${mark}}]}],"tools":[{"type":"function","function":{"name":"f"},${mark}}],"x":1}`,
      GPT_4O,
    );
    expect(body).toEqual({
      model: 'gpt-4o',
      store: false,
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [{ type: 'function', function: { name: 'f' } }],
      x: 1,
    });
    expect(adapted).toEqual([{ field: 'cache_control', action: 'dropped' }]);
  });

  test('compatible servers get roles and choices all of them know', () => {
    const { body, adapted } = splice(
      '{"model":"auto","messages":[{"role":"developer","content":"D"},{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}}',
      LOCAL,
    );
    expect(body.messages[0]).toEqual({ role: 'system', content: 'D' });
    expect(body.tools).toHaveLength(1);
    expect(body.tool_choice).toBe('required');
    expect(adapted.map(({ field }) => field)).toEqual(['messages.role', 'tool_choice']);
  });

  test('a reasoning model gets one role for system and developer messages', () => {
    const messages =
      '"messages":[{"role":"system","content":"S"},{"role":"developer","content":"D"},{"role":"user","content":"Hi"}]';
    const { body, adapted } = splice(`{"model":"auto",${messages}}`, GPT_5);
    expect(body.messages.map((message: { role: string }) => message.role)).toEqual([
      'developer',
      'developer',
      'user',
    ]);
    expect(adapted).toEqual([{ field: 'messages.role', action: 'translated', to: 'developer' }]);
    expect(splice(`{"model":"auto",${messages}}`, GPT_4O).adapted).toEqual([]);
  });

  test('ids that are too long for OpenAI are shortened, in calls and results alike', () => {
    const id = `chatcmpl-tool-${'0123456789abcdef'.repeat(2)}`;
    const { body } = splice(
      `{"model":"auto","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"${id}","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"${id}","content":""}]}`,
      GPT_4O,
    );
    const short = body.messages[1].tool_calls[0].id;
    expect(short.length).toBeLessThanOrEqual(40);
    expect(body.messages[2]).toEqual({ role: 'tool', tool_call_id: short, content: '' });
  });
});

describe('a body written anew', () => {
  const write = (conversation: Conversation, target = GPT_4O, stream = false) =>
    JSON.parse(
      writeRequest(prepare(conversation, target, { defaultMaxTokens: 1 }).conversation, target, {
        stream,
        modelId: target.id,
      }),
    );

  const CLOSED = { type: 'object', properties: {}, required: [], additionalProperties: false };

  test('is read again as the conversation it was', () => {
    const conversation = conversationOf(
      [
        say('system', 'S'),
        {
          role: 'user',
          name: 'ana',
          content: [
            { type: 'text', text: 'a' },
            {
              type: 'image',
              source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' },
              detail: 'low',
            },
          ],
        },
        calls(['c1', '{"key": 1.0}'], ['c2', '{']),
        results(['c1', 'one'], ['c2', '']),
        { role: 'assistant', content: [{ type: 'refusal', text: 'No.' }] },
        say('user', 'b', 'c'),
      ],
      {
        tools: [{ ...LOOK_UP, strict: false }],
        toolChoice: { type: 'allowed', mode: 'auto', names: ['look_up'] },
        parallelToolCalls: false,
        output: {
          stop: ['END'],
          n: 2,
          logprobs: true,
          topLogprobs: 3,
          maxTokens: 50,
          format: { type: 'json_schema', name: 'x', schema: CLOSED, strict: true },
        },
        sampling: {
          temperature: 0.5,
          topP: 0.5,
          seed: 1,
          presencePenalty: 1,
          frequencyPenalty: 1,
          logitBias: { 5: 1 },
        },
        hints: { promptCacheKey: 'k', serviceTier: 'flex' },
      },
    );
    const body = write(conversation, GPT_4O, true);
    expect(readChatRequest(body).conversation).toEqual(conversation);
    expect(body).toMatchObject({ model: 'gpt-4o', stream: true, stream_options: { include_usage: true } });
  });

  test('images of a tool result follow in a user message', () => {
    const image = {
      type: 'image' as const,
      source: { kind: 'url' as const, url: 'https://example.com/a.png' },
    };
    const body = write(
      conversationOf([
        say('user', 'Hi'),
        calls(['c1', '{}'], ['c2', '{}']),
        {
          role: 'tool',
          content: [
            { type: 'tool_result', callId: 'c1', content: [image] },
            { type: 'tool_result', callId: 'c2', content: [], isError: true },
          ],
        },
      ]),
    );
    expect(body.messages.slice(2)).toEqual([
      { role: 'tool', tool_call_id: 'c1', content: '' },
      { role: 'tool', tool_call_id: 'c2', content: '[The tool reported an error]' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Images of the tool result c1:' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        ],
      },
    ]);
  });
});
