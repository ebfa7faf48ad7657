import { describe, expect, test } from 'vitest';
import { measureInput } from '../../../src/core/accounting/estimate.ts';
import {
  type CachePart,
  settingsParts,
  type WireParts,
  withMessages,
} from '../../../src/core/context/cache-parts.ts';
import type { Conversation, Message } from '../../../src/core/conversation.ts';

const text = (words: string) => ({ type: 'text' as const, text: words });
const image = { type: 'image' as const, source: { kind: 'url' as const, url: 'https://example.com/a.png' } };
const document = (citations: boolean): Message => ({
  role: 'user',
  content: [{ type: 'document', source: { kind: 'text', text: 'All of it.' }, citations }],
});
const USER: Message = { role: 'user', content: [text('Find it.')] };
const PLAIN: Conversation = {
  messages: [{ role: 'system', content: [text('Be brief.')] }, USER],
  tools: [{ name: 'find', parameters: { type: 'object' } }, { name: 'look' }],
  output: { stop: [], n: 1, logprobs: false },
  ...{ sampling: {}, reasoning: {}, hints: {} },
};

function partsOf(change: Partial<Conversation> = {}, wire: WireParts = {}) {
  const conversation = { ...PLAIN, ...change };
  return withMessages(
    settingsParts(conversation, () => '#', wire),
    measureInput(conversation),
  );
}

/** Names of the parts in which a request differs from the plain one. */
function changed(change: Partial<Conversation>): CachePart[] {
  const conversation = { ...PLAIN, ...change };
  const read = (of: Conversation) =>
    withMessages(
      settingsParts(of, (words) => words),
      measureInput(of),
    );
  const [a, b] = [read(PLAIN), read(conversation)];
  // The keys are parts.
  const names = Object.keys({ ...a, ...b }) as CachePart[];
  return names.filter((name) => a[name] !== b[name]).sort();
}

describe('the parts of a request that a prompt cache compares', () => {
  test('are nothing where all is as the provider does it unasked', () => {
    expect(partsOf({ tools: [], messages: [USER] })).toEqual({});
  });

  test('hold no content but what the digest leaves of it', () => {
    const parts = partsOf({
      ...{ toolChoice: { type: 'tool', name: 'find' }, parallelToolCalls: false },
      output: {
        ...PLAIN.output,
        verbosity: 'low',
        format: { type: 'json_schema', name: 'places', schema: { type: 'object' } },
      },
      ...{ reasoning: { effort: 'high' }, hints: { promptCacheKey: 'app', serviceTier: 'flex' } },
    });
    const digests = { tools: '#', system: '#', tool_choice: '#', format: '#', cache_key: '#' };
    expect(parts).toEqual({
      ...digests,
      ...{ parallel_tool_calls: 'false', effort: 'high', verbosity: 'low', service_tier: 'flex' },
    });
  });

  const [find, look] = PLAIN.tools;
  test.each<[string, Partial<Conversation>, CachePart[]]>([
    ['a tool described otherwise', { tools: [{ name: 'find', description: 'new' }] }, ['tools']],
    ['tools in another order', { tools: [look ?? { name: '' }, find ?? { name: '' }] }, ['tools']],
    ['a marker that has moved', { tools: PLAIN.tools.map((tool) => ({ ...tool, cache: {} })) }, []],
    [
      'another system prompt',
      { messages: [{ role: 'system', content: [text('Be long.')] }, USER] },
      ['system'],
    ],
    ['more said', { messages: [...PLAIN.messages, USER] }, []],
    [
      'a system message further on',
      { messages: [...PLAIN.messages, { role: 'system', content: [text('Now.')] }] },
      [],
    ],
    ['a choice that is the default', { toolChoice: { type: 'auto' }, parallelToolCalls: true }, []],
    ['no tool to be called', { toolChoice: { type: 'none' } }, ['tool_choice']],
    [
      'but some tools allowed',
      { toolChoice: { type: 'allowed', mode: 'auto', names: ['find'] } },
      ['allowed_tools'],
    ],
    ['one call at a time', { parallelToolCalls: false }, ['parallel_tool_calls']],
    ['defaults said out loud', { output: { ...PLAIN.output, verbosity: 'medium' } }, []],
    ['the service tier that is the default', { hints: { serviceTier: 'auto' } }, []],
    ['who asks', { hints: { user: 'u', safetyIdentifier: 's' } }, []],
    ['a document', { messages: [...PLAIN.messages, document(false)] }, []],
    ['a document to be cited', { messages: [...PLAIN.messages, document(true)] }, ['citations']],
    ['an image', { messages: [...PLAIN.messages, { role: 'user', content: [image] }] }, ['images']],
  ])('%s', (_what, change, parts) => {
    expect(changed(change)).toEqual(parts);
  });

  test('a choice among no tools is none', () => {
    const alone = { tools: [], messages: [USER] };
    expect(partsOf({ ...alone, toolChoice: { type: 'none' }, parallelToolCalls: false })).toEqual({});
  });

  test('images count as there or not, however many there are', () => {
    const shown = (count: number): Message => ({ role: 'user', content: Array(count).fill(image) });
    const [one, three] = [1, 3].map((count) => partsOf({ messages: [shown(count)] }));
    expect([one?.images, three?.images]).toEqual(['some', 'some']);
  });

  test('how often the user has spoken counts where the model thinks', () => {
    const reasoning = { mode: 'enabled', budgetTokens: 2_048 };
    expect(changed({ reasoning })).toEqual(['asks', 'thinking']);
    expect(partsOf({ reasoning }).thinking).toBe('enabled 2048');
    expect(partsOf({ messages: [USER, USER], reasoning: { mode: 'adaptive' } }).asks).toBe('2');
    expect(partsOf({ reasoning: { mode: 'disabled' } }).asks).toBeUndefined();
  });
});
