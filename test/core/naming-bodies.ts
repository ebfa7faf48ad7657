/** Bodies that name what lies at a provider, and the field they do it with. */
export const NAMING: [string, object, string][] = [
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
