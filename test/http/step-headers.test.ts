import { expect, test } from 'vitest';
import { readTags, withMetadata } from '../../src/http/step-headers.ts';

const headers = (tags: string) => new Headers({ 'x-fluxcompute-tags': tags });
const PROTO = Object.fromEntries([['__proto__', 'a']]);

test('every tag counts, one with a name that JavaScript knows too', () => {
  const tags = readTags(headers('__proto__=a, constructor=b,team=c,team=d'));
  expect(JSON.stringify(tags)).toBe('{"__proto__":"a","constructor":"b","team":"d"}');
  expect(JSON.stringify(withMetadata(tags, { env: 'prod' }, ['env']))).toBe(
    '{"__proto__":"a","constructor":"b","team":"d","env":"prod"}',
  );
  expect(JSON.stringify(withMetadata({}, PROTO, ['__proto__', 'constructor']))).toBe('{"__proto__":"a"}');
});
