import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ANTHROPIC_IDS,
  CHAT_IDS,
  createIdMap,
  originalId,
  RESPONSES_IDS,
  wireId,
} from '../../src/core/tool-ids.ts';

const RULES = { anthropic: ANTHROPIC_IDS, responses: RESPONSES_IDS, chat: CHAT_IDS };
const id = fc.oneof(
  fc.string({ minLength: 0, maxLength: 12 }),
  fc.string({ minLength: 60, maxLength: 90 }),
  fc.stringMatching(/^flx[eh]_[a-z0-9_]{0,20}$/),
  fc.stringMatching(/^call_[0-9a-f_:.]{1,50}$/),
);

describe.each(Object.entries(RULES))('ids for %s', (_name, rule) => {
  test('always conform', () => {
    fc.assert(
      fc.property(id, (given) => {
        const mapped = wireId(given, rule);
        expect(mapped.length).toBeGreaterThan(0);
        expect(mapped.length).toBeLessThanOrEqual(rule.maxLength);
        if (rule.pattern !== undefined) expect(mapped).toMatch(rule.pattern);
      }),
    );
  });

  test('never meet', () => {
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 2, maxLength: 20 }), (ids) => {
        expect(new Set(ids.map((one) => wireId(one, rule))).size).toBe(ids.length);
      }),
    );
  });
});

test('an escaped id leads back to the one it was', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 9 }), (given) => {
      expect(originalId(wireId(given, ANTHROPIC_IDS))).toBe(given);
    }),
  );
  expect(wireId('functions.get_weather:0', ANTHROPIC_IDS)).toBe('flxe_functions_2eget__weather_3a0');
});

test.each(['toolu_01A', 'flxe_a_', 'flxe_a_2', 'flxe_a_zz', 'flxe_a_41'])(
  'an id we never made stays: %s',
  (given) => {
    expect(originalId(given)).toBe(given);
  },
);

describe('ids of one request', () => {
  test('an id used again gets its own name, and results find their calls', () => {
    const ids = createIdMap(ANTHROPIC_IDS);
    const first = ids.call('call_0');
    expect(ids.result('call_0')).toBe(first);
    const [second, third] = [ids.call('call_0'), ids.call('call_0')];
    expect(new Set([first, second, third]).size).toBe(3);
    expect([ids.result('call_0'), ids.result('call_0')]).toEqual([second, third]);
    expect(first).toBe('call_0');
    for (const mapped of [second, third]) expect(mapped).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  });

  test('names do not change when the conversation grows', () => {
    const name = (count: number): string[] => {
      const ids = createIdMap(ANTHROPIC_IDS);
      return Array.from({ length: count }, () => ids.call('x.1'));
    };
    expect(name(5).slice(0, 3)).toEqual(name(3));
  });
});
