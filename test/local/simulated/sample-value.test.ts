import { Validator } from '@cfworker/json-schema';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleValue } from '../../../src/local/simulated/sample-value.ts';

const leaf = fc.oneof(
  fc.constant({ type: 'string' }),
  fc.record({ type: fc.constant('string'), enum: fc.array(fc.string(), { minLength: 1, maxLength: 3 }) }),
  fc.record({
    type: fc.constant('string'),
    minLength: fc.nat(9),
    maxLength: fc.integer({ min: 9, max: 20 }),
  }),
  fc.record({ type: fc.constant('integer'), minimum: fc.integer({ min: -50, max: 50 }) }),
  fc.record({ type: fc.constant('number'), maximum: fc.integer({ min: -50, max: 50 }) }),
  fc.constant({ type: 'boolean' }),
  fc.constant({ type: ['null', 'integer'] }),
  fc.record({ const: fc.oneof(fc.string(), fc.integer(), fc.constant(null)) }),
);

const { schema } = fc.letrec((tie) => ({
  schema: fc.oneof({ maxDepth: 3 }, leaf, tie('object'), tie('array'), tie('union')),
  object: fc
    .dictionary(
      fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
      tie('schema'),
      { maxKeys: 4 },
    )
    .map((properties) => ({
      type: 'object',
      properties,
      required: Object.keys(properties),
      additionalProperties: false,
    })),
  array: fc.record({ type: fc.constant('array'), items: tie('schema'), minItems: fc.nat(3) }),
  union: fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
}));

test('a sample fits its schema, whatever it is', () => {
  fc.assert(
    fc.property(schema, fc.string({ maxLength: 30 }), (one, text) => {
      // Drawn above from objects only.
      const { errors } = new Validator(one as object, '2020-12').validate(sampleValue(one, text));
      expect(errors).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('references and recursion end', () => {
  const tree = {
    type: 'object',
    properties: { name: { $ref: '#/$defs/name' }, next: { anyOf: [{ type: 'null' }, { $ref: '#' }] } },
    required: ['name', 'next'],
    $defs: { name: { type: 'string' } },
  };
  expect(sampleValue(tree, 'root')).toEqual({ name: 'root', next: null });
  expect(() => sampleValue({ type: 'array', items: { $ref: '#' } }, 'x')).not.toThrow();
});
