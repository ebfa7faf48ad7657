import { describe, expect, test } from 'vitest';
import type { Conversation } from '../../../../src/core/conversation.ts';
import { writeRequest } from '../../../../src/core/dialects/anthropic-messages/request.ts';
import { prepare } from '../../../../src/pipeline/prepare.ts';
import { answer, calls, conversationOf, LOOK_UP, model, results, say } from '../conversations.ts';

const HAIKU = model('anthropic', 'claude-haiku-5-5');

function send(
  conversation: Conversation,
  target = HAIKU,
  more: { stream?: boolean; userHash?: string } = {},
) {
  const { conversation: prepared, adapted } = prepare(conversation, target, { defaultMaxTokens: 16_384 });
  const text = writeRequest(prepared, target, { stream: false, modelId: target.id, ...more });
  return { body: JSON.parse(text), adapted, text };
}

describe('system messages', () => {
  test('the leading ones become `system`, system and developer alike', () => {
    const { body, adapted } = send(
      conversationOf([say('system', 'Be brief.'), say('developer', 'Be kind.'), say('user', 'Hi')]),
    );
    expect(body.system).toEqual([
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Be kind.' },
    ]);
    expect(body.messages).toEqual([{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }]);
    expect(adapted).toEqual([]);
  });

  test('a later one stays a system message after a user turn and before an answer or last', () => {
    const history = [
      say('user', 'Hi'),
      say('system', 'A'),
      answer('Hello'),
      say('user', 'More'),
      say('system', 'B'),
      say('developer', 'C'),
    ];
    const { body, adapted } = send(conversationOf(history));
    expect(body.messages.map((message: { role: string }) => message.role)).toEqual([
      'user',
      'system',
      'assistant',
      'user',
      'system',
    ]);
    expect(body.messages[4].content).toHaveLength(2);
    expect(adapted).toEqual([]);
  });

  test('a later one in another place, or on a model without them, is marked user text', () => {
    const history = [say('user', 'Hi'), answer('Hello'), say('system', 'A'), say('user', 'More')];
    const marked = {
      role: 'user',
      content: [{ type: 'text', text: '<system-message>\nA\n</system-message>' }],
    };
    const reported = { field: 'messages.role', action: 'translated', from: 'system', to: 'user' };
    const { body, adapted } = send(conversationOf(history));
    expect(body.messages[2]).toEqual(marked);
    expect(adapted).toEqual([reported]);
    const older = send(
      conversationOf([say('user', 'Hi'), say('system', 'A')]),
      model('anthropic', 'claude-sonnet-5'),
    );
    expect(older.body.messages[1]).toEqual(marked);
    expect(older.adapted).toEqual([reported]);
  });

  test('a conversation of system messages alone still asks something', () => {
    const { body } = send(conversationOf([say('system', 'Be brief.'), say('system', 'Greet the user.')]));
    expect(body.system).toHaveLength(1);
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [{ type: 'text', text: '<system-message>\nGreet the user.\n</system-message>' }],
      },
    ]);
  });
});

describe('messages', () => {
  test('empty and blank text is left out, and nothing else changes its place', () => {
    const { body, adapted } = send(
      conversationOf([
        say('system', ' '),
        say('user', '', 'Hi', '\n'),
        answer(''),
        say('user', 'Still there?'),
      ]),
    );
    expect(body.system).toBeUndefined();
    expect(body.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'user', content: [{ type: 'text', text: 'Still there?' }] },
    ]);
    expect(adapted).toEqual([]);
  });

  test('an empty user message says so, since a request must not end in an answer', () => {
    const { body, adapted } = send(conversationOf([say('user', 'Hi'), answer('Hello'), say('user', ' ')]));
    expect(body.messages[2]).toEqual({ role: 'user', content: [{ type: 'text', text: '(empty message)' }] });
    expect(adapted).toEqual([{ field: 'messages.content', action: 'translated' }]);
  });

  test('a conversation that the assistant opened begins with a user turn', () => {
    const { body } = send(conversationOf([say('system', 'S'), answer('How can I help?'), say('user', 'Hi')]));
    expect(body.messages.map((message: { role: string }) => message.role)).toEqual([
      'user',
      'assistant',
      'user',
    ]);
  });

  test('a prefill ends without white space', () => {
    const { body } = send(
      conversationOf([say('user', 'Hi'), answer('It is: \n')]),
      model('anthropic', 'claude-haiku-4-5'),
    );
    expect(body.messages[1].content).toEqual([{ type: 'text', text: 'It is:' }]);
  });

  test('an image can be spoken for', () => {
    const image = {
      type: 'image' as const,
      source: { kind: 'url' as const, url: 'https://example.com/a.png' },
    };
    const { body } = send(conversationOf([{ role: 'user', name: 'ana', content: [image] }]));
    expect(body.messages[0].content).toMatchObject([{ type: 'text', text: 'ana: ' }, { type: 'image' }]);
  });

  test('images go as URL and as base64', () => {
    const { body } = send(
      conversationOf([
        {
          role: 'user',
          content: [
            { type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' }, detail: 'high' },
            { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
          ],
        },
      ]),
    );
    expect(body.messages[0].content).toEqual([
      { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
    ]);
  });

  test('a refusal of the past is text, and a speaker stands in it', () => {
    const { body, adapted } = send(
      conversationOf([
        { role: 'user', name: 'ana', content: [{ type: 'text', text: 'Hi' }] },
        { role: 'assistant', content: [{ type: 'refusal', text: 'No.' }] },
        say('user', 'Why?'),
      ]),
    );
    expect(body.messages[0].content).toEqual([{ type: 'text', text: 'ana: Hi' }]);
    expect(body.messages[1].content).toEqual([{ type: 'text', text: 'No.' }]);
    expect(adapted.map(({ field }) => field)).toEqual(['messages.name', 'messages.refusal']);
  });
});

describe('tools', () => {
  const tools = [LOOK_UP, { name: 'ping' }];

  test('arguments keep their text: order and large numbers', () => {
    const args = '{"b": 1, "2": 12345678901234567890, "1": 1.0}';
    const { text } = send(
      conversationOf([say('user', 'Hi'), calls(['c1', args]), results(['c1', 'ok'])], { tools }),
    );
    expect(text).toContain(`"input":${args}}`);
  });

  test.each([
    '{"id": 12345678901234567890}',
    '{"a":[1e400]}',
    '{"x":0.12345678901234567}',
    '{"b":1,"10":2,"9":3}',
  ])('arguments whose meaning a parser would change stay the text they were: %s', (args) => {
    // The second call tries to pass for the place of the first one's text.
    const forged = '{"input":"exact-input-0"}';
    const { text } = send(
      conversationOf([
        say('user', '"input":"exact-input-1"'),
        calls(['c1', args], ['c2', forged]),
        results(['c1', 'a'], ['c2', 'b']),
      ]),
    );
    expect(text).toContain(`"input":${args}}`);
    expect(text).toContain(`"input":${forged}}`);
  });

  test.each([
    ['', '{}', false],
    ['{"key": "a', '{"_raw":"{\\"key\\": \\"a"}', true],
    ['[1]', '{"_raw":"[1]"}', true],
    ['null', '{"_raw":"null"}', true],
  ])('arguments %j become the object %s', (args, input, reported) => {
    const { text, adapted } = send(
      conversationOf([say('user', 'Hi'), calls(['c1', args]), results(['c1', 'ok'])], { tools }),
    );
    expect(text).toContain(`"input":${input}}`);
    expect(adapted.some(({ field }) => field === 'messages.tool_calls.function.arguments')).toBe(reported);
  });

  test('a tool without parameters takes an empty object', () => {
    const { body } = send(conversationOf([say('user', 'Hi')], { tools }));
    expect(body.tools).toEqual([
      { name: 'look_up', description: 'Looks a thing up.', input_schema: LOOK_UP.parameters },
      { name: 'ping', input_schema: { properties: {}, type: 'object' } },
    ]);
  });

  test.each<[Partial<Conversation>, unknown]>([
    [{}, undefined],
    [{ toolChoice: { type: 'auto' } }, { type: 'auto' }],
    [{ toolChoice: { type: 'none' }, parallelToolCalls: false }, { type: 'none' }],
    [{ toolChoice: { type: 'required' } }, { type: 'any' }],
    [
      { toolChoice: { type: 'required' }, parallelToolCalls: false },
      { type: 'any', disable_parallel_tool_use: true },
    ],
    [{ toolChoice: { type: 'tool', name: 'ping' } }, { type: 'tool', name: 'ping' }],
    [{ parallelToolCalls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [{ parallelToolCalls: true }, undefined],
  ])('tool_choice of %j', (more, expected) => {
    expect(send(conversationOf([say('user', 'Hi')], { tools, ...more })).body.tool_choice).toEqual(expected);
  });

  test('without tools there is no tool_choice', () => {
    expect(
      send(conversationOf([say('user', 'Hi')], { parallelToolCalls: false })).body.tool_choice,
    ).toBeUndefined();
  });
});

describe('settings', () => {
  test("max_tokens is always there: the client's, else the default, never over the model's maximum", () => {
    const asked = (maxTokens: number | undefined, defaultMaxTokens: number): number => {
      const output = { stop: [], n: 1, logprobs: false, ...(maxTokens === undefined ? {} : { maxTokens }) };
      const { conversation } = prepare(conversationOf([say('user', 'Hi')], { output }), HAIKU, {
        defaultMaxTokens,
      });
      return JSON.parse(writeRequest(conversation, HAIKU, { stream: false, modelId: 'm' })).max_tokens;
    };
    expect(asked(100, 16_384)).toBe(100);
    expect(asked(undefined, 16_384)).toBe(16_384);
    expect(asked(undefined, 10_000_000)).toBe(HAIKU.maxOutput);
    expect(asked(10_000_000, 16_384)).toBe(HAIKU.maxOutput);
  });

  test('the gateway marks the cache, unless the client did', () => {
    const plain = send(conversationOf([say('user', 'Hi')], { tools: [LOOK_UP] })).body;
    expect(plain.cache_control).toEqual({ type: 'ephemeral' });
    const marked = send(
      conversationOf([{ role: 'user', content: [{ type: 'text', text: 'Hi', cache: { ttl: '1h' } }] }], {
        tools: [{ ...LOOK_UP, cache: { ttl: '1h' } }],
      }),
    ).body;
    expect(marked.cache_control).toBeUndefined();
    expect(marked.tools[0].cache_control).toEqual({ type: 'ephemeral', ttl: '1h' });
    expect(marked.messages[0].content[0].cache_control).toEqual({ type: 'ephemeral', ttl: '1h' });
  });

  test('marks on calls, on results and on their parts count', () => {
    const { body } = send(
      conversationOf([
        say('user', 'Hi'),
        {
          role: 'assistant',
          content: [{ type: 'tool_call', id: 'c1', name: 'look_up', arguments: '{}', cache: {} }],
        },
        {
          role: 'tool',
          content: [{ type: 'tool_result', callId: 'c1', content: [{ type: 'text', text: 'a', cache: {} }] }],
        },
      ]),
    );
    expect(body.cache_control).toBeUndefined();
    expect(body.messages[1].content[0].cache_control).toEqual({ type: 'ephemeral' });
    expect(body.messages[2].content[0].content[0].cache_control).toEqual({ type: 'ephemeral' });
  });

  test('streams, stop sequences, effort and a hashed user are said; nothing is said of what was not asked', () => {
    const { body } = send(
      conversationOf([say('user', 'Hi')], {
        output: { stop: ['END'], n: 1, logprobs: false },
        reasoning: { effort: 'low' },
        hints: { user: 'ana@example.com', safetyIdentifier: 'ana', promptCacheKey: 'k' },
      }),
      HAIKU,
      { stream: true, userHash: 'f00d' },
    );
    expect(body).toEqual({
      model: 'claude-haiku-5-5',
      // The default, and room for what effort low thinks.
      max_tokens: 18_432,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
      cache_control: { type: 'ephemeral' },
      output_config: { effort: 'low' },
      stop_sequences: ['END'],
      metadata: { user_id: 'f00d' },
      stream: true,
    });
  });
});

describe('schemas', () => {
  const schema = {
    type: 'object',
    properties: { city: { type: 'string', minLength: 2 } },
    required: ['city'],
  };

  test('an answer schema is closed, and its limits become words', () => {
    const { body, adapted } = send(
      conversationOf([say('user', 'Hi')], {
        output: { stop: [], n: 1, logprobs: false, format: { type: 'json_schema', name: 'place', schema } },
      }),
    );
    expect(body.output_config).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: { city: { type: 'string', description: '{minLength: 2}' } },
          required: ['city'],
          additionalProperties: false,
        },
      },
    });
    expect(adapted).toEqual([{ field: 'response_format', action: 'translated' }]);
  });

  test("a schema that the API can't compile is a tool's, or is asked for in words", () => {
    const tree = {
      type: 'object',
      properties: { next: { $ref: '#' } },
      required: ['next'],
      additionalProperties: false,
    };
    const asked = conversationOf([say('system', 'S'), say('user', 'Hi')], {
      output: {
        stop: [],
        n: 1,
        logprobs: false,
        format: { type: 'json_schema', name: 'tree', schema: tree },
      },
    });
    const forced = send(asked);
    expect(forced.body).toMatchObject({
      tools: [{ name: 'final_answer', input_schema: tree }],
      tool_choice: { type: 'tool', name: 'final_answer', disable_parallel_tool_use: true },
    });
    expect(forced.adapted).toEqual([{ field: 'response_format', action: 'translated', to: 'tool' }]);
    // A model that can't be forced.
    const { body, adapted } = send(asked, model('anthropic', 'claude-opus-5-5'));
    expect(body.output_config).toBeUndefined();
    expect(body.system).toHaveLength(2);
    expect(body.system[0].text).toContain(JSON.stringify(tree));
    expect(adapted).toEqual([{ field: 'response_format', action: 'translated' }]);
  });

  test('so is one beyond the limits of a request', () => {
    const wide = (count: number) => ({
      type: 'object',
      properties: Object.fromEntries(
        Array.from({ length: count }, (_, i) => [`p${i}`, { type: ['string', 'null'] }]),
      ),
      required: Array.from({ length: count }, (_, i) => `p${i}`),
      additionalProperties: false,
    });
    const ask = (count: number) =>
      send(
        conversationOf([say('user', 'Hi')], {
          output: {
            stop: [],
            n: 1,
            logprobs: false,
            format: { type: 'json_schema', name: 'wide', schema: wide(count) },
          },
        }),
      ).body.output_config;
    expect(ask(16)).toEqual({ format: { type: 'json_schema', schema: wide(16) } });
    expect(ask(17)).toBeUndefined();
  });

  test('strict tools beyond the limits of a request are offered without', () => {
    const strict = {
      ...LOOK_UP,
      strict: true,
      parameters: { ...LOOK_UP.parameters, additionalProperties: false },
    };
    const offer = (count: number) =>
      send(
        conversationOf([say('user', 'Hi')], {
          tools: Array.from({ length: count }, (_, i) => ({ ...strict, name: `t${i}` })),
        }),
      );
    const few = offer(20);
    expect(few.body.tools.every((tool: { strict?: boolean }) => tool.strict === true)).toBe(true);
    expect(few.adapted).toEqual([]);
    const many = offer(21);
    expect(many.body.tools.some((tool: { strict?: boolean }) => tool.strict !== undefined)).toBe(false);
    expect(many.adapted).toEqual([{ field: 'tools.strict', action: 'dropped' }]);
  });
});
