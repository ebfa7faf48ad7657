import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { valueText } from '../../src/core/json-scan.ts';
import { type Edits, spliceMembers, splicePieces } from '../../src/core/json-splice.ts';

function memberText([key, value]: [string, unknown], space: string): string {
  return `${JSON.stringify(key)}${space}:${space}${JSON.stringify(value, null, space.length)}`;
}

/** JSON text with odd white space, of the members given, in order and with repeats. */
function textOf(members: [string, unknown][], space: string): string {
  const parts = members.map((member) => space + memberText(member, space) + space);
  return `${space}{${parts.join(',')}${space}}${space}`;
}

const key = fc.oneof(fc.constantFrom('model', 'stop', 'a"b', 'a\\', '', 'ключ', '__proto__'), fc.string());
const space = fc.stringMatching(/^[ \n\t\r]{0,3}$/);
const members = fc.array(fc.tuple(key, fc.jsonValue()), { maxLength: 8 });
const edits = fc.dictionary(
  key.filter((name) => name !== '__proto__'),
  fc.option(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    { nil: undefined },
  ),
  { maxKeys: 4 },
);

describe('spliceMembers', () => {
  test('says what JSON.parse, editing and JSON.stringify would say', () => {
    fc.assert(
      fc.property(members, space, edits, (given, gap, wanted) => {
        const text = textOf(given, gap);
        const expected = new Map(Object.entries(JSON.parse(text)));
        for (const [name, value] of Object.entries(wanted)) {
          if (value === undefined) expected.delete(name);
          else expected.set(name, JSON.parse(value));
        }
        const spliced = JSON.parse(spliceMembers(text, wanted));
        expect(new Map(Object.entries(spliced))).toEqual(expected);
      }),
    );
  });

  test('leaves a text without edits, and every member that is not edited, byte for byte', () => {
    fc.assert(
      fc.property(members, space, edits, (given, gap, wanted) => {
        const text = textOf(given, gap);
        expect(spliceMembers(text, {})).toBe(text);
        const spliced = spliceMembers(text, wanted);
        let from = 0;
        for (const member of given.filter(([name]) => !Object.hasOwn(wanted, name))) {
          const at = spliced.indexOf(memberText(member, gap), from);
          expect(at).toBeGreaterThanOrEqual(from);
          from = at + 1;
        }
      }),
    );
  });

  test('edits inside objects and arrays, and leaves the rest of them alone', () => {
    const body = '{"a": [ {"x": 1.0, "y" :2}, "s",[3 ,4] ], "b": {"c":{"d":1e2}}, "e":"text"}';
    expect(
      spliceMembers(body, {
        a: { 0: { y: undefined, z: '"new"' }, 1: undefined, 2: { 1: '5' } },
        b: { c: { d: undefined } },
        // Not there, or no holder: nothing to edit inside.
        e: { f: '1' },
        g: { h: '1' },
      }),
    ).toBe('{"a": [ {"x": 1.0,"z":"new"},[3 ,5] ], "b": {"c":{}}, "e":"text"}');
    expect(spliceMembers('{"a":[1]}', { a: { 1: '2' } })).toBe('{"a":[1,2]}');
  });

  test('says the same at any depth as JSON.parse, editing and JSON.stringify', () => {
    fc.assert(
      fc.property(members, space, edits, (given, gap, wanted) => {
        const inner = textOf(given, gap);
        const list = `{"list":[0,${inner},"s"]}`;
        const spliced: { list: unknown[] } = JSON.parse(spliceMembers(list, { list: { 1: wanted } }));
        expect(spliced.list[1]).toEqual(JSON.parse(spliceMembers(inner, wanted)));
        expect(spliced.list.length).toBe(3);
      }),
    );
  });

  test('keeps numbers, order and fields nobody knows', () => {
    const body =
      '{ "x_new": 1.0e+2, "model":"auto",\n  "seed": 12345678901234567890, "messages": [ { "a": "}\\"," } ] }';
    expect(spliceMembers(body, { model: '"gpt-4o"', stop: '["x"]' })).toBe(
      '{ "x_new": 1.0e+2, "model":"gpt-4o",\n  "seed": 12345678901234567890, "messages": [ { "a": "}\\"," } ] ,"stop":["x"]}',
    );
  });

  test('edits a member everywhere it stands, whatever its key is escaped like', () => {
    expect(spliceMembers('{"model":1,"a":2,"\\u006dodel":3}', { model: '"m"' })).toBe(
      '{"model":"m","a":2,"\\u006dodel":"m"}',
    );
    expect(spliceMembers('{"model":1,"a":2,"\\u006dodel":3}', { model: undefined })).toBe('{"a":2}');
  });

  test('takes out the only, the first and the last member', () => {
    expect(spliceMembers('{"a":1}', { a: undefined })).toBe('{}');
    expect(spliceMembers('{"a":1, "b":2}', { a: undefined })).toBe('{ "b":2}');
    expect(spliceMembers('{"a":1, "b":2 }', { b: undefined })).toBe('{"a":1}');
    expect(spliceMembers('{ }', { a: undefined, b: '1' })).toBe('{"b":1}');
  });

  test.each<[string, string, Edits, string]>([
    ['mode', '{"mode":1,"a":[2],"model":3}', { mode: '9' }, '{"mode":9,"a":[2],"model":3}'],
    [
      'model',
      '{"model":1,"a":[2],"mode":3,"models":4}',
      { model: '9' },
      '{"model":9,"a":[2],"mode":3,"models":4}',
    ],
    ['store', '{"store":1,"stored":2,"stor":3}', { store: undefined }, '{"stored":2,"stor":3}'],
    ['stored', '{"stored":1,"store":2}', { stored: undefined }, '{"store":2}'],
    ['a value', '{"model":1,"a":"model"}', { model: '9' }, '{"model":9,"a":"model"}'],
    ['a name inside', '{"model":1,"a":{"model":2}}', { model: '9' }, '{"model":9,"a":{"model":2}}'],
  ])('leaves alone what is only called like it: %s', (_, text, wanted, spliced) => {
    expect(spliceMembers(text, wanted)).toBe(spliced);
  });

  test.each(['"model"', '"mo\\u0064el"', '"\\u006D\\u006f\\u0064\\u0065\\u006c"'])(
    'edits a member again after a long value: %s',
    (name) => {
      const long = `"messages":[{"text":"${'The model, the mode; \\"mod'.repeat(5_000)}"}],"modes":1`;
      const text = `{"model":1,${long},${name}:2,"n":1.0}`;
      expect(spliceMembers(text, { model: '"m"' })).toBe(`{"model":"m",${long},${name}:"m","n":1.0}`);
      expect(spliceMembers(text, { model: undefined })).toBe(`{${long},"n":1.0}`);
    },
  );

  test.each([
    '',
    '[]',
    '"a"',
    'null',
    '{',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":1}x',
    '{"a":1}{}',
    '{a:1}',
    '{"a":"x',
    '{"a":{}',
  ])('refuses %s', (text) => {
    expect(() => spliceMembers(text, { a: '1' })).toThrow(SyntaxError);
  });

  test('is linear where every character is a backslash or a quote', () => {
    const text = JSON.stringify({ a: '\\'.repeat(200_000), b: '"'.repeat(200_000) });
    expect(JSON.parse(spliceMembers(text, { c: '1' }))).toMatchObject({ c: 1 });
  });
});

describe('where names are alike, are there twice, or are escaped', () => {
  const NAMES = [
    'mode',
    'model',
    'models',
    'store',
    'stored',
    'stream',
    'stream_options',
    'a',
    'a.b',
    '"mode',
  ];
  const name = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, fc.string({ maxLength: 3 }));
  /** One of the spellings of a name. */
  const spelling = fc
    .tuple(name, fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }))
    .map(([text, escapes]) => ({
      name: text,
      // Most are spelled as they are.
      text: escapes.every(Boolean)
        ? `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
        : JSON.stringify(text),
    }));
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }).map((one) => JSON.stringify(one)),
    name.map((text) => JSON.stringify(text)),
    name.map((text) => `{ ${JSON.stringify(text)} : 1.0 }`),
    fc.constantFrom('1.0', '12345678901234567890', '[ ]', '"\\ud83d"'),
  );
  const body = fc.array(fc.record({ key: spelling, value, before: space, after: space }), { maxLength: 8 });
  const wanted = fc.dictionary(
    name.filter((text) => text !== '__proto__'),
    fc.option(value, { nil: undefined }),
    { maxKeys: 5, noNullPrototype: true },
  );

  test('a text is that of its members, edited one by one', () => {
    fc.assert(
      fc.property(body, wanted, (given, edits) => {
        const segments = (edited: boolean) =>
          given.flatMap(({ key, value: own, before, after }) => {
            const text = edited && Object.hasOwn(edits, key.name) ? edits[key.name] : own;
            return text === undefined ? [] : [`${before}${key.text}${after}:${before}${text}${after}`];
          });
        const added = Object.entries(edits)
          .filter(([text, edit]) => edit !== undefined && !given.some(({ key }) => key.name === text))
          .map(([text, edit]) => `${JSON.stringify(text)}:${edit}`);
        const text = `{${segments(false).join(',')}}`;
        const spliced = splicePieces(text, edits).join('');
        // Byte for byte: an untouched member, its white space and its place too.
        expect(spliced).toBe(`{${[...segments(true), ...added].join(',')}}`);
        expect(spliceMembers(text, edits)).toBe(spliced);
        const expected = new Map<string, unknown>(Object.entries(JSON.parse(text)));
        for (const [key, edit] of Object.entries(edits)) {
          if (edit === undefined) expected.delete(key);
          else expected.set(key, JSON.parse(edit));
        }
        expect(new Map(Object.entries(JSON.parse(spliced)))).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('the text of a value inside is that of the text, wherever it stands', () => {
  const inner = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.string(),
      fc.double({ noNaN: true }),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).value;
  fc.assert(
    fc.property(inner, fc.string(), fc.nat({ max: 3 }), fc.boolean(), (value, name, before, wide) => {
      const holder = { [name]: [...Array(before).fill('x'), { deep: value }, value] };
      const text = JSON.stringify(holder, null, wide ? 2 : 0);
      const found = valueText(text, [name, before, 'deep']);
      expect(JSON.parse(found ?? '')).toEqual(JSON.parse(JSON.stringify(value)));
      expect(text).toContain(found);
      expect(valueText(text, [name, before + 2])).toBeUndefined();
      expect(valueText(text, [name, before, 'deep', 'nowhere', 0])).toBeUndefined();
    }),
  );
});
