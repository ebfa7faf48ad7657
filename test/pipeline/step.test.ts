import { describe, expect, test } from 'vitest';
import { findLane } from '../../src/core/context/lanes.ts';
import { FluxError } from '../../src/core/errors.ts';
import type { StepOutcome } from '../../src/pipeline/delivery.ts';
import type { Sessions } from '../../src/pipeline/ports.ts';
import { abandonedRecord, queuedRecord, stepRecord } from '../../src/pipeline/record.ts';
import { runStep } from '../../src/pipeline/step.ts';
import { answers, fails, portsOf, settingsOf, stepOf } from './in-process.ts';

const settings = settingsOf();
const question = { messages: [{ role: 'user', content: 'What is the capital of France?' }] };
const weather = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

function answerOf(outcome: StepOutcome) {
  if (outcome.kind !== 'answer') throw new Error('a stream');
  return outcome;
}

describe('a step in plain Node', () => {
  test('an easy question goes to the easy tier and is priced against the top', async () => {
    const { ports, calls, rows } = portsOf(answers());
    const { metadata } = answerOf(await runStep(stepOf(question, settings), settings, ports));
    expect(calls.map((call) => call.model.id)).toEqual(['claude-haiku-5-5']);
    // 1,000 in at $0.10, 100 out at $0.50 a million.
    expect(metadata).toMatchObject({
      difficulty_label: 'easy',
      floor: 'easy',
      tier: 'easy',
      reason: 'floor',
      provider: 'anthropic',
      model_selected: 'claude-haiku-5-5',
      model_attempted: 'claude-haiku-5-5',
      baseline_model: 'claude-opus-5-5',
      cost_usd: 0.00015,
      classification_ms: null,
      session_id: 'fc_0123456789ab',
      basis: 'prior',
      simulated: false,
      cache: { cache_write_tokens: 0, cache_read_tokens: 0, cache_hit: false },
    });
    expect(metadata.baseline_cost_usd).toBeGreaterThan(0.005);
    expect(metadata.savings_usd).toBeCloseTo((metadata.baseline_cost_usd ?? 0) - 0.00015, 12);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      request_id: 'req-1',
      customer: 'acme',
      state: 'ok',
      status: 200,
      cost_usd: 0.00015,
      model: 'claude-haiku-5-5',
      tokens: { fresh: 1_000, output: 100, read: 0 },
      attempts: [{ model: 'claude-haiku-5-5', status: 200, why: null }],
    });
  });

  test('what the step asked and what it was answered is in no row', async () => {
    const { ports, rows } = portsOf(answers({ blocks: [{ type: 'text', text: 'CANARY-ANSWER' }] }));
    await runStep(
      stepOf({ messages: [{ role: 'user', content: 'CANARY-QUESTION' }] }, settings),
      settings,
      ports,
    );
    expect(JSON.stringify(rows)).not.toContain('CANARY');
  });

  test.each([
    ['rate_limited', 429],
    ['overloaded', 529],
    ['server_error', 500],
    ['timeout', 0],
    ['unreachable', 0],
    ['model_unavailable', 404],
  ] as const)('a provider that is %s is left for the next tier', async (kind, status) => {
    const { ports, calls, rows } = portsOf(fails(kind, status), answers());
    const { metadata } = answerOf(await runStep(stepOf(question, settings), settings, ports));
    expect(calls.map((call) => call.model.id)).toEqual(['claude-haiku-5-5', 'claude-sonnet-5-5']);
    expect(metadata).toMatchObject({
      model_attempted: 'claude-haiku-5-5',
      model_selected: 'claude-sonnet-5-5',
      tier: 'medium',
      reason: 'escalated',
      escalations: [{ from: 'claude-haiku-5-5', to: 'claude-sonnet-5-5', why: kind, status }],
      // What nobody waited for any longer may have been billed: its input is counted, and marked.
      estimated: kind === 'timeout' ? ['cost', 'baseline'] : ['baseline'],
    });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      escalations: 1,
      attempts: [
        { why: kind, status },
        { why: null, status: 200 },
      ],
    });
  });

  test.each([
    ['refusal', { stop: 'refusal' as const, blocks: [] }],
    ['empty_answer', { blocks: [] }],
    [
      'invalid_answer',
      {
        stop: 'tool_calls' as const,
        blocks: [{ type: 'tool_call' as const, id: 'a', name: 'weather', arguments: '{"town":1}' }],
      },
    ],
  ])('an answer that is a %s goes up a tier, and its cost is counted', async (why, part) => {
    const { ports, calls } = portsOf(answers(part), answers());
    const body = { ...question, tools: [weather] };
    const { metadata } = answerOf(await runStep(stepOf(body, settings), settings, ports));
    expect(calls).toHaveLength(2);
    // Haiku: 0.00015. Sonnet 5.5: 1,000 in at $2, 100 out at $10 a million.
    expect(metadata.cost_usd).toBeCloseTo(0.00015 + 0.003, 12);
    expect(metadata.escalations).toMatchObject([{ why, status: 200, cost_usd: 0.00015 }]);
  });

  test("a step whose next model can't be sent the request ends as a row", async () => {
    const both = settingsOf({
      FLUX_TIERS: '{"easy":["gpt-6-luna"],"medium":["claude-sonnet-5-5"],"hard":["claude-opus-5-5"]}',
    });
    const marked = { type: 'text', text: 'What is this?', cache_control: { type: 'ephemeral' } };
    const body = { messages: [{ role: 'user', content: Array(5).fill(marked) }], model: 'auto:easy' };
    const { ports, rows } = portsOf(fails('overloaded', 503));
    const error = await runStep(stepOf(body, both), both, ports).catch((error) => error);
    expect(error).toMatchObject({ status: 400, code: 'too_many_cache_markers' });
    expect(rows).toMatchObject([{ state: 'failed', status: 400, attempts: [{ why: 'overloaded' }] }]);
  });

  test("a step that its first model can't be sent never was one: it is not begun, and there is no row", async () => {
    const marked = { type: 'text', text: 'What is this?', cache_control: { type: 'ephemeral' } };
    const body = { messages: [{ role: 'user', content: Array(5).fill(marked) }] };
    const { ports, calls, rows, begun } = portsOf(answers());
    const error = await runStep(stepOf(body, settings), settings, ports).catch((error) => error);
    expect(error).toMatchObject({ status: 400, code: 'too_many_cache_markers' });
    expect({ calls, rows, begun }).toEqual({ calls: [], rows: [], begun: [] });
  });

  test('nor does its session know of it any more', async () => {
    const marked = { type: 'text', text: 'What is this?', cache_control: { type: 'ephemeral' } };
    const body = { messages: [{ role: 'user', content: Array(5).fill(marked) }] };
    const { ports } = portsOf(answers());
    const told: unknown[] = [];
    const sessions: Sessions = {
      begin: async (_object, { requestId }, question) => {
        told.push(requestId);
        return findLane([], question, () => 'l1');
      },
      peek: () => Promise.reject(new Error('nobody peeks')),
      opened: () => {},
      settle: (_object, ended) => void told.push(ended),
      missed: () => {},
    };
    const named = { session: { shown: 's', hash: 'h' }, digest: (text: string) => `${text.length}` };
    const step = runStep(stepOf(body, settings, named), settings, { ...ports, sessions });
    await expect(step).rejects.toMatchObject({ code: 'too_many_cache_markers' });
    expect(told).toEqual(['req-1', { requestId: 'req-1', costUsd: 0, lane: null }]);
  });

  test('what is kept of a step that was sent is less than its row, and becomes one at its estimated cost', async () => {
    const { ports, rows, begun } = portsOf(answers());
    await runStep(stepOf(question, settings, { tags: { team: 'search' } }), settings, ports);
    const [kept] = begun;
    if (!kept) throw new Error('nothing was kept');
    expect(JSON.stringify(kept).length).toBeLessThan(0.7 * JSON.stringify(rows[0]).length);
    expect(queuedRecord.parse(JSON.parse(JSON.stringify(kept)))).toEqual(kept);
    const row = abandonedRecord(kept);
    expect(stepRecord.parse(row)).toEqual(row);
    expect(row).toMatchObject({
      ...{ request_id: 'req-1', customer: 'acme', tags: { team: 'search' }, requested_model: 'auto' },
      ...{ state: 'abandoned', status: 499, error_code: 'unsettled', model: null, estimated: ['cost'] },
    });
    expect(row.cost_usd).toBeGreaterThan(0);
  });

  test('an end user reaches the other provider as a hash only', async () => {
    const { ports, calls } = portsOf(answers());
    await runStep(
      stepOf({ ...question, user: 'ada@example.com' }, settings, { userHash: 'h4sh' }),
      settings,
      ports,
    );
    expect(calls[0]?.body).toContain('"user_id":"h4sh"');
    expect(calls[0]?.body).not.toContain('ada@');
  });

  test('what the top model says is the answer, even a refusal', async () => {
    const refusal = { stop: 'refusal' as const, blocks: [{ type: 'refusal' as const, text: 'No.' }] };
    const { ports, calls } = portsOf(answers(refusal), answers(refusal), answers(refusal));
    const { answer, metadata } = answerOf(await runStep(stepOf(question, settings), settings, ports));
    expect(calls).toHaveLength(3);
    expect(answer.stop).toBe('refusal');
    expect(metadata.model_selected).toBe('claude-opus-5-5');
  });

  test('a pinned model is never exchanged, and is its own baseline', async () => {
    const { ports } = portsOf(answers({ blocks: [] }));
    const { metadata } = answerOf(
      await runStep(stepOf({ ...question, model: 'claude-haiku-5-5' }, settings), settings, ports),
    );
    expect(metadata).toMatchObject({
      reason: 'pinned',
      model_selected: 'claude-haiku-5-5',
      baseline_model: 'claude-haiku-5-5',
      savings_usd: 0,
    });
    const failing = portsOf(fails('overloaded', 529));
    await expect(
      runStep(stepOf({ ...question, model: 'claude-haiku-5-5' }, settings), settings, failing.ports),
    ).rejects.toMatchObject({ status: 529 });
    expect(failing.calls).toHaveLength(1);
  });

  test('a request the provider rejects is not sent anywhere else', async () => {
    const { ports, calls, rows } = portsOf(
      fails('rejected', 400, {
        message: 'tools.0: too odd',
        type: 'invalid_request_error',
        requestId: 'req_9',
      }),
    );
    const error = await runStep(stepOf(question, settings), settings, ports).catch((error) => error);
    expect(error).toBeInstanceOf(FluxError);
    expect(error).toMatchObject({
      status: 400,
      message: 'tools.0: too odd',
      provider: { requestId: 'req_9' },
    });
    expect(calls).toHaveLength(1);
    expect(rows).toMatchObject([
      { state: 'failed', status: 400, error_code: 'invalid_request_error', cost_usd: 0, model: null },
    ]);
    expect(JSON.stringify(rows)).not.toContain('too odd');
  });

  test.each([
    ['auth', 401, null, 502, 'provider_auth', 'ANTHROPIC_API_KEY'],
    ['auth', 0, 'missing_key', 502, 'provider_auth', 'ANTHROPIC_API_KEY'],
    ['quota', 402, null, 503, 'provider_quota', 'credit'],
    ['timeout', 0, null, 504, 'provider_timeout', 'in time'],
    ['unreachable', 0, null, 502, 'provider_unreachable', 'base URL'],
  ] as const)('%s (%i, %s) is told in our words', async (kind, status, type, seen, code, word) => {
    const fail = fails(kind, status, { message: 'your key sk-ant-secret', code: type });
    const { ports } = portsOf(fail, fail, fail);
    const error: FluxError = await runStep(stepOf(question, settings), settings, ports).catch(
      (error) => error,
    );
    expect(error).toMatchObject({ status: seen, code });
    expect(error.message).toContain(word);
    expect(error.message).not.toContain('sk-ant');
  });

  test('with two providers, a refused key sends the step to the other one', async () => {
    const both = settingsOf({
      FLUX_TIERS:
        '{"easy":["claude-haiku-5-5","gpt-6-luna"],"medium":["claude-sonnet-5-5"],"hard":["claude-opus-5-5"]}',
    });
    const { ports, calls } = portsOf(fails('auth', 401), answers());
    await runStep(stepOf(question, both), both, ports);
    expect(calls.map((call) => call.provider.id)).toEqual(['anthropic', 'openai']);
  });

  test('a field only Chat Completions knows needs a model behind it', async () => {
    const error = await runStep(
      stepOf({ ...question, prediction: { type: 'content', content: 'x' } }, settings),
      settings,
      portsOf().ports,
    ).catch((error) => error);
    expect(error).toMatchObject({ status: 400, param: 'prediction' });
  });

  test('an unknown field is reported as dropped where the wire differs', async () => {
    const { ports } = portsOf(answers());
    const { metadata } = answerOf(
      await runStep(stepOf({ ...question, brand_new: 1 }, settings), settings, ports),
    );
    expect(metadata.adapted).toContainEqual({ field: 'brand_new', action: 'dropped' });
  });

  test('stop sequences a model takes none of are cut here', async () => {
    const gpt = settingsOf({
      FLUX_TIERS: '{"easy":["gpt-6-luna"],"medium":["gpt-6.1-terra"],"hard":["gpt-6.2-sol"]}',
    });
    const { ports } = portsOf(answers({ blocks: [{ type: 'text', text: 'one END two' }] }));
    const { answer, metadata } = answerOf(
      await runStep(stepOf({ ...question, stop: 'END' }, gpt), gpt, ports),
    );
    expect(answer).toMatchObject({ blocks: [{ text: 'one ' }], stop: 'stop', stopSequence: 'END' });
    expect(metadata.adapted).toContainEqual({ field: 'stop', action: 'translated' });
  });

  test('observe and certified serve every step by the top', async () => {
    for (const mode of ['observe', 'certified'] as const) {
      const { ports, calls } = portsOf(answers());
      const { metadata } = answerOf(await runStep(stepOf(question, settings), { ...settings, mode }, ports));
      expect(calls[0]?.model.id).toBe('claude-opus-5-5');
      expect(metadata.reason).toBe('observe');
    }
  });

  test('a floor, a cap and housekeeping say so', async () => {
    const run = async (body: Record<string, unknown>, more = {}) => {
      const { ports } = portsOf(answers());
      const { metadata } = answerOf(
        await runStep(stepOf({ ...question, ...body }, settings, more), settings, ports),
      );
      return [metadata.model_selected, metadata.reason];
    };
    expect(await run({ model: 'auto:hard' })).toEqual(['claude-opus-5-5', 'forced_tier']);
    expect(await run({ model: 'auto:hard' }, { maxTier: 'medium' })).toEqual(['claude-sonnet-5-5', 'capped']);
    expect(await run({ max_tokens: 1, messages: [{ role: 'user', content: 'Prove Fermat.' }] })).toEqual([
      'claude-haiku-5-5',
      'housekeeping',
    ]);
  });

  test('traps T44: a step under its own cap is no saving', async () => {
    const { ports, rows } = portsOf(answers());
    const step = stepOf({ ...question, model: 'auto:hard' }, settings, { maxTier: 'easy' });
    const { metadata } = answerOf(await runStep(step, settings, ports));
    expect(metadata).toMatchObject({ reason: 'capped', model_selected: 'claude-haiku-5-5' });
    expect(metadata.cost_usd).toBeGreaterThan(0);
    const none = { baseline_cost_usd: null };
    expect(metadata).toMatchObject({ ...none, savings_usd: null, savings_pct: null });
    expect(rows).toMatchObject([{ reason: 'capped', ...none }]);
  });

  test('traps T67: a forced tool goes to a model that takes one', async () => {
    const { ports, calls } = portsOf(
      answers({
        stop: 'tool_calls',
        blocks: [{ type: 'tool_call', id: 'a', name: 'weather', arguments: '{"city":"Paris"}' }],
      }),
    );
    const body = { ...question, model: 'auto:medium', tools: [weather], tool_choice: 'required' };
    const anthropic = settingsOf({
      FLUX_TIERS:
        '{"easy":["claude-haiku-5-5"],"medium":["claude-sonnet-5-5","claude-opus-5"],"hard":["claude-opus-5-5"]}',
    });
    const { metadata } = answerOf(await runStep(stepOf(body, anthropic), anthropic, ports));
    expect(calls[0]?.model.id).toBe('claude-opus-5');
    expect(metadata.reason).toBe('capability');
  });

  test('traps T67: where no model takes a forced tool, the tool alone is offered, and it says so', async () => {
    const said = answers({ blocks: [{ type: 'text', text: 'I would rather not.' }] });
    const called = answers({
      stop: 'tool_calls',
      blocks: [{ type: 'tool_call', id: 'a', name: 'weather', arguments: '{"city":"Paris"}' }],
    });
    const { ports, calls } = portsOf(said, called);
    const other = { type: 'function', function: { name: 'other' } };
    const choice = { type: 'function', function: { name: 'weather' } };
    const body = { ...question, model: 'auto:medium', tools: [weather, other], tool_choice: choice };
    const { metadata } = answerOf(await runStep(stepOf(body, settings), settings, ports));
    const sent = JSON.parse(calls[0]?.body ?? '');
    expect(sent.tools.map((tool: { name: string }) => tool.name)).toEqual(['weather']);
    expect(sent.tool_choice?.type ?? 'auto').toBe('auto');
    // An answer without the call is not the one that was asked for.
    expect(metadata.escalations).toMatchObject([{ why: 'invalid_answer', to: 'claude-opus-5-5' }]);
    expect(metadata.adapted).toContainEqual({
      field: 'tool_choice',
      action: 'translated',
      from: 'function',
      to: 'auto',
    });
  });

  test('traps T71: a model past its retirement date is passed over on the day', async () => {
    const late = settingsOf({
      FLUX_TIERS:
        '{"easy":["claude-haiku-5-5"],"medium":["claude-sonnet-4-5","claude-sonnet-5-5"],"hard":["claude-opus-5-5"]}',
    });
    const serve = async (day: number) => {
      const { ports } = portsOf(answers());
      const request = stepOf({ ...question, model: 'auto:medium' }, late, {
        startedAt: Date.UTC(2026, 10, day),
      });
      return answerOf(await runStep(request, late, ports)).metadata;
    };
    expect(await serve(29)).toMatchObject({ model_selected: 'claude-sonnet-4-5', reason: 'forced_tier' });
    expect(await serve(30)).toMatchObject({ model_selected: 'claude-sonnet-5-5', reason: 'health' });
  });
});
