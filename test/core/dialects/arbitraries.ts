import fc from 'fast-check';
import type {
  AssistantBlock,
  CacheMark,
  Conversation,
  DocumentBlock,
  Hints,
  ImageBlock,
  Message,
  OutputConstraints,
  Reasoning,
  TextBlock,
  ThinkingBlock,
  Tool,
  ToolChoice,
  ToolResultBlock,
  UserBlock,
} from '../../../src/core/conversation.ts';
import { mapShown } from '../../../src/core/dialects/shown-blocks.ts';

/** Any conversation that clients may send, whatever their wire: of what is some wire's own, only what others can drop. */

const text = fc.oneof(
  fc.constantFrom('', ' ', '\n', 'Hello', 'Ünïcödé 🤖', '{"a":1}'),
  fc.string({ maxLength: 20 }),
);
/** At most a few are Anthropic's own, whose fifth is a 400; of OpenAI's there may be any number. */
const cache = fc.oneof(
  { weight: 20, arbitrary: fc.constant({}) },
  fc.constantFrom<{ cache: CacheMark }[]>(
    { cache: { breakpoint: true } },
    { cache: { breakpoint: true, ttl: '1h' } },
  ),
);
const textBlock: fc.Arbitrary<TextBlock> = fc
  .tuple(text, cache)
  .map(([value, mark]) => ({ type: 'text', text: value, ...mark }));
const documentBlock: fc.Arbitrary<DocumentBlock> = fc.record(
  {
    type: fc.constant('document' as const),
    source: fc.constantFrom<DocumentBlock['source'][]>(
      { kind: 'base64', mediaType: 'application/pdf', data: 'JVBERi0=' },
      { kind: 'base64', mediaType: 'text/plain', data: 'cGxhaW4=' },
      { kind: 'text', text: 'plain' },
      { kind: 'url', url: 'https://example.com/a.pdf' },
    ),
    title: fc.constantFrom('Report', 'a.pdf'),
    context: fc.constant('Of last year.'),
  },
  { requiredKeys: ['type', 'source'] },
);
const imageBlock: fc.Arbitrary<ImageBlock> = fc.record(
  {
    type: fc.constant('image' as const),
    source: fc.constantFrom<ImageBlock['source'][]>(
      { kind: 'url', url: 'https://example.com/a.png' },
      { kind: 'base64', mediaType: 'image/png', data: 'iVBORw0KGgo=' },
    ),
    detail: fc.constantFrom('auto', 'low', 'high'),
  },
  { requiredKeys: ['type', 'source'] },
);
const name = fc.constantFrom({}, {}, { name: 'ana' }, { name: 'bot_1' });

const system: fc.Arbitrary<Message> = fc
  .tuple(
    fc.constantFrom('system' as const, 'developer' as const),
    fc.array(textBlock, { minLength: 1, maxLength: 2 }),
    name,
  )
  .map(([role, content, named]): Message => ({ role, content, ...named }));
const user: fc.Arbitrary<Message> = fc
  .tuple(
    fc.array(fc.oneof({ weight: 4, arbitrary: textBlock }, imageBlock, documentBlock), { maxLength: 3 }),
    name,
  )
  .map(([content, named]): Message => ({ role: 'user', content, ...named }));
/** Of models that no test sends to: it has to be left out everywhere. */
const thinking: fc.Arbitrary<ThinkingBlock> = fc.constantFrom<ThinkingBlock[]>(
  {
    type: 'thinking',
    wire: 'anthropic-messages',
    raw: { type: 'thinking', thinking: 'Hm.', signature: 'of another' },
    producer: { provider: 'elsewhere', name: 'claude-opus-5-5' },
  },
  {
    type: 'thinking',
    wire: 'openai-responses',
    raw: { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'of another' },
    producer: { provider: 'elsewhere', name: 'gpt-6-luna' },
  },
  { type: 'thinking', wire: 'openai-responses', raw: { type: 'reasoning', id: 'rs_2', summary: [] } },
);
const said = fc.oneof(
  { weight: 1, arbitrary: thinking },
  textBlock,
  text.map((value): AssistantBlock => ({ type: 'refusal', text: value })),
);
const assistant: fc.Arbitrary<Message> = fc
  .tuple(fc.array(said, { maxLength: 2 }), name)
  .map(([content, named]): Message => ({ role: 'assistant', content, ...named }));

const id = fc.oneof(
  fc.constantFrom('call_0', 'call_1', 'toolu_01ABC', 'functions.f:0', `chatcmpl-tool-${'f'.repeat(60)}`),
  fc.string({ minLength: 1, maxLength: 80 }),
);
const args = fc.oneof(
  fc.json({ maxDepth: 1 }),
  fc.dictionary(fc.string(), fc.integer()).map((value) => JSON.stringify(value)),
  fc.string({ maxLength: 10 }),
);
const functionName = fc.constantFrom('look_up', 'ping', 'f-3', 'gone', 'patch');
const resultPart = fc.oneof({ weight: 4, arbitrary: textBlock }, imageBlock, documentBlock);

/** An assistant turn with calls, and its results in any order. */
const loop: fc.Arbitrary<Message[]> = fc
  .tuple(
    fc.uniqueArray(
      fc.record({
        id,
        name: functionName,
        args,
        content: fc.array(resultPart, { maxLength: 2 }),
        failed: fc.boolean(),
        mark: cache,
      }),
      { minLength: 1, maxLength: 4, selector: (made) => made.id },
    ),
    fc.array(fc.oneof({ weight: 3, arbitrary: textBlock }, thinking), { maxLength: 2 }),
    fc.boolean(),
  )
  .map(([made, before, reversed]) => {
    const calls = made.map(
      (one): AssistantBlock => ({
        type: 'tool_call',
        id: one.id,
        name: one.name,
        arguments: one.args,
        ...(one.name === 'patch' ? { custom: true } : {}),
      }),
    );
    const results = made.map(
      ({ id: callId, content, failed, mark }): ToolResultBlock => ({
        type: 'tool_result',
        callId,
        content,
        ...(failed ? { isError: true } : {}),
        ...mark,
      }),
    );
    return [
      { role: 'assistant', content: [...before, ...calls] },
      { role: 'tool', content: reversed ? results.toReversed() : results },
    ];
  });

/** With citations of every document: Anthropic, who alone has them, takes them for all of a request or for none. */
function citing(message: Message): Message {
  if (message.role === 'user') return { ...message, content: message.content.map(cited) };
  if (message.role !== 'tool') return message;
  const content = message.content.map((result) => ({ ...result, content: result.content.map(cited) }));
  return { ...message, content };
}

function cited(block: UserBlock): UserBlock {
  return block.type === 'document' ? { ...block, citations: true } : block;
}

const messages: fc.Arbitrary<Message[]> = fc
  .tuple(
    fc.array(system, { maxLength: 2 }),
    fc.array(
      fc.oneof(
        user.map((one) => [one]),
        assistant.map((one) => [one]),
        system.map((one) => [one]),
        loop,
      ),
      { minLength: 0, maxLength: 6 },
    ),
    user,
    fc.boolean(),
  )
  .map(([leading, middle, last, cites]) => {
    const all = [...leading, ...middle.flat(), last];
    return cites ? all.map(citing) : all;
  });

const STRICT_SCHEMA = {
  type: 'object',
  properties: {
    key: { type: 'string' },
    day: { anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }] },
  },
  required: ['key', 'day'],
  additionalProperties: false,
};
const OPTIONAL_SCHEMA = { ...STRICT_SCHEMA, required: ['key'] };
const LOOSE_SCHEMAS: Record<string, unknown>[] = [
  {},
  { type: 'object' },
  { properties: { n: { type: 'integer', minimum: 1 } } },
  {
    type: 'object',
    properties: { next: { $ref: '#' }, tags: { type: 'array', items: { type: 'string' }, minItems: 2 } },
  },
  { type: 'object', additionalProperties: { type: 'string' } },
  {
    type: 'object',
    properties: { a: { oneOf: [{ type: 'string', maxLength: 3 }, { type: 'null' }] } },
    required: ['a'],
  },
];

const tool = (toolName: string): fc.Arbitrary<Tool> =>
  fc.oneof(
    fc.constant({ name: toolName }),
    fc.constantFrom(STRICT_SCHEMA, OPTIONAL_SCHEMA).map((parameters) => ({
      name: toolName,
      description: 'Does it.',
      parameters,
      strict: true,
    })),
    fc.constantFrom(...LOOSE_SCHEMAS).map((parameters) => ({ name: toolName, parameters })),
  );
const custom: fc.Arbitrary<Tool[]> = fc.constantFrom<Tool[][]>(
  [],
  [],
  [{ name: 'patch', custom: {} }],
  [{ name: 'patch', description: 'Applies it.', custom: { format: { type: 'text' } } }],
  [
    {
      name: 'patch',
      custom: { format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' } },
    },
  ],
);
const tools: fc.Arbitrary<Tool[]> = fc
  .subarray(['look_up', 'ping', 'f-3'])
  .chain((names) => fc.tuple(fc.tuple(...names.map(tool)), custom))
  .map(([functions, free]) => [...functions, ...free]);

function choices(offered: Tool[]): fc.Arbitrary<ToolChoice | undefined> {
  const names = offered.map((one) => one.name);
  const [first] = names;
  if (first === undefined) return fc.constant(undefined);
  return fc.oneof(
    fc.constantFrom<(ToolChoice | undefined)[]>(
      undefined,
      { type: 'auto' },
      { type: 'none' },
      { type: 'required' },
      { type: 'tool', name: first },
    ),
    fc
      .tuple(fc.constantFrom('auto' as const, 'required' as const), fc.subarray(names, { minLength: 1 }))
      .map(([mode, some]): ToolChoice => ({ type: 'allowed', mode, names: some })),
  );
}

const output: fc.Arbitrary<OutputConstraints> = fc.record(
  {
    n: fc.constant(1),
    logprobs: fc.constant(false),
    stop: fc.array(fc.constantFrom('END', '\n', ' ', 'a b'), { maxLength: 4 }),
    maxTokens: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.constant(5_000_000)),
    verbosity: fc.constantFrom('low', 'medium', 'high'),
    format: fc.oneof(
      fc.constantFrom(STRICT_SCHEMA, OPTIONAL_SCHEMA).map((schema) => ({
        type: 'json_schema' as const,
        name: 'answer',
        schema,
        strict: true,
      })),
      fc.constantFrom(...LOOSE_SCHEMAS).map((schema) => ({
        type: 'json_schema' as const,
        name: 'answer',
        schema: { ...schema, type: 'object' },
      })),
    ),
  },
  { requiredKeys: ['n', 'logprobs', 'stop'] },
);

const effort = fc.constantFrom('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max');
const reasoning: fc.Arbitrary<Reasoning> = fc.oneof(
  fc.constant({}),
  fc.record({ effort }),
  fc.record(
    { mode: fc.constantFrom('adaptive', 'disabled', 'between_tools'), effort },
    { requiredKeys: ['mode'] },
  ),
  fc.record({
    mode: fc.constant('enabled'),
    budgetTokens: fc.constantFrom(1_024, 5_000, 100_000),
  }),
);

/** All documents of a request are to be cited, or none: anything else is a 400 of Anthropic's to its own clients. */
function citedAlike(given: Message[]): Message[] {
  const documents = JSON.stringify(given).split('"type":"document"').slice(1);
  if (documents.every((document) => document.includes('"citations":true'))) return given;
  return mapShown(given, (block) => {
    if (block.type !== 'document') return null;
    const { citations: _citations, ...rest } = block;
    return [rest];
  });
}

export const conversation: fc.Arbitrary<Conversation> = tools.chain((offered) =>
  fc
    .record({
      messages,
      toolChoice: choices(offered),
      parallelToolCalls: fc.option(fc.boolean(), { nil: undefined }),
      output,
      sampling: fc.record(
        {
          temperature: fc.double({ min: 0, max: 2, noNaN: true }),
          topP: fc.double({ min: 0, max: 1, noNaN: true }),
          topK: fc.constant(5),
          seed: fc.integer(),
          presencePenalty: fc.constant(1),
          frequencyPenalty: fc.constant(-1),
        },
        { requiredKeys: [] },
      ),
      reasoning,
      hints: fc.record(
        {
          promptCacheKey: fc.constant('k'),
          serviceTier: fc.constantFrom('auto', 'default', 'flex', 'priority', 'standard_only', 'ultrafast'),
          user: fc.constant('u'),
          promptCacheOptions: fc.constantFrom<NonNullable<Hints['promptCacheOptions']>[]>(
            {},
            { mode: 'explicit' },
            { ttl: '12h' },
          ),
        },
        { requiredKeys: [] },
      ),
    })
    .map(({ toolChoice, parallelToolCalls, ...rest }) => ({
      ...rest,
      messages: citedAlike(rest.messages),
      tools: offered,
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(parallelToolCalls === undefined ? {} : { parallelToolCalls }),
    })),
);
