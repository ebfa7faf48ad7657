import { POLICIES } from '../../core/replay/replay.ts';
import { TIERS } from '../../core/routing/tier.ts';
import { table } from '../table.ts';
import type { ExplainedStep } from './plan-explained.ts';
import { POLICY_NAMES } from './policy-names.ts';
import type { ReplayReport } from './replay-report.ts';

/** The report for people. */
export function describeReport(report: ReplayReport): string {
  const { read, period, saving } = report;
  const when = period ? `, ${period.from.slice(0, 10)} to ${period.to.slice(0, 10)}` : '';
  return [
    `${counted(read.steps, 'step')} in ${counted(read.lanes, 'lane')}, from ${counted(read.records, 'record')}${when}\n`,
    `Prices of ${report.priced_at} (${report.price_book}); the top is ${report.baseline}\n`,
    TIERS.map((tier) => `  ${tier.padEnd(6)}  ${report.tiers[tier]?.join(', ')}\n`).join(''),
    `\n${policyTable(report)}`,
    '* does not keep to what a step needs: a lower bound of cost, no choice\n',
    lostWords(report.cache_lost, (text) => `Prompt caches lost to a change on the way: ${text}\n`),
    `\nFluxCompute by model\n${modelTable(report)}`,
    `\nby tier\n${tierTable(report)}`,
    `\nSaving over the top, cached   ${signed(saving.gross_usd)}\n`,
    `  measuring it (oracle)       ${signed(-saving.oracle_usd)}   control sessions, at most ${saving.oracle_share} of the saving\n`,
    `  infrastructure              ${signed(-saving.infra_usd)}   at list price, a Worker, its queue, sessions and log\n`,
    `  net                         ${signed(saving.net_usd)}${netWords(saving)}\n`,
    describeLogged(report.as_logged),
    `\n${basisWords(report)}\n`,
    leftOut(report),
    report.plans.map(describePlan).join(''),
  ].join('');
}

function policyTable({ policies }: ReplayReport): string {
  const rows = POLICIES.map((policy) => {
    const { cost_usd, vs_top_cached, cache_hit_rate, switches, share_by_tier } = policies[policy];
    const shares = TIERS.map((tier) => percent(share_by_tier[tier])).join(' / ');
    return [
      ...[POLICY_NAMES[policy], money(cost_usd), vs_top_cached?.toFixed(3) ?? '–', percent(cache_hit_rate)],
      ...[number(switches), shares],
    ];
  });
  return table(['policy', 'cost', 'of the top', 'cache hits', 'switches', 'easy / medium / hard'], rows);
}

/** What requests changed that lost prompt caches, and in how many steps; nothing where nothing was lost. */
export function lostWords(lost: ReplayReport['cache_lost'], sentence: (text: string) => string): string {
  const parts = Object.entries(lost).sort(([, a], [, b]) => b - a);
  const listed = parts.map(([part, steps]) => `${part} (${counted(steps, 'step')})`).join(', ');
  return listed === '' ? '' : sentence(listed);
}

function modelTable({ flux }: ReplayReport): string {
  const rows = flux.by_model.map((one) => [
    ...[`  ${one.model}`, one.tier ?? '–', number(one.steps), money(one.cost_usd)],
    percent(one.cache_hit_rate),
  ]);
  return table(['  model', 'tier', 'steps', 'cost', 'cache hits'], rows);
}

function tierTable({ flux }: ReplayReport): string {
  const rows = flux.by_tier.map((one) => [
    ...[`  ${one.tier}`, number(one.floors), number(one.steps), money(one.cost_usd)],
    percent(one.cache_hit_rate),
  ]);
  return table(['  tier', 'floors', 'steps served', 'cost', 'cache hits'], rows);
}

function netWords({ net_usd, net_pct }: ReplayReport['saving']): string {
  if (net_pct === null) return '';
  return net_usd < 0 ? `   A LOSS of ${-net_pct} %` : `   ${net_pct} %`;
}

function describeLogged({
  answers,
  cost_usd,
  reported,
  reported_usd,
  not_priced,
}: ReplayReport['as_logged']) {
  const unknown = Object.entries(not_priced).map(([model, count]) => `${model} (${number(count)})`);
  return [
    cost_usd === null
      ? ''
      : `\nAs logged: ${money(cost_usd)} for ${number(answers)} answers with usage, by the price book\n`,
    reported_usd === null
      ? ''
      : `  the log itself says ${money(reported_usd)} for ${number(reported)} answers\n`,
    unknown.length === 0 ? '' : `  no price known for what these answered: ${unknown.join(', ')}\n`,
  ].join('');
}

function basisWords({ basis, estimated, read }: ReplayReport): string {
  const scorer = basis === 'prior' ? 'the shipped scorer (basis: prior)' : 'the scorer of --profile';
  return [
    `What a step needs is judged by ${scorer}. Costs are simulated; accuracy is NOT measured here.`,
    `Estimated from characters: the input of ${number(estimated.inputs)} of ${counted(read.steps, 'step')}, the answer of ${number(estimated.answers)}; else as the log counted them.`,
  ].join('\n');
}

function leftOut({ not_priced, no_model_takes, not_read, read }: ReplayReport): string {
  const listed = (counts: Record<string, number>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} (${number(count)})`)
      .join(', ');
  return [
    not_priced.steps === 0
      ? ''
      : `Not priced, in no sum: ${number(not_priced.steps)} steps, on ${listed(not_priced.by_model)}: give --prices\n`,
    no_model_takes.steps === 0
      ? ''
      : `No configured model takes: ${number(no_model_takes.steps)} steps, for ${listed(no_model_takes.by_field)}\n`,
    read.other_records === 0
      ? ''
      : `Passed over: ${number(read.other_records)} records that are no step of a model\n`,
    not_read.records === 0 ? '' : `Not read: ${counted(not_read.records, 'record')}\n`,
    ...not_read.first.map(({ file, line, why }) => `  ${file}:${line}: ${why}\n`),
    not_read.records > not_read.first.length ? '  …\n' : '',
  ].join('');
}

function describePlan(plan: ExplainedStep): string {
  const { difficulty } = plan;
  const signals = Object.entries(difficulty.signals).filter(([, value]) => value !== 0);
  const rows = plan.candidates.map((one) => [
    ...[`  ${one.model}`, one.tier ?? '–', small(one.now_usd), small(one.ahead_usd), small(one.total_usd)],
    one.excluded_by ?? (one.model === plan.model ? 'taken' : ''),
  ]);
  return [
    `\nStep ${plan.step} of ${plan.id}: ${plan.model} (${plan.reason}), floor ${plan.floor}\n`,
    `  score ${difficulty.score.toFixed(3)}${difficulty.unknown ? ', nothing tells' : ''}: `,
    `${signals.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(', ') || 'no signals'}\n`,
    table(['  candidate', 'tier', 'now', 'ahead', 'total', ''], rows),
  ].join('');
}

/** Four digits that tell something, whatever the log's size. */
export function money(usd: number): string {
  const size = Math.abs(usd);
  const digits = size >= 1 || size === 0 ? 2 : Math.min(8, 3 - Math.floor(Math.log10(size)));
  const shown = size >= 1_000 ? number(Math.round(size)) : size.toFixed(digits);
  return `${usd < 0 ? '-' : ''}$${shown}`;
}

export function percent(share: number | null): string {
  return share === null ? '–' : `${Math.round(100 * share)} %`;
}

export function number(value: number): string {
  return value.toLocaleString('en-US');
}

export function counted(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function signed(usd: number): string {
  return `${usd < 0 ? '' : ' '}${money(usd)}`;
}

function small(usd: number | null): string {
  return usd === null ? '–' : `$${usd.toFixed(6)}`;
}
