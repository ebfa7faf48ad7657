import { describe, expect, it } from 'vitest';
import { pricesOf } from '../../../src/core/accounting/price-book.ts';
import {
  catalogModels,
  DEFAULT_TIERS,
  findModel,
  isRetired,
  modelOrAssumed,
  type ProviderKind,
  retiresWithin,
} from '../../../src/core/routing/catalog.ts';
import { CLAUDE_MODELS } from '../../../src/local/simulated/anthropic/models.ts';

const TODAY = '2026-11-23';
const KINDS: ProviderKind[] = ['anthropic', 'openai'];

describe('finding a model', () => {
  // biome-ignore format: a table
  it.each<[ProviderKind, string, string | undefined]>([
    ['anthropic', 'claude-haiku-5-5', 'claude-haiku-5-5'],
    ['anthropic', 'claude-haiku-5-5-20261007', 'claude-haiku-5-5'],
    ['anthropic', 'claude-opus-4-20250918', 'claude-opus-4'],
    ['anthropic', 'claude-opus-4-0', 'claude-opus-4'],
    ['anthropic', 'claude-3-7-sonnet-latest', 'claude-3-7-sonnet'],
    ['openai', 'gpt-5.6', 'gpt-5.6-sol'],
    ['openai', 'gpt-5.5-2026-04-23', 'gpt-5.5'],
    ['openai', 'gpt-4o-2024-05-13', 'gpt-4o-2024-05-13'],
    ['openai', 'gpt-4o-2024-11-20', 'gpt-4o'],
    ['anthropic', 'claude-sonnet-5-7', undefined],
    ['openai', 'claude-haiku-5-5', undefined],
    ['openai', 'gpt-6-luna-mini', undefined],
    ['openai', 'constructor', undefined],
  ])('%s %s is %s', (kind, id, found) => {
    expect(findModel(kind, id)?.id).toBe(found);
  });

  it('lists no id twice', () => {
    for (const kind of KINDS) {
      const ids = catalogModels(kind).flatMap((model) => [model.id, ...(model.aliases ?? [])]);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });
});

describe('a model the catalogue does not know', () => {
  it('is let try everything on an OpenAI-compatible server', () => {
    const model = modelOrAssumed('openai', 'qwen-4:32b');
    expect(model).toMatchObject({ id: 'qwen-4:32b', wire: 'openai-chat', assumed: true });
    expect(model.capabilities).toMatchObject({
      vision: true,
      tools: true,
      jsonSchema: true,
      sampling: 'always',
    });
  });

  it('is narrowed by the configuration, as a known one is', () => {
    const capabilities = { vision: false };
    const model = modelOrAssumed('openai', 'qwen-4:32b', { capabilities, contextWindow: 32_768 });
    expect(model.contextWindow).toBe(32_768);
    expect(model.capabilities).toMatchObject({ vision: false, tools: true });
    expect(modelOrAssumed('openai', 'gpt-4o', { capabilities }).capabilities.vision).toBe(false);
    expect(findModel('openai', 'gpt-4o')?.capabilities.vision).toBe(true);
  });

  it('is a current Claude on Anthropic', () => {
    expect(modelOrAssumed('anthropic', 'claude-sonnet-6')).toMatchObject({
      id: 'claude-sonnet-6',
      wire: 'anthropic-messages',
      assumed: true,
    });
  });
});

describe('the wire', () => {
  // biome-ignore format: a table
  it.each([
    ['gpt-6.2-sol', 'openai-responses'], ['gpt-6-luna', 'openai-responses'], ['gpt-5.4-nano', 'openai-responses'],
    ['gpt-7-sol', 'openai-responses'], ['gpt-6-cyber', 'openai-responses'],
    ['gpt-5.2', 'openai-chat'], ['gpt-4o', 'openai-chat'], ['o3', 'openai-chat'],
    ['gpt-oss-120b', 'openai-chat'], ['gpt-5.3-codex', 'openai-chat'], ['llama-5', 'openai-chat'],
  ])('traps T66: %s is called over %s', (id, wire) => {
    expect(modelOrAssumed('openai', id).wire).toBe(wire);
  });
});

describe('retirement', () => {
  it('traps T71: begins on its day and is announced before', () => {
    const sonnet = modelOrAssumed('anthropic', 'claude-sonnet-4-5');
    expect(isRetired(sonnet, '2026-11-29')).toBe(false);
    expect(isRetired(sonnet, '2026-11-30')).toBe(true);
    expect(retiresWithin(sonnet, TODAY, 7)).toBe(true);
    expect(retiresWithin(sonnet, TODAY, 6)).toBe(false);
    expect(retiresWithin(sonnet, '2026-11-30', 7)).toBe(false);
    expect(retiresWithin(modelOrAssumed('openai', 'gpt-6-luna'), TODAY, 365)).toBe(false);
  });

  // biome-ignore format: a table
  it.each<[ProviderKind, string, boolean, string]>([
    ['anthropic', 'claude-3-5-haiku-20241022', true, 'claude-haiku-5-5'],
    ['anthropic', 'claude-opus-4-20250918', true, 'claude-opus-5-5'],
    ['anthropic', 'claude-sonnet-4', true, 'claude-sonnet-5-5'],
    ['openai', 'o1', true, 'gpt-6.2-sol'],
    ['openai', 'gpt-4o', false, 'gpt-6.1-terra'],
    ['openai', 'gpt-4o-mini', false, 'gpt-6-luna'],
  ])("traps T71: the seed's %s %s (retired: %s) gives way to %s", (kind, id, retired, successor) => {
    const model = modelOrAssumed(kind, id);
    expect(isRetired(model, TODAY)).toBe(retired);
    expect(model.successor).toBe(successor);
  });

  it('traps T71: always names a successor that is offered and does not retire itself', () => {
    for (const kind of KINDS) {
      for (const model of catalogModels(kind)) {
        if (model.retires === undefined) continue;
        const successor = model.successor === undefined ? undefined : findModel(kind, model.successor);
        expect(successor, model.id).toBeDefined();
        expect(successor?.retires, model.id).toBeUndefined();
      }
    }
  });
});

describe('the default tiers', () => {
  it.each(KINDS)('of %s are offered, and dearer from tier to tier', (kind) => {
    const { easy, medium, hard } = DEFAULT_TIERS[kind];
    const outputPrices = [...easy, ...medium, ...hard].map((id) => {
      expect(findModel(kind, id)?.retires).toBeUndefined();
      return pricesOf({ id: kind, kind }, id, TODAY, 1_000)?.output ?? Number.NaN;
    });
    expect(outputPrices).toEqual(outputPrices.toSorted((a, b) => a - b));
    expect(outputPrices).toHaveLength(3);
  });
});

describe('thinking', () => {
  // Read from the same sources by another hand: what the strict simulator holds against a request.
  it.each(CLAUDE_MODELS.map((model) => [model.id, model] as const))('traps T37: of %s', (id, simulated) => {
    const capabilities = findModel('anthropic', id)?.capabilities;
    expect([...(capabilities?.thinking ?? [])].toSorted()).toEqual([...simulated.thinking].toSorted());
    expect(capabilities?.thinking[0]).toBe(simulated.defaultThinking);
    expect(capabilities?.quietEffort).toBe(simulated.quietEffortLimit);
    expect(capabilities?.efforts).toEqual(simulated.efforts);
  });
});
