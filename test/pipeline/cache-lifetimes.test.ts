import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Usage } from '../../src/core/accounting/usage.ts';
import { ANTHROPIC_MESSAGES } from '../../src/core/dialects/anthropic-messages/dialect.ts';
import { NO_EXPERIENCE } from '../../src/core/routing/experience.ts';
import { type SimulatedDay, startSimulatedDay } from './simulated-lane.ts';

let day: SimulatedDay;
let sessions = 0;
beforeAll(async () => {
  day = await startSimulatedDay();
});
afterAll(() => day.close());

/**
 * Seconds: inside both lifetimes, past the short one, past both. No sum of them is near either: the simulators' clock
 * runs on while a step is under way.
 */
const gap = fc.constantFrom(70, 70, 70, 140, 280, 350, 910, 2_380, 3_360, 3_710, 9_030);
const HEAD = 'Be exact, be brief, and never guess. '.repeat(150);
const lookUp = {
  name: 'look_up',
  description: 'Looks something up.',
  parameters: { type: 'object', properties: { key: { type: 'string' } } },
};

/** No two sessions have a prompt in common. */
const newSession = () => `session ${++sessions}`;

describe('what is planned as warm is what the provider reads', () => {
  test('with our markers, over any gaps, models and turns, while short writes and long ones follow each other', async () => {
    const step = fc.record({
      gap,
      model: fc.constantFrom('claude-opus-5-5', 'claude-opus-5-5', 'claude-sonnet-5-5'),
      calls: fc.constantFrom(0, 1, 2, 12, 25),
      words: fc.constantFrom(5, 20, 400),
    });
    const rhythm = fc.constantFrom(1, 20, 60);
    const seen = { short: 0, long: 0, kept: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 16 }), rhythm, async (steps, pauses) => {
        const session = newSession();
        // Of a hundred gaps so many are pauses that outlive the short lifetime and not the long one.
        const experience = {
          ...NO_EXPERIENCE,
          gaps: 10 * (100 - pauses),
          pauses: [5 * pauses, 5 * pauses, 0, 0, 0],
        };
        const settings = { ...day.settings, experience };
        const messages: object[] = [
          { role: 'system', content: `${session}. ${HEAD}` },
          { role: 'user', content: 'Look everything up.' },
        ];
        for (const [n, { gap, model, calls, words }] of steps.entries()) {
          await day.pass(gap);
          const tools = [{ type: 'function', function: lookUp }];
          const { predicted, read, flux } = await day.step(session, { model, messages, tools }, { settings });
          expect({ n, read }).toEqual({ n, read: predicted });
          const { usage } = await day.sent();
          if (usage?.write_1h) seen.long += 1;
          if (usage?.write_5m) seen.short += 1;
          if (gap >= 300 && read > 0) seen.kept += 1;
          expect(flux.model_selected).toBe(model);
          messages.push(...turn(n, calls, words));
        }
      }),
      { numRuns: 20 },
    );
    // The test saw what it is about.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
  });

  test("with a client's own: an hour on the head, five minutes on a tail that moves on", async () => {
    const long = { cache_control: { type: 'ephemeral', ttl: '1h' } };
    const short = { cache_control: { type: 'ephemeral' } };
    const step = fc.record({ gap, blocks: fc.constantFrom(1, 3, 9, 30) });
    const inMiddle = fc.boolean();
    let kept = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 14 }), inMiddle, async (steps, isAsk) => {
        const session = newSession();
        const ask = { type: 'text', text: `Look everything up. ${HEAD.slice(0, 900)}` };
        const turns: { role: string; content: object[] }[] = [
          { role: 'user', content: [isAsk ? { ...ask, ...long } : ask] },
        ];
        for (const [n, { gap, blocks }] of steps.entries()) {
          await day.pass(gap);
          const tail = turns.at(-1);
          const [last] = tail?.content.slice(-1) ?? [];
          const marked = {
            role: 'user',
            content: [...(tail?.content.slice(0, -1) ?? []), { ...last, ...short }],
          };
          const body = {
            ...{ model: 'claude-opus-5-5', max_tokens: 1_000 },
            system: [{ type: 'text', text: `${session}. ${HEAD}`, ...(isAsk ? {} : long) }],
            // At first the marker of an hour is the tail's own.
            messages: isAsk && n === 0 ? turns : [...turns.slice(0, -1), marked],
          };
          const { predicted, read } = await day.step(session, body, { dialect: ANTHROPIC_MESSAGES });
          // What look-back finds on its way to a place is no more than what the place holds.
          expect({ n, read }).toEqual({ n, read: predicted });
          if (gap >= 300 && read > 0) kept += 1;
          turns.push({ role: 'assistant', content: [{ type: 'text', text: `Answer ${n}.` }] });
          turns.push({
            role: 'user',
            content: Array.from({ length: blocks }, (_, i) => ({
              type: 'text',
              text: `Part ${n} ${i} of it.`,
            })),
          });
        }
      }),
      { numRuns: 20 },
    );
    expect(kept).toBeGreaterThan(0);
  });
});

describe('the longer lifetime', () => {
  /** A lane of 30 steps: what it cost by the providers' own records, and what it was sent. */
  async function run(seconds: number, settings = day.settings) {
    const session = newSession();
    const messages: object[] = [
      { role: 'system', content: `${session}. ${HEAD.repeat(3)}` },
      { role: 'user', content: 'Look everything up.' },
    ];
    const bodies: string[] = [];
    let usd = 0;
    for (let n = 0; n < 30; n += 1) {
      await day.pass(seconds);
      await day.step(session, { model: 'claude-opus-5-5', messages }, { settings });
      const { body, usage } = await day.sent();
      bodies.push(JSON.stringify(body));
      usd += priceOf(usage);
      messages.push(...turn(n, 0, 200));
    }
    return { usd, bodies, isLong: bodies.map((body) => body.includes('"ttl":"1h"')) };
  }

  /** The same requests with no marker for longer than five minutes, as of another account. */
  async function costOfShort(bodies: readonly string[], seconds: number): Promise<number> {
    let usd = 0;
    for (const body of bodies) {
      await day.pass(seconds);
      const headers = { 'x-api-key': 'sk-other', 'anthropic-version': '2026-10-21' };
      const short = body.replaceAll(',"ttl":"1h"', '');
      const { status } = await fetch(`${day.url}/v1/messages`, { method: 'POST', headers, body: short });
      expect(status).toBe(200);
      usd += priceOf((await day.sent()).usage);
    }
    return usd;
  }

  test('a lane whose steps come ten minutes apart gets it once it has shown so, and costs a quarter', async () => {
    const { usd, bodies, isLong } = await run(600);
    expect(isLong.slice(0, 2)).toEqual([false, false]);
    expect(isLong.indexOf(true)).toBeLessThan(8);
    expect(isLong.slice(8)).not.toContain(false);
    expect(usd).toBeLessThan(0.25 * (await costOfShort(bodies, 600)));
  });

  test('a lane whose steps come ten seconds apart is insured by one, at under a hundredth of its price', async () => {
    const { usd, bodies, isLong } = await run(10);
    expect(isLong.filter(Boolean).length).toBeLessThanOrEqual(1);
    expect(usd).toBeLessThan(1.01 * (await costOfShort(bodies, 10)));
  });

  test('and by none where the customer never pauses; with one who always does it is there from the second step on', async () => {
    const seen = { ...NO_EXPERIENCE, gaps: 5_000, seconds: 50_000 };
    const steady = { ...day.settings, experience: seen };
    expect((await run(10, steady)).isLong).not.toContain(true);
    const pausing = { ...day.settings, experience: { ...seen, pauses: [50_000, 0, 0, 0, 0] } };
    const { isLong } = await run(600, pausing);
    expect(isLong.slice(0, 3)).toEqual([false, true, true]);
  });
});

/** USD of a request's input on Opus 5.5 (providers.md §2). */
function priceOf(usage: Partial<Usage> | null): number {
  const { fresh = 0, write_5m = 0, write_1h = 0, read = 0 } = usage ?? {};
  return (fresh * 4 + write_5m * 5 + write_1h * 8 + read * 0.2) / 1e6;
}

function turn(n: number, calls: number, words: number): object[] {
  const text = 'word '.repeat(words);
  if (calls === 0)
    return [
      { role: 'assistant', content: `Answer ${n}: ${text}` },
      { role: 'user', content: 'And?' },
    ];
  const ids = Array.from({ length: calls }, (_, i) => `call_${n}_${i}`);
  const call = (id: string) => ({
    ...{ id, type: 'function' },
    function: { name: 'look_up', arguments: JSON.stringify({ key: id }) },
  });
  return [
    { role: 'assistant', content: null, tool_calls: ids.map(call) },
    ...ids.map((id) => ({ role: 'tool', tool_call_id: id, content: `Found ${id}: ${text}` })),
  ];
}
