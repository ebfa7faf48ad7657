import { expect, test } from 'vitest';
import { fitSchema } from '../../../../src/core/dialects/anthropic-messages/schema.ts';

const closed = { type: 'object', additionalProperties: false };

test('a schema the compiler takes stays as it is', () => {
  const schema = {
    ...closed,
    $defs: { day: { type: 'string', format: 'date' } },
    properties: {
      day: { $ref: '#/$defs/day' },
      tags: { type: 'array', items: { enum: ['a', 'b'] }, minItems: 1 },
      note: { type: ['string', 'null'] },
    },
    required: ['day'],
  };
  expect(fitSchema(schema)).toEqual({ schema, changed: false, optional: 2, unions: 1 });
});

test('`oneOf` is said as `anyOf`, unknown limits as words, objects are closed', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      n: { oneOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], description: 'How many.' },
      at: { type: 'string', format: 'regex' },
    },
  };
  expect(fitSchema(schema)).toEqual({
    schema: {
      ...closed,
      properties: {
        n: {
          anyOf: [{ type: 'integer', description: '{minimum: 1}' }, { type: 'null' }],
          description: 'How many.',
        },
        at: { type: 'string', description: '{format: "regex"}' },
      },
    },
    changed: true,
    optional: 2,
    unions: 1,
  });
});

test.each<[string, Record<string, unknown>]>([
  ['a map', { type: 'object', additionalProperties: { type: 'string' } }],
  ['an object of any shape', { type: 'object' }],
  ['any value', { ...closed, properties: { a: {} } }],
  [
    'two unions in one place',
    { ...closed, properties: { a: { anyOf: [{ type: 'string' }], oneOf: [{ type: 'string' }] } } },
  ],
  ['a boolean schema', { ...closed, properties: { a: true } }],
  ['an external reference', { ...closed, properties: { a: { $ref: 'https://example.com/a.json' } } }],
  ['recursion through the root', { ...closed, properties: { a: { $ref: '#' } } }],
  [
    'recursion through definitions',
    {
      ...closed,
      properties: { a: { $ref: '#/$defs/a' } },
      $defs: {
        a: { ...closed, properties: { b: { $ref: '#/$defs/b' } } },
        b: { ...closed, properties: { a: { $ref: '#/$defs/a' } } },
      },
    },
  ],
])('%s can not be said', (_name, schema) => {
  expect(fitSchema(schema)).toBeNull();
});

test('a definition used twice is no recursion', () => {
  const schema = {
    ...closed,
    properties: { a: { $ref: '#/$defs/a' }, b: { $ref: '#/$defs/a' } },
    required: ['a', 'b'],
    $defs: { a: { type: 'string' } },
  };
  expect(fitSchema(schema)?.changed).toBe(false);
});

test('what a definition holds counts wherever it is used', () => {
  const person = { ...closed, properties: { name: { type: ['string', 'null'] }, age: { type: 'integer' } } };
  const schema = {
    ...closed,
    properties: { a: { $ref: '#/$defs/person' }, b: { type: 'array', items: { $ref: '#/$defs/person' } } },
    required: ['a', 'b'],
    $defs: { person, unused: person },
  };
  expect(fitSchema(schema)).toMatchObject({ optional: 4, unions: 2 });
});
