import { logLine } from './line.ts';
import { flushHeld, type LogStores } from './outbox.ts';
import { drainParked } from './parking.ts';
import { ensurePartitions } from './partitions.ts';

/**
 * The scheduled job, once a minute: steps that waited for a store go home, and next months' partitions are made.
 * Each part fails on its own, and is tried again a minute later.
 */
export async function runMaintenance(stores: LogStores): Promise<void> {
  const parts = [flushHeld(stores), drainParked(stores), ensurePartitions(stores.database)];
  const failed = (await Promise.allSettled(parts)).filter((part) => part.status === 'rejected').length;
  if (failed > 0) logLine('warn', 'maintenance_failed', { parts: failed });
}
