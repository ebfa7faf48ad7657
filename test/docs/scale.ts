import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  budgetUse,
  type InfraUse,
  infraCostOf,
  LOG,
  meters,
  monthlyCostOf,
  monthlyTotal,
  ROW,
  SESSION_USE,
  STEP_USE,
} from '../../src/core/accounting/infra-cost.ts';
import { INFRA_PRICES, type InfraUnit, WORKERS_PAID_USD } from '../../src/core/accounting/infra-prices.ts';

/**
 * The tables of docs/scale.md: `npx node test/docs/scale.ts` prints them, `--write` puts them into the document
 * between its markers. A test holds that they are there as computed.
 */

/** Steps a second. */
const SIZES = [1, 100, 10_000] as const;
const MONTH_HOURS = 730;
const MONTH_SECONDS = MONTH_HOURS * 3_600;
/** Cron runs once a minute, and asks Postgres and Redis one thing each. */
const CRON_RUNS = MONTH_HOURS * 60;
/** `max_batch_size` and `max_batch_timeout` of wrangler.toml: a batch closes full, or after two seconds. */
const BATCH = 100;
const BATCH_SECONDS = 2;
/** A compute unit is kept half idle, for the metrics' reading and for bursts; Neon sells quarters. */
const POSTGRES_LOAD = 0.5;
const SMALLEST_COMPUTE = 0.25;

/** A month at a steady rate: what the steps take, the consumer's runs, cron, and a compute that never sleeps. */
export function monthlyUse(rate: number, monthsKept: number = ROW.months): InfraUse {
  const steps = rate * MONTH_SECONDS;
  const runs = Math.max(steps / BATCH, Math.min(steps, MONTH_SECONDS / BATCH_SECONDS));
  const requests = steps + runs + CRON_RUNS;
  return {
    requests,
    cpuMs: steps * STEP_USE.cpuMs + CRON_RUNS * STEP_USE.cpuMs,
    logBytes: requests * LOG.bytes,
    logByteMonths: requests * LOG.bytes * LOG.months,
    queueOps: steps * STEP_USE.queueOps,
    redisCommands: CRON_RUNS,
    postgresComputeHours: computeUnits(rate) * MONTH_HOURS,
    postgresByteMonths: steps * ROW.bytes * monthsKept,
  };
}

function computeUnits(rate: number): number {
  const busy = (rate * ROW.computeMs) / 1_000 / POSTGRES_LOAD;
  return Math.max(SMALLEST_COMPUTE, Math.ceil(busy / SMALLEST_COMPUTE) * SMALLEST_COMPUTE);
}

function sessionUse(rate: number): InfraUse {
  const steps = rate * MONTH_SECONDS;
  return Object.fromEntries(Object.entries(SESSION_USE).map(([unit, amount]) => [unit, amount * steps]));
}

/** All tables by their names, as Markdown. */
export function tables(): Map<string, string> {
  return new Map([
    ['prices', pricesTable()],
    ['step', stepTable()],
    ['month', monthTable()],
    ['limits', limitsTable()],
  ]);
}

function pricesTable(): string {
  const rows = Object.values(INFRA_PRICES).map(({ unit, usd, per, included, source, read }) => [
    unit,
    `$${usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 3 })} per ${whole(per)}`,
    included === 0 ? '–' : whole(included),
    `<${source}>, ${read}`,
  ]);
  return table(['one unit', 'list price', 'included a month', 'source, and its date'], rows);
}

function stepTable(): string {
  const rows: string[][] = [];
  for (const [title, use] of [
    ['today', STEP_USE],
    ['a step of a session, besides', SESSION_USE],
    ['a step with one budget, besides', budgetUse(1)],
  ] as const) {
    for (const [unit, amount] of meters(use)) {
      rows.push([INFRA_PRICES[unit].unit, short(amount), usd(infraCostOf({ [unit]: amount * 1e6 }))]);
    }
    rows.push([`**${title}**`, '', `**${usd(infraCostOf(use) * 1e6)}**`]);
  }
  return table(['a step takes', 'units', 'USD per million steps'], rows);
}

const PARTS: [name: string, units: InfraUnit[]][] = [
  ['Workers: requests', ['requests']],
  ['Workers: processor time', ['cpuMs']],
  ['Workers Logs', ['logBytes', 'logByteMonths']],
  ['Queues', ['queueOps']],
  ['Neon: compute', ['postgresComputeHours']],
  ['Neon: storage, rows kept 12 months', ['postgresByteMonths']],
  ['Upstash', ['redisCommands']],
];

function monthTable(): string {
  const cost = (use: InfraUse, units: InfraUnit[]): number => {
    const amounts = meters(use);
    return units.reduce((sum, unit) => sum + monthlyCostOf(unit, amounts.get(unit) ?? 0), 0);
  };
  const objects = Object.keys(SESSION_USE) as InfraUnit[]; // the keys of our own literal
  const each = (value: (rate: number) => number, mark = '') =>
    SIZES.map((rate) => `${mark}${usd(value(rate))}${mark}`);
  const total = (rate: number, months?: number) => monthlyTotal(monthlyUse(rate, months));
  return table(
    ['USD a month at', ...SIZES.map((rate) => `${whole(rate)} steps/s`)],
    [
      ['steps a month', ...SIZES.map((rate) => `${whole((rate * MONTH_SECONDS) / 1e6)} million`)],
      ['Workers Paid', ...each(() => WORKERS_PAID_USD)],
      ...PARTS.map(([name, units]) => [name, ...each((rate) => cost(monthlyUse(rate), units))]),
      ['**all of it, today**', ...each((rate) => total(rate), '**')],
      ['of that, per million steps', ...each((rate) => total(rate) / ((rate * MONTH_SECONDS) / 1e6))],
      ['the same, rows kept one month', ...each((rate) => total(rate, 1))],
      ['Durable Objects, if every step is of a session', ...each((rate) => cost(sessionUse(rate), objects))],
    ],
  );
}

/** A step as the queue holds it, bytes: measure-step.ts, rounded up. */
const MESSAGE_BYTES = 1_500;

interface Limit {
  name: string;
  most: number;
  unit: string;
  use: (rate: number) => number;
  source: string;
}

/** Hard limits of the services, and what a rate takes of each. */
export const LIMITS: Limit[] = [
  {
    name: 'Queue: messages a second',
    most: 5_000,
    unit: '/s',
    use: (rate) => rate,
    source: '<https://developers.cloudflare.com/queues/platform/limits/>',
  },
  {
    name: 'Queue: consumers at once, 1 s a batch',
    most: 250,
    unit: '',
    use: (rate) => rate / BATCH,
    source: 'the same page',
  },
  {
    name: 'Queue: backlog after an hour without Postgres',
    most: 25,
    unit: ' GB',
    use: (rate) => (rate * 3_600 * MESSAGE_BYTES) / 1e9,
    source: 'the same page',
  },
  {
    name: 'Neon: compute units, autoscaled',
    most: 16,
    unit: ' CU',
    use: computeUnits,
    source: '<https://neon.com/docs/introduction/plans>',
  },
  {
    name: 'Neon: data of a branch, rows kept 12 months',
    most: 16_000,
    unit: ' GB',
    use: (rate) => (rate * MONTH_SECONDS * ROW.months * ROW.bytes) / 1e9,
    source: 'the same page',
  },
  {
    name: 'Upstash: commands a second, queue and Postgres down',
    most: 10_000,
    unit: '/s',
    use: (rate) => rate,
    source: '<https://upstash.com/docs/redis/overall/billing>',
  },
  {
    name: 'Scheduled job: parked steps brought back a second',
    most: 10_000 / 60,
    unit: '/s',
    use: (rate) => rate,
    source: '`MAX_PAGES` × `PAGE` a minute, src/log/parking.ts',
  },
];

function limitsTable(): string {
  return table(
    ['limit', 'value', ...SIZES.map((rate) => `taken at ${whole(rate)}/s`), 'source'],
    LIMITS.map(({ name, most, unit, use, source }) => [
      name,
      `${whole(most)}${unit}`,
      ...SIZES.map((rate) => share(use(rate) / most)),
      source,
    ]),
  );
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function usd(value: number): string {
  const digits = value < 10 ? 2 : 0;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function whole(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : 0 });
}

function short(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

function share(value: number): string {
  const percent = 100 * value;
  const text = percent < 0.1 ? '< 0.1' : percent < 10 ? percent.toFixed(1) : whole(Math.round(percent));
  return percent > 100 ? `**${text} %**` : `${text} %`;
}

/** A document with the tables between its `<!-- name -->` and `<!-- /name -->`. */
export function withTables(document: string): string {
  let text = document;
  for (const [name, markdown] of tables()) {
    const between = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
    if (!between.test(text)) throw new Error(`docs/scale.md has no markers for '${name}'`);
    text = text.replace(between, (_, open: string, close: string) => `${open}${markdown}\n${close}`);
  }
  return text;
}

export const SCALE_DOCUMENT = join(import.meta.dirname, '../../docs/scale.md');

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes('--write')) {
    writeFileSync(SCALE_DOCUMENT, withTables(readFileSync(SCALE_DOCUMENT, 'utf8')));
  } else {
    for (const markdown of tables().values()) console.log(`${markdown}\n`);
  }
}
