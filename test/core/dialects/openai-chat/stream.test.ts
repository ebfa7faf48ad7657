import { describe, expect, test } from 'vitest';
import { usageOf } from '../../../../src/core/accounting/usage.ts';
import type { AnswerEvent } from '../../../../src/core/answer.ts';
import { createStreamRelay, createStreamWriter } from '../../../../src/core/dialects/openai-chat/stream.ts';
import { FluxError } from '../../../../src/core/errors.ts';
import type { FluxMetadata } from '../../../../src/core/metadata.ts';

// The writer only carries it; what stands in it is settle's business.
const metadata = { request_id: 'r' } as FluxMetadata;
const head = { requestId: 'r', created: 1 };

function chunksOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)));
}

const events: AnswerEvent[] = [
  { type: 'start', id: 'msg', model: 'claude-haiku-5-5' },
  { type: 'text', text: 'Let me see.' },
  { type: 'tool_call', index: 0, id: 'a', name: 'weather' },
  { type: 'tool_arguments', index: 0, delta: '{"city":' },
  { type: 'tool_call', index: 1, id: 'b', name: 'time' },
  { type: 'tool_arguments', index: 0, delta: '"Paris"}' },
  { type: 'tool_arguments', index: 1, delta: '{}' },
  { type: 'stop', reason: 'tool_calls' },
];
const usage = usageOf({ fresh: 5, read: 20, output: 7 });

describe('a translated stream', () => {
  test('traps T32: parallel tool calls keep their index; the role comes once; metadata rides on the last choices', () => {
    const writer = createStreamWriter(head, false);
    const text = writer.write({ raw: '', events }) + writer.finish(usage, metadata);
    const chunks = chunksOf(text);
    const deltas = chunks.map((chunk) => (chunk.choices as { delta: Record<string, unknown> }[])[0]?.delta);
    expect(deltas.filter((delta) => delta?.role)).toHaveLength(1);
    expect(deltas.flatMap((delta) => delta?.tool_calls ?? [])).toEqual([
      { index: 0, id: 'a', type: 'function', function: { name: 'weather', arguments: '' } },
      { index: 0, function: { arguments: '{"city":' } },
      { index: 1, id: 'b', type: 'function', function: { name: 'time', arguments: '' } },
      { index: 0, function: { arguments: '"Paris"}' } },
      { index: 1, function: { arguments: '{}' } },
    ]);
    expect(chunks.at(-1)).toMatchObject({
      choices: [{ finish_reason: 'tool_calls' }],
      fluxcompute: metadata,
    });
    expect(chunks.filter((chunk) => 'fluxcompute' in chunk)).toHaveLength(1);
    expect(text).not.toContain('"usage"');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('traps T27: the usage chunk comes only where asked for, and carries the metadata', () => {
    const writer = createStreamWriter(head, true);
    const chunks = chunksOf(writer.write({ raw: '', events }) + writer.finish(usage, metadata));
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 25, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 20 } },
      fluxcompute: metadata,
    });
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null && !('fluxcompute' in chunk))).toBe(
      true,
    );
  });

  test('traps T30: a broken stream ends with an error and no [DONE]', () => {
    const writer = createStreamWriter(head, false);
    const text =
      writer.write({ raw: '', events: events.slice(0, 2) }) +
      writer.fail(new FluxError('cut', { status: 502, code: 'stream_cut' }));
    expect(chunksOf(text).at(-1)).toEqual({
      error: { message: 'cut', type: 'server_error', param: null, code: 'stream_cut' },
    });
    expect(text).not.toContain('[DONE]');
  });
});

describe('a relayed stream', () => {
  const chunk = (fields: object) =>
    JSON.stringify({ id: 'up', object: 'chat.completion.chunk', created: 9, model: 'gpt-4.1', ...fields });
  const raws = [
    chunk({
      choices: [{ index: 0, delta: { role: 'assistant', content: 'a' }, finish_reason: null }],
      obfuscation: 'x1',
      new_field: 1.0,
    }),
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
    chunk({ choices: [{ index: 1, delta: { content: 'b' }, finish_reason: null }] }),
    chunk({ choices: [{ index: 1, delta: {}, finish_reason: 'stop' }] }),
    chunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4, odd: true } }),
    '[DONE]',
  ];
  const relayed = (includeUsage: boolean) => {
    const relay = createStreamRelay(includeUsage);
    return raws.map((raw) => relay.write({ raw, events: [] })).join('') + relay.finish(usage, metadata);
  };

  test('chunks pass byte for byte; the last finish chunk carries the metadata; usage stays hidden', () => {
    const text = relayed(false);
    expect(text.startsWith(`data: ${raws[0]}\n\n`)).toBe(true);
    const chunks = chunksOf(text);
    expect(chunks).toHaveLength(4);
    expect(chunks.map((chunk) => 'fluxcompute' in chunk)).toEqual([false, false, false, true]);
    expect(chunks.at(-1)).toMatchObject({ id: 'up', choices: [{ index: 1, finish_reason: 'stop' }] });
    expect(text.match(/\[DONE\]/g)).toHaveLength(1);
  });

  test('a chunk whose words look like an end passes as any other', () => {
    const content = 'it says "finish_reason": "stop", "choices": []';
    const raw = chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
    const relay = createStreamRelay(false);
    expect(relay.write({ raw, events: [] })).toBe(`data: ${raw}\n\n`);
    // The same as a tool's arguments: an object some servers send in place of its text.
    const odd = chunk({
      choices: [{ index: 0, delta: { args: { finish_reason: 'stop' } }, finish_reason: null }],
    });
    expect(relay.write({ raw: odd, events: [] })).toBe(`data: ${odd}\n\n`);
  });

  test("where usage was asked for, the provider's own chunk comes, with the metadata", () => {
    const chunks = chunksOf(relayed(true));
    expect(chunks).toHaveLength(5);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 3, odd: true },
      fluxcompute: metadata,
    });
  });
});
