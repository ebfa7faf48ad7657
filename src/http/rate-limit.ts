import type { Context } from 'hono';
import { FluxError } from '../core/errors.ts';
import type { Access, Background } from '../customers/access-book.ts';
import { exchangeOver } from '../customers/rate-exchange.ts';
import { type Charge, type Claim, type Excess, RateLimiter } from '../customers/rate-limiter.ts';
import type { Settings } from '../env.ts';
import { logLine } from '../log/line.ts';
import type { LogStores } from '../log/outbox.ts';
import type { AppEnv } from './context.ts';

/**
 * Why not Workers' own binding: its limit stands in wrangler.toml and its periods are 10 or 60 s in one location
 * (developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit), so it can hold no limit that a customer's
 * admin sets, count no tokens and say no `retry-after`. Why not `@upstash/ratelimit` or a Durable Object: each
 * request would wait for them. So it is counted here and exchanged beside the answers (customers/rate-limiter.ts).
 */
const limiters = new WeakMap<Settings, RateLimiter>();

/** For those whom nobody limits. */
const UNLIMITED: Charge = { countsTokens: false, estimate: () => null, settle: () => {} };

/** @throws FluxError 429 with the limit that was reached */
export function admitRequest(c: Context<AppEnv>): Charge {
  const claims = claimsOf(c.get('access'));
  if (claims.length === 0) return UNLIMITED;
  const limiter = openLimiter(c.get('settings'), c.get('stores'));
  const admitted = limiter.admit(claims, backgroundOf(c));
  if ('claim' in admitted) throw tooMany(admitted);
  return admitted;
}

/**
 * Charges the tokens a step will take; they are estimated only where somebody limits them.
 * @throws FluxError 429
 */
export function admitTokens(charge: Charge, estimate: () => number): void {
  const excess = charge.countsTokens ? charge.estimate(estimate()) : null;
  if (excess) throw tooMany(excess);
}

/** What goes on after the answer. */
export function backgroundOf(c: Context<AppEnv>): Background {
  return (work) => c.executionCtx.waitUntil(work);
}

function openLimiter(settings: Settings, stores: LogStores): RateLimiter {
  let limiter = limiters.get(settings);
  if (!limiter) {
    limiter = new RateLimiter({
      exchange: exchangeOver(stores.redis),
      failed: () => logLine('warn', 'rate_exchange_failed'),
      now: () => Date.now(),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
    limiters.set(settings, limiter);
  }
  return limiter;
}

function claimsOf({ key, limits }: Access): Claim[] {
  const claims: Claim[] = [];
  const add = (counter: string, limit: Access['limits']['key']): void => {
    if (limit === null || (limit.requests_per_minute === null && limit.tokens_per_minute === null)) return;
    claims.push({
      counter,
      perMinute: { requests: limit.requests_per_minute, tokens: limit.tokens_per_minute },
    });
  };
  add(`${key.customer}`, limits.customer);
  add(`${key.customer}:${key.id}`, limits.key);
  return claims;
}

function tooMany({ claim, metric, limit, retryAfter }: Excess): FluxError {
  const whose = claim.counter.includes(':') ? 'this API key' : "all of this customer's API keys together";
  const what = `The limit of ${whose} is ${limit} ${metric} a minute`;
  const advice = 'an admin can change it with PUT /api/limits';
  return retryAfter === null
    ? new FluxError(`${what}, and this request alone takes more: shorten it, or ${advice}.`, {
        status: 429,
        code: 'request_exceeds_limit',
        retryAfter: 60,
      })
    : new FluxError(`${what}, and it is reached. Try again in ${retryAfter} s; ${advice}.`, {
        status: 429,
        code: 'rate_limit_exceeded',
        retryAfter,
      });
}
