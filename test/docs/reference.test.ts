import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { infraCostOf, LOG, ROW, STEP_USE } from '../../src/core/accounting/infra-cost.ts';
import { createApp } from '../../src/http/app.ts';
import { documents, ROOT, readDocument } from './blocks.ts';
import { LIMITS, monthlyUse, withTables } from './scale.ts';
import { errorCodes, fieldsOf, logCodes, variableNames, wordsOf } from './source.ts';

const api = readDocument('docs/api.md');
const operations = readDocument('docs/operations.md');

/** Words between backticks, with what stands around them inside one pair left out: `GET /health`. */
function quoted(text: string): Set<string> {
  return new Set([...text.matchAll(/`([^`\n]+)`/g)].flatMap((match) => match[1]?.split(/[\s,|]+/) ?? []));
}

/** The rows of the tables of a section, by what their first cell names. */
function rowsOf(document: string, heading: string): Map<string, string> {
  const start = document.indexOf(`\n## ${heading}\n`);
  expect(start, `## ${heading}`).toBeGreaterThan(-1);
  const end = document.indexOf('\n## ', start + 1);
  const section = document.slice(start, end === -1 ? undefined : end);
  const rows = section.split('\n').filter((line) => /^\| `/.test(line));
  return new Map(
    rows.flatMap((line) => {
      const first = line.split(' | ')[0] ?? '';
      return [...quoted(first)].map((word): [string, string] => [word, line]);
    }),
  );
}

describe('docs/operations.md', () => {
  const alerts = rowsOf(operations, 'Log lines');

  test('has every code of a log line, with its level', () => {
    for (const [code, levels] of logCodes()) {
      const row = alerts.get(code);
      expect(row, code).toBeDefined();
      for (const level of levels) expect(row, code).toContain(level);
    }
  });

  test('has none that no line is written with', () => {
    const codes = logCodes();
    for (const code of alerts.keys()) expect([...codes.keys()]).toContain(code);
  });
});

describe('docs/api.md', () => {
  const fields = rowsOf(api, 'The `fluxcompute` object');
  const errors = rowsOf(api, 'Errors');

  test('has every field of the metadata, and none that there is not', () => {
    const { own, inner } = fieldsOf('core/metadata.ts', 'FluxMetadata');
    expect(own.length).toBeGreaterThan(20);
    for (const field of own) expect([...fields.keys()], field).toContain(field);
    const parts = [
      ...inner,
      ...fieldsOf('core/metadata.ts', 'Escalation').own,
      ...fieldsOf('core/routing/adaptation.ts', 'Adaptation').own,
    ];
    const words = quoted([...fields.values()].join('\n'));
    for (const field of parts) expect([...words], field).toContain(field);
    const reasons = wordsOf('core/metadata.ts', 'Reason');
    for (const field of fields.keys()) expect([...own, ...reasons], field).toContain(field);
  });

  test('its example has only fields that there are', () => {
    const example = api.slice(api.indexOf('```json'), api.indexOf('```\n', api.indexOf('```json')));
    const { own } = fieldsOf('core/metadata.ts', 'FluxMetadata');
    const names = Object.keys(JSON.parse(example.slice('```json'.length)));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(own).toContain(name);
  });

  test('has every reason, and every why of an escalation', () => {
    const words = quoted(api);
    for (const reason of wordsOf('core/metadata.ts', 'Reason')) expect([...words]).toContain(reason);
    const never = ['auth', 'quota', 'rejected'];
    for (const why of wordsOf('core/routing/escalation.ts', 'FailureKind')) {
      if (!never.includes(why)) expect([...words]).toContain(why);
    }
  });

  test('has every code of an error, and none that there is not', () => {
    const codes = errorCodes();
    for (const code of codes) expect([...errors.keys()], code).toContain(code);
    for (const code of errors.keys()) expect([...codes], code).toContain(code);
  });

  test('has every route, and none that there is not', () => {
    const routes = createApp()
      .routes.filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`);
    const told = [...api.matchAll(/^\| `((?:GET|POST|PUT|PATCH|DELETE|HEAD) \/\S*)` \|/gm)].map(
      (match) => match[1],
    );
    expect([...new Set(told)].sort()).toEqual([...new Set(routes)].sort());
  });
});

describe('settings', () => {
  test('every variable that the Worker reads stands in README', () => {
    const words = quoted(readDocument('README.md'));
    // Bound by `npm start`, and of no use to anyone else.
    const inner = new Set(['FLUX_LOCAL_TOKEN']);
    for (const name of variableNames()) if (!inner.has(name)) expect([...words], name).toContain(name);
  });
});

test('docs/dependencies.md has every library, and none that there is not', () => {
  // A package of types comes with what it describes.
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const libraries = Object.keys({ ...dependencies, ...devDependencies }).filter(
    (name) => !/types\/|-types$/.test(name),
  );
  const rows = readDocument('docs/dependencies.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const told = rows.flatMap((line) => [...quoted(line.split(' | ')[0] ?? '')]);
  expect(told.toSorted()).toEqual(libraries.toSorted());
});

describe('docs/scale.md', () => {
  const scale = readDocument('docs/scale.md');

  test('its tables are what the prices come to (npx node test/docs/scale.ts --write)', () => {
    expect(withTables(scale) === scale).toBe(true);
  });

  test('it reckons with the batches, retries and pages there are', () => {
    const wrangler = readDocument('wrangler.toml');
    expect(wrangler).toMatch(/log"\nmax_batch_size = 100\nmax_batch_timeout = 2\nmax_retries = 100\n/);
    expect(wrangler).toMatch(/^crons = \["\* \* \* \* \*"\]$/m);
    const parking = readDocument('src/log/parking.ts');
    expect(parking).toMatch(/const PAGE = 100;/);
    expect(parking).toMatch(/const MAX_PAGES = 100;/);
  });

  test('what it says in words follows from the same figures', () => {
    const limit = (name: RegExp) => LIMITS.find((one) => name.test(one.name));
    expect(limit(/messages a second/)?.use(10_000)).toBe(2 * 5_000);
    const branch = limit(/data of a branch/);
    // GB a day at 10,000/s, for a branch of 16,000.
    const perDay = (10_000 * 86_400 * ROW.bytes) / 1e9;
    expect(Math.floor((branch?.most ?? 0) / perDay)).toBe(18);
    expect(scale).toContain('full in 18 days');
    // 25 GB of backlog, at 100 and at 10,000 a second.
    const hourly = limit(/backlog/)?.use(100) ?? 0;
    expect(Math.round(25 / hourly)).toBe(46);
    expect(Math.round((25 / hourly / 100) * 60)).toBe(28);
    const logs = monthlyUse(10_000).logBytes ?? 0;
    const sampled = Math.max(0, logs * 0.01 - 50e9) * 0.25e-9;
    const kept = Math.max(0, logs * 0.01 * LOG.months - 12e9) * 0.1e-9;
    expect(Math.round(sampled + kept)).toBe(131);
    expect(infraCostOf(STEP_USE) * 1e6).toBeCloseTo(6.34, 2);
  });
});

test('links from one document to another lead somewhere', () => {
  for (const name of documents()) {
    for (const [, target = ''] of readDocument(name).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target)) continue;
      expect(existsSync(join(ROOT, name, '..', target)), `${name}: ${target}`).toBe(true);
    }
  }
});

test('files that a document names are there', () => {
  for (const name of documents()) {
    for (const word of quoted(readDocument(name))) {
      const path = /^(?:src|test|drizzle|bench|docs)\/[\w./-]+\.\w+$/.exec(word)?.[0];
      if (path) expect(existsSync(join(ROOT, path)), `${name}: ${path}`).toBe(true);
    }
  }
});
