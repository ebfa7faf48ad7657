import { createHash } from 'node:crypto';
import { chainOf, type Digest } from '../../core/context/lane-chain.ts';
import type { Message } from '../../core/conversation.ts';
import type { RunningLane } from './running-lane.ts';

/** Nothing of it leaves this machine, so it needs no secret. */
const sha256: Digest = (text) => createHash('sha256').update(text).digest('base64');

/** A lane that a later request may continue. */
interface OpenLane {
  lane: RunningLane;
  /** Hashes of what was said in it: up to its last request, and with the answer. */
  keys: readonly string[];
  /** When it was last used, in the log's own time. */
  used: number;
}

/** The lanes of a request log: which request goes on with which. */
export interface OpenLanes {
  /** The lane a request continues: the one whose messages begin its own; else a new one. */
  laneOf(messages: readonly Message[], answer: Message | null, at: number | null): RunningLane;
  closeAll(): void;
}

/**
 * @param limit lanes kept at once: the one unused for longest is closed first
 * @param idleMs a lane unused for so long is closed: nothing of it is warm any more
 * @param close told of each lane that has ended
 */
export function openLanes(
  { limit, idleMs }: { limit: number; idleMs: number },
  open: () => RunningLane,
  close: (lane: RunningLane) => void,
): OpenLanes {
  /** Several where sessions said the same so far: whoever goes on first takes the oldest. */
  const byKey = new Map<string, Set<OpenLane>>();
  /** In the order of their last use. */
  const inUse = new Set<OpenLane>();
  let now = 0;

  const forget = (one: OpenLane) => {
    inUse.delete(one);
    for (const key of one.keys) {
      const alike = byKey.get(key);
      alike?.delete(one);
      if (alike?.size === 0) byKey.delete(key);
    }
  };
  const closeUnused = () => {
    for (const oldest of inUse) {
      if (inUse.size <= limit && now - oldest.used < idleMs) return;
      forget(oldest);
      close(oldest.lane);
    }
  };

  return {
    laneOf(messages, answer, at) {
      now = Math.max(now, at ?? now);
      closeUnused();
      const chain = chainOf(messages, sha256);
      // Not its whole length: the same request again is another try, not a step further.
      const continued = chain.slice(0, -1).findLast((key) => byKey.has(key));
      const [before] = (continued === undefined ? undefined : byKey.get(continued)) ?? [];
      if (before) forget(before);
      const asked = chain.at(-1) ?? '';
      const keys = answer === null ? [asked] : [asked, ...chainOf([answer], sha256, asked)];
      const current: OpenLane = { lane: before?.lane ?? open(), keys, used: now };
      inUse.add(current);
      for (const key of keys) {
        const alike = byKey.get(key);
        if (alike) alike.add(current);
        else byKey.set(key, new Set([current]));
      }
      return current.lane;
    },
    closeAll() {
      for (const { lane } of inUse) close(lane);
      inUse.clear();
      byKey.clear();
    },
  };
}
