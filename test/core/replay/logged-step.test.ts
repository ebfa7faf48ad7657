import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leadingSystem, measureGrowth, measureInput } from '../../../src/core/accounting/estimate.ts';
import type { Conversation, Message } from '../../../src/core/conversation.ts';
import { loggedStep, loggedSteps } from '../../../src/core/replay/logged-step.ts';

// Quarters of a token only, so that sums are exact whatever their order.
const words = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n'), maxLength: 60 });
const text = words.map((value) => ({ type: 'text' as const, text: value }));
const image = fc.constant({ type: 'image' as const, source: { kind: 'url' as const, url: 'https://x' } });
const call = words.map((value) => ({ type: 'tool_call' as const, id: '1', name: 'look', arguments: value }));
const result = words.map((value) => ({
  type: 'tool_result' as const,
  callId: '1',
  content: [{ type: 'text' as const, text: value }],
}));
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ role: fc.constantFrom('system' as const, 'developer' as const), content: fc.array(text) }),
  fc.record({ role: fc.constant('user' as const), content: fc.array(fc.oneof(text, image)) }),
  fc.record({ role: fc.constant('assistant' as const), content: fc.array(fc.oneof(text, call)) }),
  fc.record({ role: fc.constant('tool' as const), content: fc.array(result) }),
);
const conversation: fc.Arbitrary<Conversation> = fc
  .record({ messages: fc.array(message, { minLength: 1, maxLength: 25 }), tooled: fc.boolean() })
  .map(({ messages, tooled }) => ({
    messages,
    tools: tooled ? [{ name: 'look', parameters: { type: 'object' } }] : [],
    output: { stop: [], n: 1, logprobs: false },
    ...{ sampling: {}, reasoning: {}, hints: {} },
  }));

it('measures every prefix of a conversation as if it were alone', () => {
  fc.assert(
    fc.property(conversation, (whole) => {
      const growth = measureGrowth(whole);
      for (let count = 1; count <= whole.messages.length; count += 1) {
        const alone = { ...whole, messages: whole.messages.slice(0, count) };
        expect(growth.first(count)).toEqual(measureInput(alone));
      }
    }),
  );
});

it('measures a conversation without its middle as if the middle had never been', () => {
  fc.assert(
    fc.property(conversation, fc.nat(24), fc.nat(24), (whole, a, b) => {
      const count = whole.messages.length;
      const [from, to] = [Math.min(a, b, count - 1), Math.min(Math.max(a, b), count - 1)];
      const kept = [...whole.messages.slice(0, from), ...whole.messages.slice(to)];
      const { total, blocks } = measureInput({ ...whole, messages: kept });
      expect(measureGrowth(whole).without(from, to, count)).toMatchObject({ total, blocks });
    }),
  );
});

it('reads a step of a trace as the request that was sent', () => {
  fc.assert(
    fc.property(conversation, (whole) => {
      const read = loggedSteps(whole);
      // No request ends before its system prompt does.
      for (
        let count = Math.max(1, leadingSystem(whole.messages));
        count <= whole.messages.length;
        count += 1
      ) {
        const sent = { ...whole, messages: whole.messages.slice(0, count) };
        expect(read(count, 7, 50)).toEqual(loggedStep(sent, 7, 50));
      }
    }),
  );
});
