import { expect, test } from 'vitest';
import { type Carried, fateOf, isPortable } from '../../../src/core/routing/portability.ts';

const SAME = { provider: 'a', name: 'one' };
const ACCOUNT = { provider: 'a', name: 'two' };
const ELSEWHERE = { provider: 'b', name: 'one' };
const carried = (kind: Carried['kind']): Carried => ({ kind, ...SAME });

// T15–T18, providers.md §3: what made it, another model of the account, another account.
test.each([
  ['thinking', 'kept', 'stripped', 'stripped'],
  ['encrypted_reasoning', 'kept', 'kept', 'stripped'],
  ['stored_object', 'kept', 'kept', 'lost'],
] as const)('traps T15: %s on its own model is %s, on its account %s, elsewhere %s', (kind, ...fates) => {
  expect([SAME, ACCOUNT, ELSEWHERE].map((to) => fateOf(carried(kind), to))).toEqual(fates);
});

test('traps T15: a turn goes anywhere unless something of it would be lost', () => {
  const harmless = [carried('thinking'), carried('encrypted_reasoning')];
  expect([SAME, ACCOUNT, ELSEWHERE].map((to) => isPortable(harmless, to))).toEqual([true, true, true]);
  const stored = [...harmless, carried('stored_object')];
  expect([SAME, ACCOUNT, ELSEWHERE].map((to) => isPortable(stored, to))).toEqual([true, true, false]);
  expect(isPortable([], ELSEWHERE)).toBe(true);
});
