import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textOfBase64 } from '../../src/core/base64-text.ts';

test('any text comes back from its base64, in either alphabet, padded or not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      for (const form of ['base64', 'base64url'] as const)
        expect(textOfBase64(Buffer.from(text).toString(form))).toBe(text);
    }),
  );
});

test('what is no base64, or not of a text, is none', () => {
  expect(textOfBase64('not base64!')).toBeNull();
  expect(textOfBase64(Buffer.from([0xff, 0xfe, 0x00]).toString('base64'))).toBeNull();
});
