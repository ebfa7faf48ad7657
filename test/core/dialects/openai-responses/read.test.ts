import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conversation, Message } from '../../../../src/core/conversation.ts';
import { readResponsesRequest } from '../../../../src/core/dialects/openai-responses/read.ts';
import { writeRequest } from '../../../../src/core/dialects/openai-responses/request.ts';
import type { FluxError } from '../../../../src/core/errors.ts';
import { prepare } from '../../../../src/pipeline/prepare.ts';
import { conversation } from '../arbitraries.ts';
import { model, say } from '../conversations.ts';

const user = { role: 'user', content: 'Hi' };
const call = { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{}' };
const output = { type: 'function_call_output', call_id: 'call_1', output: 'sun' };
const tool = { type: 'function', name: 'weather' };
const ask = (more: object = {}) => ({ model: 'auto', input: [user], ...more });
const read = (more: object = {}) => readResponsesRequest(ask(more));

function errorOf(body: unknown): FluxError {
  try {
    readResponsesRequest(body);
  } catch (error) {
    return error as FluxError; // readResponsesRequest throws nothing else; the assertions would show it.
  }
  throw new Error('no error');
}

describe('bad input is a 400 that names the field', () => {
  test.each([
    ['not an object', 'hello', undefined],
    ['no model', { input: 'Hi' }, 'model'],
    ['no input', { model: 'auto' }, 'input'],
    ['an empty input', ask({ input: [] }), 'input'],
    ['input of a wrong type', ask({ input: 5 }), 'input'],
    ['an item that is a text', ask({ input: ['x'] }), 'input[0]'],
    ['an unknown role', ask({ input: [{ role: 'robot', content: 'x' }] }), 'input[0].role'],
    ['a message without content', ask({ input: [{ role: 'user' }] }), 'input[0].content'],
    [
      'a part without text',
      ask({ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }),
      'input[0].content[0].text',
    ],
    [
      'an unknown part',
      ask({ input: [{ role: 'user', content: [{ type: 'hologram' }] }] }),
      'input[0].content[0].type',
    ],
    [
      'an image that is no URL',
      ask({ input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'file:///etc/passwd' }] }] }),
      'input[0].content[0].image_url',
    ],
    [
      'a file without data',
      ask({ input: [{ role: 'user', content: [{ type: 'input_file', filename: 'a.pdf' }] }] }),
      'input[0].content[0].file_data',
    ],
    ['a call without a name', ask({ input: [{ ...call, name: undefined }] }), 'input[0].name'],
    [
      'a call id of 65 characters',
      ask({ input: [{ ...call, call_id: 'x'.repeat(65) }] }),
      'input[0].call_id',
    ],
    ['a result without its call', ask({ input: [user, output] }), 'input[1].call_id'],
    ['a second result of a call', ask({ input: [call, output, output] }), 'input[2].call_id'],
    ['a call without its result', ask({ input: [user, call, user] }), 'input[1]'],
    ['temperature out of range', ask({ temperature: 3 }), 'temperature'],
    ['a wrong effort', ask({ reasoning: { effort: 'much' } }), 'reasoning.effort'],
    ['an unknown format', ask({ text: { format: { type: 'xml' } } }), 'text.format.type'],
    [
      'a format without schema',
      ask({ text: { format: { type: 'json_schema', name: 'a' } } }),
      'text.format.schema',
    ],
    ['a tool without a name', ask({ tools: [{ type: 'function' }] }), 'tools[0].name'],
    ['a choice without tools', ask({ tool_choice: 'required' }), 'tool_choice'],
    [
      'a choice of no tool',
      ask({ tools: [tool], tool_choice: { type: 'function', name: 'x' } }),
      'tool_choice',
    ],
    ['stream of a wrong type', ask({ stream: 'yes' }), 'stream'],
  ])('%s', (_name, body, param) => {
    expect(errorOf(body)).toMatchObject({ status: 400, param });
  });

  test('the message says nothing of what was sent', () => {
    const error = errorOf(ask({ input: [{ role: 'user', content: { secret: 'CANARY' } }] }));
    expect(error.message).not.toContain('CANARY');
  });
});

describe('input', () => {
  const messagesOf = (input: unknown) => read({ input }).conversation.messages;

  test('a text is what the user says; instructions lead', () => {
    expect(read({ input: 'Hi', instructions: 'Be brief.' }).conversation.messages).toEqual([
      say('system', 'Be brief.'),
      say('user', 'Hi'),
    ]);
  });

  test('reasoning, words and calls in a row are one turn; parallel results are one message', () => {
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'sealed' };
    const second = { ...call, call_id: 'call_2' };
    expect(
      messagesOf([
        user,
        reasoning,
        { type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text: 'Hm.' }] },
        call,
        second,
        { ...output, call_id: 'call_2', output: '' },
        { ...output, output: [{ type: 'input_text', text: 'sun' }] },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      ]),
    ).toEqual([
      say('user', 'Hi'),
      {
        role: 'assistant',
        content: [
          { type: 'thinking', wire: 'openai-responses', raw: reasoning },
          { type: 'text', text: 'Hm.' },
          { type: 'tool_call', id: 'call_1', name: 'weather', arguments: '{}' },
          { type: 'tool_call', id: 'call_2', name: 'weather', arguments: '{}' },
        ],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool_result', callId: 'call_2', content: [] },
          { type: 'tool_result', callId: 'call_1', content: [{ type: 'text', text: 'sun' }] },
        ],
      },
      { role: 'assistant', content: [{ type: 'refusal', text: 'No.' }] },
    ]);
  });

  test('a result stands behind its call, wherever the client put it', () => {
    const roles = messagesOf([user, call, user, output, user]).map(({ role }) => role);
    expect(roles).toEqual(['user', 'assistant', 'tool', 'user', 'user']);
  });

  test('an id may be used again once it has its result', () => {
    expect(messagesOf([user, call, output, call, output])).toHaveLength(5);
  });

  test('a custom tool is called with free text', () => {
    const [, turn, result] = messagesOf([
      user,
      { type: 'custom_tool_call', call_id: 'call_1', name: 'sql', input: 'SELECT 1' },
      { type: 'custom_tool_call_output', call_id: 'call_1', output: '1' },
    ]);
    expect(turn?.content).toEqual([
      { type: 'tool_call', id: 'call_1', name: 'sql', arguments: 'SELECT 1', custom: true },
    ]);
    expect(result?.role).toBe('tool');
  });

  test('images, files and markers', () => {
    const [message] = messagesOf([
      {
        role: 'user',
        content: [
          { type: 'input_image', image_url: 'data:image/PNG;base64,AAAA', detail: 'low' },
          { type: 'input_image', image_url: 'https://example.com/a.png' },
          { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' },
          { type: 'input_file', file_url: 'https://example.com/a.pdf' },
          { type: 'input_text', text: 'Read.', prompt_cache_breakpoint: { mode: 'explicit' } },
        ],
      },
    ]);
    expect(message?.content).toEqual([
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' }, detail: 'low' },
      { type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } },
      {
        type: 'document',
        source: { kind: 'base64', mediaType: 'application/pdf', data: 'BBBB' },
        title: 'a.pdf',
      },
      { type: 'document', source: { kind: 'url', url: 'https://example.com/a.pdf' } },
      { type: 'text', text: 'Read.', cache: { breakpoint: true } },
    ]);
  });
});

describe('traps T35: nothing is dropped in silence', () => {
  test('tools, choices, limits and formats are kept', () => {
    const { conversation: given } = read({
      tools: [
        { ...tool, strict: true, description: 'Weather', parameters: { type: 'object' } },
        { type: 'custom', name: 'sql', format: { type: 'text' } },
      ],
      tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'custom', name: 'sql' }] },
      parallel_tool_calls: false,
      max_output_tokens: 100,
      text: { format: { type: 'json_schema', name: 'a', schema: {}, strict: true }, verbosity: 'low' },
      reasoning: { effort: 'high' },
    });
    expect(given).toMatchObject({
      tools: [
        { name: 'weather', strict: true },
        { name: 'sql', custom: { format: { type: 'text' } } },
      ],
      toolChoice: { type: 'allowed', mode: 'required', names: ['sql'] },
      parallelToolCalls: false,
      output: { maxTokens: 100, verbosity: 'low', format: { name: 'a', strict: true } },
      reasoning: { effort: 'high' },
    });
  });

  test('an omitted strict is "where possible", which no other wire has a word for', () => {
    expect(read({ tools: [tool] }).conversation.tools).toEqual([{ name: 'weather' }]);
  });

  test('what only Responses knows keeps the step there', () => {
    const { ownFields } = read({
      input: [
        user,
        { type: 'compaction', encrypted_content: 'x' },
        { type: 'configuration_update', reasoning: { effort: 'low' } },
        { ...call, caller: { type: 'program', id: 'p' } },
        output,
      ],
      tools: [{ type: 'code_interpreter' }, { ...tool, defer_loading: true }, { type: 'web_search' }],
      tool_choice: { type: 'web_search' },
      include: ['message.output_text.logprobs'],
      top_logprobs: 2,
      reasoning: { mode: 'pro' },
      context_management: [{ type: 'compaction' }],
      moderation: null,
    });
    expect(ownFields).toEqual([
      'input[1].type',
      'input[2].type',
      'input[3].caller',
      'tools[0].type',
      'tools[1].defer_loading',
      'tool_choice',
      'context_management',
      'include',
      'top_logprobs',
      'reasoning.mode',
    ]);
  });

  test('a tool of a namespace has a name that holds both, in what was called before too', () => {
    const namespace = {
      type: 'namespace',
      name: 'crm',
      description: 'The customers.',
      tools: [
        { ...tool, name: 'find', description: 'Finds one.' },
        { type: 'custom', name: 'note' },
      ],
    };
    const { conversation, ownFields } = read({
      input: [user, { ...call, name: 'find', namespace: 'crm' }, output],
      tools: [tool, namespace],
      tool_choice: { type: 'function', name: 'find', namespace: 'crm' },
    });
    expect(ownFields).toEqual([]);
    expect(conversation.tools).toEqual([
      { name: 'weather' },
      { name: 'crm__find', description: 'The customers.\n\nFinds one.' },
      { name: 'crm__note', custom: {} },
    ]);
    expect(conversation.toolChoice).toEqual({ type: 'tool', name: 'crm__find' });
    expect(conversation.messages[1]?.content).toMatchObject([{ type: 'tool_call', name: 'crm__find' }]);
  });

  test('a hosted tool that stands beside the own ones can be spared, alone it can not', () => {
    const search = { type: 'web_search', external_web_access: true };
    expect(read({ tools: [tool, search] })).toMatchObject({
      ownFields: [],
      spareFields: ['tools.web_search'],
    });
    expect(read({ tools: [search] }).ownFields).toEqual(['tools[0].type']);
    expect(read({ tools: [tool, search], tool_choice: { type: 'web_search' } }).ownFields).toEqual([
      'tool_choice',
    ]);
  });

  test('what other wires have no word for is told, and what says nothing is not', () => {
    const { unknownFields } = read({
      input: [{ role: 'assistant', content: 'x', phase: 'commentary' }, user],
      include: ['reasoning.encrypted_content'],
      reasoning: { summary: 'auto', context: null },
      truncation: 'disabled',
      stream_options: { include_obfuscation: false },
      max_tool_calls: 3,
      brand_new: 1,
      store: false,
      background: false,
    });
    expect(unknownFields).toEqual([
      'include',
      'max_tool_calls',
      'brand_new',
      'reasoning.summary',
      'input.phase',
    ]);
  });
});

/** Nothing that folds: a turn is one message, and has words or none. */
function unfolded({ messages, ...rest }: Conversation): Conversation {
  const apart = messages.flatMap((message, index): Message[] =>
    message.role === 'assistant' && messages[index - 1]?.role === 'assistant'
      ? [say('user', 'Go on.'), message]
      : [message],
  );
  return { ...rest, messages: apart };
}

test('wire → conversation → wire is the identity', () => {
  const target = model('openai', 'gpt-6.2-sol');
  const write = (given: Conversation) => writeRequest(given, target, { stream: false, modelId: target.id });
  fc.assert(
    fc.property(conversation, (given) => {
      const prepared = prepare(unfolded(given), target, { defaultMaxTokens: 100 }).conversation;
      const wire = write(prepared);
      // Ids that were rewritten once are escaped again (core/tool-ids.ts).
      fc.pre(!/"flx[eh]_/.test(wire));
      const again = write(readResponsesRequest(JSON.parse(wire)).conversation);
      expect(JSON.parse(again)).toEqual(JSON.parse(wire));
    }),
    // An arbitrary that draws from a stream does not shrink.
    { endOnFailure: true },
  );
});
