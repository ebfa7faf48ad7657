import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conversation } from '../../../../src/core/conversation.ts';
import { readChatRequest, readMessages } from '../../../../src/core/dialects/openai-chat/read.ts';
import { writeRequest } from '../../../../src/core/dialects/openai-chat/request.ts';
import type { FluxError } from '../../../../src/core/errors.ts';
import { prepare } from '../../../../src/pipeline/prepare.ts';
import { conversation } from '../arbitraries.ts';
import { model } from '../conversations.ts';

const user = { role: 'user', content: 'Hi' };
const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };
const tool = { type: 'function', function: { name: 'weather' } };

function errorOf(body: unknown): FluxError {
  try {
    readChatRequest(body);
  } catch (error) {
    return error as FluxError; // readChatRequest throws nothing else; the assertions would show it.
  }
  throw new Error('no error');
}

describe('bad input is a 400 that names the field', () => {
  test.each([
    ['not an object', 'hello', undefined],
    ['a list', [1], undefined],
    ['no messages', { model: 'auto' }, 'messages'],
    ['no model', { messages: [user] }, 'model'],
    ['empty messages', { model: 'auto', messages: [] }, 'messages'],
    ['an unknown role', { model: 'auto', messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
    ['a message that is a string', { model: 'auto', messages: ['x'] }, 'messages[0]'],
    [
      'content of a wrong type',
      { model: 'auto', messages: [{ role: 'user', content: 5 }] },
      'messages[0].content',
    ],
    [
      'a text part without text',
      { model: 'auto', messages: [{ role: 'system', content: [{ type: 'text' }] }] },
      'messages[0].content[0].text',
    ],
    [
      'an image as a tool result',
      {
        model: 'auto',
        messages: [
          user,
          { role: 'assistant', tool_calls: [call] },
          { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'image_url' }] },
        ],
      },
      'messages[2].content[0].type',
    ],
    [
      'an image that is no URL',
      {
        model: 'auto',
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }] },
        ],
      },
      'messages[0].content[0].image_url.url',
    ],
    [
      'a result without its call',
      { model: 'auto', messages: [user, { role: 'tool', tool_call_id: 'call_1', content: '' }] },
      'messages[1].tool_call_id',
    ],
    [
      'a call without its result',
      { model: 'auto', messages: [user, { role: 'assistant', tool_calls: [call] }, user] },
      'messages[2]',
    ],
    [
      'a call left open',
      { model: 'auto', messages: [user, { role: 'assistant', tool_calls: [call] }] },
      'messages',
    ],
    [
      'a call without a name',
      {
        model: 'auto',
        messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: { arguments: '' } }] }],
      },
      'messages[0].tool_calls[0].function.name',
    ],
    ['temperature out of range', { model: 'auto', messages: [user], temperature: 3 }, 'temperature'],
    ['stream of a wrong type', { model: 'auto', messages: [user], stream: 'yes' }, 'stream'],
    ['n of 0', { model: 'auto', messages: [user], n: 0 }, 'n'],
    ['five stops', { model: 'auto', messages: [user], stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
    ['a choice without tools', { model: 'auto', messages: [user], tool_choice: 'required' }, 'tool_choice'],
    [
      'a choice of a tool that is not there',
      {
        model: 'auto',
        messages: [user],
        tools: [tool],
        tool_choice: { type: 'function', function: { name: 'x' } },
      },
      'tool_choice',
    ],
    [
      'a format that is unknown',
      { model: 'auto', messages: [user], response_format: { type: 'xml' } },
      'response_format.type',
    ],
  ])('%s', (_name, body, param) => {
    const error = errorOf(body);
    expect(error.status).toBe(400);
    expect(error.param).toBe(param);
  });

  test('the message says nothing of what was sent', () => {
    const error = errorOf({
      model: 'auto',
      messages: [{ role: 'user', content: [{ type: 'text', text: { secret: 'CANARY' } }] }],
    });
    expect(error.message).not.toContain('CANARY');
  });
});

describe('a conversation', () => {
  test('parallel results share one message, in their order, empty ones stay empty', () => {
    const second = { ...call, id: 'call_2' };
    const messages = readMessages([
      user,
      { role: 'assistant', content: null, tool_calls: [call, second] },
      { role: 'tool', tool_call_id: 'call_2', content: '' },
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'sun' }] },
    ]);
    expect(messages.at(-1)).toEqual({
      role: 'tool',
      content: [
        { type: 'tool_result', callId: 'call_2', content: [] },
        { type: 'tool_result', callId: 'call_1', content: [{ type: 'text', text: 'sun' }] },
      ],
    });
  });

  test('one id may be used again once it has its result', () => {
    const loop = [
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'x' },
    ];
    expect(readMessages([user, ...loop, ...loop])).toHaveLength(5);
  });

  test('traps T36: the stricter of max_tokens and max_completion_tokens counts', () => {
    const read = (limits: object) =>
      readChatRequest({ model: 'auto', messages: [user], ...limits }).conversation.output.maxTokens;
    expect(read({ max_tokens: 100, max_completion_tokens: 50 })).toBe(50);
    expect(read({ max_tokens: 10, max_completion_tokens: 50 })).toBe(10);
    expect(read({ max_completion_tokens: null })).toBeUndefined();
  });

  test('traps T35: names, the developer role, refusals, strict and allowed tools are kept', () => {
    const { conversation } = readChatRequest({
      model: 'auto',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', name: 'ada', content: 'Hi' },
        { role: 'assistant', content: null, refusal: 'No.' },
        user,
      ],
      tools: [{ type: 'function', function: { name: 'weather', strict: true } }],
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'weather' } }] },
      },
      parallel_tool_calls: false,
    });
    expect(conversation).toMatchObject({
      messages: [
        { role: 'developer' },
        { role: 'user', name: 'ada' },
        { role: 'assistant', content: [{ type: 'refusal', text: 'No.' }] },
        { role: 'user' },
      ],
      tools: [{ name: 'weather', strict: true }],
      toolChoice: { type: 'allowed', mode: 'auto', names: ['weather'] },
      parallelToolCalls: false,
    });
  });

  test('images: a data URL is taken apart, a URL is kept and never fetched', () => {
    const part = (url: string) => ({ type: 'image_url', image_url: { url, detail: 'low' } });
    const messages = readMessages([
      { role: 'user', content: [part('data:image/PNG;base64,AAAA'), part('https://example.com/a.png')] },
    ]);
    expect(messages[0]?.content).toEqual([
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' }, detail: 'low' },
      { type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' }, detail: 'low' },
    ]);
  });

  test('what only Chat Completions knows, and what nobody knows, is told apart', () => {
    const chat = readChatRequest({
      model: 'auto',
      messages: [user],
      prediction: { type: 'content', content: '' },
      modalities: ['text'],
      brand_new: 1,
      functions: [],
    });
    expect(chat.ownFields).toEqual(['prediction']);
    expect(chat.unknownFields).toEqual(['brand_new']);
  });
});

describe('what came after text, images and functions', () => {
  test('files are documents; one that is stored, and parts of other kinds, are for this wire alone', () => {
    const read = readChatRequest({
      model: 'auto',
      messages: [
        user,
        {
          role: 'user',
          content: [
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
            { type: 'file', file: { file_data: 'data:text/plain;charset=utf-8;base64,QQ==' } },
            { type: 'file', file: { file_data: 'AAAA' } },
            { type: 'file', file: { file_id: 'file-1' } },
            { type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } },
          ],
        },
      ],
    });
    const pdf = { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' };
    expect(read.conversation.messages[1]?.content).toMatchObject([
      { type: 'document', source: pdf, title: 'a.pdf' },
      { type: 'document', source: { kind: 'base64', mediaType: 'text/plain', data: 'QQ==' } },
      { type: 'document', source: pdf },
      { type: 'foreign', kind: 'file' },
      { type: 'foreign', kind: 'input_audio' },
    ]);
    expect(read.ownFields).toEqual(['messages[1].content[3].type', 'messages[1].content[4].type']);
  });

  test('custom tools, their calls, and the choice of one', () => {
    const grammar = { syntax: 'lark', definition: 'start: "x"' };
    const { conversation } = readChatRequest({
      model: 'auto',
      messages: [
        user,
        {
          role: 'assistant',
          tool_calls: [{ id: 'c1', type: 'custom', custom: { name: 'patch', input: '*** Begin' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'done' },
      ],
      tools: [
        tool,
        { type: 'custom', custom: { name: 'patch', format: { type: 'grammar', grammar } } },
        { type: 'custom', custom: { name: 'note' } },
      ],
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'custom', custom: { name: 'patch' } }] },
      },
    });
    expect(conversation).toMatchObject({
      tools: [
        { name: 'weather' },
        { name: 'patch', custom: { format: { type: 'grammar', ...grammar } } },
        { name: 'note', custom: {} },
      ],
      toolChoice: { type: 'allowed', mode: 'required', names: ['patch'] },
    });
    expect(conversation.messages[1]?.content).toEqual([
      { type: 'tool_call', id: 'c1', name: 'patch', arguments: '*** Begin', custom: true },
    ]);
  });

  test('cache breakpoints and options', () => {
    const part = (ttl?: string) => ({
      type: 'text',
      text: 'x',
      prompt_cache_breakpoint: { mode: 'explicit', ...(ttl ? { ttl } : {}) },
    });
    const { conversation, unknownFields } = readChatRequest({
      model: 'auto',
      messages: [{ role: 'user', content: [part(), part('12h')] }],
      prompt_cache_options: { mode: 'explicit', ttl: '12h' },
    });
    expect(conversation.messages[0]?.content).toEqual([
      { type: 'text', text: 'x', cache: { breakpoint: true } },
      { type: 'text', text: 'x', cache: { breakpoint: true, ttl: '1h' } },
    ]);
    expect(conversation.hints).toEqual({ promptCacheOptions: { mode: 'explicit', ttl: '12h' } });
    expect(unknownFields).toEqual([]);
  });
});

test('wire → conversation → wire is the identity', () => {
  const target = model('openai', 'gpt-5');
  const write = (given: Conversation) => writeRequest(given, target, { stream: false, modelId: target.id });
  fc.assert(
    fc.property(conversation, (given) => {
      const to = { provider: 'here', name: target.id };
      const prepared = prepare(given, target, { defaultMaxTokens: 100, to }).conversation;
      const wire = write(prepared);
      const read = readChatRequest(JSON.parse(wire)).conversation;
      expect(write(read)).toBe(wire);
    }),
    { endOnFailure: true, includeErrorInReport: true },
  );
});
