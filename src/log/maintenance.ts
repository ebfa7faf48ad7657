import { foldExperience, forgetOldLanes } from './experience.ts';
import { logLine } from './line.ts';
import { flushHeld, type LogStores } from './outbox.ts';
import { drainParked } from './parking.ts';
import { ensurePartitions } from './partitions.ts';
import { forgetOldSessions, forgetOldSteps } from './retention.ts';

/** The minute of each hour in which old steps are taken away: away from the full hour, when others have their jobs. */
const FORGETTING_MINUTE = 23;
/** And the one in which what lanes have shown becomes what the next ones are planned by. */
const FOLDING_MINUTE = 41;

/**
 * The scheduled job, once a minute: steps that waited for a store go home, next months' partitions are made, and once
 * an hour what nobody keeps any longer goes, and customers' experience is made up (hourly rather than at night: a
 * machine may be off then).
 * Each part fails on its own, and is tried again the next time.
 */
export async function runMaintenance(stores: LogStores, now = new Date()): Promise<void> {
  const parts: Promise<unknown>[] = [
    flushHeld(stores),
    drainParked(stores),
    ensurePartitions(stores.database),
  ];
  if (now.getUTCMinutes() === FORGETTING_MINUTE) {
    parts.push(
      ...[forgetOldSteps, forgetOldSessions, forgetOldLanes].map((forget) => forget(stores.database)),
    );
  }
  if (now.getUTCMinutes() === FOLDING_MINUTE) parts.push(foldExperience(stores.database));
  const failed = (await Promise.allSettled(parts)).filter((part) => part.status === 'rejected').length;
  if (failed > 0) logLine('warn', 'maintenance_failed', { parts: failed });
}
