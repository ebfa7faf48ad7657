import type { Conversation, Message } from '../../src/core/conversation.ts';

/** Tool calls of the conversation, in turns of one to three. */
const CALLS = 100;
/** Characters of it in all. */
const SIZE = 200 * 1_024;

const PROSE =
  'The build fails on the third step because the lock file names a version that the registry no longer has. ';
const CODE =
  'export function sum(values: readonly number[]): number {\n  return values.reduce((a, b) => a + b, 0);\n}\n';

const FUNCTIONS = Array.from({ length: 12 }, (_, index) => ({
  name: `tool_${index}`,
  description: `Does the work number ${index} on one file of the project and says what came of it.`,
  parameters: {
    type: 'object',
    properties: {
      path: { type: 'string', description: 'Path of the file, from the root of the project.' },
      query: { type: 'string' },
      limit: { type: 'integer', minimum: 1 },
    },
    required: ['path'],
  },
}));

/** An agent's session late in its life: a long system prompt, tools, and a hundred calls with their results. */
export function conversationOfBench(): Conversation {
  const messages: Message[] = [
    { role: 'system', content: [{ type: 'text', text: PROSE.repeat(60) }] },
    { role: 'user', content: [{ type: 'text', text: 'Find out why the build fails, and mend it.' }] },
  ];
  const each = Math.floor((SIZE - PROSE.length * 60) / CALLS) - 120;
  for (let made = 0; made < CALLS; ) {
    const ids = Array.from({ length: Math.min(1 + (made % 3), CALLS - made) }, (_, i) => `call_${made + i}`);
    messages.push({
      role: 'assistant',
      content: [
        { type: 'text', text: `Step ${made}: looking at the next files.` },
        ...ids.map((id, index) => ({
          type: 'tool_call' as const,
          id,
          name: `tool_${index}`,
          arguments: JSON.stringify({ path: `src/part-${made}/file-${index}.ts`, query: 'sum', limit: 20 }),
        })),
      ],
    });
    messages.push({
      role: 'tool',
      content: ids.map((callId) => ({
        type: 'tool_result' as const,
        callId,
        content: [{ type: 'text' as const, text: (PROSE + CODE).repeat(20).slice(0, each) }],
      })),
    });
    made += ids.length;
  }
  return {
    messages,
    tools: FUNCTIONS,
    toolChoice: { type: 'auto' },
    output: { stop: [], n: 1, logprobs: false, maxTokens: 8_000 },
    sampling: { temperature: 0.2 },
    reasoning: { effort: 'high' },
    hints: {},
  };
}
