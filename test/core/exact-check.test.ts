import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { exactCheck } from '../../src/core/exact-check.ts';
import { stepRecord } from '../../src/pipeline/record.ts';
import { anyStep, step } from '../log/records.ts';

const isStep = exactCheck(stepRecord);

test('takes every step', () => {
  expect(isStep(step())).toBe(true);
  fc.assert(fc.property(anyStep, (record) => isStep(JSON.parse(JSON.stringify(record)))));
});

test('a step that anything was done to is taken only where the schema takes it as it is', () => {
  const strange = fc.oneof(
    ...[fc.jsonValue(), fc.constantFrom<unknown>(0, -1, 0.5, 2 ** 53, null, '', 'ok', true, [], {}, [{}])],
  );
  const place = fc.constantFrom(...Object.keys(step()), 'created_at', '__proto__');
  const inner = fc.constantFrom('tokens', 'tags', 'signals', 'attempts');
  fc.assert(
    fc.property(
      anyStep,
      place,
      fc.option(inner),
      strange,
      fc.string(),
      (record, name, holder, value, key) => {
        const text = JSON.stringify(record);
        const odd: Record<string, unknown> = JSON.parse(text);
        if (holder === null) odd[name] = value;
        else Object.assign([odd[holder]].flat()[0] ?? {}, { [key]: value, fresh: value });
        const changed = JSON.parse(JSON.stringify(odd));
        if (isStep(changed)) expect(stepRecord.parse(changed)).toEqual(changed);
        const less: Record<string, unknown> = JSON.parse(text);
        delete less[name];
        expect(isStep(less)).toBe(!Object.hasOwn(record, name));
      },
    ),
    { numRuns: 1_000 },
  );
});

test.each<[string, z.ZodType, unknown[], unknown[]]>([
  ['bounds', z.number().gt(0).lte(3), [1, 3, 0.1], [0, 4, '1', Number.NaN]],
  ['whole numbers', z.number().int().min(0), [0, 7], [0.5, -1, 2 ** 60]],
  ['what zod alone knows', z.number().multipleOf(2), [4], [3]],
  ['a format', z.iso.datetime(), ['2026-11-20T12:00:00.123Z'], ['2026-11-20', '', 1]],
  ['a length', z.string().min(1), ['a'], ['', null]],
  ['a refinement', z.object({ a: z.string() }).refine(({ a }) => a !== 'b'), [{ a: 'a' }], [{ a: 'b' }]],
  ['a default', z.object({ a: z.boolean().default(true) }), [{ a: false }], [{}, { a: 1 }]],
  ['nothing more', z.object({ a: z.literal('x') }), [{ a: 'x' }], [{ a: 'x', b: 1 }, [], null]],
  [
    'lists and records',
    z.record(z.string(), z.array(z.string().nullable())),
    [{ a: ['b', null] }, {}],
    [{ a: [1] }, []],
  ],
])('%s', (_name, schema, taken, denied) => {
  const check = exactCheck(schema);
  for (const value of taken) expect(check(value)).toBe(true);
  for (const value of denied) expect(check(value)).toBe(false);
});
