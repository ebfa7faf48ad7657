import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createStopCutter } from '../../src/core/stop-cut.ts';

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 });
const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 4,
});

test('however the text is split, it ends before the first stop sequence to be completed', () => {
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 8 }), stops, (pieces, sequences) => {
      const cutter = createStopCutter(sequences);
      let shown = '';
      let stopped: string | null = null;
      for (const piece of pieces) {
        const step = cutter.push(piece);
        shown += step.text;
        stopped = step.stopped;
        if (stopped !== null) break;
      }
      if (stopped === null) shown += cutter.flush();
      const text = pieces.join('');
      for (const sequence of sequences) expect(shown).not.toContain(sequence);
      expect(text.startsWith(stopped === null ? shown : shown + stopped)).toBe(true);
      if (stopped === null) expect(shown).toBe(text);
    }),
  );
});
