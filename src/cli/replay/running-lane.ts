import { openLane, type Policy, type ReplayLane } from '../../core/replay/replay.ts';

/** A lane on its way through the policies, and what the report needs to know of it. */
export interface RunningLane {
  replay: ReplayLane;
  /** Its first step's time in the log, in milliseconds; null before it. */
  began: number | null;
  /** The last step's. */
  last: number | null;
  /** The model each policy took last, as `provider/model`. */
  served: Partial<Record<Policy, string>>;
  /** Whether the log says when its steps were; null before the first. */
  timed: boolean | null;
  steps: number;
}

/** Time between two steps where the log names none (contract.md, trace line). */
export const BEAT_MS = 10_000;

export function startLane(): RunningLane {
  return { replay: openLane(), began: null, last: null, served: {}, timed: null, steps: 0 };
}

/**
 * The time of a lane's next step: as the log has it but that the lane begins on the day whose prices are asked for.
 * What a cache keeps depends on the time between steps alone.
 *
 * @param at in the log, null where it has none
 * @param day its start, in milliseconds since the epoch
 */
export function stepTime(lane: RunningLane, at: number | null, day: number): number {
  lane.timed ??= at !== null;
  const given = lane.timed ? at : null;
  const next = lane.last === null ? (given ?? 0) : Math.max(lane.last, given ?? lane.last + BEAT_MS);
  lane.began ??= next;
  lane.last = next;
  lane.steps += 1;
  return day + (next - lane.began);
}
