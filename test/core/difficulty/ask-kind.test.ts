import { expect, test } from 'vitest';
import type { Conversation } from '../../../src/core/conversation.ts';
import { askKindOf } from '../../../src/core/difficulty/ask-kind.ts';
import { classify } from '../../../src/core/difficulty/scorer.ts';

const ask = (text: string, maxTokens?: number): Conversation => ({
  messages: [{ role: 'user', content: [{ type: 'text', text }] }],
  tools: [],
  output: { stop: [], n: 1, logprobs: false, ...(maxTokens === undefined ? {} : { maxTokens }) },
  sampling: {},
  reasoning: {},
  hints: {},
});

test.each([
  ['lookup', ask('What is the capital of France?')],
  ['code', ask('Fix the bug in my Python function that sorts a list')],
  ['reasoning', ask('Prove that sqrt(2) is irrational')],
  ['unknown', ask('…')],
  ['probe', ask('hi', 1)],
  ['title', ask('Generate a concise title for this conversation: we fixed the build')],
  ['compaction', ask('Your task is to create a detailed summary of the conversation so far.')],
])('%s', (kind, conversation) => {
  expect(askKindOf(classify(conversation))).toBe(kind);
});
