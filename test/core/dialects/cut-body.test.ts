import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutFor, cutMessages, noteOf } from '../../../src/core/context/compress.ts';
import type { Conversation, Message, TextBlock } from '../../../src/core/conversation.ts';
import { ANTHROPIC_MESSAGES } from '../../../src/core/dialects/anthropic-messages/dialect.ts';
import type { ClientDialect } from '../../../src/core/dialects/client-dialect.ts';
import { cutBody } from '../../../src/core/dialects/cut-body.ts';
import { OPENAI_CHAT } from '../../../src/core/dialects/openai-chat/dialect.ts';
import { OPENAI_RESPONSES } from '../../../src/core/dialects/openai-responses/dialect.ts';
import { modelOrAssumed } from '../../../src/core/routing/catalog.ts';
import { writeAnew } from '../../../src/pipeline/wire-request.ts';

const DIALECTS: readonly [ClientDialect, 'anthropic' | 'openai', string][] = [
  [OPENAI_CHAT, 'openai', 'gpt-4.1-mini'],
  [OPENAI_RESPONSES, 'openai', 'gpt-6-luna'],
  [ANTHROPIC_MESSAGES, 'anthropic', 'claude-haiku-5-5'],
];

const text = (text: string): TextBlock => ({ type: 'text', text });

/** A conversation whose turns are of these kinds. */
function talk(kinds: readonly string[]): Conversation {
  const messages: Message[] = [{ role: 'system', content: [text('An agent.')] }];
  for (const [n, kind] of kinds.entries()) {
    messages.push({
      role: 'user',
      content: kind === 'parts' ? [text(`ask ${n}`), text('more')] : [text(`ask ${n}`)],
    });
    const calls = kind === 'tools' ? 2 : kind === 'tool' ? 1 : 0;
    const ids = Array.from({ length: calls }, (_, call) => `call_${n}_${call}`);
    if (calls > 0) {
      messages.push(
        {
          role: 'assistant',
          content: [
            text('Let me see.'),
            ...ids.map((id) => ({ type: 'tool_call' as const, id, name: 'f', arguments: '{"a":1}' })),
          ],
        },
        {
          role: 'tool',
          content: ids.map((callId) => ({ type: 'tool_result', callId, content: [text(`found ${n}`)] })),
        },
      );
    }
    if (n < kinds.length - 1) messages.push({ role: 'assistant', content: [text(`answer ${n}`)] });
  }
  return {
    messages,
    ...{ tools: [], sampling: {}, reasoning: {}, hints: {} },
    output: { stop: [], n: 1, logprobs: false, maxTokens: 100 },
  };
}

/** A client's body as its dialect reads it, with numbers that parsing would change. */
function bodyOf(
  dialect: ClientDialect,
  kind: 'anthropic' | 'openai',
  id: string,
  conversation: Conversation,
) {
  const model = modelOrAssumed(kind, id);
  const written = writeAnew(conversation, { name: id, model }, { stream: false });
  const rawBody = `${written.slice(0, -1)}, "x_seed": 1.0}`;
  const body: unknown = JSON.parse(rawBody);
  return { rawBody, body, conversation: dialect.read(body).conversation };
}

describe.each(DIALECTS)('a cut in a body of %s', (dialect, kind, id) => {
  const shape = fc.array(fc.constantFrom('plain', 'tool', 'tools', 'parts'), { minLength: 6, maxLength: 24 });

  test('traps T24: reads as the conversation with the cut made; all else stays byte for byte', () => {
    fc.assert(
      fc.property(shape, fc.constantFrom('easy' as const, 'medium' as const), (kinds, tier) => {
        const { rawBody, body, conversation } = bodyOf(dialect, kind, id, talk(kinds));
        const cut = cutFor(conversation.messages, tier);
        if (!cut) return;
        const cutted = cutBody({ rawBody, body }, dialect.wire, conversation.messages, cut.gaps, noteOf(cut));
        expect(cutted).not.toBeNull();
        if (!cutted) return;
        expect(cutted.body).toEqual(JSON.parse(cutted.rawBody));
        expect(dialect.read(cutted.body).conversation.messages).toEqual(
          cutMessages(conversation.messages, cut, noteOf(cut)),
        );
        expect(cutted.rawBody).toContain('"x_seed": 1.0}');
      }),
      { numRuns: 40 },
    );
  });

  test('what it can not tell apart it does not cut', () => {
    const { rawBody, body, conversation } = bodyOf(dialect, kind, id, talk(Array(8).fill('tool')));
    const cut = cutFor(conversation.messages, 'easy');
    const first = cut?.gaps[0];
    if (!first) throw new Error('nothing to cut');
    const with_ = (gaps: { start: number; end: number }[]) =>
      cutBody({ rawBody, body }, dialect.wire, conversation.messages, gaps, '[gap]');
    expect(with_([{ start: first.start, end: first.end + 1 }])).not.toEqual(with_([first]));
    // Between a call and its result.
    expect(with_([{ start: first.start + 1, end: first.end }])).toBeNull();
    expect(with_([])).toBeNull();
    expect(
      cutBody(
        { rawBody: '{"input":"Hi"}', body: { input: 'Hi' } },
        dialect.wire,
        conversation.messages,
        [first],
        '',
      ),
    ).toBeNull();
  });
});

test('traps T24: results that a client of Responses puts into a later turn hold the cut up', () => {
  const items: unknown[] = [];
  for (let n = 0; n < 8; n += 1)
    items.push({ role: 'user', content: `ask ${n}` }, { role: 'assistant', content: 'Fine.' });
  items.splice(3, 0, { type: 'function_call', call_id: 'call_late', name: 'f', arguments: '{}' });
  items.push(
    { type: 'function_call_output', call_id: 'call_late', output: 'late' },
    { role: 'user', content: 'now' },
  );
  const body = { model: 'auto', input: items };
  const { messages } = OPENAI_RESPONSES.read(body).conversation;
  const cut = cutFor(messages, 'easy');
  expect(cut).not.toBeNull();
  const rawBody = JSON.stringify(body);
  expect(cutBody({ rawBody, body }, 'openai-responses', messages, cut?.gaps ?? [], '[gap]')).toBeNull();
});
