import type { Answer } from '../core/answer.ts';
import { createStopCutter } from '../core/stop-cut.ts';

/** A whole answer, ended before the first stop sequence, for models that take none on the wire. */
export function cutAnswer(answer: Answer, sequences: readonly string[]): Answer {
  const cutter = createStopCutter(sequences);
  const blocks: Answer['blocks'] = [];
  for (const block of answer.blocks) {
    if (block.type !== 'text') {
      blocks.push(block);
      continue;
    }
    const { text, stopped } = cutter.push(block.text);
    blocks.push({ ...block, text: stopped === null ? text + cutter.flush() : text });
    if (stopped !== null) return { ...answer, blocks, stop: 'stop', stopSequence: stopped };
  }
  return { ...answer, blocks };
}
