import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { storedObjectIn } from '../../src/core/stored-objects.ts';

/** Bodies that name what lies at a provider, and the field they do it with. */
const NAMING: [string, object, string][] = [
  [
    'a file of Chat',
    { messages: [{ content: [{ type: 'file', file: { file_id: 'file-1' } }] }] },
    'messages[0].content[0].file.file_id',
  ],
  [
    'a document of Messages',
    { messages: [{ content: [{ type: 'document', source: { type: 'file', file_id: 'file_1' } }] }] },
    'messages[0].content[0].source.file_id',
  ],
  [
    'a file that a tool gave',
    {
      messages: [
        { content: [{ type: 'tool_result', content: [{ type: 'image', source: { file_id: 'file_1' } }] }] },
      ],
    },
    'messages[0].content[0].content[0].source.file_id',
  ],
  [
    'a file for a container',
    { messages: [{ content: [{ type: 'container_upload', file_id: 'file_1' }] }] },
    'messages[0].content[0].file_id',
  ],
  [
    'an image of Responses',
    { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file-1' }] }] },
    'input[0].content[0].file_id',
  ],
  [
    "a tool's output of Responses",
    { input: [{ type: 'function_call_output', output: [{ type: 'input_file', file_id: 'file-1' }] }] },
    'input[0].output[0].file_id',
  ],
  [
    'files of a code interpreter',
    { tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: ['file-1'] } }] },
    'tools[0].container.file_ids',
  ],
  ['a container of Messages', { container: 'container_1' }, 'container'],
  ['a container by its id', { container: { id: 'container_1' } }, 'container'],
  [
    'a container of a tool',
    { tools: [{ type: 'code_interpreter', container: 'cntr_1' }] },
    'tools[0].container',
  ],
  [
    'the container of an earlier call',
    { input: [{ type: 'code_interpreter_call', container_id: 'cntr_1' }] },
    'input[0].container_id',
  ],
  ['skills', { container: { skills: [{ type: 'custom', skill_id: 'skill_1' }] } }, 'container.skills'],
  [
    'a skill of a shell',
    {
      tools: [{ type: 'shell', environment: { skills: [{ type: 'skill_reference', skill_id: 'skill_1' }] } }],
    },
    'tools[0].environment.skills',
  ],
  [
    'vector stores',
    { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] },
    'tools[0].vector_store_ids',
  ],
  ['a thread', { thread: { type: 'continue', previous_message_id: 'msg_1' } }, 'thread'],
  ['a message before', { diagnostics: { previous_message_id: 'msg_1' } }, 'diagnostics.previous_message_id'],
  ['a conversation', { conversation: 'conv_1' }, 'conversation'],
  ['a conversation by its id', { conversation: { id: 'conv_1' } }, 'conversation'],
  ['a response before', { previous_response_id: 'resp_1' }, 'previous_response_id'],
  [
    'a response to compare with',
    { prompt_cache_options: { comparison_response_id: 'resp_1' } },
    'prompt_cache_options.comparison_response_id',
  ],
  ['a prompt', { prompt: { id: 'pmpt_1' } }, 'prompt.id'],
  [
    'an earlier spoken answer',
    { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] },
    'messages[0].audio.id',
  ],
  ['a voice', { audio: { voice: { id: 'voice_1' } } }, 'audio.voice.id'],
  ['a voice of speech', { voice: { id: 'voice_1' } }, 'voice.id'],
  ['a tunnel', { tools: [{ type: 'mcp', tunnel_id: 'tunnel_1' }] }, 'tools[0].tunnel_id'],
  [
    'an item',
    {
      input: [
        { role: 'user', content: 'x' },
        { type: 'item_reference', id: 'msg_1' },
      ],
    },
    'input[1].id',
  ],
  ['an item without a type', { input: [{ id: 'msg_1' }] }, 'input[0].id'],
  ['an image made before', { input: [{ type: 'image_generation_call', id: 'ig_1' }] }, 'input[0].id'],
];

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

  test('what a route answers for is its own, at its place and nowhere else', () => {
    const owned = new Set(['previous_response_id', 'item_reference']);
    expect(
      storedObjectIn({ previous_response_id: 'resp_1', input: [{ type: 'item_reference', id: 'x' }] }, owned),
    ).toBeNull();
    expect(storedObjectIn({ tools: [{ previous_response_id: 'resp_1' }] }, owned)).toBe(
      'tools[0].previous_response_id',
    );
    expect(storedObjectIn({ previous_response_id: 'resp_1', conversation: 'conv_1' }, owned)).toBe(
      'conversation',
    );
  });

  test('an answer that would be left there', () => {
    expect(() => storedObjectIn({ background: true })).toThrow(
      expect.objectContaining({ status: 400, param: 'background' }),
    );
    expect(storedObjectIn({ background: false })).toBeNull();
  });
});
