import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { AttemptRecord, StepRecord } from '../pipeline/record.ts';

const TIERS = ['easy', 'medium', 'hard'] as const;
/** What happens to a step that a budget has no room for. */
export const OVER_BUDGET = ['refuse', 'easy'] as const;

const utc = () => timestamp({ withTimezone: true, mode: 'date' });
/** US dollars to a millionth of a millionth: one cached token of the cheapest model is about 1e-8. */
const usd = () => numeric({ precision: 20, scale: 12, mode: 'number' });
const tier = () => text({ enum: TIERS });

/** Everyone a step was ever logged for. What customers may set comes with their settings. */
export const customers = pgTable('customers', {
  id: text().primaryKey(),
  created_at: utc().notNull().defaultNow(),
});

/**
 * API keys, without the keys: what recognises one is its SHA-256. A key of FLUX_API_KEYS has a row from the moment
 * it is revoked, so that starting again never brings it back.
 */
export const apiKeys = pgTable(
  'api_keys',
  {
    /** The first 12 hex digits of the hash: what rows, logs and people call it. */
    id: text().primaryKey(),
    customer: text().notNull(),
    /** SHA-256 of the key, hex. */
    hash: text().notNull(),
    name: text().notNull(),
    scopes: text().array().notNull(),
    created_at: utc().notNull().defaultNow(),
    /** Id of the key that made it; null for one of FLUX_API_KEYS. */
    created_by: text(),
    revoked_at: utc(),
    revoked_by: text(),
  },
  (table) => [
    uniqueIndex('api_keys_hash').on(table.hash),
    index('api_keys_customer').on(table.customer, table.created_at),
  ],
);

/** What a customer has set, version by version; the highest is in force. Rows are added, never changed. */
export const customerSettings = pgTable(
  'customer_settings',
  {
    customer: text().notNull(),
    version: integer().notNull(),
    /** As `customers/settings.ts` reads it, without any secret. */
    settings: jsonb().notNull(),
    /**
     * The customer's own provider keys, sealed (`customers/sealed.ts`), by provider. The one thing that is taken
     * away again: only the version in force has it, so that a key that was replaced is gone.
     */
    sealed: jsonb().$type<Record<string, string>>().notNull(),
    created_at: utc().notNull().defaultNow(),
    created_by: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.customer, table.version] })],
);

/** Requests and tokens a minute, dollars a day and a month; null: as many as they like. */
export const customerLimits = pgTable(
  'customer_limits',
  {
    customer: text().notNull(),
    /** One key's own limit; empty: that of all the customer's keys together; `team=search`: that of a tag. */
    key_id: text().notNull(),
    requests_per_minute: integer(),
    tokens_per_minute: integer(),
    usd_per_day: usd(),
    usd_per_month: usd(),
    /** Of the customer alone; null is `refuse`. */
    over_budget: text({ enum: OVER_BUDGET }),
    updated_at: utc().notNull().defaultNow(),
    updated_by: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.customer, table.key_id] })],
);

/** Who changed what, in the transaction that changed it. Rows are added, never changed. */
export const audit = pgTable(
  'audit',
  {
    /** Of the request that did it. */
    id: text().primaryKey(),
    at: utc().notNull().defaultNow(),
    customer: text().notNull(),
    /** The key that did it. */
    key_id: text().notNull(),
    action: text().notNull(),
    /** What it was done to: a key's id, a version. */
    target: text().notNull(),
    /** Names, numbers and enums only (T48). */
    detail: jsonb().notNull(),
  },
  (table) => [index('audit_customer_at').on(table.customer, table.at, table.id)],
);

/**
 * One row a step: the fields of `pipeline/record.ts`, never content. Partitioned by month of `started_at` (T45):
 * Drizzle can't say so, drizzle/0000 does, and a unique key on it must hold the partition column.
 * Names are chosen once, for they are also what later roll-ups and the evidence read.
 */
export const queries = pgTable(
  'queries',
  {
    request_id: text().notNull(),
    started_at: utc().notNull(),
    customer: text().notNull(),
    key_id: text().notNull(),
    path: text().notNull(),
    streamed: boolean().notNull(),
    simulated: boolean().notNull(),
    passthrough: boolean().notNull(),
    session: text(),
    lane: text(),
    turn: integer(),
    tags: jsonb().$type<Record<string, string>>().notNull(),
    state: text({ enum: ['ok', 'failed', 'abandoned'] }).notNull(),
    status: integer().notNull(),
    error_code: text(),
    requested_model: text().notNull(),
    provider: text(),
    model: text(),
    model_attempted: text(),
    tier: tier(),
    floor: tier(),
    reason: text(),
    difficulty_score: doublePrecision(),
    difficulty_label: tier(),
    difficulty_unknown: boolean().notNull(),
    signals: jsonb().$type<Record<string, number>>().notNull(),
    tokens_fresh: integer().notNull(),
    tokens_write_5m: integer().notNull(),
    tokens_write_1h: integer().notNull(),
    tokens_write_30m: integer().notNull(),
    tokens_write_12h: integer().notNull(),
    tokens_read: integer().notNull(),
    tokens_output: integer().notNull(),
    tool_calls: integer().notNull(),
    cost_usd: usd(),
    baseline_model: text(),
    baseline_cost_usd: usd(),
    infra_cost_usd: usd().notNull().default(0),
    attempts: jsonb().$type<AttemptRecord[]>().notNull(),
    escalations: integer().notNull(),
    estimated: text({ enum: ['cost', 'baseline', 'warm'] })
      .array()
      .notNull(),
    price_book: text().notNull(),
    basis: text({ enum: ['prior', 'measured', 'certified'] }).notNull(),
    profile_version: integer().notNull(),
    classification_ms: doublePrecision(),
    overhead_ms: doublePrecision().notNull(),
    latency_ms: doublePrecision().notNull(),
    created_at: utc().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.started_at, table.request_id] }),
    index('queries_customer_started_at').on(table.customer, table.started_at),
    index('queries_customer_session_started_at')
      .on(table.customer, table.session, table.started_at)
      .where(sql`session IS NOT NULL`),
  ],
);

/**
 * One row a session that a client named: what its rows in `queries` come to, kept in the statement that writes them.
 * Its name is an HMAC.
 */
export const sessions = pgTable(
  'sessions',
  {
    customer: text().notNull(),
    id: text().notNull(),
    started_at: utc().notNull(),
    last_at: utc().notNull(),
    steps: integer().notNull(),
    tool_calls: integer().notNull(),
    tokens_input: bigint({ mode: 'number' }).notNull(),
    tokens_read: bigint({ mode: 'number' }).notNull(),
    tokens_output: bigint({ mode: 'number' }).notNull(),
    /** Of the steps that have a price. */
    cost_usd: usd().notNull(),
    baseline_cost_usd: usd().notNull(),
    unpriced: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.customer, table.id] }),
    index('sessions_customer_last_at').on(table.customer, table.last_at),
  ],
);

/**
 * What lanes have shown that ended not long ago, as their sessions told it: for each lane all of it, so that one that is
 * told twice counts once. Numbers only, by type. Gone within weeks (`log/experience.ts`).
 */
export const endedLanes = pgTable(
  'ended_lanes',
  {
    customer: text().notNull(),
    lane: text().notNull(),
    ended_at: utc().notNull(),
    /** `core/routing/experience-counts.ts` */
    counts: doublePrecision().array().notNull(),
    told_at: utc().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.customer, table.lane] }),
    index('ended_lanes_customer_ended_at').on(table.customer, table.ended_at),
    index('ended_lanes_told_at').on(table.told_at),
  ],
);

/** The same of all a customer's lanes, folded: the newest weigh most. */
export const customerExperience = pgTable('customer_experience', {
  customer: text().primaryKey(),
  counts: doublePrecision().array().notNull(),
  folded_at: utc().notNull().defaultNow(),
});

/**
 * A row as it is written as JSON: V8 does that several times as fast where there is no `Date` in it, and copies a
 * record several times as fast where nothing is left out.
 */
type QueryRow = Omit<typeof queries.$inferInsert, 'started_at'> & { started_at: string; tokens: undefined };

/** The row of a record. The compiler holds that every field of the record has its column. */
export function queryRow(record: StepRecord): QueryRow {
  const { tokens } = record;
  return {
    ...record,
    tokens: undefined,
    tokens_fresh: tokens.fresh,
    tokens_write_5m: tokens.write_5m,
    tokens_write_1h: tokens.write_1h,
    tokens_write_30m: tokens.write_30m,
    tokens_write_12h: tokens.write_12h,
    tokens_read: tokens.read,
    tokens_output: tokens.output,
  };
}
