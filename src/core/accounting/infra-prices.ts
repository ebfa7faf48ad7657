/** A list price of what the gateway itself runs on. */
export interface UnitPrice {
  /** USD for `per` units. */
  usd: number;
  per: number;
  /** Units a month that the plan's base fee covers. A step is priced without them: they are gone by the first. */
  included: number;
  /** What one unit is. */
  unit: string;
  source: string;
  /** The date the source gives itself, else the day a stored copy of it was looked at. */
  read: string;
}

const WORKERS = 'https://developers.cloudflare.com/workers/platform/pricing/';
const QUEUES = 'https://developers.cloudflare.com/queues/platform/pricing/';
const OBJECTS = 'https://developers.cloudflare.com/durable-objects/platform/pricing/';
const OBSERVABILITY = 'https://developers.cloudflare.com/observability/pricing/';
const NEON = 'https://neon.com/docs/introduction/plans';
const UPSTASH = 'https://upstash.com/pricing/redis';

/** The day this table was last checked. */
export const INFRA_PRICES_DATE = '2026-11-23';

/** USD a month for Workers Paid, which everything of Cloudflare's below stands on. */
export const WORKERS_PAID_USD = 5;

/** List prices of 2026, by what is counted. docs/scale.md and a step's `infra_cost_usd` are computed from it. */
export const INFRA_PRICES = {
  requests: {
    usd: 0.3,
    per: 1e6,
    included: 10e6,
    unit: 'invocation of the Worker',
    source: WORKERS,
    read: '2026-11-23',
  },
  cpuMs: {
    usd: 0.02,
    per: 1e6,
    included: 30e6,
    unit: 'ms of processor time, the queue consumer’s too',
    source: WORKERS,
    read: '2026-11-23',
  },
  // From 2026-12-01 on; until then 0.60 a million events, 20 million included.
  logBytes: {
    usd: 0.25,
    per: 1e9,
    included: 50e9,
    unit: 'byte of Workers Logs taken in',
    source: OBSERVABILITY,
    read: '2026-11-23',
  },
  logByteMonths: {
    usd: 0.1,
    per: 1e9,
    included: 12e9,
    unit: 'byte of Workers Logs kept for 30 days',
    source: OBSERVABILITY,
    read: '2026-11-23',
  },
  queueOps: {
    usd: 0.4,
    per: 1e6,
    included: 1e6,
    unit: 'write, read or delete of a message, per 64 KB',
    source: QUEUES,
    read: '2026-11-23',
  },
  durableObjectRequests: {
    usd: 0.15,
    per: 1e6,
    included: 1e6,
    unit: 'call of a Durable Object, or alarm',
    source: OBJECTS,
    read: '2026-11-23',
  },
  durableObjectRows: {
    usd: 1,
    per: 1e6,
    included: 50e6,
    unit: 'row written in a Durable Object, or alarm set',
    source: OBJECTS,
    read: '2026-11-23',
  },
  durableObjectGbSeconds: {
    usd: 12.5,
    per: 1e6,
    included: 400_000,
    unit: 'GB-second; an object counts as 0.128 GB',
    source: OBJECTS,
    read: '2026-11-23',
  },
  redisCommands: {
    usd: 0.2,
    per: 1e5,
    included: 0,
    unit: 'command (Pay as you go)',
    source: UPSTASH,
    read: '2026-11-09',
  },
  // Launch plan. Scale, which has the SLA, is 0.222.
  postgresComputeHours: {
    usd: 0.106,
    per: 1,
    included: 0,
    unit: 'hour of one compute unit (Launch)',
    source: NEON,
    read: '2026-11-12',
  },
  postgresByteMonths: {
    usd: 0.35,
    per: 1e9,
    included: 0,
    unit: 'byte kept for a month',
    source: NEON,
    read: '2026-11-12',
  },
} satisfies Record<string, UnitPrice>;

/** What is counted. */
export type InfraUnit = keyof typeof INFRA_PRICES;
