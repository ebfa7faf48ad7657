import { describe, expect, it } from 'vitest';
import type { Conversation, DocumentBlock, Message } from '../../../src/core/conversation.ts';
import { excludedBy, needsOf } from '../../../src/core/routing/capability.ts';
import { modelOrAssumed, type ProviderKind } from '../../../src/core/routing/catalog.ts';
import { conversationOf, says } from '../accounting/fixtures.ts';

const output = { stop: [], n: 1, logprobs: false };
const ask = [says('user', 'What is it?')];
const tool = { name: 'search', parameters: { type: 'object' } };
const image: Message = {
  role: 'user',
  content: [{ type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AA==' } }],
};
const imageResult: Message[] = [
  ...ask,
  { role: 'assistant', content: [{ type: 'tool_call', id: 'c1', name: 'search', arguments: '{}' }] },
  {
    role: 'tool',
    content: [
      {
        type: 'tool_result',
        callId: 'c1',
        content: [{ type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } }],
      },
    ],
  },
];

const file = (source: DocumentBlock['source']): Message => ({
  role: 'user',
  content: [{ type: 'document', source }],
});

const CASES: Record<string, Conversation> = {
  pdf: conversationOf([file({ kind: 'base64', mediaType: 'application/pdf', data: 'AA==' })]),
  'pdf by its address': conversationOf([file({ kind: 'url', url: 'https://example.com/a.pdf' })]),
  'text file': conversationOf([file({ kind: 'base64', mediaType: 'text/csv', data: 'AA==' })]),
  'word file': conversationOf([file({ kind: 'base64', mediaType: 'application/msword', data: 'AA==' })]),
  sound: conversationOf([
    { role: 'user', content: [{ type: 'foreign', kind: 'input_audio', raw: { type: 'input_audio' } }] },
  ]),
  'free-text tool': conversationOf(ask, { tools: [{ name: 'patch', custom: {} }] }),
  'tool with a grammar': conversationOf(ask, {
    tools: [{ name: 'patch', custom: { format: { type: 'grammar', syntax: 'lark', definition: 'x' } } }],
  }),
  plain: conversationOf(ask),
  image: conversationOf([image]),
  'image in a result': conversationOf(imageResult),
  tools: conversationOf(ask, { tools: [tool] }),
  'tools switched off': conversationOf(ask, { tools: [tool], toolChoice: { type: 'none' } }),
  'tool forced': conversationOf(ask, { tools: [tool], toolChoice: { type: 'required' } }),
  'tool named': conversationOf(ask, { tools: [tool], toolChoice: { type: 'tool', name: 'search' } }),
  'one of some forced': conversationOf(ask, {
    tools: [tool],
    toolChoice: { type: 'allowed', mode: 'required', names: ['search'] },
  }),
  'tools limited': conversationOf(ask, {
    tools: [tool],
    toolChoice: { type: 'allowed', mode: 'auto', names: ['search'] },
  }),
  schema: conversationOf(ask, {
    output: { ...output, format: { type: 'json_schema', name: 'a', schema: { type: 'object' } } },
  }),
  'bare json': conversationOf(ask, { output: { ...output, format: { type: 'json_object' } } }),
  'two answers': conversationOf(ask, { output: { ...output, n: 2 } }),
  logprobs: conversationOf(ask, { output: { ...output, logprobs: true } }),
  'logit bias': conversationOf(ask, { sampling: { logitBias: { '50256': -100 } } }),
  prefill: conversationOf([...ask, says('assistant', '{')]),
  'sampling, stop, seed, effort, length': conversationOf(ask, {
    output: { ...output, stop: ['\n'], maxTokens: 10_000_000, verbosity: 'low' },
    sampling: {
      temperature: 0.2,
      topP: 0.5,
      seed: 7,
      presencePenalty: 1,
      frequencyPenalty: 1,
      logitBias: {},
    },
    reasoning: { effort: 'max' },
  }),
  '180,000 tokens': conversationOf([says('user', 'word '.repeat(144_000))]),
  '940,000 tokens': conversationOf([says('user', 'word '.repeat(752_000))]),
};

/** Which field excludes each model; every other case is taken. */
const EXCLUDED: [ProviderKind, string, Record<string, string>][] = [
  [
    'anthropic',
    'claude-opus-5-5',
    {
      'tool forced': 'tool_choice',
      'tool named': 'tool_choice',
      'one of some forced': 'tool_choice',
      'word file': 'messages',
      sound: 'messages',
      'tool with a grammar': 'tools',
      'bare json': 'response_format',
      'two answers': 'n',
      logprobs: 'logprobs',
      'logit bias': 'logit_bias',
      prefill: 'messages',
      '940,000 tokens': 'messages',
    },
  ],
  [
    'anthropic',
    'claude-haiku-5-5',
    {
      'word file': 'messages',
      sound: 'messages',
      'tool with a grammar': 'tools',
      'bare json': 'response_format',
      'two answers': 'n',
      logprobs: 'logprobs',
      'logit bias': 'logit_bias',
      prefill: 'messages',
      '940,000 tokens': 'messages',
    },
  ],
  [
    'anthropic',
    'claude-haiku-4-5',
    {
      'word file': 'messages',
      sound: 'messages',
      'tool with a grammar': 'tools',
      'bare json': 'response_format',
      'two answers': 'n',
      logprobs: 'logprobs',
      'logit bias': 'logit_bias',
      '940,000 tokens': 'messages',
    },
  ],
  [
    'openai',
    'gpt-6.2-sol',
    {
      sound: 'messages',
      'two answers': 'n',
      logprobs: 'logprobs',
      'logit bias': 'logit_bias',
      '940,000 tokens': 'messages',
    },
  ],
  [
    'openai',
    'gpt-4o',
    {
      'pdf by its address': 'messages',
      'word file': 'messages',
      sound: 'messages',
      'tool with a grammar': 'tools',
      '180,000 tokens': 'messages',
      '940,000 tokens': 'messages',
    },
  ],
  [
    'openai',
    'o3-mini',
    {
      image: 'messages',
      'image in a result': 'messages',
      pdf: 'messages',
      'pdf by its address': 'messages',
      'word file': 'messages',
      sound: 'messages',
      'tool with a grammar': 'tools',
      logprobs: 'logprobs',
      'logit bias': 'logit_bias',
      '940,000 tokens': 'messages',
    },
  ],
];

describe('what a model cannot take', () => {
  it.each(EXCLUDED)('traps T8, T67: %s %s', (kind, id, excluded) => {
    const model = modelOrAssumed(kind, id);
    const found: Record<string, string> = {};
    for (const [name, conversation] of Object.entries(CASES)) {
      const exclusion = excludedBy(model, needsOf(conversation));
      if (exclusion) found[name] = exclusion.field;
    }
    expect(found).toEqual(excluded);
  });

  it.each(['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-fable-5-1'])(
    'traps T67: %s cannot be forced to call a tool, and the message says what to do',
    (id) => {
      const exclusion = excludedBy(
        modelOrAssumed('anthropic', id),
        needsOf(
          conversationOf(ask, {
            tools: [tool],
            toolChoice: { type: 'required' },
          }),
        ),
      );
      expect(exclusion).toEqual({
        field: 'tool_choice',
        message: `${id} cannot be forced to call a tool (use tool_choice "auto").`,
      });
    },
  );

  it('traps T8: a configured text-only model without tools takes neither', () => {
    const model = modelOrAssumed('openai', 'tiny', { capabilities: { vision: false, tools: false } });
    const excluded = (name: string) => {
      const conversation = CASES[name];
      return conversation && excludedBy(model, needsOf(conversation));
    };
    expect(excluded('image')).toEqual({ field: 'messages', message: 'tiny takes no images.' });
    expect(excluded('tools')).toEqual({ field: 'tools', message: 'tiny calls no tools.' });
    expect(excluded('tools switched off')).toBeNull();
    expect(excluded('plain')).toBeNull();
  });

  it('traps T8: structured output without its own needs a tool that can be forced', () => {
    const schema = CASES.schema && needsOf(CASES.schema);
    const lacking = (more: object) =>
      modelOrAssumed('openai', 'tiny', { capabilities: { jsonSchema: false, ...more } });
    expect(schema && excludedBy(lacking({}), schema)).toBeNull();
    expect(schema && excludedBy(lacking({ forcedToolChoice: false }), schema)?.field).toBe('response_format');
  });

  it('traps T8: the same text may fit one window and not another', () => {
    const needs = needsOf(conversationOf([says('user', 'word '.repeat(130_000))]));
    expect(excludedBy(modelOrAssumed('anthropic', 'claude-haiku-5-5'), needs)).toBeNull();
    expect(excludedBy(modelOrAssumed('openai', 'gpt-4o'), needs)?.message).toBe(
      'The input is about 162504 tokens; gpt-4o takes 128000. Shorten the conversation.',
    );
  });
});
