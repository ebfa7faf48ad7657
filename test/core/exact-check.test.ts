import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { readChatRequest } from '../../src/core/dialects/openai-chat/read.ts';
import { chatRequest, isEnvelope } from '../../src/core/dialects/openai-chat/schema.ts';
import { FluxError } from '../../src/core/errors.ts';
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

test.each<[string, z.ZodObject, unknown[], unknown[]]>([
  ['others beside', z.looseObject({ a: z.string() }), [{ a: 'a', b: 1 }], [{ b: 1 }, { a: 1, b: 1 }, []]],
  [
    'left out, or null, where it may be',
    z.looseObject({ a: z.number().nullish(), b: z.number().optional() }),
    [{}, { a: null }, { a: 1, b: 2 }],
    [{ b: null }, { a: '1' }],
  ],
  [
    'a length',
    z.looseObject({ a: z.string().min(1).max(2) }),
    [{ a: 'a' }, { a: 'aa' }],
    [{ a: '' }, { a: 'aaa' }, {}, { a: null }],
  ],
  [
    'more than a length',
    z.looseObject({ a: z.string().min(1).startsWith('a') }),
    [{ a: 'ab' }],
    [{ a: 'b' }],
  ],
  ['what is made another', z.looseObject({ a: z.string().trim() }), [{ a: 'a' }], [{ a: ' a' }]],
  [
    'what nothing is asked of',
    z.looseObject({ a: z.unknown(), b: z.record(z.string(), z.unknown()) }),
    [
      { a: null, b: {} },
      { a: 1, b: { c: [null] } },
    ],
    // It has to be there.
    [{ b: {} }, { a: 1 }, { a: 1, b: [] }],
  ],
  [
    'a refined object',
    z.looseObject({ a: z.object({ b: z.number() }).refine(({ b }) => b > 1) }),
    [{ a: { b: 2 } }],
    [{ a: { b: 1 } }, { a: { b: 2, c: 1 } }, { a: null }],
  ],
  [
    'a default is not made up',
    z.looseObject({ a: z.number().default(1) }),
    [{ a: 2 }],
    // The schema takes both, and makes another of the first.
    [{}, { a: null }],
  ],
  [
    'of an object inside it one that may be left out, and another in its place',
    z.looseObject({ a: z.object({ b: z.number(), c: z.number().optional() }) }),
    [{ a: { b: 1, c: 2 } }],
    [{ a: { b: 1, d: 2 } }],
  ],
  [
    'a union',
    z.looseObject({ a: z.union([z.string(), z.array(z.string())]) }),
    [{ a: 'a' }],
    // Of what zod makes anew it alone says.
    [{ a: 1 }, { a: ['a'] }],
  ],
  ['a name of the language', z.looseObject({}), [{}, { constructor: 1 }], [JSON.parse('{"__proto__":1}')]],
])('of an object that may have others: %s', (_name, schema, taken, denied) => {
  const check = exactCheck(schema);
  for (const value of taken) {
    expect(check(value), JSON.stringify(value)).toBe(true);
    expect(schema.parse(value)).toEqual(value);
  }
  for (const value of denied) expect(check(value), JSON.stringify(value)).toBe(false);
});

// Chat requests, which the gateway takes as they stand where the check says so.

const envelope = chatRequest.omit({ messages: true, tools: true });

/** With a name of the language, which zod leaves out of an object that it makes. */
const WITH_PROTO: [string, unknown][] = [
  ['stream_options', JSON.parse('{"__proto__":1}')],
  ['stream_options', JSON.parse('{"__proto__":1,"include_usage":true}')],
  ['prompt_cache_options', JSON.parse('{"mode":"explicit","__proto__":1}')],
  ['cache_control', JSON.parse('{"type":"ephemeral","__proto__":{"ttl":"5m"}}')],
  ['response_format', JSON.parse('{"type":"json_object","__proto__":1}')],
];

/** Of every field: values that are right, and some that are wrong. */
const FIELDS: Record<string, { right: unknown[]; wrong: unknown[] }> = {
  model: { right: ['auto', 'claude-haiku-5-5'], wrong: ['', 1, null] },
  tool_choice: {
    right: [null, 'none', 'auto'],
    wrong: ['any', 1, {}, { type: 'function' }, { type: 'function', function: { name: '' } }],
  },
  parallel_tool_calls: { right: [null, true, false], wrong: ['true', 1] },
  stream: { right: [null, true, false], wrong: ['true', 0] },
  stream_options: {
    right: [null, {}, { include_usage: true }, { include_usage: null }, { other: 1 }],
    wrong: [true, [], { include_usage: 1 }],
  },
  max_tokens: { right: [null, 1, 4_096], wrong: [0, 1.5, '1', 2 ** 60] },
  max_completion_tokens: { right: [null, 1], wrong: [0, -1, 0.5] },
  temperature: { right: [null, 0, 2, 0.7], wrong: [-0.1, 2.1, '1'] },
  top_p: { right: [null, 0, 1], wrong: [1.1, -1] },
  seed: { right: [null, 7, -7, 0.5, 2 ** 60], wrong: ['7'] },
  presence_penalty: { right: [null, -2, 2], wrong: [-2.1, 3] },
  frequency_penalty: { right: [null, -2, 2], wrong: [-2.1, '0'] },
  logit_bias: { right: [null, {}, { 50256: -100 }], wrong: [[], { 50256: '1' }, 1] },
  logprobs: { right: [null, true, false], wrong: [1] },
  top_logprobs: { right: [null, 0, 20], wrong: [21, -1, 0.5] },
  stop: { right: [null, 'END', '', [], ['a', 'b']], wrong: [1, [1], ['a', 'b', 'c', 'd', 'e']] },
  n: { right: [null, 1, 128], wrong: [0, 129, '1'] },
  response_format: {
    right: [
      ...[null, { type: 'text' }, { type: 'json_object' }],
      { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true } },
      // Its schema has a default.
      { type: 'json_schema', json_schema: { name: 'a' } },
    ],
    wrong: [
      'text',
      { type: 'xml' },
      { type: 'json_schema' },
      { type: 'json_schema', json_schema: { name: '' } },
    ],
  },
  reasoning_effort: { right: [null, 'none', 'max'], wrong: ['most', 1] },
  verbosity: { right: [null, 'low'], wrong: ['none'] },
  service_tier: { right: [null, 'auto', 'flex'], wrong: [1] },
  prompt_cache_key: { right: [null, 'k', ''], wrong: [1] },
  prompt_cache_options: {
    right: [null, {}, { mode: 'explicit', ttl: '12h' }, { mode: null }, { mode: 'implicit', other: 1 }],
    wrong: [1, { mode: 'none' }, { ttl: '1h' }],
  },
  safety_identifier: { right: [null, 'u'], wrong: [1] },
  user: { right: [null, 'u', ''], wrong: [{}] },
  store: { right: [null, true, false], wrong: ['no'] },
  metadata: { right: [null, {}, { team: 'a', constructor: 'b' }], wrong: [[], { team: 1 }, 'a'] },
  cache_control: {
    right: [null, { type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' }, { type: 'ephemeral', other: 1 }],
    wrong: [{}, { type: 'ephemeral', ttl: '30m' }, { type: 'ephemeral', ttl: null }, 'ephemeral'],
  },
};

/** A body's text, its fields in one order: zod puts those it knows first. */
function sorted(body: Record<string, unknown>): string {
  return JSON.stringify(Object.entries(body).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Fields that the schema does not know, and such as only this wire has. */
const OTHERS = ['audio', 'functions', 'top_k', 'constructor', '__proto__', 'web_search_options'];

const MESSAGES = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
];

/** As it comes off the line: a field is an own one, whatever its name. */
function bodyOf(fields: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const members = [...fields].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return JSON.parse(`{${members.join()}}`);
}

const member = (values: (one: { right: unknown[]; wrong: unknown[] }) => unknown[]) =>
  fc
    .constantFrom(...Object.entries(FIELDS))
    .chain(([name, one]) =>
      fc.tuple(fc.constant(name), fc.constantFrom(...values(one)) as fc.Arbitrary<unknown>),
    );
/** Of a record's names see below. */
const NO_RECORDS = Object.keys(FIELDS).filter((name) => name !== 'metadata' && name !== 'logit_bias');
const right = member((one) => one.right);
const any = fc.oneof(
  right,
  right,
  member((one) => [...one.right, ...one.wrong]),
  fc.constantFrom(...WITH_PROTO),
  fc.tuple(fc.constantFrom(...OTHERS, ...NO_RECORDS), fc.jsonValue()),
);
const fields = (one: fc.Arbitrary<[string, unknown]>) =>
  fc.uniqueArray(one, { maxLength: 8, selector: ([name]) => name });

test('every field has values here', () => {
  expect(Object.keys(FIELDS).sort()).toEqual(Object.keys(envelope.shape).sort());
});

test('a body that is taken as it stands is what the schema makes of it', () => {
  let taken = 0;
  fc.assert(
    fc.property(fields(any), (some) => {
      const body = bodyOf([['model', 'auto'], ['messages', MESSAGES], ...some]);
      if (!isEnvelope(body)) return;
      taken += 1;
      // As text: a member of any name is seen in it.
      expect(sorted(envelope.parse(body))).toBe(sorted(body));
    }),
    { numRuns: 2_000 },
  );
  expect(taken).toBeGreaterThan(100);
});

test('a name of the language is a name like any other in a record, where the schema leaves it out', () => {
  const record = JSON.parse('{"__proto__":"a","team":"b"}');
  const body = { model: 'auto', metadata: record, messages: MESSAGES };
  expect(isEnvelope(body)).toBe(true);
  expect(JSON.stringify(readChatRequest(body).metadata)).toBe(JSON.stringify(record));
});

test('what most clients send is taken as it stands', () => {
  for (const [name, { right: values }] of Object.entries(FIELDS)) {
    const scalars = values.filter((value) => typeof value !== 'object' || value === null);
    for (const value of scalars) {
      expect(
        isEnvelope(
          bodyOf([
            ['model', 'auto'],
            [name, value],
          ]),
        ),
        name,
      ).toBe(true);
    }
  }
  const body = { stream_options: { include_usage: true }, metadata: { team: 'a' }, logit_bias: { 1: 1 } };
  expect(isEnvelope({ model: 'auto', ...body })).toBe(true);
});

/** All that a request says, or the error it is refused with. */
function readOf(body: unknown): unknown {
  try {
    const { answerWriter: _made, ...said } = readChatRequest(body);
    return said;
  } catch (error) {
    if (!(error instanceof FluxError)) throw error;
    return { status: error.status, code: error.code, param: error.param, message: error.message };
  }
}

/** A format that says nothing: of one the schema alone can tell. */
const FORCED = { response_format: { type: 'text' } };

test('a request says the same, taken as it stands or read by the schema', () => {
  let taken = 0;
  fc.assert(
    fc.property(fields(fc.oneof(right, any)), (some) => {
      const body = bodyOf([
        ...[['model', 'auto'] as const, ['messages', MESSAGES] as const],
        ...some.filter(([name]) => name !== 'response_format'),
      ]);
      expect(isEnvelope({ ...body, ...FORCED })).toBe(false);
      expect(readOf(body)).toEqual(readOf({ ...body, ...FORCED }));
      if (isEnvelope(body)) taken += 1;
    }),
    { numRuns: 2_000 },
  );
  expect(taken).toBeGreaterThan(100);
});

test.each(Object.entries(FIELDS))(
  'a wrong %s is a 400 that names it, and says what the schema says',
  (name, one) => {
    for (const value of one.wrong) {
      const body = bodyOf([
        ['model', 'auto'],
        ['messages', MESSAGES],
        [name, value],
      ]);
      const where = JSON.stringify(value);
      expect(isEnvelope(body), where).toBe(false);
      expect(readOf(body), where).toMatchObject({
        status: 400,
        param: expect.stringMatching(new RegExp(`^${name}([.[]|$)`)),
      });
      if (name !== 'response_format') expect(readOf(body)).toEqual(readOf({ ...body, ...FORCED }));
    }
    for (const value of one.right) {
      const body = bodyOf([
        ['model', 'auto'],
        ['messages', MESSAGES],
        [name, value],
      ]);
      expect(readOf(body), JSON.stringify(value)).toHaveProperty('conversation');
    }
  },
);
