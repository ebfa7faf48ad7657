import { expect, test } from 'vitest';
import type { Conversation, Reasoning } from '../../src/core/conversation.ts';
import { prepare } from '../../src/pipeline/prepare.ts';
import { calls, conversationOf, LOOK_UP, model, results, say } from '../core/dialects/conversations.ts';

function prepared(id: string, reasoning: Reasoning, more: Partial<Conversation> = {}) {
  const target = model(id.startsWith('claude') ? 'anthropic' : 'openai', id);
  const asked = conversationOf([say('user', 'Hi')], { ...more, reasoning });
  const { conversation, adapted } = prepare(asked, target, { defaultMaxTokens: 16_384 });
  return { sent: conversation.reasoning, maxTokens: conversation.output.maxTokens, adapted };
}

// providers.md §2, thinking types and efforts; §5, effort and budget.
test.each<[string, Reasoning, Reasoning]>([
  // As the client asked.
  ['claude-haiku-5-5', { mode: 'adaptive', effort: 'high' }, { mode: 'adaptive', effort: 'high' }],
  ['claude-haiku-5-5', { mode: 'disabled' }, { mode: 'disabled' }],
  ['claude-sonnet-5-5', { mode: 'between_tools' }, { mode: 'between_tools' }],
  ['claude-haiku-4-5', { mode: 'enabled', budgetTokens: 4_000 }, { mode: 'enabled', budgetTokens: 4_000 }],
  // `enabled` is a 400 from 4.7 on: the budget becomes an effort.
  ['claude-opus-5-5', { mode: 'enabled', budgetTokens: 10_000 }, { mode: 'adaptive', effort: 'high' }],
  ['claude-haiku-5-5', { mode: 'enabled', budgetTokens: 1_024 }, { mode: 'adaptive', effort: 'low' }],
  // `adaptive` is a 400 up to 4.5.
  ['claude-haiku-4-5', { mode: 'adaptive', effort: 'low' }, { mode: 'enabled', budgetTokens: 2_048 }],
  // What can't be switched off thinks as little as it can.
  ['claude-sonnet-5-5', { mode: 'disabled' }, { mode: 'between_tools' }],
  ['claude-opus-5-5', { mode: 'disabled' }, { mode: 'adaptive', effort: 'low' }],
  ['claude-opus-5-5', { mode: 'between_tools' }, { mode: 'adaptive', effort: 'low' }],
  // Quiet thinking with a high effort is a 400.
  ['claude-opus-5', { mode: 'disabled', effort: 'max' }, { mode: 'disabled', effort: 'high' }],
  ['claude-sonnet-5-5', { mode: 'disabled', effort: 'max' }, { mode: 'between_tools', effort: 'high' }],
  // OpenAI's clients speak of effort alone.
  ['claude-haiku-5-5', { effort: 'none' }, { mode: 'disabled' }],
  ['claude-sonnet-5-5', { effort: 'none' }, { mode: 'between_tools' }],
  ['claude-opus-5-5', { effort: 'none' }, { effort: 'low' }],
  ['claude-haiku-4-5', { effort: 'medium' }, { mode: 'enabled', budgetTokens: 8_192 }],
  // And OpenAI's models too.
  ['gpt-6-luna', { mode: 'disabled' }, { effort: 'none' }],
  ['gpt-6.2-sol', { mode: 'disabled' }, { effort: 'low' }],
  ['gpt-6-luna', { mode: 'enabled', budgetTokens: 8_000 }, { effort: 'medium' }],
  ['gpt-6-luna', { mode: 'between_tools' }, { effort: 'low' }],
  ['gpt-6-luna', { mode: 'adaptive', effort: 'xhigh' }, { effort: 'xhigh' }],
  ['gpt-6-luna', { mode: 'adaptive' }, {}],
  ['gpt-5.4', { mode: 'adaptive' }, { effort: 'medium' }],
  ['gpt-4o', { mode: 'adaptive' }, {}],
])('traps T37: %s is asked %o as %o, and each change is told', (id, asked, sent) => {
  const result = prepared(id, asked);
  expect(result.sent).toEqual(sent);
  const isSame = JSON.stringify(sent) === JSON.stringify(asked);
  expect(result.adapted.length > 0).toBe(!isSame);
  for (const { field } of result.adapted) expect(field).toMatch(/^(thinking|reasoning_effort)/);
});

test("traps T36: thinking has room in max_tokens, and never takes the client's own", () => {
  expect(prepared('claude-opus-5-5', { effort: 'high' }).maxTokens).toBe(16_384 + 16_384);
  expect(prepared('claude-opus-5-5', {}).maxTokens).toBe(16_384);
  expect(prepared('claude-haiku-5-5', { effort: 'none' }).maxTokens).toBe(16_384);
  const limited = { output: { stop: [], n: 1, logprobs: false, maxTokens: 3_000 } };
  expect(prepared('claude-haiku-4-5', { mode: 'enabled', budgetTokens: 5_000 }, limited)).toMatchObject({
    sent: { mode: 'enabled', budgetTokens: 1_500 },
    maxTokens: 3_000,
    adapted: [{ field: 'thinking.budget_tokens', action: 'clamped', from: 5_000, to: 1_500 }],
  });
  const tight = { output: { stop: [], n: 1, logprobs: false, maxTokens: 1_500 } };
  expect(prepared('claude-haiku-4-5', { mode: 'enabled', budgetTokens: 5_000 }, tight).sent).toEqual({
    mode: 'disabled',
  });
});

test('traps T67: a forced tool choice goes before `enabled` thinking', () => {
  const forced = { tools: [LOOK_UP], toolChoice: { type: 'required' as const } };
  const enabled = { mode: 'enabled', budgetTokens: 2_000 };
  expect(prepared('claude-haiku-4-5', enabled, forced).sent).toEqual({ mode: 'disabled' });
  expect(prepared('claude-sonnet-4-6', enabled, forced).sent).toEqual({ mode: 'adaptive' });
});

test('traps T17: a tool loop that comes without its thinking goes on without', () => {
  const loop = {
    messages: [say('user', 'Hi'), calls(['c1', '{}']), results(['c1', 'r'])],
    tools: [LOOK_UP],
  };
  const enabled = { mode: 'enabled', budgetTokens: 2_000 };
  expect(prepared('claude-haiku-4-5', enabled, loop).sent).toEqual({ mode: 'disabled' });
  // Effort alone switches it neither on nor off in the middle of a session with tools.
  expect(prepared('claude-haiku-4-5', { effort: 'high' }, loop).sent).toEqual({});
  expect(prepared('claude-haiku-4-5', { effort: 'high' }, { tools: [LOOK_UP] }).sent).toEqual({});
});
