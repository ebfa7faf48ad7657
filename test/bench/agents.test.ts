import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCell } from '../../bench/agents/cell.ts';
import { chancesOf } from '../../bench/agents/cells.ts';
import { type Chances, drawSession, transitions } from '../../bench/agents/chain.ts';
import { type CostTable, clairvoyant, costTable, informed, modelsOf } from '../../bench/agents/optimum.ts';
import { type Session, START, toSession } from '../../bench/agents/sessions.ts';
import { requirePrices, SET_NAMES, tierSet } from '../../bench/agents/tier-sets.ts';
import { makeTrajectories } from '../../bench/steps/generator.ts';
import type { Trajectory } from '../../bench/steps/trajectory.ts';
import type { LoggedStep } from '../../src/core/replay/logged-step.ts';
import { POLICIES, replayStep } from '../../src/core/replay/replay.ts';
import { inputOf } from '../core/routing/scenarios.ts';

type Message = Trajectory['messages'][number];

/** An agent's session: after each user turn so many answers, tool calls but for the last. */
function traceOf(id: string, turns: readonly number[], characters = 900): Trajectory {
  const messages: Message[] = [{ role: 'system', content: 'Book flights. '.repeat(60) }];
  let calls = 0;
  for (const answers of turns) {
    messages.push({ role: 'user', content: 'What about the next one? '.repeat(characters / 25) });
    for (let i = 1; i < answers; i++) {
      const callId = `c${calls++}`;
      const call = { id: callId, function: { name: 'search', arguments: '{"q":"flights"}' } };
      messages.push({ role: 'assistant', content: '', tool_calls: [call] });
      messages.push({ role: 'tool', tool_call_id: callId, content: 'seat 12 '.repeat(characters / 8) });
    }
    messages.push({ role: 'assistant', content: 'Done, it is booked.', tool_calls: [] });
  }
  return { id, messages };
}

const TRACES = [traceOf('a', [2, 3]), traceOf('b', [1, 1, 2]), traceOf('c', [4])];
const SESSIONS = TRACES.map((trace) => toSession(trace, 1));
const SET = tierSet('Claude 2025', {});
const cell = { mix: '50/30/20', rho: 0.5, scale: 1, gap: 0.25 };

/** A session's first steps. */
const first = (session: Session | undefined, steps: number): Session => (session ?? []).slice(0, steps);

/** The least cost over every choice of a model at each step that respects the floors. */
function bruteForce({ steps, cost }: CostTable, floors: readonly number[]): number {
  const from = (t: number, uses: readonly number[]): number => {
    if (t === steps) return 0;
    const totals = [0, 1, 2].flatMap((model) =>
      model < (floors[t] ?? 0)
        ? []
        : cost(model, t, uses[model] ?? -1) +
          from(
            t + 1,
            uses.map((use, i) => (i === model ? t : use)),
          ),
    );
    return Math.min(...totals);
  };
  return from(0, [-1, -1, -1]);
}

describe('the clairvoyant', () => {
  const models = modelsOf(SET) ?? [];

  test('is the best of all 3^n assignments, with expiry and minimum lengths', () => {
    const floor = fc.nat({ max: 2 });
    const scene = fc.record({
      floors: fc.array(floor, { minLength: 5, maxLength: 5 }),
      // Seconds before each step: within a lifetime, and past it.
      waits: fc.array(fc.constantFrom(10, 150, 299, 300, 900), { minLength: 5, maxLength: 5 }),
      // From under Haiku 4.5's minimum of 4,096 tokens to well above it.
      scale: fc.constantFrom(0.5, 1, 8),
    });
    fc.assert(
      fc.property(scene, ({ floors, waits, scale }) => {
        const session = first(toSession(traceOf('a', [2, 3]), scale), 5);
        const at = waits.map(
          (_, i) => START + 1_000 * waits.slice(0, i + 1).reduce((sum, wait) => sum + wait, 0),
        );
        const table = costTable(models, session, at, SET);
        expect(clairvoyant(table, floors)).toBeCloseTo(bruteForce(table, floors), 12);
      }),
      { numRuns: 60 },
    );
  });

  test('traps T14: a table holds nothing that has expired, and traps T54: nothing under the minimum', () => {
    const session = first(SESSIONS[0], 2);
    const table = (seconds: number) => costTable(models, session, [START, START + seconds * 1_000], SET);
    expect(table(299).cost(2, 1, 0)).toBeLessThan(table(299).cost(2, 1, -1));
    expect(table(300).cost(2, 1, 0)).toBe(table(300).cost(2, 1, -1));
    // Some 2,500 tokens: enough for Opus 5.5 (512), too few for Haiku 4.5 (4,096).
    expect(table(10).cost(0, 1, 0)).toBe(table(10).cost(0, 1, -1));
  });
});

describe('the informed optimum', () => {
  const models = modelsOf(SET) ?? [];
  const follows = transitions({ mix: [0.5, 0.3, 0.2], rho: 0.5, gap: 0, pause: 0 });
  const shares = [0.5, 0.3, 0.2];

  test('is in expectation no dearer than any simple policy, and no cheaper than the clairvoyant', () => {
    const session = first(toSession(traceOf('a', [2, 3]), 8), 5);
    const table = costTable(
      models,
      session,
      session.map(({ at }) => at),
      SET,
    );
    const chooser = informed(table, session, { follows, gap: 0, expires: [true, true, true] });
    const cost = (
      floors: readonly number[],
      choose: (t: number, floor: number, uses: number[]) => number,
    ) => {
      const uses = [-1, -1, -1];
      return floors.reduce((sum, floor, t) => {
        const model = choose(t, floor, uses);
        const usd = table.cost(model, t, uses[model] ?? -1);
        uses[model] = t;
        return sum + usd;
      }, 0);
    };
    const cheapestNow = (t: number, floor: number, uses: number[]) =>
      [0, 1, 2]
        .filter((model) => model >= floor)
        .reduce((a, b) => (table.cost(b, t, uses[b] ?? -1) < table.cost(a, t, uses[a] ?? -1) ? b : a));
    const expected = { informed: 0, clairvoyant: 0, naive: 0, greedy: 0, top: 0 };
    let chances = 0;
    for (let draw = 0; draw < 3 ** 5; draw++) {
      const floors = [0, 1, 2, 3, 4].map((t) => Math.floor(draw / 3 ** t) % 3);
      const chance = floors.reduce((product, floor, t) => {
        const before = floors[t - 1];
        return product * (before === undefined ? (shares[floor] ?? 0) : (follows[before]?.[floor] ?? 0));
      }, 1);
      chances += chance;
      expected.informed +=
        chance * cost(floors, (t, floor, [a = -1, b = -1, c = -1]) => chooser(t, floor, [a, b, c]));
      expected.clairvoyant += chance * clairvoyant(table, floors);
      expected.naive += chance * cost(floors, (_t, floor) => floor);
      expected.greedy += chance * cost(floors, cheapestNow);
      expected.top += chance * cost(floors, () => 2);
    }
    expect(chances).toBeCloseTo(1, 12);
    for (const policy of ['naive', 'greedy', 'top'] as const) {
      expect(expected.informed).toBeLessThanOrEqual(expected[policy] + 1e-12);
    }
    expect(expected.clairvoyant).toBeLessThanOrEqual(expected.informed + 1e-12);
    // It is no shadow of either: it differs from both here.
    expect(expected.informed).toBeLessThan(Math.min(expected.naive, expected.greedy, expected.top));
    expect(expected.clairvoyant).toBeLessThan(expected.informed);
  });
});

describe('the informed optimum, pauses and all', () => {
  test('costs what the best choice at each step does, over all that may be drawn', () => {
    const models = modelsOf(SET) ?? [];
    const session = first(toSession(traceOf('b', [1, 1, 2]), 8), 4);
    const table = costTable(
      models,
      session,
      session.map(({ at }) => at),
      SET,
    );
    const follows = transitions({ mix: [0.5, 0.3, 0.2], rho: 0.8, gap: 0, pause: 0 });
    const [gap, expires] = [0.25, [true, false, true]] as const;
    const chooser = informed(table, session, { follows, gap, expires });
    type Choose = (t: number, floor: number, uses: number[], totals: number[]) => number;
    /** Expected cost from step `t` on, with the choice made by `choose` of the totals of each model. */
    const expected = (t: number, before: number | null, uses: number[], choose: Choose): number => {
      if (t === session.length) return 0;
      const paused = t > 0 && session[t]?.afterUser ? gap : 0;
      const paid = (chance: number, left: number[]): number =>
        [0, 1, 2].reduce((sum, floor) => {
          const likely = before === null ? 1 / 3 : (follows[before]?.[floor] ?? 0);
          const totals = [0, 1, 2].map((model) =>
            model < floor
              ? Number.POSITIVE_INFINITY
              : table.cost(model, t, left[model] ?? -1) +
                expected(
                  t + 1,
                  floor,
                  left.map((use, i) => (i === model ? t : use)),
                  choose,
                ),
          );
          return sum + chance * likely * (totals[choose(t, floor, left, totals)] ?? Number.NaN);
        }, 0);
      const cold = uses.map((use, i) => (expires[i] ? -1 : use));
      return paused === 0 ? paid(1, uses) : paid(1 - paused, uses) + paid(paused, cold);
    };
    const best = expected(0, null, [-1, -1, -1], (_t, _floor, _uses, totals) =>
      totals.indexOf(Math.min(...totals)),
    );
    const own = expected(0, null, [-1, -1, -1], (t, floor, [a = -1, b = -1, c = -1]) =>
      chooser(t, floor, [a, b, c]),
    );
    expect(own).toBeCloseTo(best, 12);
  });
});

describe('floors and pauses', () => {
  const long: Session = Array.from({ length: 300 }).flatMap(() => SESSIONS.flat());
  const chances: Chances = { mix: [0.5, 0.3, 0.2], rho: 0.8, gap: 0.25, pause: 360_000 };

  test('are drawn as the mix, the stickiness and the gap say', () => {
    const { floors, at } = drawSession(long, chances, 7);
    const share = (count: number, of: number) => count / of;
    [0.5, 0.3, 0.2].forEach((wanted, floor) => {
      expect(
        Math.abs(share(floors.filter((one) => one === floor).length, floors.length) - wanted),
      ).toBeLessThan(0.05);
    });
    // Kept with 0.8, or drawn again the same: 0.8 + 0.2 × 0.5 for easy.
    const easy = floors.flatMap((floor, i) => (i > 0 && floors[i - 1] === 0 ? [floor] : []));
    expect(Math.abs(share(easy.filter((floor) => floor === 0).length, easy.length) - 0.9)).toBeLessThan(0.03);
    const turns = long.flatMap(({ afterUser }, i) => (i > 0 && afterUser ? [i] : []));
    const paused = (i: number) =>
      (at[i] ?? 0) - (at[i - 1] ?? 0) - (long[i]?.at ?? 0) + (long[i - 1]?.at ?? 0);
    expect(Math.abs(share(turns.filter((i) => paused(i) > 0).length, turns.length) - 0.25)).toBeLessThan(
      0.04,
    );
    expect(long.every(({ afterUser }, i) => i === 0 || afterUser || paused(i) === 0)).toBe(true);
  });

  test('are the same for the same seed, and others for another', () => {
    expect(drawSession(long, chances, 7)).toEqual(drawSession(long, chances, 7));
    expect(drawSession(long, chances, 8).floors).not.toEqual(drawSession(long, chances, 7).floors);
  });

  test("or they are the scorer's, where the mix is scored", () => {
    const session = SESSIONS[0] ?? [];
    const { floors } = drawSession(session, { ...chances, mix: null }, 7);
    expect(floors).toEqual(
      session.map(({ difficulty }) => ['easy', 'medium', 'hard'].indexOf(difficulty.label)),
    );
  });

  test('a pause outlives the longest cache that is waited for', () => {
    const pause = (set: string) => chancesOf(cell, tierSet(set, {})).pause / 60_000;
    expect([pause('Claude 5.5'), pause('GPT-6'), pause('mixed')]).toEqual([6, 31, 31]);
    const day =
      '{"easy":["openai/gpt-5-mini"],"medium":["anthropic/claude-sonnet-5"],"hard":["openai/gpt-5"]}';
    expect(pause(day)).toBe(6);
  });
});

describe('a cell', () => {
  const run = (set: string, seed = 1, of = cell) => {
    const tiers = tierSet(set, {});
    return runCell(tiers, SESSIONS, chancesOf(of, tiers), { draws: 3, seed });
  };

  test.each(SET_NAMES)('%s: nothing is under its floor, and nothing beats the clairvoyant', (set) => {
    const { policies } = run(set);
    expect(Object.keys(policies)).toEqual([...POLICIES]);
    expect(policies.top_cached.vs_top).toBe(1);
    for (const name of ['top_cached', 'tiers_cached', 'greedy', 'flux'] as const) {
      expect(policies[name].unsafe).toBe(0);
      expect(policies[name].vs_clairvoyant).toBeGreaterThanOrEqual(1 - 1e-9);
    }
    expect(policies.top_cached.cost_usd).toBeLessThan(policies.top_uncached.cost_usd);
    expect(policies.flux.net_vs_top).toBeGreaterThan(policies.flux.vs_top);
    expect(policies.flux.hit_rate).toBeLessThanOrEqual(1);
  });

  // Some 300,000 tokens: too many for Haiku 4.5.
  const long = TRACES.map((trace) => toSession(trace, 150));
  test.each<[string, string, readonly Session[], (step: LoggedStep) => LoggedStep]>([
    // A stored file of the top's account, which Terra can't open.
    ['traps T15: what the turn carries', 'mixed', SESSIONS, (step) => ({ ...step, carries: [] })],
    [
      ...(['the floor', 'Claude 5.5', SESSIONS] as const),
      (step) => ({ ...step, difficulty: { ...step.difficulty, label: 'easy' as const } }),
    ],
    [
      ...(['traps T8: what a model can take', 'Claude 2025', long] as const),
      (step) => ({ ...step, needs: { ...step.needs, input: inputOf(1_000) } }),
    ],
  ])('%s: a router that does not look is counted as unsafe', (_what, name, sessions, blinded) => {
    const set = tierSet(name, {});
    const unsafe = (replay: typeof replayStep) =>
      runCell(set, sessions, chancesOf(cell, set), { draws: 3, seed: 1, replay }).policies.flux.unsafe;
    expect(unsafe((lane, step, ...rest) => replayStep(lane, blinded(step), ...rest))).toBeGreaterThan(0);
    expect(unsafe(replayStep)).toBe(0);
  });

  test.each(SET_NAMES)('%s: all-hard traffic costs what it does unrouted', (set) => {
    expect(run(set, 1, { ...cell, mix: '0/0/100' }).policies.flux.vs_top).toBeLessThanOrEqual(1.01);
  });

  test('says the same for the same seed', () => {
    expect(run('Claude 5.5')).toEqual(run('Claude 5.5'));
    expect(run('Claude 5.5', 2).policies.flux.cost_usd).not.toBe(run('Claude 5.5').policies.flux.cost_usd);
  });

  test('a cache that outlives the pause stays warm for the informed one too', () => {
    const day = '{"easy":["openai/gpt-5-nano"],"medium":["openai/gpt-5-mini"],"hard":["openai/gpt-5"]}';
    const { policies } = run(day, 1, { ...cell, gap: 1 });
    expect(policies.flux.vs_clairvoyant).toBeGreaterThanOrEqual(1 - 1e-9);
    const [informedOver = 0, clairvoyantOver = 0] = [
      policies.flux.vs_informed,
      policies.flux.vs_clairvoyant,
    ].map(Number);
    expect(informedOver).toBeLessThanOrEqual(clairvoyantOver + 1e-9);
    // With every cache thrown away it would seem some tenths dearer than the router.
    expect(informedOver).toBeGreaterThan(0.97);
  });

  test('has no optimum where a tier has two models', () => {
    const two =
      '{"easy":["anthropic/claude-haiku-5-5","openai/gpt-6-luna"],"medium":[],"hard":["anthropic/claude-opus-5-5"]}';
    expect(run(two).policies.flux).toMatchObject({ vs_clairvoyant: null, vs_informed: null, unsafe: 0 });
  });

  test('a longer context scales what is read, not what is answered', () => {
    const [short, long] = [1, 10].map((scale) => toSession(traceOf('a', [2]), scale)[1]);
    const text = (session: typeof short) => session?.needs.input.total.text ?? 0;
    expect((text(long) - 2_000) / (text(short) - 2_000)).toBeCloseTo(10, 9);
    expect(long?.output).toBe(short?.output);
  });
});

test('made-up conversations are sessions too, whose call ids repeat', () => {
  const sessions = makeTrajectories(40, 1).map((made) => toSession(made, 1));
  expect(Math.min(...sessions.map(({ length }) => length))).toBeGreaterThan(2);
  expect(sessions.flat().every(({ needs }) => needs.input.total.text > 2_000)).toBe(true);
});

describe('options', () => {
  test('tiers and prices of one’s own', () => {
    const own = '{"easy":["openai/my-llama"],"medium":[],"hard":["openai/gpt-6-sol"]}';
    const at = '2026-11-20T00:00:00Z';
    expect(() => requirePrices(tierSet(own, {}), at)).toThrow(
      'openai/my-llama has no price: give one with --prices',
    );
    expect(() => requirePrices(tierSet(own, { 'my-llama': { input: 0, output: 0 } }), at)).not.toThrow();
    expect(() => tierSet('Claude 6', {})).toThrow(/--tiers: Claude 6 is neither JSON nor one of Claude 5.5/);
    expect(() => tierSet('{"easy":[]}', {})).toThrow(/"hard" needs a model/);
    expect(() => tierSet('{"hard":["claude-opus-5-5"]}', {})).toThrow(/no provider\/model/);
  });
});

describe('npm run bench:agents', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agents-'));
    await writeFile(
      join(folder, 'traces.jsonl'),
      TRACES.map((trace) => JSON.stringify(wire(trace))).join('\n'),
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const run = (...options: string[]) =>
    promisify(execFile)(process.execPath, [
      'bench/agents.ts',
      '--traces',
      join(folder, 'traces.jsonl'),
      ...options,
    ]);
  const one = ['--draws', '2', '--mix', '50/30/20', '--rho', '0.5', '--scale', '1', '--gap', '0'];

  test('ends with one JSON object: cells and their summary', async () => {
    const { stdout, stderr } = await run(...one);
    expect(stderr).toContain('3 sessions, 5 cells, 2 draws each');
    const { cells, summary } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(cells.map((result: { tiers: string }) => result.tiers)).toEqual(SET_NAMES);
    for (const { policies, ...result } of cells) {
      expect(result).toMatchObject({ mix: '50/30/20', rho: 0.5, scale: 1, gap: 0 });
      expect(Object.keys(policies)).toEqual([...POLICIES]);
      for (const figures of Object.values(policies)) {
        expect(figures).toEqual({
          ...{ cost_usd: expect.any(Number), vs_top: expect.any(Number), vs_clairvoyant: expect.any(Number) },
          ...{
            vs_informed: expect.any(Number),
            net_vs_top: expect.any(Number),
            hit_rate: expect.any(Number),
          },
          ...{ switches: expect.any(Number), unsafe: expect.any(Number) },
        });
      }
    }
    expect(Object.keys(summary)).toEqual(SET_NAMES);
    expect(summary['GPT-6']).toMatchObject({
      cells: 1,
      policies: { flux: { unsafe: 0 }, top_cached: { vs_top: 1 } },
    });
  });

  test('what is wrong with an option is told in one line', async () => {
    const refusals = [
      [['--rho', '1.5'], '--rho takes a number from 0 to 1\n'],
      [
        ['--tiers', '{"hard":["openai/unheard-of"]}'],
        'openai/unheard-of has no price: give one with --prices\n',
      ],
    ] as const;
    await Promise.all(
      refusals.map(([options, stderr]) =>
        expect(run(...options)).rejects.toMatchObject({ code: 2, stderr, stdout: '' }),
      ),
    );
  });
});

/** A trace as it stands in a file: calls have a type. */
function wire({ id, messages }: Trajectory): unknown {
  return {
    id,
    messages: messages.map((message) =>
      message.role === 'assistant'
        ? { ...message, tool_calls: message.tool_calls.map((call) => ({ type: 'function', ...call })) }
        : message,
    ),
  };
}
