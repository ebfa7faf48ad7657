import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spliceMembers, valueText } from '../../src/core/json-splice.ts';

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
