import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seal, unseal } from '../../src/customers/sealed.ts';

test('what is sealed comes back, and its text shows nothing of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ minLength: 1 }), async (plain, secret) => {
      const text = await seal(plain, secret, 'acme', 'openai');
      expect(text).toMatch(/^v1\.[\w-]{16}\.[\w-]+$/);
      expect(await unseal(text, [secret], 'acme', 'openai')).toBe(plain.toWellFormed());
      // The same twice looks different.
      expect(await seal(plain, secret, 'acme', 'openai')).not.toBe(text);
    }),
    { numRuns: 30 },
  );
});

test.each([
  ['another secret', ['other', 'acme', 'openai']],
  ['another customer', ['secret', 'globex', 'openai']],
  ['another provider', ['secret', 'acme', 'anthropic']],
  ['names that read the same in a row', ['secret', 'acm', 'eopenai']],
] as const)('%s does not open it', async (_name, [secret, customer, provider]) => {
  const text = await seal('sk-own', 'secret', 'acme', 'openai');
  expect(await unseal(text, [secret], customer, provider)).toBeNull();
});

test('what was changed, cut or is of another form does not open', async () => {
  const text = await seal('sk-own', 'secret', 'acme', 'openai');
  const [form, nonce = '', sealed = ''] = text.split('.');
  for (const damaged of [
    `${form}.${nonce}.${sealed.slice(0, -2)}`,
    `${form}.${sealed}.${nonce}`,
    `v2.${nonce}.${sealed}`,
    `${form}.${nonce}.${sealed.startsWith('A') ? 'B' : 'A'}${sealed.slice(1)}`,
    'sk-own',
    '',
  ]) {
    expect(await unseal(damaged, ['secret'], 'acme', 'openai')).toBeNull();
  }
});
