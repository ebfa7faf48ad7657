import type { Context } from 'hono';
import { checkDatabase, checkRedis } from '../../stores/health.ts';
import type { AppEnv } from '../context.ts';
import { settingWarnings } from '../warnings.ts';

/**
 * GET /health: each store's state and latency. Always 200 while the Worker answers: a store that is down costs a
 * delay of the log, never an answer (fails open).
 */
export async function health(c: Context<AppEnv>): Promise<Response> {
  const { database, redis } = c.get('stores');
  const [postgres, cache] = await Promise.all([checkDatabase(database), checkRedis(redis)]);
  const up = postgres.state === 'up' && cache.state === 'up';
  const warnings = settingWarnings(c.get('settings'), new Date());
  return c.json({ status: up ? 'ok' : 'degraded', stores: { postgres, redis: cache }, warnings });
}
