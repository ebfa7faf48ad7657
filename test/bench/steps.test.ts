import fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { audit, type Evidence } from '../../bench/steps/audit.ts';
import { makeTrajectories } from '../../bench/steps/generator.ts';
import { type AnsweredStep, type FailedStep, replayTrajectory } from '../../bench/steps/replay.ts';
import { groupByFirstStep, scriptOf } from '../../bench/steps/script.ts';
import { makeTools } from '../../bench/steps/tools.ts';
import { countSteps, type Message, type Trajectory } from '../../bench/steps/trajectory.ts';
import { tokenUsage } from '../../src/local/simulated/usage.ts';

function called(...calls: { id: string; name: string; arguments: string }[]): Message {
  return {
    role: 'assistant',
    content: '',
    tool_calls: calls.map(({ id, ...rest }) => ({ id, function: rest })),
  };
}

describe('tools made from the calls', () => {
  test('give every name, every type seen, and require what was always there', () => {
    const messages = [
      called({ id: 'a', name: 'book', arguments: '{"seats":[{"row":1}],"note":"x","price":9}' }),
      called(
        { id: 'b', name: 'book', arguments: '{"seats":[{"row":2,"window":true}],"price":null}' },
        { id: 'c', name: 'ask', arguments: '{}' },
      ),
    ];
    const seat = {
      type: 'object',
      properties: { row: { type: 'number' }, window: { type: 'boolean' } },
      required: ['row'],
    };
    expect(makeTools([{ id: 't', messages }]).map((tool) => tool.function)).toEqual([
      { name: 'ask', description: 'ask', parameters: { type: 'object', properties: {}, required: [] } },
      {
        name: 'book',
        description: 'book',
        parameters: {
          type: 'object',
          properties: {
            seats: { type: 'array', items: seat },
            note: { type: 'string' },
            price: { type: ['null', 'number'] },
          },
          required: ['seats', 'price'],
        },
      },
    ]);
  });
});

const sentBody = z.object({
  stream: z.boolean().optional(),
  messages: z.array(z.record(z.string(), z.unknown())),
});

/** A gateway that answers with what is recorded, under ids of its own, in objects with a field we have no name for. */
function gatewayOf(recorded: readonly Message[]) {
  const answers = recorded.filter((message) => message.role === 'assistant');
  const requests: z.infer<typeof sentBody>[] = [];
  const client = new OpenAI({
    apiKey: 'flx_test',
    baseURL: 'http://gateway.test/v1',
    maxRetries: 0,
    fetch: async (_url, init) => {
      requests.push(sentBody.parse(JSON.parse(String(init?.body))));
      const number = requests.length;
      const answer = answers[number - 1];
      const message = {
        role: 'assistant',
        content: answer?.content === '' ? null : answer?.content,
        tool_calls: answer?.tool_calls.map((call, index) => ({
          ...call,
          index,
          type: 'function',
          id: `given_${number}_${index}`,
        })),
        note: `answer ${number}`,
      };
      const fluxcompute = {
        request_id: `r${number}`,
        tier: 'easy',
        model_selected: 'claude-haiku-5-5',
        cost_usd: 0.25,
        baseline_cost_usd: 1,
        simulated: true,
      };
      const whole = { id: 'x', created: 1, model: 'm', fluxcompute };
      if (requests.at(-1)?.stream !== true) {
        return Response.json({ ...whole, choices: [{ index: 0, message, finish_reason: 'stop' }] });
      }
      const chunk = { ...whole, choices: [{ index: 0, delta: message, finish_reason: 'stop' }] };
      return new Response(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`, {
        headers: { 'content-type': 'text/event-stream' },
      });
    },
  });
  return { client, requests };
}

async function replay(trajectory: Trajectory, answering: readonly Message[] = trajectory.messages) {
  const { client, requests } = gatewayOf(answering);
  const steps: (AnsweredStep | FailedStep)[] = [];
  await replayTrajectory(trajectory, {
    client,
    tools: makeTools([trajectory]),
    firstStep: 0,
    onStep: (step) => steps.push(step),
  });
  return { requests, steps };
}

describe('a trajectory is sent as an agent would send it', () => {
  const trajectory: Trajectory = {
    id: 't',
    messages: [
      { role: 'user', content: 'Cancel both.' },
      called(
        { id: 'same', name: 'cancel', arguments: '{"id":1}' },
        { id: 'same', name: 'cancel', arguments: '{"id":2}' },
      ),
      { role: 'tool', tool_call_id: 'same', content: '' },
      { role: 'tool', tool_call_id: 'same', content: 'ok' },
      called({ id: 'same', name: 'cancel', arguments: '{"id":3}' }),
      { role: 'tool', tool_call_id: 'same', content: '' },
      { role: 'assistant', content: 'Done.', tool_calls: [] },
      { role: 'user', content: 'Thanks' },
    ],
  };

  test("with the gateway's own messages, and its ids on results whose recorded ids repeat", async () => {
    const { requests, steps } = await replay(trajectory);
    const last = requests.at(-1)?.messages ?? [];
    expect(last.filter(({ role }) => role === 'tool')).toEqual([
      { role: 'tool', tool_call_id: 'given_1_0', content: '' },
      { role: 'tool', tool_call_id: 'given_1_1', content: 'ok' },
      { role: 'tool', tool_call_id: 'given_2_0', content: '' },
    ]);
    expect(last[1]).toMatchObject({ role: 'assistant', note: 'answer 1' });
    expect(steps).toMatchObject([
      { name: 't step 1', streamed: false, requestId: 'r1', costUsd: 0.25 },
      { name: 't step 2', streamed: true, requestId: 'r2', costUsd: 0.25 },
      { name: 't step 3', streamed: false, requestId: 'r3', costUsd: 0.25 },
    ]);
  });

  test('and stops where the answer is not the recorded one', async () => {
    const other = called({ id: 'a', name: 'cancel', arguments: '{"id":7}' });
    const { steps } = await replay(trajectory, [other]);
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({
      name: 't step 1',
      problem: expect.stringMatching(/not the recorded one.*cancel/),
    });
  });

  test('with a key of its own for each step, and twins one after the other', () => {
    const twin = { ...trajectory, id: 'twin' };
    const other = {
      id: 'o',
      messages: [{ role: 'user' as const, content: 'Hi' }, ...trajectory.messages.slice(6)],
    };
    expect(new Set(scriptOf(trajectory).map((entry) => entry.match.key)).size).toBe(3);
    expect(groupByFirstStep([trajectory, other, twin]).map((group) => group.map(({ id }) => id))).toEqual([
      ['t', 'twin'],
      ['o'],
    ]);
  });
});

test('made-up trajectories are the same for a seed, and every result answers a call before it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
      const made = makeTrajectories(8, seed);
      expect(makeTrajectories(8, seed)).toEqual(made);
      for (const { messages } of made) {
        let open: string[] = [];
        for (const message of messages) {
          if (message.role === 'assistant') open = message.tool_calls.map(({ id }) => id);
          if (message.role === 'tool') expect(open.shift()).toBe(message.tool_call_id);
          if (message.role === 'user') expect(open).toEqual([]);
        }
      }
    }),
    { numRuns: 20 },
  );
  expect(makeTrajectories(1, 1)).not.toEqual(makeTrajectories(1, 2));
  const results = makeTrajectories(40, 1).flatMap(({ messages }) =>
    messages.filter(({ role }) => role === 'tool'),
  );
  expect(results.some(({ content }) => content === '')).toBe(true);
  expect(countSteps(makeTrajectories(40, 1))).toBeGreaterThan(200);
});

describe('the audit', () => {
  // claude-haiku-5-5: 1,000 tokens in at $0.10 a million and 100 out at $0.50.
  const usage = tokenUsage({ fresh: 1000, output: 100 });
  const cost = 0.00015;
  const answer: AnsweredStep = {
    name: 't step 1',
    streamed: false,
    requestId: 'r1',
    tier: 'easy',
    model: 'claude-haiku-5-5',
    costUsd: cost,
    baselineUsd: 0.01,
  };
  const row: Evidence['log'][number] = {
    request_id: 'r1',
    started_at: new Date('2026-11-23T12:00:00Z'),
    state: 'ok',
    model: 'claude-haiku-5-5',
    cost_usd: cost,
    baseline_cost_usd: 0.01,
    tokens_fresh: 1000,
    tokens_write_5m: 0,
    tokens_write_1h: 0,
    tokens_write_30m: 0,
    tokens_write_12h: 0,
    tokens_read: 0,
    tokens_output: 100,
  };
  const call: Evidence['upstream'][number] = {
    status: 200,
    model: 'claude-haiku-5-5',
    error: null,
    usage,
    inputTokens: 1000,
  };
  const good: Evidence = {
    kind: 'anthropic',
    steps: 1,
    answers: [answer],
    upstream: [call],
    log: [row],
    planned: null,
  };

  test('finds nothing where all adds up', () => {
    expect(audit(good)).toEqual([]);
  });

  test.each<[string, Partial<Evidence>, RegExp]>([
    ['a step without an answer', { answers: [] }, /0 answers, but 1 steps/],
    ['an answer without a price', { answers: [{ ...answer, costUsd: null }] }, /without a cost/],
    ['a refusal by the provider', { upstream: [call, { ...call, status: 400, error: 'bad' }] }, /400.*bad/],
    ['a request sent twice', { upstream: [call, call] }, /2 requests at the provider, but 1 steps/],
    ['a step that is not logged', { log: [] }, /t step 1: not in the log/],
    ['a step logged twice', { log: [row, row] }, /logged 2 times/],
    ['a step logged as failed', { log: [{ ...row, state: 'failed' }] }, /logged as failed/],
    ['a log with another cost', { log: [{ ...row, cost_usd: cost * 1.0001 }] }, /the log says/],
    ['a cost far from that of bench:agents', { planned: cost * 1.04 }, /by bench:agents/],
    ['tokens the provider never reported', { log: [{ ...row, tokens_read: 1 }] }, /never reported/],
    [
      'a cost that the tokens do not have',
      { answers: [{ ...answer, costUsd: cost * 1.002 }], log: [{ ...row, cost_usd: cost * 1.002 }] },
      /but its tokens on claude-haiku-5-5 cost/,
    ],
  ])('finds %s', (_name, change, message) => {
    expect(audit({ ...good, ...change }).join('\n')).toMatch(message);
  });
});
