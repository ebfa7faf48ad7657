import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { StoreHealth } from '../../stores/health.ts';
import { CommandError } from '../command-error.ts';
import { errorIn, type Gateway, type GatewayAnswer, readHealth } from '../gateway-client.ts';
import { type ClockReading, readClock } from './clock.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** Asked once to wake everything, then so often. */
const PINGS = 7;
const BETWEEN_MS = 20;

const store = z.object({ state: z.enum(['up', 'slow', 'down']), latency_ms: z.number() });
/** As src/http/routes/health.ts answers. */
const health = z.object({
  stores: z.object({ postgres: store, redis: store }),
  warnings: z.array(z.string()).default([]),
});

/** Whether the gateway runs, its stores answer, and what it warns of. */
export async function checkGateway(
  gateway: Gateway,
): Promise<{ findings: Finding[]; clock: ClockReading | null }> {
  let first: GatewayAnswer;
  const sent = Date.now();
  try {
    first = await readHealth(gateway);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const fix = gateway.local
      ? 'Start it with `npm start`.'
      : 'Check the URL, and `wrangler tail` for what it says.';
    return { findings: [fault('gateway_unreachable', error.message, fix)], clock: null };
  }
  const clock = readClock('the gateway', first.headers, sent, Date.now());
  const problem = errorIn(first);
  if (problem) return { findings: [misconfigured(gateway, problem)], clock };
  const samples: z.infer<typeof health>[] = [];
  for (let ping = 0; ping < PINGS; ping++) {
    await sleep(BETWEEN_MS);
    const parsed = health.safeParse((await askAgain(gateway))?.body);
    if (parsed.success) samples.push(parsed.data);
  }
  if (samples.length === 0) {
    const message = `What answers at ${gateway.url}/health is no gateway, or one of another version.`;
    return { findings: [fault('gateway_unreachable', message, 'Check --url or FLUX_URL.')], clock };
  }
  const last = samples.at(-1)?.warnings ?? [];
  const silent = PINGS - samples.length;
  return {
    findings: [
      silent === 0
        ? ok('gateway', `The gateway answers at ${gateway.url}.`)
        : fault('gateway_failing', `The gateway gave no answer ${silent} of ${PINGS} times.`, SEE_LOGS),
      ...judgeStores(
        samples.map(({ stores }) => stores.postgres),
        samples.map(({ stores }) => stores.redis),
      ),
      ...last.map(warningOf),
    ],
    clock,
  };
}

/** Null where nobody answers this time: one that comes and goes is to be told of, not to end the examination. */
async function askAgain(gateway: Gateway): Promise<GatewayAnswer | null> {
  try {
    return await readHealth(gateway);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return null;
  }
}

const SEE_LOGS = 'See what it logs: `wrangler tail`, or the terminal of npm start.';

/** A gateway that can't read its settings answers 503 and names the variable. */
function misconfigured({ local }: Gateway, { code, message }: { code: string; message: string }): Finding {
  const variable = /([A-Z][A-Z0-9_]+): is not set/.exec(message)?.[1];
  if (variable !== undefined) {
    const fix = local
      ? `Set ${variable} and start it again.`
      : `Set it: \`wrangler secret put ${variable}\`, or run \`flux init\` again.`;
    return fault('missing_secret', `The gateway runs without ${variable} and answers nothing.`, fix);
  }
  if (code === 'not_configured')
    return fault('wrong_setting', message, 'Mend that setting and deploy again.');
  return fault('gateway_failing', message, SEE_LOGS);
}

/**
 * Slow is judged against the store's own median and against the other store, never a fixed number: a region 160 ms
 * away is not broken (T46). Both are asked in the same moment by the same Worker.
 */
export function judgeStores(postgres: readonly StoreHealth[], redis: readonly StoreHealth[]): Finding[] {
  return [judgeStore('Postgres', postgres, redis), judgeStore('Redis', redis, postgres)];
}

function judgeStore(
  name: 'Postgres' | 'Redis',
  own: readonly StoreHealth[],
  other: readonly StoreHealth[],
): Finding {
  const code = name.toLowerCase();
  const variables = name === 'Redis' ? 'UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN' : 'DATABASE_URL';
  const down = own.filter(({ state }) => state === 'down').length;
  if (down > 0) {
    return fault(
      `${code}_down`,
      `${name} did not answer the gateway ${down} of ${own.length} times.`,
      `Check ${variables} where the gateway runs, and the store's own console: is it paused, out of its plan, or its token renewed?`,
    );
  }
  const median = medianOf(own);
  const reference = other.every(({ state }) => state === 'down') ? median : medianOf(other);
  const limit = Math.max(5 * reference, reference + 100);
  const spikes = own.filter(
    ({ state, latency_ms }) => state === 'slow' || latency_ms > Math.max(5 * median, median + 100),
  );
  if (median > limit || spikes.length > 1) {
    const beside = name === 'Redis' ? 'Postgres' : 'Redis';
    const found =
      median > limit
        ? `${median} ms at the median, where ${beside} takes ${reference} ms (limit ${limit} ms)`
        : `${median} ms at the median, and ${spikes.length} of ${own.length} answers took far longer`;
    return fault(
      `${code}_slow`,
      `${name} is slow: ${found}.`,
      name === 'Redis'
        ? 'Make the Upstash database in the region of Postgres and of the Worker (placement.region), or look there for throttling: slow is worse than gone.'
        : 'Make the Neon database in the region of Redis and of the Worker (placement.region), and look there for a compute that is too small.',
    );
  }
  return ok(code, `${name} answers the gateway in ${median} ms.`);
}

function medianOf(samples: readonly StoreHealth[]): number {
  const sorted = samples.map(({ latency_ms }) => latency_ms).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/** The gateway's own warnings, which say what to do themselves. */
function warningOf(text: string): Finding {
  const [message = text, ...advice] = text.split(/(?<=\.)\s+(?=Choose )/);
  const fix = advice.join(' ') || 'See docs/operations.md.';
  if (/ was retired by its provider /.test(text)) return fault('model_retired', message, fix);
  if (/ is retired by its provider /.test(text)) return warning('model_retiring', message, fix);
  return warning('gateway_warning', message, fix);
}
