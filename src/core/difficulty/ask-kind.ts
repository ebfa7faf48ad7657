import type { Difficulty } from './scorer.ts';
import type { SignalName } from './signals.ts';

/** What a step is about, one kind each: a harness's own call, or the family of signals that says most. */
export const ASK_KINDS = [
  'probe',
  'title',
  'compaction',
  'unknown',
  'reasoning',
  'math',
  'code',
  'lookup',
  'other',
] as const;
export type AskKind = (typeof ASK_KINDS)[number];

/** Families that tell of a subject; size, demands and the state of a tool loop do not. */
const SUBJECTS = ['reasoning', 'math', 'code', 'lookup'] as const satisfies readonly SignalName[];

/**
 * The kind of a classified step.
 * @example askKindOf(classify(conversation)) // 'lookup' for "What is the capital of France?"
 */
export function askKindOf({ housekeeping, unknown, signals }: Difficulty): AskKind {
  if (housekeeping !== null) return housekeeping;
  if (unknown) return 'unknown';
  let kind: AskKind = 'other';
  let most = 0;
  for (const subject of SUBJECTS) {
    // A family says as much by what it takes as by what it adds: a lookup makes a step easier.
    const said = Math.abs(signals[subject]);
    if (said > most) {
      kind = subject;
      most = said;
    }
  }
  return kind;
}
