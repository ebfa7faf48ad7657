import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requestEdits } from '../../../../src/core/dialects/openai-responses/edits.ts';
import { readResponsesRequest } from '../../../../src/core/dialects/openai-responses/read.ts';
import { writeRequest } from '../../../../src/core/dialects/openai-responses/request.ts';
import { spliceMembers } from '../../../../src/core/json-splice.ts';
import { excludedBy, needsOf } from '../../../../src/core/routing/capability.ts';
import type { CatalogModel } from '../../../../src/core/routing/catalog.ts';
import { prepare } from '../../../../src/pipeline/prepare.ts';
import { conversation } from '../arbitraries.ts';
import { model, say } from '../conversations.ts';
import { accepted } from '../simulators.ts';

const SOL = model('openai', 'gpt-6.2-sol');
const LUNA = model('openai', 'gpt-6-luna');

/** A client's body as it goes to the model. */
function sent(raw: string, target: CatalogModel = SOL, more: { withoutThinking?: boolean } = {}): string {
  const body: unknown = JSON.parse(raw);
  const original = readResponsesRequest(body).conversation;
  const prepared = prepare(original, target, { defaultMaxTokens: 16_384, ...more }).conversation;
  const own = { body, original, prepared, report: () => {} };
  return spliceMembers(raw, requestEdits(own, target, { stream: false, modelId: target.id }));
}

describe("a client's own body", () => {
  test('stays byte for byte but for the model, storage, and reasoning that is to come back', () => {
    const raw = `{ "model":"auto", "input": "Hi",\n  "top_logprobs": 0.0, "brand_new": {"n": 1e2, "n": 2},"store":true }`;
    expect(sent(raw)).toBe(
      `{ "model":"gpt-6.2-sol", "input": "Hi",\n  "top_logprobs": 0.0, "brand_new": {"n": 1e2, "n": 2},"store":false ,"include":["reasoning.encrypted_content"]}`,
    );
    const stateless = '{"model":"auto","input":"Hi","store":false,"include":[]}';
    expect(sent(stateless)).toBe(stateless.replace('auto', 'gpt-6.2-sol'));
  });

  test('traps T37: settings the model refuses are taken out, raised or lowered in their place', () => {
    const raw = JSON.stringify({
      model: 'auto',
      input: 'Hi',
      store: false,
      temperature: 0.5,
      top_p: 0.9,
      max_output_tokens: 5,
      reasoning: { summary: 'auto', effort: 'none' },
    });
    expect(JSON.parse(sent(raw))).toEqual({
      model: 'gpt-6.2-sol',
      input: 'Hi',
      store: false,
      max_output_tokens: 16,
      reasoning: { summary: 'auto', effort: 'low' },
    });
    expect(JSON.parse(sent(raw, LUNA))).toMatchObject({ temperature: 0.5, reasoning: { effort: 'none' } });
  });

  test('traps T18: reasoning leaves its place; every other item stays as it came', () => {
    const items = [
      '{"role":"user","content":"Hi", "odd": 1.0}',
      '{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"sealed"}',
      '{"type":"reasoning","id":"rs_2","summary":[]}',
      '{"role":"assistant","content":"Hello."}',
      '{"role":"user","content":"And?"}',
    ];
    const raw = (list: string[]) => `{"model":"gpt-6.2-sol","store":false,"input":[${list.join(',')}]}`;
    // What is not sealed could only be looked up where nothing is stored.
    expect(sent(raw(items))).toBe(raw(items.toSpliced(2, 1)));
    expect(sent(raw(items), SOL, { withoutThinking: true })).toBe(raw(items.toSpliced(1, 2)));
  });

  test('a conversation that says something else is written whole', () => {
    const body = { model: 'auto', input: [{ role: 'user', content: 'Hi' }], instructions: 'Be brief.' };
    const original = readResponsesRequest(body).conversation;
    const prepared = { ...original, messages: [say('system', 'Be brief.'), say('user', 'Hello')] };
    const own = { body, original, prepared, report: () => {} };
    const edits = requestEdits(own, SOL, { stream: false, modelId: SOL.id });
    expect(JSON.parse(spliceMembers(JSON.stringify(body), edits))).toMatchObject({
      input: [
        { role: 'system', content: [{ text: 'Be brief.' }] },
        { role: 'user', content: [{ text: 'Hello' }] },
      ],
    });
    expect(edits).toHaveProperty('instructions', undefined);
  });

  test('hosted tools stay when others go', () => {
    const body = {
      model: 'auto',
      input: 'Hi',
      tools: [
        { type: 'web_search' },
        { type: 'function', name: 'a', strict: true },
        { type: 'function', name: 'b' },
      ],
    };
    const original = readResponsesRequest(body).conversation;
    const prepared = { ...original, tools: [{ name: 'a' }] };
    const own = { body, original, prepared, report: () => {} };
    const edits = requestEdits(own, SOL, { stream: false, modelId: SOL.id });
    expect(JSON.parse(spliceMembers(JSON.stringify(body), edits)).tools).toEqual([
      { type: 'web_search' },
      { type: 'function', name: 'a', strict: false },
    ]);
  });
});

test.each([SOL, LUNA, model('openai', 'gpt-5.4')])(
  '$id takes any body that does not exclude it',
  (target) => {
    fc.assert(
      fc.property(conversation, (given) => {
        fc.pre(excludedBy(target, needsOf(given)) === null);
        // Spliced tools stay the client's own, also where OpenAI refuses them.
        const to = { provider: 'here', name: target.id };
        const { conversation: meant } = prepare(given, target, { defaultMaxTokens: 100, to });
        const raw = writeRequest(meant, target, { stream: false, modelId: 'auto' });
        accepted(target, sent(raw, target));
      }),
      { numRuns: 50 },
    );
  },
);
