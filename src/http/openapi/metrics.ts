import * as z from 'zod';
import { TIERS } from '../../core/routing/tier.ts';
import type { SessionStep } from '../../log/queries/session-steps.ts';
import type { Session } from '../../log/queries/sessions.ts';
import type { Summary } from '../../log/queries/summary.ts';
import type { Timeseries } from '../../log/queries/timeseries.ts';
import { attemptRecord, stepRecord } from '../../pipeline/record.ts';
import type { RouteGroup } from './description.ts';
import { CUSTOMER_ERRORS, KEY_ERRORS } from './errors.ts';
import { SESSION, SESSION_STEP, SUMMARY, TIMESERIES } from './metrics-examples.ts';
import { CUSTOMER, PAGE, stepFilter } from './parameters.ts';

const ERRORS = [...KEY_ERRORS, ...CUSTOMER_ERRORS, 'invalid_period', 'log_unavailable'] as const;

const count = () => z.int().nonnegative();
const usd = () => z.number().meta({ description: 'USD, of steps whose cost is known.' });

function shapes() {
  const money = { cost_usd: usd(), baseline_cost_usd: usd(), savings_usd: usd() };
  const tokens = z
    .strictObject({
      ...{ fresh: count(), write_5m: count(), write_1h: count(), write_30m: count(), write_12h: count() },
      ...{ read: count(), output: count() },
    })
    .meta({ description: 'Disjoint classes: their sum is all that was read and written.' });
  const states = z.strictObject({ ok: count(), failed: count(), abandoned: count() });
  const rate = z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .meta({ description: 'Share of input tokens read from a prompt cache.' });
  // As rows have it: a tier may be renamed one day.
  const tier = z.string().nullable();
  const share = { queries: count(), ...money };

  const summary = z.strictObject({
    period: z.string(),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    as_of: z.iso.datetime(),
    total_queries: count().meta({ description: 'One request is one, whatever its retries.' }),
    passthrough_queries: count(),
    tool_calls: count(),
    by_state: states,
    tokens,
    ...money,
    savings_pct: z.number().nullable().meta({ description: 'Of the baseline; null where there is none.' }),
    oracle_cost_usd: z.number(),
    infra_cost_usd: z.number(),
    net_savings_usd: z.number().meta({ description: 'Savings less the oracle and the infrastructure.' }),
    unpriced_queries: count().meta({ description: 'Cost unknown: in no sum of money.' }),
    estimated_queries: count(),
    simulated_queries: count(),
    cache_hit_rate: rate,
    escalations: count(),
    by_model: z.array(
      z.strictObject({ provider: z.string().nullable(), model: z.string().nullable(), tier, ...share }),
    ),
    by_tier: z.array(z.strictObject({ tier, ...share })),
  }) satisfies z.ZodType<Summary>;

  const timeseries = z.strictObject({
    period: z.string(),
    bucket: z.enum(['hour', 'day']),
    points: z.array(z.strictObject({ start: z.iso.datetime(), ...share })),
  }) satisfies z.ZodType<Timeseries>;

  const session = z.strictObject({
    id: z.string().meta({ description: 'HMAC of the name the client gave it.' }),
    first_step_at: z.iso.datetime(),
    last_step_at: z.iso.datetime(),
    queries: count(),
    models: z.array(z.string()),
    ...money,
    by_state: states,
    tool_calls: count(),
    unpriced_queries: count(),
    cache_hit_rate: rate,
  }) satisfies z.ZodType<Session>;

  const {
    tokens: _asLogged,
    attempts: _loosely,
    ...shown
  } = stepRecord.pick({
    ...{ request_id: true, started_at: true, lane: true, turn: true, path: true, tags: true, state: true },
    ...{ status: true, error_code: true, requested_model: true, provider: true, model: true, tier: true },
    ...{ floor: true, reason: true, difficulty_score: true, difficulty_label: true, tokens: true },
    ...{ tool_calls: true, cost_usd: true, baseline_model: true, baseline_cost_usd: true, attempts: true },
    ...{ escalations: true, estimated: true, simulated: true, overhead_ms: true, latency_ms: true },
  }).shape;
  const step = z.strictObject({
    ...shown,
    tokens,
    attempts: z.array(attemptRecord.strict()),
    savings_usd: z.number().nullable(),
  }) satisfies z.ZodType<SessionStep>;

  return { tokens, states, summary, timeseries, session, step };
}

/** /api/metrics */
export function metricsRoutes(): RouteGroup {
  const { tokens, states, summary, timeseries, session, step } = shapes();
  return {
    name: 'metrics',
    about: `What steps came to, by tier (${TIERS.join(', ')}), model, time and session. A step is there within 10 s of its answer.`,
    given: {
      Tokens: tokens,
      States: states,
      Summary: summary,
      Timeseries: timeseries,
      Session: session,
      SessionList: z.strictObject({ data: z.array(session), next_cursor: z.string().nullable() }),
      SessionStep: step,
      SessionSteps: z.strictObject({
        id: z.string(),
        data: z.array(step),
        next_cursor: z.string().nullable(),
      }),
    },
    routes: [
      {
        route: 'GET /api/metrics/summary',
        operationId: 'summary',
        summary: 'Sums of a period',
        scope: 'read',
        parameters: [...stepFilter('7d'), CUSTOMER],
        answer: {
          status: 200,
          about: 'The sums; 0, null and empty lists where there is nothing yet.',
          content: { shape: 'Summary', examples: { day: { value: SUMMARY } } },
        },
        errors: ERRORS,
      },
      {
        route: 'GET /api/metrics/timeseries',
        operationId: 'timeseries',
        summary: 'The same by the hour or day',
        about: 'By the hour up to 48 hours; every bucket is there.',
        scope: 'read',
        parameters: [...stepFilter('30d'), CUSTOMER],
        answer: {
          status: 200,
          about: 'The buckets, oldest first.',
          content: { shape: 'Timeseries', examples: { hours: { value: TIMESERIES } } },
        },
        errors: ERRORS,
      },
      {
        route: 'GET /api/metrics/sessions',
        operationId: 'listSessions',
        summary: 'Sums by session, the last active first',
        scope: 'read',
        parameters: [...stepFilter('7d'), ...PAGE, CUSTOMER],
        answer: {
          status: 200,
          about: 'A page of sessions.',
          content: {
            shape: 'SessionList',
            examples: { page: { value: { data: [SESSION], next_cursor: null } } },
          },
        },
        errors: [...ERRORS, 'invalid_limit'],
      },
      {
        route: 'GET /api/metrics/sessions/{id}',
        operationId: 'getSession',
        summary: 'The steps of one session, the first one first',
        scope: 'read',
        parameters: [
          {
            name: 'id',
            in: 'path',
            required: true,
            description: 'The name the client gave the session, or its id in the list.',
            schema: { type: 'string' },
            example: 'support-4711',
          },
          ...stepFilter('366d'),
          ...PAGE,
          CUSTOMER,
        ],
        answer: {
          status: 200,
          about: 'A page of its steps.',
          content: {
            shape: 'SessionSteps',
            examples: { page: { value: { id: SESSION.id, data: [SESSION_STEP], next_cursor: null } } },
          },
        },
        errors: [...ERRORS, 'invalid_limit', 'unknown_session'],
      },
    ],
  };
}
