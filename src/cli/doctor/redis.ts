import { openRedis, REDIS_LISTS } from '../../stores/redis.ts';
import { type ClockReading, readClock } from './clock.ts';
import { type Finding, fault, ok, skipped, warning } from './finding.ts';

const LIMIT_MS = 5_000;

/** What waits in Redis for Postgres or for somebody to look at it (T47), and what Redis takes for the time. */
export async function checkLetters(
  url: string | undefined,
  token: string | undefined,
): Promise<{ findings: Finding[]; clock: ClockReading | null }> {
  if (url === undefined || token === undefined) {
    const fix =
      'Set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN to those of this gateway, and run it again.';
    return {
      findings: [skipped('dead_letters', 'Dead letters were not counted: which Redis?', fix)],
      clock: null,
    };
  }
  try {
    const clock = await readRedisClock(url, token);
    const redis = openRedis(url, token, LIMIT_MS);
    const [dead, parked] = await Promise.all([redis.llen(REDIS_LISTS.dead), redis.llen(REDIS_LISTS.parked)]);
    const findings = [
      ...(dead > 0
        ? [
            warning(
              'dead_letters',
              `${dead} dead letters wait in Redis.`,
              'See `flux dlq list`, then `flux dlq replay`.',
            ),
          ]
        : []),
      ...(parked > 0
        ? [
            warning(
              'parked_steps',
              `${parked} steps wait in Redis for Postgres.`,
              'The gateway brings them back within minutes of Postgres; `flux dlq replay` does it now.',
            ),
          ]
        : []),
    ];
    return { findings: findings.length > 0 ? findings : [ok('dead_letters', 'No dead letters.')], clock };
  } catch {
    const fix = 'Check UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN in the Upstash console.';
    return { findings: [fault('redis_down', 'Redis does not answer this machine.', fix)], clock: null };
  }
}

async function readRedisClock(url: string, token: string): Promise<ClockReading | null> {
  const sent = Date.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: '["PING"]',
    redirect: 'manual',
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  await response.arrayBuffer();
  return readClock('Redis', response.headers, sent, Date.now());
}
