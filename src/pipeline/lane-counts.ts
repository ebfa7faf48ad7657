import * as z from 'zod';
import type { Lane } from '../core/context/lanes.ts';
import { type Experience, together, withEnd } from '../core/routing/experience.ts';
import { COUNTS, toCounts } from '../core/routing/experience-counts.ts';

/**
 * What a lane that has ended has shown, as its session tells it: the queue's message and the row of `ended_lanes`.
 * Numbers only. It is all of the lane, not what came since it was last told: who is told twice, or late, keeps what is
 * of the latest end, and counts each lane once.
 */
export const laneCounts = z.object({
  /** 96 random bits. */
  lane: z.string().min(1).max(64),
  customer: z.string(),
  /** Milliseconds since the epoch: its last use. */
  ended_at: z.number().int(),
  counts: z.array(z.number().nonnegative()).length(COUNTS),
});
export type LaneCounts = z.infer<typeof laneCounts>;

/**
 * @param inherited what of its experience is another lane's, of which it is a fork
 * @returns null where it has shown nothing of its own
 */
export function countsOf(customer: string, lane: Lane, inherited: Experience): LaneCounts | null {
  const own = together(lane.experience, inherited, -1);
  if (own.answers < 1) return null;
  const counts = toCounts(withEnd(own, lane.steps)).map(
    (count) => Math.round(Math.max(0, count) * 1e3) / 1e3,
  );
  return { lane: lane.id, customer, ended_at: lane.usedAt, counts };
}
