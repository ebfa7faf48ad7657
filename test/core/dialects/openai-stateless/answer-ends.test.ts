import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerEnds } from '../../../../src/core/dialects/openai-stateless/answer-ends.ts';

test('an answer of any size, in pieces of any size, goes on as it came, with one member more', () => {
  const sizes = fc.array(fc.constantFrom(1, 100, 4_096, 16_384, 16_385, 50_000), { maxLength: 12 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 120_000 }), (pieces, length) => {
      const usage = { prompt_tokens: 5, total_tokens: 5 };
      const text = JSON.stringify({ model: 'm', data: '1'.repeat(length), usage });
      const bytes = new TextEncoder().encode(text);
      const ends = new AnswerEnds();
      const sent: Uint8Array[] = [];
      let at = 0;
      for (const size of [...pieces, bytes.length]) {
        // What goes on is there until the next call only.
        sent.push(ends.push(bytes.slice(at, at + size)).slice());
        at += size;
      }
      sent.push(ends.close('fluxcompute', { cost_usd: 1 }));
      expect(Buffer.concat(sent).toString()).toBe(`${text.slice(0, -1)},"fluxcompute":{"cost_usd":1}}`);
      expect(ends.facts().model).toBe('m');
      expect(ends.facts().usage).not.toBeNull();
    }),
  );
});
