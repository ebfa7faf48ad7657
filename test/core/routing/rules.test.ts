import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ASK_KINDS, type AskKind } from '../../../src/core/difficulty/ask-kind.ts';
import { type Rule, ruleFor } from '../../../src/core/routing/rules.ts';

const step = { kind: 'code' as AskKind, tags: { team: 'search' }, path: '/v1/messages' };
const to: Rule['to'] = { floor: 'hard' };
const holds = (when: Rule['when'], of = step) => ruleFor([{ when, to }], of) !== undefined;

test('everything that is named must hold', () => {
  expect(holds({ kind: 'code' })).toBe(true);
  expect(holds({ kind: 'math' })).toBe(false);
  expect(holds({ tag: { name: 'team', value: 'search' } })).toBe(true);
  expect(holds({ tag: { name: 'team', value: 'ads' } })).toBe(false);
  expect(holds({ tag: { name: 'constructor', value: 'x' } })).toBe(false);
  expect(holds({ path: '/v1/messages' })).toBe(true);
  expect(holds({ path: '/v1' })).toBe(false);
  expect(holds({ kind: 'code', tag: { name: 'team', value: 'ads' } })).toBe(false);
});

test("housekeeping is any of a harness's own calls", () => {
  const of = ASK_KINDS.filter((kind) => holds({ kind: 'housekeeping' }, { ...step, kind }));
  expect(of).toEqual(['probe', 'title', 'compaction']);
});

test('the first that holds decides', () => {
  const condition = fc.record({ kind: fc.constantFrom<AskKind>('code', 'math') });
  fc.assert(
    fc.property(fc.array(condition), (conditions) => {
      const rules = conditions.map((when) => ({ when, to }));
      expect(ruleFor(rules, step)).toBe(rules[conditions.findIndex(({ kind }) => kind === 'code')]);
    }),
  );
});
