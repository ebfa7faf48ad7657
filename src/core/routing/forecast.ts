import { type Experience, PAUSES, stageOf, together } from './experience.ts';
import type { LaneView } from './lane-view.ts';
import { HORIZON } from './lookahead.ts';

/** How a lane is expected to go on from the step that is planned. */
export interface Forecast {
  /** The chance that a step of one floor is followed by one of another, in the order of `TIERS`. */
  follows: readonly (readonly number[])[];
  /** For each further step, the chance that there is one, once the step before it was there. */
  goesOn: readonly number[];
  /** What each further step adds to the input: tokens of the reference tokenizer, and blocks. */
  tokens: number;
  blocks: number;
  /** Seconds from step to step where there is no pause. */
  seconds: number;
  /** The chance of a pause before a step of at least `PAUSES[i]` seconds, and less than the next. */
  pauses: readonly number[];
  /** Tokens of an answer, on the reference tokenizer. */
  output: number;
}

/** Nothing comes after the step that is planned. */
export const LAST_STEP: Pick<Forecast, 'goesOn'> = { goesOn: Array.from({ length: HORIZON }, () => 0) };

/**
 * What every deployment starts with, worth some twenty steps of evidence: floors of 50, 30 and 20 % that stay as they
 * were four times of five; lanes of about a dozen steps that grow by a tool result or two (the shape of
 * tau-bench's airline agent, github.com/sierra-research/tau-bench); one pause in ten steps.
 */
export const PRIOR_EXPERIENCE: Experience = {
  followed: [
    [9, 0.6, 0.4],
    [1, 8.6, 0.4],
    [1, 0.6, 8.4],
  ],
  reached: [10, 10, 10, 10, 10, 10, 10, 10],
  ended: [1, 0.7, 0.7, 0.7, 0.7, 0.5, 0.5, 0.5],
  ...{ steps: 4, tokens: 1_000, blocks: 8 },
  ...{ gaps: 9, seconds: 135, pauses: [0.5, 0.2, 0.2, 0.05, 0.05] },
  ...{ answers: 4, output: 400 },
};

/**
 * The forecast for a lane: the shipped prior, then what the customer's lanes have shown, then this one's own steps.
 */
export function forecast({ customers, experience: lane, number }: LaneView): Forecast {
  const known = together(PRIOR_EXPERIENCE, customers);
  const all = together(known, lane);
  return {
    follows: all.followed.map((row) => row.map((count) => count / sum(row))),
    goesOn: Array.from({ length: HORIZON }, (_, ahead) => {
      const stage = stageOf(number + ahead);
      const [reached = 0, ended = 0] = [all.reached[stage], all.ended[stage]];
      return 1 - ended / reached;
    }),
    tokens: own(lane.tokens, lane.steps, known.tokens / known.steps),
    blocks: own(lane.blocks, lane.steps, known.blocks / known.steps),
    seconds: own(lane.seconds, lane.gaps, known.seconds / known.gaps),
    pauses: PAUSES.map((_, i) =>
      own(lane.pauses[i] ?? 0, gapsOf(lane), (known.pauses[i] ?? 0) / gapsOf(known)),
    ),
    output: own(lane.output, lane.answers, known.output / known.answers),
  };
}

/**
 * The chance of each pause by what was really seen: the shipped prior dampens it, and adds none of its own. For what
 * is paid at once against a pause that may never come (the longer lifetime of a cache).
 */
export function seenPauses({ customers, experience: lane }: LaneView): number[] {
  const known = gapsOf(together(PRIOR_EXPERIENCE, customers));
  return PAUSES.map((_, i) => own(lane.pauses[i] ?? 0, gapsOf(lane), (customers.pauses[i] ?? 0) / known));
}

/** Whether {@link seenPauses} are any. */
export function hasPaused({ customers, experience }: LaneView): boolean {
  return sum(experience.pauses) + sum(customers.pauses) > 0;
}

function gapsOf({ gaps, pauses }: Experience): number {
  return gaps + sum(pauses);
}

/** Steps of its own after which a lane's mean weighs as much as its customer's. */
const SHRINKAGE = 6;

function own(total: number, count: number, customers: number): number {
  return (total + SHRINKAGE * customers) / (count + SHRINKAGE);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
