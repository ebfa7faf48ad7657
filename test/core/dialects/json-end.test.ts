import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonEnd } from '../../../src/core/dialects/json-end.ts';

test('the end of an object is found where it is, however it is cut, and of nothing less', () => {
  const value = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(value, fc.nat(3), (given, indent) => {
      const text = JSON.stringify(given, null, indent);
      const end = new JsonEnd();
      for (const [at, letter] of Array.from(text).entries()) {
        expect(end.isReached, `${at}`).toBe(false);
        end.read(letter);
      }
      expect(end.isReached).toBe(true);
      end.read(' \n');
      expect(end.isReached).toBe(true);
    }),
  );
});
