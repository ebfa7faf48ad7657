import { TIERS, type Tier } from './tier.ts';

/** Seconds from which a gap is a pause of that length: the lifetimes prompt caches have (cache-rules.ts). */
export const PAUSES = [300, 1_800, 3_600, 43_200, 86_400] as const;

/** Stages of a lane, by powers of two: its first step, the 2nd and 3rd, the 4th to 7th, … the 128th and later. */
const STAGES = 8;

/**
 * What was seen of lanes, as counts and sums, so that those of a customer and of one lane add up. Tokens are those of
 * the reference tokenizer. Plain numbers: a store can keep it as JSON.
 */
export interface Experience {
  /** How often a step of one floor was followed by one of another, in the order of `TIERS`. */
  followed: readonly (readonly number[])[];
  /** By stage: steps that were reached, and lanes that ended there. */
  reached: readonly number[];
  ended: readonly number[];
  /** Of steps with one before them: how many, and by how much the input grew, in tokens and blocks. */
  steps: number;
  tokens: number;
  blocks: number;
  /** Gaps shorter than every pause: how many, and their seconds. Then pauses, by the longest in `PAUSES` they reach. */
  gaps: number;
  seconds: number;
  pauses: readonly number[];
  /** Answers and their tokens. */
  answers: number;
  output: number;
}

/** A step of a lane, once its answer is there. */
export interface LivedStep {
  floor: Tier;
  /** Input and answer, in tokens of the reference tokenizer. */
  tokens: number;
  output: number;
  blocks: number;
  /** Start of its request, in seconds. */
  at: number;
  /** Which step of its lane it is, from 1. */
  number: number;
}

export const NO_EXPERIENCE: Experience = {
  followed: TIERS.map(() => TIERS.map(() => 0)),
  reached: zeros(STAGES),
  ended: zeros(STAGES),
  ...{ steps: 0, tokens: 0, blocks: 0, gaps: 0, seconds: 0, answers: 0, output: 0 },
  pauses: zeros(PAUSES.length),
};

/** With one more step, and the one before it in its lane. */
export function withStep(seen: Experience, step: LivedStep, before: LivedStep | null): Experience {
  const next: Experience = {
    ...seen,
    reached: plusAt(seen.reached, stageOf(step.number)),
    answers: seen.answers + 1,
    output: seen.output + step.output,
  };
  if (!before) return next;
  const [from, to] = [TIERS.indexOf(before.floor), TIERS.indexOf(step.floor)];
  const gap = Math.max(0, step.at - before.at);
  const pause = PAUSES.findLastIndex((seconds) => gap >= seconds);
  return {
    ...next,
    followed: seen.followed.map((row, index) => (index === from ? plusAt(row, to) : row)),
    steps: seen.steps + 1,
    // A history that was cut grew by nothing.
    tokens: seen.tokens + Math.max(0, step.tokens - before.tokens),
    blocks: seen.blocks + Math.max(0, step.blocks - before.blocks),
    ...(pause === -1
      ? { gaps: seen.gaps + 1, seconds: seen.seconds + gap }
      : { pauses: plusAt(seen.pauses, pause) }),
  };
}

/** With a lane that ended after so many steps; one without a step never was. */
export function withEnd(seen: Experience, steps: number): Experience {
  return steps < 1 ? seen : { ...seen, ended: plusAt(seen.ended, stageOf(steps)) };
}

/** Both, the second one's counts and sums times `weight`. */
export function together(a: Experience, b: Experience, weight = 1): Experience {
  const sum = (x: readonly number[], y: readonly number[]) =>
    x.map((value, i) => value + weight * (y[i] ?? 0));
  return {
    followed: a.followed.map((row, i) => sum(row, b.followed[i] ?? [])),
    reached: sum(a.reached, b.reached),
    ended: sum(a.ended, b.ended),
    steps: a.steps + weight * b.steps,
    tokens: a.tokens + weight * b.tokens,
    blocks: a.blocks + weight * b.blocks,
    gaps: a.gaps + weight * b.gaps,
    seconds: a.seconds + weight * b.seconds,
    pauses: sum(a.pauses, b.pauses),
    answers: a.answers + weight * b.answers,
    output: a.output + weight * b.output,
  };
}

export function stageOf(number: number): number {
  return Math.min(STAGES - 1, Math.floor(Math.log2(Math.max(1, number))));
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

function plusAt(values: readonly number[], at: number): number[] {
  return values.map((value, index) => (index === at ? value + 1 : value));
}
