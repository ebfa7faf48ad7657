import { expect, test } from 'vitest';
import { findFault } from '../../src/core/answer-check.ts';
import { boundedSchema } from '../../src/core/bounded-schema.ts';
import { readChatRequest } from '../../src/core/dialects/openai-chat/read.ts';

const user = { role: 'user', content: 'Hi' };

function faultWith(schema: object, text: string) {
  const response_format = { type: 'json_schema', json_schema: { name: 'answer', schema } };
  const { conversation } = readChatRequest({ model: 'auto', messages: [user], response_format });
  return findFault({ id: 'a', model: 'm', blocks: [{ type: 'text', text }], stop: 'stop' }, conversation);
}

test("traps T11: a client's pattern is never run over text the client can dictate", () => {
  // Exponential in any backtracking engine: minutes, if it were run.
  const schema = { type: 'string', pattern: '^(a+)+$' };
  expect(faultWith(schema, JSON.stringify(`${'a'.repeat(60)}!`))).toBeNull();
});

test('traps T11: a schema that unfolds exponentially is not checked at all', () => {
  const $defs: Record<string, object> = { d60: { type: 'number' } };
  for (let i = 0; i < 60; i++)
    $defs[`d${i}`] = { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] };
  expect(boundedSchema({ $ref: '#/$defs/d0', $defs })).toBeNull();
  expect(faultWith({ $ref: '#/$defs/d0', $defs }, '"x"')).toBeNull();
});

test('what is left still tells a wrong answer from a right one', () => {
  const schema = {
    type: 'object',
    properties: { pattern: { type: 'number' }, format: { $ref: '#/$defs/kind' } },
    required: ['pattern'],
    additionalProperties: false,
    $defs: { kind: { enum: ['a', 'b'] } },
  };
  expect(faultWith(schema, '{"pattern":1,"format":"a"}')).toBeNull();
  expect(faultWith(schema, '{"pattern":"1"}')).toBe('invalid_answer');
  expect(faultWith(schema, '{"pattern":1,"format":"c"}')).toBe('invalid_answer');
  expect(faultWith(schema, '{"format":"a"}')).toBe('invalid_answer');
});
