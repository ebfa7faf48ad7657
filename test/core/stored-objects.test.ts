import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { storedObjectIn } from '../../src/core/stored-objects.ts';
import { NAMING } from './naming-bodies.ts';

/** Bodies that say the same words and name nothing. */
const INNOCENT: [string, object][] = [
  [
    'the arguments of a call',
    {
      messages: [
        {
          content: [{ type: 'tool_use', name: 'open', input: { file_id: 'x', thread: { conversation: 1 } } }],
        },
      ],
    },
  ],
  [
    'the arguments of a call that a provider runs',
    { messages: [{ content: [{ type: 'server_tool_use', input: { container: 'x' } }] }] },
  ],
  ['arguments as an object', { messages: [{ tool_calls: [{ function: { arguments: { file_id: 1 } } }] }] }],
  ['arguments as text', { messages: [{ tool_calls: [{ function: { arguments: '{"file_id":1}' } }] }] }],
  [
    'a schema',
    { tools: [{ function: { parameters: { properties: { file_id: { type: 'string' }, skills: {} } } } }] },
  ],
  [
    'a schema of Messages',
    { tools: [{ input_schema: { properties: { container: {} } }, input_examples: [{ container: 'x' }] }] },
  ],
  [
    'a schema of the answer',
    { response_format: { json_schema: { schema: { properties: { thread: {} } } } } },
  ],
  ['labels', { metadata: { conversation: 'x', file_id: 'y' }, client_metadata: { thread: 'z' } }],
  ['headers of an MCP server', { tools: [{ type: 'mcp', headers: { conversation: 'x' } }] }],
  [
    'what a user says',
    { messages: [{ role: 'user', content: 'file_id: file-1, previous_response_id: resp_1' }] },
  ],
  [
    'what a tool says',
    { messages: [{ role: 'tool', content: '{"container":"x","vector_store_ids":["y"]}' }] },
  ],
  [
    'null and nothing',
    {
      container: null,
      conversation: null,
      previous_response_id: null,
      tools: [{ container: { type: 'auto', file_ids: [] } }],
    },
  ],
  [
    'citations that name none',
    { messages: [{ content: [{ type: 'text', citations: [{ file_id: null }] }] }] },
  ],
  ['a prompt in words', { prompt: 'a cat' }],
  ['a prompt in tokens', { prompt: [1, 2, 3] }],
  ['a voice by its name', { voice: 'alloy', audio: { voice: 'alloy', format: 'wav' } }],
  ['the ground of an image', { background: 'transparent' }],
  [
    'a skill that comes along',
    {
      tools: [
        { type: 'shell', environment: { skills: [{ type: 'inline', name: 'x', source: { data: 'x' } }] } },
      ],
    },
  ],
  [
    'an answer sent back',
    {
      input: [
        { type: 'message', id: 'msg_1', role: 'assistant', content: [] },
        { role: 'assistant', id: 'msg_2', content: 'x' },
      ],
    },
  ],
  ['an image sent back', { input: [{ type: 'image_generation_call', id: 'ig_1', result: 'aGk=' }] }],
];

describe('traps T56: what names an object stored at a provider', () => {
  test.each(NAMING)('%s', (_what, body, field) => {
    expect(storedObjectIn(body)).toBe(field);
  });

  test.each(INNOCENT)('not %s', (_what, body) => {
    expect(storedObjectIn(body)).toBeNull();
  });

  test('a field is found at any depth, except in the words of a client or a model', () => {
    const ways = fc.array(fc.constantFrom('messages', 'content', 'source', 'tools', 'output', 'input'), {
      maxLength: 6,
    });
    const name = fc.constantFrom(
      'file_id',
      'container',
      'thread',
      'conversation',
      'vector_store_ids',
      'skills',
      'previous_message_id',
    );
    const free = fc.constantFrom('arguments', 'input_schema', 'parameters', 'schema', 'metadata');
    const wrap = (inner: object, way: string, index: number): object => ({
      [way]: index % 2 ? [inner] : inner,
    });
    fc.assert(
      fc.property(ways, ways, name, free, (outer, inner, field, word) => {
        const below = inner.reduce(wrap, { [field]: 'x' });
        expect(storedObjectIn(outer.reduce(wrap, below))).toContain(field);
        expect(storedObjectIn(outer.reduce(wrap, { [word]: below }))).toBeNull();
      }),
    );
  });

  test('an answer that would be left there', () => {
    expect(() => storedObjectIn({ background: true })).toThrow(
      expect.objectContaining({ status: 400, param: 'background' }),
    );
    expect(storedObjectIn({ background: false })).toBeNull();
  });
});
