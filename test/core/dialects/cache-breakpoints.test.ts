import { describe, expect, test } from 'vitest';
import { readMessagesRequest } from '../../../src/core/dialects/anthropic-messages/read.ts';
import * as anthropic from '../../../src/core/dialects/anthropic-messages/request.ts';
import { readChatRequest } from '../../../src/core/dialects/openai-chat/read.ts';
import * as chat from '../../../src/core/dialects/openai-chat/request.ts';
import * as responses from '../../../src/core/dialects/openai-responses/request.ts';
import { spliceMembers } from '../../../src/core/json-splice.ts';
import { prepare } from '../../../src/pipeline/prepare.ts';
import { model } from './conversations.ts';

const OPTIONS = { defaultMaxTokens: 1_000 };
const HOUR = { cache_control: { type: 'ephemeral', ttl: '1h' } };
const ask = { model: 'auto', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] };

describe("the automatic marker of a whole request, of an hour: a client's own lifetime holds (T20)", () => {
  const claude = model('anthropic', 'claude-haiku-5-5');
  const luna = model('openai', 'gpt-6-luna');
  const older = model('openai', 'gpt-4o');

  test.each([
    ['Messages', () => readMessagesRequest({ ...ask, ...HOUR })],
    ['Chat Completions', () => readChatRequest({ ...ask, ...HOUR })],
  ])('%s → both providers', (_name, read) => {
    const { conversation, unknownFields } = read();
    expect(unknownFields).toEqual([]);
    const onClaude = prepare(conversation, claude, OPTIONS).conversation;
    const toClaude = JSON.parse(
      anthropic.writeRequest(onClaude, claude, { stream: false, modelId: claude.id }),
    );
    expect(toClaude.cache_control).toEqual({ type: 'ephemeral', ttl: '1h' });
    const onLuna = prepare(conversation, luna, OPTIONS).conversation;
    const toLuna = JSON.parse(responses.writeRequest(onLuna, luna, { stream: false, modelId: luna.id }));
    expect(toLuna.prompt_cache_options).toEqual({ ttl: '12h' });
    const before = prepare(conversation, older, OPTIONS);
    expect(before.adapted).toEqual([{ field: 'prompt_cache_options', action: 'dropped' }]);
  });

  test("five minutes say nothing that OpenAI's own end of a request does not", () => {
    const { conversation } = readMessagesRequest({ ...ask, cache_control: { type: 'ephemeral' } });
    expect(conversation.hints).toEqual({});
  });

  test("of a Chat body it does not reach OpenAI, which refuses what it doesn't know", () => {
    const { conversation } = readChatRequest({ ...ask, ...HOUR });
    const prepared = prepare(conversation, older, OPTIONS).conversation;
    const edits = chat.requestEdits({ original: conversation, prepared }, older, {
      stream: false,
      modelId: older.id,
    });
    const sent = JSON.parse(spliceMembers(JSON.stringify({ ...ask, ...HOUR }), edits));
    expect(sent).not.toHaveProperty('cache_control');
    expect(sent).not.toHaveProperty('prompt_cache_options');
  });
});
