import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costOf } from '../../../src/core/accounting/cost.ts';
import { meteredBound } from '../../../src/core/accounting/metered-bound.ts';
import { pricesOf } from '../../../src/core/accounting/price-book.ts';
import { costBound, type StepBound, unboundedIn } from '../../../src/core/accounting/reservation.ts';
import { inputTokens, usageOf } from '../../../src/core/accounting/usage.ts';
import type { Conversation, UserBlock } from '../../../src/core/conversation.ts';
import type { Candidate } from '../../../src/core/routing/candidate.ts';
import { modelOrAssumed } from '../../../src/core/routing/catalog.ts';
import type { Tier } from '../../../src/core/routing/tier.ts';
import { conversationOf } from './fixtures.ts';

const AT = '2026-11-27';
const PROVIDERS = new Map(
  (['anthropic', 'openai'] as const).map((kind) => [kind, { id: kind, kind }] as const),
);
const candidate = (provider: 'anthropic' | 'openai', name: string, tier: Tier): Candidate => ({
  ...{ provider, name, tier },
  model: modelOrAssumed(provider, name),
});
const MODELS = [
  candidate('anthropic', 'claude-haiku-5-5', 'easy'),
  candidate('anthropic', 'claude-sonnet-5-5', 'medium'),
  candidate('openai', 'gpt-6.2-sol', 'hard'),
];
const bound = (part: Partial<StepBound>): StepBound => ({
  ...{ inputBytes: 1_000, images: 0, isOpen: false, maxTokens: 100, answers: 1, at: AT },
  ...part,
});
function mostOf(part: Partial<StepBound>, models: readonly Candidate[] = MODELS): number {
  const found = costBound(models, PROVIDERS, bound(part));
  if ('unpriced' in found) throw new Error('unpriced');
  expect(found.likely).toBeLessThanOrEqual(found.most);
  return found.most;
}

describe('the most that a step can cost', () => {
  test('is more than one attempt in every tier together, whatever tokens there are of what class', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 900_000 }),
        fc.integer({ min: 1, max: 64_000 }),
        share,
        share,
        (inputBytes, maxTokens, read, written) => {
          const all = inputBytes + 1_000;
          const cost = MODELS.reduce((sum, { provider, name, model }) => {
            const tokens = Math.min(all, model.maxInput ?? model.contextWindow);
            const cached = Math.floor(tokens * read);
            const write = Math.floor((tokens - cached) * written);
            const usage = usageOf({
              ...{
                read: cached,
                output: Math.min(maxTokens, model.maxOutput),
                fresh: tokens - cached - write,
              },
              ...(provider === 'anthropic' ? { write_1h: write } : { write_12h: write }),
            });
            const prices = pricesOf({ id: provider, kind: model.kind }, name, AT, inputTokens(usage));
            return sum + (costOf(usage, prices) ?? Number.NaN);
          }, 0);
          expect(mostOf({ inputBytes, maxTokens })).toBeGreaterThanOrEqual(cost);
        },
      ),
    );
  });

  test('grows with answers, images and what no byte bounds, and with a dearer tier of service where it is OpenAI', () => {
    const one = mostOf({});
    expect(mostOf({ answers: 3 })).toBeGreaterThan(one);
    expect(mostOf({ images: 1 })).toBeGreaterThan(one);
    expect(mostOf({ isOpen: true })).toBeGreaterThan(mostOf({ images: 10 }));
    expect(mostOf({ serviceTier: 'flex' })).toBe(one);
    expect(mostOf({ serviceTier: 'priority' })).toBeGreaterThan(one);
    // Nobody knows it: as the dearest.
    expect(mostOf({ serviceTier: 'hyper' })).toBe(mostOf({ serviceTier: 'ultrafast' }));
    const claude = MODELS.slice(0, 2);
    expect(mostOf({ serviceTier: 'priority' }, claude)).toBe(mostOf({}, claude));
  });

  test('traps T42: a model without a price has none', () => {
    const local = { ...candidate('openai', 'llama', 'easy'), provider: 'local' };
    const providers = new Map([['local', { id: 'local', kind: 'openai' as const }]]);
    expect(costBound([local], providers, bound({}))).toEqual({ unpriced: local });
  });

  test('images count wherever they stand; a PDF, an address and what one wire alone knows are bounded by no byte', () => {
    const found = (block: UserBlock) => {
      const messages: Conversation['messages'] = [
        { role: 'user', content: [block] },
        { role: 'tool', content: [{ type: 'tool_result', callId: 'c', content: [block] }] },
      ];
      return unboundedIn(conversationOf(messages));
    };
    const pdf = { kind: 'base64', mediaType: 'application/pdf', data: 'JVBERi0=' } as const;
    expect(found({ type: 'image', source: { kind: 'url', url: 'https://a.example/b' } })).toEqual({
      images: 2,
      isOpen: false,
    });
    expect(found({ type: 'document', source: { kind: 'text', text: 'plain' } })).toEqual({
      images: 0,
      isOpen: false,
    });
    expect(found({ type: 'document', source: pdf }).isOpen).toBe(true);
    expect(found({ type: 'document', source: { kind: 'url', url: 'https://a.example/b' } }).isOpen).toBe(
      true,
    );
    expect(found({ type: 'foreign', kind: 'file', raw: {} }).isOpen).toBe(true);
  });
});

describe('the most that a request without a conversation can cost', () => {
  const openai = { id: 'openai', kind: 'openai' } as const;
  const size = { inputTokens: 1e6, outputTokens: 1e6, audioSeconds: 3_600 };

  test.each([
    // In and out, and 72,000 tokens of sound.
    ['text-embedding-3-small', 0.02 * 1.072],
    ['gpt-image-1', 10 * 1.072 + 40],
    ['gpt-4o-transcribe', 6 * 1.072 + 10],
    ['whisper-1', 0.36],
    ['omni-moderation-latest', 0],
  ])('%s', (model, usd) => {
    expect(meteredBound(openai, model, AT, size)?.most).toBeCloseTo(usd, 9);
  });

  test('traps T42: none where there is no price; a configured one counts first', () => {
    expect(meteredBound(openai, 'tts-1', AT, size)).toBeNull();
    const prices = { 'tts-1': { input: 15, output: 0 } };
    expect(meteredBound({ ...openai, prices }, 'tts-1', AT, size)?.most).toBeCloseTo(15 * 1.072, 9);
  });
});
