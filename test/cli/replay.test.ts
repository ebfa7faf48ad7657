import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { replayCommand } from '../../src/cli/replay.ts';
import { DEFAULT_TIERS } from '../../src/core/routing/catalog.ts';
import { run } from './shell.ts';

const folder = mkdtempSync(join(tmpdir(), 'flux-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
/** A log with these records, a line each. */
function log(...records: unknown[]): string {
  files += 1;
  const path = join(folder, `${files}.jsonl`);
  const lines = records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record)));
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const DAY = ['--at', '2026-11-23'];
const replay = (path: string, ...args: string[]) => run(replayCommand, ['--traces', path, ...DAY, ...args]);
const replayed = async (path: string, ...args: string[]) => (await replay(path, '--json', ...args)).json;

const user = (text: string) => ({ role: 'user', content: text });
const assistant = (text: string) => ({ role: 'assistant', content: text });
/** Text of so many tokens on the reference tokenizer, the 4 around a message apart. */
const tokens = (count: number) => 'a '.repeat(2 * (count - 4));

/** All models of the default tiers at one price: what is compared is the cache alone. */
const ONE_PRICE = JSON.stringify(
  Object.fromEntries(
    Object.values(DEFAULT_TIERS)
      .flatMap((tiers) => Object.values(tiers).flat())
      .map((model) => [model, { input: 1, output: 10, cache_read: 0.1, cache_write: 1.25 }]),
  ),
);

/** A long session: questions of all kinds, each answered. */
const session = (id: string, rounds = 12) => ({
  id,
  messages: [
    { role: 'system', content: tokens(3_000) },
    ...Array.from({ length: rounds }, (_, round) => [
      user(
        round % 3 === 0
          ? `Prove by induction that algorithm ${id} is correct, and derive its complexity step by step.`
          : `What time is it in city ${round} of ${id}?`,
      ),
      assistant(tokens(60)),
    ]).flat(),
  ],
});

describe('the cost of a trace', () => {
  it('in OpenAI format, worked out by hand', async () => {
    // Request 1: system 2,000 + user 100 = 2,100 tokens in, 50 out. Request 2: 2,100 + 50 + 110 = 2,260 in, 50 out.
    // No cache:  (2,100 + 2,260) × $1 + 100 × $10                          = 5,360 millionths.
    // Cached:    2,100 × $1.25 + 50 × $10                                  = 3,125
    //          + 2,100 × $0.10 + 160 × $1.25 + 50 × $10                    =   910: 4,035 millionths; read 2,100 of 4,360.
    const path = log({
      id: 'hand',
      messages: [
        { role: 'system', content: tokens(2_000) },
        user(tokens(100)),
        assistant(tokens(50)),
        user(tokens(110)),
        assistant(tokens(50)),
      ],
    });
    const report = await replayed(path, '--tiers', 'openai', '--prices', ONE_PRICE);
    expect(report.read).toEqual({ records: 1, steps: 2, lanes: 1, other_records: 0 });
    expect(report.policies.top_uncached.cost_usd).toBe(0.00536);
    expect(report.policies.top_cached).toMatchObject({
      cost_usd: 0.004035,
      cache_hit_rate: 0.4817,
      switches: 0,
    });
    expect(report.policies.flux.cost_usd).toBe(0.004035);
    expect(report.saving.gross_usd).toBe(0);
  });

  it('in Anthropic format with tools, worked out by hand', async () => {
    // Reference tokens: system 1,000; user 100; the call 4 + 4 + 1 (name) + 2 (`{"n":1}`, 7 characters, is 1.75) …
    // so that Claude's tokenizer counts 1.3 times as many, rounded up:
    // request 1: 1,100 → 1,430 in. Request 2: 1,100 + 10.75 (call) + 8 + 92 (result) = 1,210.75 → ⌈1,573.975⌉ = 1,574 in.
    // Output as its usage has it: 13 and 26 tokens by Claude's own count (10 and 20 × 1.3).
    // Cached: 1,430 × $1.25 + 13 × $10 = 1,917.5; 1,430 × $0.10 + 144 × $1.25 + 26 × $10 = 583: 2,500.5 millionths.
    const path = log({
      ...{ id: 'hand', model: 'claude-haiku-5-5', system: tokens(1_000) },
      messages: [
        user(tokens(100)),
        { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'look', input: { n: 1 } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: tokens(96) }] },
        { role: 'assistant', content: [{ type: 'text', text: 'There.' }] },
      ],
      usage: [
        { input_tokens: 1_430, output_tokens: 13 },
        { input_tokens: 1_574, output_tokens: 26 },
      ],
    });
    const report = await replayed(path, '--tiers', 'anthropic', '--prices', ONE_PRICE);
    expect(report.policies.top_cached.cost_usd).toBe(0.0025005);
    // As logged: 3,004 × $1 + 39 × $10.
    expect(report.as_logged).toMatchObject({ answers: 2, cost_usd: 0.003394, not_priced: {} });
    expect(report.estimated).toEqual({ inputs: 0, answers: 0 });
  });

  it('takes the input as long as its provider counted it, unless the count leaves tokens out', async () => {
    // 100 tokens by its characters; by what the log says 1,600, tools that it does not show among them: $0.0016 + 0.
    const cost = async (input_tokens: number) => {
      const usage = [{ input_tokens, output_tokens: 0 }];
      const trace = { model: 'claude-sonnet-4-6', messages: [user(tokens(100)), assistant('x')], usage };
      const report = await replayed(log(trace), '--tiers', 'openai', '--prices', ONE_PRICE);
      return [report.policies.top_uncached.cost_usd, report.estimated.inputs];
    };
    expect([await cost(1_600), await cost(3)]).toEqual([
      [0.0016, 0],
      [0.0001, 1],
    ]);
  });

  it('writes the cache anew where the log shows a pause, and not where a greeting comes first', async () => {
    const messages = [
      assistant('Welcome!'),
      user(tokens(2_000)),
      assistant(tokens(50)),
      user('And?'),
      assistant('No.'),
    ];
    const at = (minutes: number) =>
      [0, 1, 2, 2 + minutes, 3 + minutes].map((m) => new Date(m * 60_000).toISOString());
    const cost = async (minutes: number) => {
      const report = await replayed(log({ messages, at: at(minutes) }));
      expect(report.read.steps).toBe(2);
      return [report.policies.top_cached.cache_hit_rate > 0, report.period.days > 0];
    };
    expect([await cost(3), await cost(6)]).toEqual([
      [true, true],
      [false, true],
    ]);
  });
});

describe('a log of requests', () => {
  const answered = (id: string, messages: unknown[], text: string, model = 'gpt-6-luna') => ({
    id,
    request: { model, messages },
    response: {
      choices: [{ message: assistant(text) }],
      usage: { prompt_tokens: 1_000_000, completion_tokens: 0 },
    },
  });

  it('is put together into lanes, sub-agents between, as if each were a trace', async () => {
    const sessions = ['a', 'b'].map((id) => session(id, 4));
    const traces = await replayed(log(...sessions));
    const requests = [1, 2, 3, 4].flatMap((round) =>
      sessions.map(({ id, messages }) => ({
        id: `${id}${round}`,
        request: { messages: messages.slice(0, 2 * round) },
        response: { choices: [{ message: messages[2 * round] }] },
      })),
    );
    const { read, policies } = await replayed(log(...requests));
    expect(read).toEqual({ records: 8, steps: 8, lanes: 2, other_records: 0 });
    expect(policies.top_cached).toEqual(traces.policies.top_cached);
    expect(policies.tiers_cached).toEqual(traces.policies.tiers_cached);
  });

  it('is priced as it was logged, and what has no price is named', async () => {
    const path = log(
      answered('1', [user('Hi')], 'Hello'),
      answered('2', [user('Hi')], 'Hello', 'acme-1'),
      answered('3', [user('Hi')], 'Hello', 'acme-1'),
    );
    const report = await replayed(path, '--prices', ONE_PRICE);
    expect(report.as_logged).toMatchObject({ answers: 1, cost_usd: 1, not_priced: { 'acme-1': 2 } });
    expect((await replay(path)).out).toContain('acme-1 (2)');
  });
});

describe('a log whose requests change what a prompt cache compares', () => {
  // 1,100 tokens of tools: 8 around them, 1 of a name, 17 characters of schema, 4,347 of description.
  const tool = (letter: string) => ({
    ...{ name: 'look', description: letter.repeat(4_347), input_schema: { type: 'object' } },
  });
  const said = [user(tokens(100)), assistant(tokens(50)), user(tokens(100)), assistant(tokens(50))];
  const request = (count: number, more: object) => ({
    request: {
      system: tokens(2_000),
      messages: [...said, ...said].slice(0, count),
      tools: [tool('a')],
      ...more,
    },
    response: { role: 'assistant', content: tokens(50) },
  });
  // 3,200 tokens, then 150 more each time: another tool choice, the first one again, another tool.
  const path = log(
    request(1, {}),
    request(3, { tool_choice: { type: 'none' } }),
    request(5, {}),
    request(7, { tools: [tool('b')] }),
  );
  const price = { input: 1, output: 10, cache_read: 0.1, cache_write: 1.25 };
  const prices = JSON.stringify({ ...JSON.parse(ONE_PRICE), 'claude-sonnet-4-6': price });

  it.each([
    // Claude: 3,200 written; 3,100 of tools and system read, 250 written; what the first wrote read, 300 written; all
    // 3,650 written. 4,000 + (310 + 312.5) + (320 + 375) + 4,562.5, and 4 × 500 for the answers, in millionths.
    ['claude-sonnet-4-6', 0.01188, 6_300, { tool_choice: 2, tools: 1 }],
    // OpenAI's caches don't compare the choice: 3,200 and 3,350 read, 150 written each. 4,000 + (320 + 187.5) +
    // (335 + 187.5) + 4,562.5 + 4 × 500.
    ['gpt-6.2-sol', 0.0115925, 6_550, { tools: 1 }],
  ])('costs what is lost of %s, and says what it was', async (baseline, cost, read, lost) => {
    const args = ['--baseline', baseline, '--prices', prices];
    const report = await replayed(path, ...args);
    expect(report.read).toMatchObject({ steps: 4, lanes: 1 });
    expect(report.policies.top_cached.cost_usd).toBe(cost);
    expect(report.policies.top_cached.cache_hit_rate).toBeCloseTo(read / 13_700, 4);
    expect(report.cache_lost).toEqual(lost);
    const { out } = await replay(path, ...args);
    expect(out).toContain('Prompt caches lost to a change on the way: ');
    expect(out).toContain('tools (1 step)');
  });

  it('is told nothing where nothing is lost', async () => {
    expect((await replay(log(session('a', 3)))).out).not.toContain('caches lost');
  });

  it('plans by what is left', async () => {
    const traces = log(
      { id: '1', ...request(1, {}) },
      { id: '2', ...request(3, { tool_choice: { type: 'none' } }) },
      { id: '3', ...request(5, { tool_choice: { type: 'none' } }) },
    );
    const tiers = Object.fromEntries(
      ['easy', 'medium', 'hard'].map((tier) => [tier, ['anthropic/claude-sonnet-4-6']]),
    );
    const flags = ['--tiers', JSON.stringify(tiers), '--prices', prices];
    const readAt = async (id: string) => {
      const [plan] = (await replayed(traces, '--plan', id, ...flags)).plans;
      return plan.candidates.find((one: { excluded_by: string | null }) => one.excluded_by === null)
        .cache_read_tokens;
    };
    expect([await readAt('1'), await readAt('2'), await readAt('3')]).toEqual([0, 3_100, 3_350]);
  });
});

describe('what is left out', () => {
  it('is told with its line and why, and the rest is replayed', async () => {
    const bad = Array.from({ length: 11 }, () => '{"messages": 3}');
    const path = log(session('a', 1), 'no JSON CANARY', '', ...bad, session('b', 1));
    const { code, out } = await replay(path);
    expect(code).toBe(0);
    expect(out).toContain('2 steps in 2 lanes');
    expect(out).toContain('Not read: 12 records');
    expect(out).toContain(`${path}:2: it is not JSON`);
    expect(out).toContain(`${path}:4: it is neither a trace`);
    expect(out).not.toContain('CANARY');
    expect((await replayed(path)).not_read.first).toHaveLength(10);
  });

  it('fails where nothing is left', async () => {
    const { code, json } = await replay(log('x'), '--json');
    expect([code, json.read.steps, json.saving.net_pct]).toEqual([1, 0, null]);
  });

  it('is counted by model where a model has no price: in no sum', async () => {
    const variables = {
      FLUX_PROVIDERS: JSON.stringify([{ id: 'own', kind: 'openai', base_url: 'http://127.0.0.1:1' }]),
      FLUX_TIERS: JSON.stringify({
        ...{ easy: ['own/acme-1'], medium: ['openai/gpt-6-luna'], hard: ['openai/gpt-6.2-sol'] },
      }),
    };
    const args = ['--traces', log(session('a', 2)), ...DAY, '--json'];
    const { json } = await run(replayCommand, args, variables);
    expect(json.not_priced).toEqual({ steps: 2, by_model: { 'own/acme-1': 2 } });
    expect(json.policies.top_cached.cost_usd).toBe(0);
    const free = JSON.stringify({ 'own/acme-1': { input: 0, output: 0 } });
    const priced = await run(replayCommand, [...args, '--prices', free], variables);
    expect(priced.json.not_priced.steps).toBe(0);
    expect(priced.json.policies.cheapest_cached.cost_usd).toBe(0);
  });
});

describe('the report', () => {
  const path = log(...['a', 'b', 'c'].map((id) => session(id)));

  it('is consistent: caches save, floors cost, parts add up', async () => {
    const { policies, flux, saving, basis, baseline } = await replayed(path);
    const cost = (name: string): number => policies[name].cost_usd;
    expect(cost('top_cached')).toBeLessThanOrEqual(cost('top_uncached'));
    expect(cost('tiers_cached')).toBeLessThanOrEqual(cost('tiers_uncached'));
    for (const name of ['tiers_cached', 'greedy', 'flux'])
      expect(cost('cheapest_cached')).toBeLessThan(cost(name));
    expect(cost('flux')).toBeLessThan(cost('top_cached'));
    const sum = (list: { cost_usd: number; steps: number }[], of: 'cost_usd' | 'steps') =>
      list.reduce((total, one) => total + one[of], 0);
    for (const list of [flux.by_model, flux.by_tier]) {
      expect(sum(list, 'cost_usd')).toBeCloseTo(cost('flux'), 9);
      expect(sum(list, 'steps')).toBe(36);
    }
    expect(saving.net_usd).toBeCloseTo(saving.gross_usd - saving.oracle_usd - saving.infra_usd, 9);
    expect(saving.oracle_usd).toBeLessThanOrEqual(0.1 * saving.gross_usd);
    expect([basis, baseline]).toEqual(['prior', 'anthropic/claude-opus-5-5']);
  });

  it('is the same every time, and read alike from gzip, an array, standard input and two files', async () => {
    const once = await replayed(path);
    expect(await replayed(path)).toEqual(once);
    const text = readFileSync(path, 'utf8');
    const lines = text.trim().split('\n');
    const packed = join(folder, 'packed.gz');
    writeFileSync(packed, gzipSync(text));
    expect(await replayed(packed)).toEqual(once);
    const array = join(folder, 'array.json');
    writeFileSync(
      array,
      JSON.stringify(
        lines.map((line) => JSON.parse(line)),
        null,
        2,
      ),
    );
    expect(await replayed(array)).toEqual(once);
    const halves = [log(lines[0]), log(...lines.slice(1))];
    expect(await replayed(halves[0] ?? '', '--traces', halves[1] ?? '')).toEqual(once);
    const flux = join(import.meta.dirname, '../../src/cli/flux.ts');
    const piped = spawnSync(process.execPath, [flux, 'replay', '--traces', '-', '--json', ...DAY], {
      ...{ input: gzipSync(text), cwd: folder, env: { PATH: process.env.PATH ?? '' } },
    });
    expect(JSON.parse(piped.stdout.toString())).toEqual(once);
    expect(piped.stderr.toString()).toBe('');
  });

  it('says a loss is one', async () => {
    // Nothing is saved where all cost the same, and running the gateway is not free.
    const { out } = await replay(path, '--prices', ONE_PRICE);
    expect(out).toMatch(/net +-\$0\.\d+ +A LOSS/);
  });

  it('explains the plan of a step: floor, reason and every candidate', async () => {
    const { plans } = await replayed(path, '--plan', 'b:2');
    expect(plans).toMatchObject([
      { id: 'b', step: 2, candidates: [{ tier: 'easy' }, { tier: 'medium' }, { tier: 'hard' }] },
    ]);
    const { out } = await replay(path, '--plan', 'b');
    expect(out.match(/^Step \d+ of b:/gm)).toHaveLength(12);
    const [plan] = plans;
    const taken = plan.candidates.find((one: { model: string }) => one.model === plan.model);
    expect(taken.total_usd).toBeCloseTo(taken.now_usd + taken.ahead_usd, 12);
    expect((await replay(path, '--plan', 'nobody')).out).toContain('No step is called nobody');
  });

  it('as a page loads nothing and holds nothing that was said', async () => {
    const page = join(folder, 'report.html');
    const words = { id: '<b>id</b>', messages: [user('CANARY-USER tell me'), assistant('CANARY-ANSWER')] };
    await replay(log(words, session('a', 3), '{"CANARY-BAD'), '--html', page);
    const html = readFileSync(page, 'utf8');
    expect(html).not.toMatch(/https?:|\/\/|src=|href=|CANARY|<script|NaN|undefined/);
    // A bar for each policy, its tiers for each, and one curve.
    expect(html.match(/class="track"/g)).toHaveLength(16);
    expect(html.match(/<svg /g)).toHaveLength(1);
    expect(html).toContain('prefers-color-scheme: dark');
  });

  it('counts the prices of the day that is asked for', async () => {
    const on = async (day: string) =>
      (await run(replayCommand, ['--traces', path, '--json', '--baseline', 'claude-sonnet-5-5', '--at', day]))
        .json;
    // Sonnet 5.5 reads its cache at half the price since 2026-10-07.
    const [before, after] = [await on('2026-10-06'), await on('2026-10-07')];
    expect(after.policies.top_uncached.cost_usd).toBe(before.policies.top_uncached.cost_usd);
    expect(after.policies.top_cached.cost_usd).toBeLessThan(before.policies.top_cached.cost_usd);
  });
});

it.each([
  [[], '--traces'],
  [['--traces', 'x', '--tiers', '{"easy":["no-such"],"medium":["a"],"hard":["b"]}'], '--tiers'],
  [['--traces', 'x', '--prices', '{"m":{"input":-1,"output":1}}'], '--prices'],
  [['--traces', 'x', '--at', 'yesterday'], '--at'],
  [['--traces', 'x', '--oracle-share', '2'], '--oracle-share'],
  [['--traces', 'x', '--baseline', 'no-such'], '--baseline'],
  [['--traces', 'x', '--profile', '/nowhere'], '--profile'],
])('wrong usage %j names %s', async (args, flag) => {
  const { code, notes } = await run(replayCommand, args);
  expect([code, notes.split('\n')[0]]).toEqual([2, expect.stringContaining(flag)]);
});

it('gives no figures of a file that breaks off', async () => {
  const packed = gzipSync(JSON.stringify(session('a')).repeat(50));
  const cut = join(folder, 'cut.gz');
  writeFileSync(cut, packed.subarray(0, packed.length - 20));
  const { code, out, notes } = await replay(cut);
  expect([code, out, notes]).toEqual([1, '', expect.stringContaining("cut.gz can't be read to its end")]);
});

it('names a file that is not there', async () => {
  const { code, notes } = await replay(join(folder, 'none.jsonl'));
  expect([code, notes]).toEqual([1, expect.stringContaining('none.jsonl')]);
});

const TRACES = join(import.meta.dirname, '../../../shared/traces/tau-airline.jsonl.gz');
it.skipIf(!existsSync(TRACES))('replays real traces', async () => {
  const { read, policies, not_read } = await replayed(TRACES);
  expect([read.steps, read.lanes, not_read.records]).toEqual([1_163, 100, 0]);
  expect(policies.flux.cost_usd).toBeLessThan(policies.top_cached.cost_usd);
});
