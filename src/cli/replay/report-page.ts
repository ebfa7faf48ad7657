import { POLICIES } from '../../core/replay/replay.ts';
import { TIERS } from '../../core/routing/tier.ts';
import { barChart, curveChart, escaped, shareChart } from './charts.ts';
import { POLICY_NAMES } from './policy-names.ts';
import type { ReplayReport } from './replay-report.ts';
import { money, number, percent } from './report-text.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2530; --faint: #5b6876; --page: #fff; --line: #d5dbe2; --bar: #9fb0c2;
  --ours: #0b7a5c; --easy: #7cc4ab; --medium: #e0b458; --hard: #b6574f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --faint: #9aa7b4; --page: #14191f; --line: #323c47;
  --bar: #566779; --ours: #35c49b; --easy: #3d8b72; --medium: #b98a2b; --hard: #c0655c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 760px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin-top: 2rem } p.note { color: var(--faint) }
table { border-collapse: collapse; width: 100% } td, th { text-align: right; padding: .25rem .5rem;
  border-bottom: 1px solid var(--line) } td:first-child, th:first-child { text-align: left }
svg { width: 100%; height: auto } svg text { fill: var(--ink); font: 12px system-ui, sans-serif }
.bar { fill: var(--bar) } .ours { fill: var(--ours) } .easy { fill: var(--easy) } .medium { fill: var(--medium) }
.hard { fill: var(--hard) } .axis { stroke: var(--line) } polyline { fill: none; stroke-width: 2 }
.top { stroke: var(--bar) } .flux { stroke: var(--ours) } .key { display: inline-block; width: .8em; height: .8em;
  margin: 0 .3em 0 1em }`;

/** The report as one page that loads nothing: numbers, names of models, no content. */
export function reportPage(report: ReplayReport): string {
  const { read, saving, policies, not_priced, not_read, no_model_takes, period } = report;
  const when = period ? `, ${period.from.slice(0, 10)} to ${period.to.slice(0, 10)}` : '';
  const verdict = saving.net_usd < 0 ? 'a loss' : 'a saving';
  const key = TIERS.map((tier) => `<span class="key" style="background:var(--${tier})"></span>${tier}`).join(
    '',
  );
  const left = [
    not_priced.steps > 0 ? `${number(not_priced.steps)} steps have no price and are in no sum.` : '',
    no_model_takes.steps > 0 ? `${number(no_model_takes.steps)} steps no configured model takes.` : '',
    not_read.records > 0 ? `${number(not_read.records)} records could not be read.` : '',
  ].join(' ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>FluxCompute: what your logs would have cost</title><style>${STYLE}</style></head><body>
<h1>What these logs would have cost</h1>
<p>${number(read.steps)} steps in ${number(read.lanes)} lanes${when}. Routed: <b>${money(policies.flux.cost_usd)}</b>;
always on ${escaped(report.baseline)} with a warm cache: <b>${money(policies.top_cached.cost_usd)}</b>. Net of measuring
(${money(saving.oracle_usd)}) and infrastructure (${money(saving.infra_usd)}) that is ${verdict} of
<b>${money(Math.abs(saving.net_usd))}</b>${saving.net_pct === null ? '' : ` (${saving.net_pct} %)`}.</p>
<p class="note">Costs are simulated, at the prices of ${report.priced_at} (${escaped(report.price_book)}). What a step
needs is judged by ${report.basis === 'prior' ? 'the shipped scorer (basis: prior)' : 'a scorer of your own'}: accuracy
is not measured here. ${left}</p>
<h2>Policies</h2>
${barChart(POLICIES.map((policy) => bar(report, policy)))}
<p class="note">* does not keep to what a step needs: a lower bound of cost, no choice.</p>
<h2>Cost so far</h2>
${curveChart(report.curve)}
<h2>Steps by tier</h2><p class="note">${key}</p>
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
