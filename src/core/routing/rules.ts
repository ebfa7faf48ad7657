import type { AskKind } from '../difficulty/ask-kind.ts';
import type { Candidate } from './candidate.ts';
import type { Tier } from './tier.ts';

/** What a customer decides themselves: where all of `when` holds, this floor or this model. */
export interface Rule {
  when: {
    /** `housekeeping` is any of a harness's own calls. */
    kind?: AskKind | 'housekeeping';
    tag?: { name: string; value: string };
    /** Exactly this path: patterns could hang (T11). */
    path?: string;
  };
  to: { floor: Tier } | { candidate: Candidate };
}

/** The step as rules see it. */
export interface RuledStep {
  kind: AskKind;
  tags: Readonly<Record<string, string>>;
  path: string;
}

const HOUSEKEEPING: ReadonlySet<AskKind> = new Set(['probe', 'title', 'compaction']);

/** The first rule that holds for a step, in the customer's order. */
export function ruleFor(rules: readonly Rule[], step: RuledStep): Rule | undefined {
  return rules.find(({ when }) => {
    if (when.kind !== undefined && when.kind !== step.kind) {
      if (when.kind !== 'housekeeping' || !HOUSEKEEPING.has(step.kind)) return false;
    }
    if (when.tag !== undefined && step.tags[when.tag.name] !== when.tag.value) return false;
    return when.path === undefined || when.path === step.path;
  });
}
