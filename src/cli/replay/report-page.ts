import { POLICIES } from '../../core/replay/replay.ts';
import { TIERS } from '../../core/routing/tier.ts';
import { barChart, chartKey, curveChart, escaped, shareChart } from './charts.ts';
import { POLICY_NAMES } from './policy-names.ts';
import type { ReplayReport } from './replay-report.ts';
import { counted, lostWords, money, number, percent } from './report-text.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2530; --faint: #5b6876; --page: #fff; --line: #d5dbe2; --bar: #9fb0c2;
  --ours: #0b7a5c; --easy: #7cc4ab; --medium: #e0b458; --hard: #b6574f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --faint: #9aa7b4; --page: #14191f; --line: #323c47;
  --bar: #566779; --ours: #35c49b; --easy: #3d8b72; --medium: #b98a2b; --hard: #c0655c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 760px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin-top: 2rem } p.note { color: var(--faint) }
table { border-collapse: collapse; width: 100% } td, th { text-align: right; padding: .25rem .5rem;
  border-bottom: 1px solid var(--line) } td:first-child, th:first-child { text-align: left; padding-left: 0 }
td:first-child { overflow-wrap: anywhere }
.bars { display: grid; grid-template-columns: max-content 1fr; gap: .4rem .75rem; align-items: center;
  font-size: .85rem } .name { text-align: right } .track { display: flex; align-items: center; height: 1.25rem }
.track > span { height: 100% } .track > .figure { height: auto; padding-left: .5rem; white-space: nowrap }
.bar { background: var(--bar) } .ours { background: var(--ours) } .easy { background: var(--easy) }
.medium { background: var(--medium) } .hard { background: var(--hard) }
svg { width: 100%; height: auto } svg text { fill: var(--ink); font: 13px system-ui, sans-serif }
.axis { stroke: var(--line) } polyline { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke }
.top { stroke: var(--bar) } .flux { stroke: var(--ours) } .keys > span { margin-right: 1em; white-space: nowrap }
.key { display: inline-block; width: .8em; height: .8em; margin-right: .35em }
@media (max-width: 560px) { .bars { grid-template-columns: 1fr; gap: .1rem } .name { text-align: left;
  margin-top: .4rem } svg text { font-size: 24px } table { font-size: .8rem } td, th { padding: .25rem .3rem } }`;

/** The report as one page that loads nothing: numbers, names of models, no content. */
export function reportPage(report: ReplayReport): string {
  const { read, saving, policies, not_priced, not_read, no_model_takes, period } = report;
  const when = period ? `, ${period.from.slice(0, 10)} to ${period.to.slice(0, 10)}` : '';
  const verdict = saving.net_usd < 0 ? 'a loss' : 'a saving';
  const left = [
    not_priced.steps > 0 ? `Without a price, and in no sum: ${counted(not_priced.steps, 'step')}.` : '',
    no_model_takes.steps > 0 ? `No configured model takes ${counted(no_model_takes.steps, 'step')}.` : '',
    not_read.records > 0 ? `Not read: ${counted(not_read.records, 'record')}.` : '',
  ].join(' ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>FluxCompute: what your logs would have cost</title><style>${STYLE}</style></head><body>
<h1>What these logs would have cost</h1>
<p>${counted(read.steps, 'step')} in ${counted(read.lanes, 'lane')}${when}. Routed: <b>${money(policies.flux.cost_usd)}</b>;
always on ${escaped(report.baseline)} with a warm cache: <b>${money(policies.top_cached.cost_usd)}</b>. Net of measuring
(${money(saving.oracle_usd)}) and infrastructure (${money(saving.infra_usd)}) that is ${verdict} of
<b>${money(Math.abs(saving.net_usd))}</b>${saving.net_pct === null ? '' : ` (${saving.net_pct}&nbsp;%)`}.</p>
<p class="note">Costs are simulated, at the prices of ${report.priced_at} (${escaped(report.price_book)}). What a step
needs is judged by ${report.basis === 'prior' ? 'the shipped scorer (basis: prior)' : 'a scorer of your own'}: accuracy
is not measured here. ${left}</p>
<h2>Policies</h2>
${barChart(POLICIES.map((policy) => bar(report, policy)))}
<p class="note">* does not keep to what a step needs: a lower bound of cost, no choice.
${lostWords(report.cache_lost, (text) => `Prompt caches lost to a change on the way: ${text}.`)}</p>
<h2>Cost so far</h2>
${chartKey([
  { name: POLICY_NAMES.top_cached, colour: 'bar' },
  { name: POLICY_NAMES.flux, colour: 'ours' },
])}
${curveChart(report.curve)}
<h2>Steps by tier</h2>
${chartKey(TIERS.map((tier) => ({ name: tier, colour: tier })))}
${shareChart(POLICIES.map((policy) => ({ name: POLICY_NAMES[policy], shares: policies[policy].share_by_tier })))}
<h2>FluxCompute by model</h2>
<table><tr><th>model</th><th>tier</th><th>steps</th><th>cost</th><th>cache hits</th></tr>
${report.flux.by_model.map((one) => row([one.model, one.tier ?? '–', number(one.steps), money(one.cost_usd), percent(one.cache_hit_rate)])).join('\n')}
</table>
</body></html>
`;
}

function bar({ policies }: ReplayReport, policy: (typeof POLICIES)[number]) {
  const { cost_usd, vs_top_cached } = policies[policy];
  const times = vs_top_cached === null ? '' : ` (${vs_top_cached.toFixed(2)} ×)`;
  return {
    ...{ name: POLICY_NAMES[policy], value: cost_usd, label: `${money(cost_usd)}${times}` },
    marked: policy === 'flux',
  };
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
}
