import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateText, estimateTokens, splitObserved } from '../../../src/core/accounting/estimate.ts';
import type { Message } from '../../../src/core/conversation.ts';
import { modelOrAssumed } from '../../../src/core/routing/catalog.ts';
import { conversationOf, says } from './fixtures.ts';

const luna = modelOrAssumed('openai', 'gpt-6-luna');
const opus = modelOrAssumed('anthropic', 'claude-opus-5-5');

describe('the estimate of an input', () => {
  it('splits before the last answer: tools, system and the messages the request before it sent', () => {
    const first = conversationOf([says('system', 's'.repeat(400)), says('user', 'u'.repeat(400))]);
    const next = conversationOf([
      ...first.messages,
      says('assistant', 'a'.repeat(80)),
      says('user', 'x'.repeat(40)),
    ]);
    expect(estimateTokens(first, luna)).toEqual({ total: 208, beforeLastAssistant: 0 });
    expect(estimateTokens(next, luna)).toEqual({ total: 246, beforeLastAssistant: 208 });
  });

  it('counts tool calls, results and schemas', () => {
    const messages: Message[] = [
      says('user', 'Book it'),
      {
        role: 'assistant',
        content: [
          { type: 'tool_call', id: 'call_1', name: 'book', arguments: '{"seat":"12A","note":"window"}' },
        ],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool_result', callId: 'call_1', content: [{ type: 'text', text: 'r'.repeat(4_000) }] },
        ],
      },
    ];
    const tools = [
      { name: 'book', parameters: { type: 'object', properties: { seat: { type: 'string' } } } },
    ];
    const bare = estimateTokens(conversationOf(messages), luna);
    const offered = estimateTokens(conversationOf(messages, { tools }), luna);
    expect(bare.total).toBeGreaterThan(1_000);
    expect(offered.total - bare.total).toBeGreaterThan(15);
    expect(offered.beforeLastAssistant - bare.beforeLastAssistant).toBe(offered.total - bare.total);
  });

  it('counts about 30 % more on newer Claude', () => {
    const conversation = conversationOf([says('user', 'word '.repeat(8_000))]);
    expect(estimateTokens(conversation, luna).total).toBe(10_004);
    expect(estimateTokens(conversation, opus).total).toBe(13_006);
  });

  it('counts scripts without spaces by the character, not by the word', () => {
    expect(estimateText('hello wide world', luna)).toBe(4);
    expect(estimateText('你好世界你好世界你好世界你', luna)).toBe(10);
    expect(estimateText('Привет, широкий мир', luna)).toBe(8);
  });

  it('counts images by the rule of thumb of each provider', () => {
    const image = (detail?: string): Message => ({
      role: 'user',
      content: [
        {
          type: 'image',
          source: { kind: 'url', url: 'https://example.com/a.png' },
          ...(detail ? { detail } : {}),
        },
      ],
    });
    const tokens = (message: Message, model = luna) => estimateTokens(conversationOf([message]), model).total;
    expect(tokens(image())).toBe(1_104);
    expect(tokens(image('low'))).toBe(89);
    expect(tokens(image('low'), opus)).toBeGreaterThan(1_500);
  });

  it('does not take a prefill for an answer', () => {
    const conversation = conversationOf([says('user', 'u'.repeat(400)), says('assistant', '{')]);
    expect(estimateTokens(conversation, luna).beforeLastAssistant).toBe(0);
  });

  it('never has more before the last answer than in all, and grows with the conversation', () => {
    const message = fc.oneof(
      fc
        .array(fc.integer({ min: 0, max: 0xffff }))
        .map((units) => says('user', String.fromCharCode(...units))),
      fc.string().map((text) => says('assistant', text)),
    );
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), message, (messages, last) => {
        const before = estimateTokens(conversationOf(messages), opus);
        const after = estimateTokens(conversationOf([...messages, last]), opus);
        expect(before.beforeLastAssistant).toBeLessThanOrEqual(before.total);
        expect(after.total).toBeGreaterThan(before.total);
        const observed = splitObserved(1_000, after);
        expect(observed.total).toBe(1_000);
        expect(observed.beforeLastAssistant).toBeLessThanOrEqual(1_000);
      }),
    );
  });

  it('splits nothing of an empty estimate', () => {
    expect(splitObserved(10, { total: 0, beforeLastAssistant: 0 })).toEqual({
      total: 10,
      beforeLastAssistant: 0,
    });
  });
});
