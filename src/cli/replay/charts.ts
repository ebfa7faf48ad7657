import { TIERS } from '../../core/routing/tier.ts';
import type { CurvePoint } from './cost-curve.ts';
import { money, number, percent } from './report-text.ts';

/*
 * Charts as SVG that stands in the page: classes take their colours from the page's style, so that they follow light
 * and dark.
 */

const WIDTH = 720;
/** Room for names on the left, and for figures on the right. */
const LEFT = 230;
const RIGHT = 110;
const ROW = 26;

/** Horizontal bars with their figures; `marked` stands out. */
export function barChart(
  bars: readonly { name: string; value: number; label: string; marked: boolean }[],
): string {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const rows = bars.map(({ name, value, label, marked }, row) => {
    const width = ((WIDTH - LEFT - RIGHT) * Math.max(0, value)) / most;
    return [
      text(LEFT - 8, row, name, 'end'),
      `<rect class="${marked ? 'ours' : 'bar'}" x="${LEFT}" y="${row * ROW + 4}" width="${width.toFixed(1)}" height="${ROW - 8}"/>`,
      text(LEFT + width + 6, row, label, 'start'),
    ].join('');
  });
  return svg(bars.length * ROW, 'Cost of each policy', rows.join(''));
}

/** For each name, how much of it went to which tier. */
export function shareChart(
  rows: readonly { name: string; shares: Record<(typeof TIERS)[number], number | null> }[],
): string {
  const room = WIDTH - LEFT - RIGHT;
  const drawn = rows.map(({ name, shares }, row) => {
    let x = LEFT;
    const parts = TIERS.map((tier) => {
      const width = room * (shares[tier] ?? 0);
      const part = `<rect class="${tier}" x="${x.toFixed(1)}" y="${row * ROW + 4}" width="${width.toFixed(1)}" height="${ROW - 8}"><title>${tier} ${percent(shares[tier])}</title></rect>`;
      x += width;
      return part;
    });
    return text(LEFT - 8, row, name, 'end') + parts.join('');
  });
  return svg(rows.length * ROW, 'Share of steps by tier', drawn.join(''));
}

/** Two costs over the steps of a log. */
export function curveChart(points: readonly CurvePoint[]): string {
  const last = points.at(-1);
  if (last === undefined) return '';
  const [height, left, bottom] = [260, 70, 24];
  const most = Math.max(last.top_cached, last.flux, Number.MIN_VALUE);
  const x = (steps: number) => left + ((WIDTH - left - RIGHT) * steps) / last.steps;
  const y = (usd: number) => height - bottom - ((height - bottom - 12) * usd) / most;
  const line = (name: 'top_cached' | 'flux') =>
    ['0,0', ...points.map((point) => `${point.steps},${point[name]}`)]
      .map((pair) => pair.split(',').map(Number))
      .map(([steps = 0, usd = 0]) => `${x(steps).toFixed(1)},${y(usd).toFixed(1)}`)
      .join(' ');
  return svg(
    height,
    'Cost so far, over the steps of the log',
    [
      `<line class="axis" x1="${left}" y1="${y(0)}" x2="${x(last.steps)}" y2="${y(0)}"/>`,
      `<line class="axis" x1="${left}" y1="${y(0)}" x2="${left}" y2="${y(most)}"/>`,
      `<text x="${left - 6}" y="${y(most) + 4}" text-anchor="end">${money(most)}</text>`,
      `<text x="${left - 6}" y="${y(0) + 4}" text-anchor="end">$0</text>`,
      `<text x="${x(last.steps)}" y="${height - 6}" text-anchor="end">${number(last.steps)} steps</text>`,
      `<polyline class="top" points="${line('top_cached')}"/><polyline class="flux" points="${line('flux')}"/>`,
      `<text x="${x(last.steps) + 6}" y="${y(last.top_cached) + 4}">the top</text>`,
      `<text x="${x(last.steps) + 6}" y="${y(last.flux) + 4}">FluxCompute</text>`,
    ].join(''),
  );
}

function text(x: number, row: number, words: string, anchor: 'start' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${row * ROW + ROW / 2 + 4}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

function svg(height: number, label: string, inside: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${label}">${inside}</svg>`;
}

/** Text for a page: names of models and ids are the user's. */
export function escaped(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
