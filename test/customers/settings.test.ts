import fc from 'fast-check';
import { expect, test } from 'vitest';
import { customerSettings, mergePatch, readKept } from '../../src/customers/settings.ts';

// RFC 7396, appendix A.
test.each<[unknown, unknown, unknown]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j patched with %j is %j', (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result);
});

test('a patch that names __proto__ reaches no prototype', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__":{"mode":"observe"}}'));
  expect(({} as { mode?: string }).mode).toBeUndefined();
  expect(customerSettings.safeParse(merged).success).toBe(false);
});

test('whatever stands in a store can be read, and what was written comes back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const settings = readKept(value);
      expect(customerSettings.safeParse(settings).success).toBe(true);
    }),
  );
  const settings = {
    tiers: { easy: ['a'] },
    rules: [{ when: { kind: 'title' as const }, floor: 'hard' as const }],
    provider_keys: { openai: { set: true as const } },
  };
  expect(readKept(JSON.parse(JSON.stringify({ ...settings, of_a_newer_version: 1, mode: 'warp' })))).toEqual(
    settings,
  );
});
