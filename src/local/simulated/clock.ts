/** A clock that tests can push forward: prompt caches expire and models retire by it. Milliseconds since 1970. */
export interface Clock {
  now(): number;
  /** Moves time on. It never goes back: what has expired stays expired. */
  advance(ms: number): void;
  /** Jumps to a moment; an earlier one than now is refused. */
  jump(to: number): boolean;
}

/** A clock that runs with the machine's, starting at `startAt` (default: now). */
export function virtualClock(startAt = Date.now()): Clock {
  let offset = startAt - Date.now();
  const now = () => Date.now() + offset;
  return {
    now,
    advance: (ms) => {
      offset += ms;
    },
    jump: (to) => {
      if (to < now()) return false;
      offset = to - Date.now();
      return true;
    },
  };
}
