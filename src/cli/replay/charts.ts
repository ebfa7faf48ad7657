import { TIERS } from '../../core/routing/tier.ts';
import type { CurvePoint } from './cost-curve.ts';
import { money, number, percent } from './report-text.ts';

/*
 * Charts that stand in the page: bars are elements of it, so that their names stay readable at any width; the curve is
 * SVG. Classes take their colours from the page's style, so that they follow light and dark.
 */

/** Horizontal bars with their figures; `marked` stands out. */
export function barChart(
  bars: readonly { name: string; value: number; label: string; marked: boolean }[],
): string {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const rows = bars.map(({ name, value, label, marked }) =>
    row(name, part(marked ? 'ours' : 'bar', Math.max(0, value) / most), label),
  );
  return `<div class="bars">${rows.join('\n')}</div>`;
}

/** For each name, how much of it went to which tier. */
export function shareChart(
  rows: readonly { name: string; shares: Record<(typeof TIERS)[number], number | null> }[],
): string {
  const drawn = rows.map(({ name, shares }) =>
    row(
      name,
      TIERS.map((tier) => part(tier, shares[tier] ?? 0)).join(''),
      TIERS.map((tier) => percent(shares[tier])).join(' / '),
    ),
  );
  return `<div class="bars">${drawn.join('\n')}</div>`;
}

/** Two costs over the steps of a log. */
export function curveChart(points: readonly CurvePoint[]): string {
  const last = points.at(-1);
  if (last === undefined) return '';
  const [width, height, above, below] = [720, 260, 30, 30];
  const most = Math.max(last.top_cached, last.flux, Number.MIN_VALUE);
  const x = (steps: number) => (width * steps) / last.steps;
  const y = (usd: number) => height - below - ((height - above - below) * usd) / most;
  const line = (name: 'top_cached' | 'flux') =>
    ['0,0', ...points.map((point) => `${point.steps},${point[name]}`)]
      .map((pair) => pair.split(',').map(Number))
      .map(([steps = 0, usd = 0]) => `${x(steps).toFixed(1)},${y(usd).toFixed(1)}`)
      .join(' ');
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Cost so far, over the steps of the log">`,
    `<line class="axis" x1="0" y1="${y(0)}" x2="${width}" y2="${y(0)}"/>`,
    `<line class="axis" x1="0" y1="${y(most)}" x2="${width}" y2="${y(most)}"/>`,
    `<text x="0" y="${y(most) - 8}">${money(most)}</text>`,
    `<text x="0" y="${height - 6}">$0</text>`,
    `<text x="${width}" y="${height - 6}" text-anchor="end">${number(last.steps)} steps</text>`,
    `<polyline class="top" points="${line('top_cached')}"/><polyline class="flux" points="${line('flux')}"/>`,
    '</svg>',
  ].join('');
}

/** Names with the colours they are drawn in. */
export function chartKey(names: readonly { name: string; colour: string }[]): string {
  const keys = names.map(
    ({ name, colour }) => `<span><span class="key" style="background:var(--${colour})"></span>${name}</span>`,
  );
  return `<p class="note keys">${keys.join(' ')}</p>`;
}

function row(name: string, parts: string, figure: string): string {
  return `<span class="name">${escaped(name)}</span><span class="track">${parts}<span class="figure">${escaped(figure)}</span></span>`;
}

/** A share of the longest bar, whose figure needs room behind it. */
function part(colour: string, share: number): string {
  return `<span class="${colour}" style="width:calc((100% - 9rem) * ${share.toFixed(4)})"></span>`;
}

/** Text for a page: names of models and ids are the user's. */
export function escaped(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
