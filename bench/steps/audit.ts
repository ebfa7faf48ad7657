import { costOf } from '../../src/core/accounting/cost.ts';
import { pricesOf } from '../../src/core/accounting/price-book.ts';
import type { ProviderKind } from '../../src/core/routing/catalog.ts';
import { type LogRow, tokensOf } from './log-rows.ts';
import type { AnsweredStep } from './replay.ts';
import type { UpstreamCall } from './upstream.ts';

/** What one provider's run left behind, seen from three sides. */
export interface Evidence {
  kind: ProviderKind;
  /** Assistant messages in the trajectories. */
  steps: number;
  answers: readonly AnsweredStep[];
  /** What the simulated provider recorded. */
  upstream: readonly UpstreamCall[];
  log: readonly LogRow[];
  /** What bench:agents says that it costs, in USD; null where trajectories share caches, which it knows nothing of. */
  planned: number | null;
}

/** How far `cost_usd` may be from what the provider's own usage costs. */
const TOLERANCE = 0.001;

/** What does not add up, in sentences; nothing if each step was answered, accepted, priced and logged once. */
export function audit(evidence: Evidence): string[] {
  return [
    ...auditAnswers(evidence),
    ...auditUpstream(evidence),
    ...auditLog(evidence),
    ...auditCosts(evidence),
    ...auditPlan(evidence),
  ];
}

/** What all requests cost by the providers' own records, in USD. */
export function providerCost({ kind, upstream, log }: Pick<Evidence, 'kind' | 'upstream' | 'log'>): number {
  const at = (log[0]?.started_at ?? new Date()).toISOString();
  return sum(
    upstream.map(({ model, usage, inputTokens }) =>
      usage === null ? 0 : costOf(usage, pricesOf({ id: kind, kind }, model, at, inputTokens)),
    ),
  );
}

/** How far a run may be from what bench:agents says of it. */
const PLAN_TOLERANCE = 0.03;

function auditPlan(evidence: Evidence): string[] {
  const { planned } = evidence;
  if (planned === null) return [];
  const cost = providerCost(evidence);
  return Math.abs(cost - planned) <= PLAN_TOLERANCE * planned
    ? []
    : [`by the providers' records it cost ${cost} USD, by bench:agents ${planned} USD`];
}

function auditAnswers({ steps, answers }: Evidence): string[] {
  const unpriced = answers.filter((one) => one.costUsd === null || one.baselineUsd === null);
  return [
    ...differs('answers', answers.length, 'steps', steps),
    ...differs(
      'different request ids',
      new Set(answers.map((one) => one.requestId)).size,
      'answers',
      answers.length,
    ),
    ...unpriced.map((one) => `${one.name}: answered by ${one.model} without a cost or a baseline`),
  ];
}

function auditUpstream({ steps, upstream }: Evidence): string[] {
  const refused = upstream.filter(({ status }) => status !== 200);
  return [
    ...differs('requests at the provider', upstream.length, 'steps', steps),
    ...refused.map(
      (one) => `the provider answered ${one.status} (${one.model}): ${one.error ?? 'no message'}`,
    ),
  ];
}

function auditLog({ steps, answers, log }: Evidence): string[] {
  const problems = differs('rows in the log', log.length, 'steps', steps);
  const rows = Map.groupBy(log, (row) => row.request_id);
  for (const { name, requestId, costUsd } of answers) {
    const [row, ...more] = rows.get(requestId) ?? [];
    if (row === undefined) problems.push(`${name}: not in the log (${requestId})`);
    else if (more.length > 0) problems.push(`${name}: logged ${more.length + 1} times`);
    else if (row.state !== 'ok') problems.push(`${name}: logged as ${row.state}`);
    else if (row.cost_usd !== costUsd) {
      problems.push(`${name}: the log says ${row.cost_usd} USD, the answer said ${costUsd}`);
    }
  }
  const logged = sum(log.map((row) => row.cost_usd));
  const answered = sum(answers.map((one) => one.costUsd));
  // Both add the same numbers, in different orders.
  if (Math.abs(logged - answered) > 1e-9) {
    problems.push(`the log's costs sum to ${logged} USD, the answers' to ${answered}`);
  }
  return problems;
}

/** Each row belongs to one request the provider recorded with the same tokens, and costs what those cost. */
function auditCosts({ kind, upstream, log }: Evidence): string[] {
  const reported = Map.groupBy(
    upstream.filter((call) => call.usage !== null),
    ({ model, usage }) => fingerprint(model, usage),
  );
  return log.flatMap((row) => {
    const call = reported.get(fingerprint(row.model ?? '', tokensOf(row)))?.pop();
    if (call === undefined || call.usage === null) {
      return [`${row.request_id}: logged with tokens that ${row.model} never reported`];
    }
    const prices = pricesOf({ id: kind, kind }, call.model, row.started_at.toISOString(), call.inputTokens);
    const cost = costOf(call.usage, prices);
    const isRight =
      cost !== null && row.cost_usd !== null && Math.abs(row.cost_usd - cost) <= TOLERANCE * cost;
    return isRight
      ? []
      : [`${row.request_id}: ${row.cost_usd} USD, but its tokens on ${call.model} cost ${cost}`];
  });
}

function fingerprint(model: string, usage: ReturnType<typeof tokensOf> | null): string {
  if (usage === null) return model;
  const { fresh, write_5m, write_1h, write_30m, write_12h, read, output } = usage;
  return [model, fresh, write_5m, write_1h, write_30m, write_12h, read, output].join(' ');
}

function differs(what: string, found: number, of: string, wanted: number): string[] {
  return found === wanted ? [] : [`${found} ${what}, but ${wanted} ${of}`];
}

/** Null counts as nothing: it is reported by itself. */
export function sum(values: readonly (number | null)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}
