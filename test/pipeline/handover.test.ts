import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { usageOf } from '../../src/core/accounting/usage.ts';
import { type FoundLane, findLane, keepsLane, type Lane } from '../../src/core/context/lanes.ts';
import type { Conversation, Message } from '../../src/core/conversation.ts';
import { OPENAI_CHAT } from '../../src/core/dialects/openai-chat/dialect.ts';
import type { FluxMetadata } from '../../src/core/metadata.ts';
import { withoutBound } from '../../src/pipeline/handover.ts';
import type { Ports } from '../../src/pipeline/ports.ts';
import { runStep } from '../../src/pipeline/step.ts';
import type { StepRequest } from '../../src/pipeline/step-request.ts';
import { type SentCall, settingsOf, stepOf, textOf } from './in-process.ts';

const START = Date.UTC(2026, 10, 23, 12);
const digest = (text: string) => createHash('sha256').update(text).digest('base64url').slice(0, 22);
const padded = (words: string) => `${words} ${'and all that belongs to it, '.repeat(40)}`;

/** One session's lanes in memory, and a provider whose cache is what it was sent last. */
function session() {
  const lanes = new Map<string, Lane>();
  const calls: SentCall[] = [];
  const last = new Map<string, { text: string; at: number }>();
  let now = START;
  const found = (question: { chain: readonly string[]; at: number }): FoundLane =>
    findLane([...lanes.values()], question, () => `lane-${lanes.size + 1}`);
  const ports: Ports = {
    sessions: {
      begin: async (_object, _step, question) => found(question),
      peek: async (_object, question) => found(question),
      settle: (_object, { lane }) => {
        if (!lane) return;
        const { next, base } = lane;
        if (base === null || keepsLane(lanes.get(next.id), base, next)) lanes.set(next.id, next);
      },
      opened: () => {},
      missed: () => {},
    },
    callProvider: async (call) => {
      const body = textOf(call.body);
      calls.push({ ...call, body });
      const { model, messages } = JSON.parse(body);
      const text = JSON.stringify(messages)
        .replaceAll(/,"cache_control":\{[^}]*\}/g, '')
        .slice(0, -1);
      const before = last.get(model);
      const isWarm = before && now - before.at < 300_000 && text.startsWith(before.text);
      last.set(model, { text, at: now });
      const [all, read] = [Math.round(text.length / 4), isWarm ? Math.round(before.text.length / 4) : 0];
      return {
        kind: 'answer',
        answer: {
          ...{ id: 'msg', model, stop: 'stop', blocks: [{ type: 'text', text: 'Fine.' }] },
          usage: usageOf({ read, write_5m: all - read, output: 5 }),
        },
        ...{ raw: '{}', failures: [], simulated: false, ms: 5 },
      };
    },
    ...{ thoughts: null, beginLater: () => {}, logStep: () => {}, budget: null, left: null },
    clock: { now: () => now, cpu: () => null },
  };
  return {
    ...{ lanes, calls, ports },
    wait: (seconds: number) => {
      now += seconds * 1_000;
    },
    now: () => now,
  };
}

const settings = settingsOf();

describe('a conversation over a day', () => {
  const at = session();
  const messages: { role: string; content: string }[] = [{ role: 'system', content: padded('An agent.') }];
  const step = async (ask: string, model = 'auto:easy'): Promise<FluxMetadata> => {
    messages.push({ role: 'user', content: ask });
    const outcome = await runStep(
      stepOf(
        { model, messages },
        settings,
        { startedAt: at.now(), digest, session: { shown: 's', hash: 'hash' } },
        OPENAI_CHAT,
      ),
      settings,
      at.ports,
    );
    if (outcome.kind !== 'answer') throw new Error('it does not stream');
    messages.push({ role: 'assistant', content: 'Fine.' });
    at.wait(10);
    return outcome.metadata;
  };
  let before: number | null = null;
  const lane = () => [...at.lanes.values()][0];

  test('goes whole as long as it is warm', async () => {
    for (let n = 0; n < 24; n += 1) {
      const told = await step(padded(`Ask ${n}.`));
      expect(told).toMatchObject({ context_compression: 0, model_attempted: 'claude-haiku-5-5' });
      if (n > 1) expect(told.cache.cache_hit).toBe(true);
      before = told.baseline_cost_usd;
    }
  });

  test('resumed after the cache has expired it is handed over in part; the lane is that of the whole', async () => {
    const { id, marks } = lane() ?? {};
    at.wait(3_600);
    const told = await step(padded('Ask 24.'));
    expect(told.context_compression).toBeGreaterThan(0.5);
    expect(told.cache.cache_hit).toBe(false);
    expect(at.lanes.size).toBe(1);
    expect(lane()).toMatchObject({ id, steps: 25, marks });
    // The baseline is the top on all of it, as it was before.
    expect((told.baseline_cost_usd ?? 0) / (before ?? 1)).toBeGreaterThan(0.8);
    expect((told.baseline_cost_usd ?? 0) / (before ?? 1)).toBeLessThan(1.2);
  });

  test('and its next steps read what that one wrote, as long as the cut stays', async () => {
    const told = await step(padded('Ask 25.'));
    expect(told.context?.left_out_messages).toBe(41);
    expect(told.cache.cache_read_tokens).toBeGreaterThan(0.5 * told.cache.cache_write_tokens);
    const all = JSON.parse(at.calls.at(-1)?.body ?? '').messages;
    expect(all).toHaveLength(52 - 1 - 41 + 1);
  });

  test('a hard step gets all of it', async () => {
    const hard = await step('Prove it.', 'auto:hard');
    expect(hard).toMatchObject({ context_compression: 0, tier: 'hard' });
    expect(JSON.parse(at.calls.at(-1)?.body ?? '').messages).toHaveLength(messages.length - 2);
  });

  test('once a step went wrong the next gets all of it: what was left out may have been why', async () => {
    at.wait(3_600);
    expect((await step(padded('Ask 27.'))).context?.left_out_messages).toBeGreaterThan(0);
    const told = await step("No, that's wrong.");
    expect(told).toMatchObject({ failure_signals: ['rejected'], context_compression: 0 });
  });

  test('nothing is left out where the mode only observes, a model was named, or nobody knows what is warm', async () => {
    at.wait(86_400);
    const quiet = { ...settings, handover: 'off' as const };
    const asked = (model: string, of: typeof settings, more: Partial<StepRequest>) =>
      runStep(
        stepOf({ model, messages: [...messages, { role: 'user', content: 'And?' }] }, of, {
          startedAt: at.now(),
          digest,
          session: { shown: 's', hash: 'hash' },
          ...more,
        }),
        of,
        at.ports,
      );
    const cut = await asked('auto:easy', settings, {});
    expect(cut.kind === 'answer' && cut.metadata.context_compression).toBeGreaterThan(0.5);
    at.wait(86_400);
    for (const outcome of [
      await asked('auto:easy', quiet, {}),
      await asked('claude-haiku-5-5', settings, {}),
      await asked('auto:easy', { ...settings, mode: 'observe' }, {}),
      await asked('auto:easy', settings, { digest: null, session: { shown: 's', hash: null } }),
    ]) {
      expect(outcome.kind === 'answer' && outcome.metadata.context_compression).toBe(0);
    }
  });
});

describe('with summaries', () => {
  const wants = {
    ...settings,
    handover: 'summary' as const,
    timeouts: { ...settings.timeouts, session: 30 },
  };
  const messages = [
    { role: 'system', content: padded('An agent.') },
    ...Array.from({ length: 80 }, (_, n) => [
      { role: 'user', content: padded(`Ask ${n}.`) },
      { role: 'assistant', content: padded(`Answer ${n}.`) },
    ]).flat(),
    { role: 'user', content: 'And now?' },
  ];
  const ask = async (summaries: Ports['summaries'], left: AbortSignal | null = null) => {
    const at = session();
    const request = stepOf({ model: 'auto:easy', messages }, wants, {
      ...{ startedAt: at.now(), digest, session: { shown: 's', hash: 'hash' } },
    });
    const ports = { ...at.ports, left, ...(summaries ? { summaries } : {}) };
    const outcome = await runStep(request, wants, ports);
    if (outcome.kind !== 'answer') throw new Error('it does not stream');
    return { metadata: outcome.metadata, calls: at.calls, lane: [...at.lanes.values()][0] };
  };

  test('one that is kept is used, and its cut has a cache of its own', async () => {
    const { metadata, calls, lane } = await ask({ read: async () => ({ text: 'KEPT' }), keep: () => {} });
    expect(metadata.context?.summary).toBe(true);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.body).toContain('KEPT');
    const [prefix] = lane?.prefixes['anthropic/claude-haiku-5-5'] ?? [];
    expect(prefix?.parts.left_out).toMatch(/^2-\d+ summary$/);
  });

  test('one that is made is kept, and paid by the step', async () => {
    const kept: string[] = [];
    const { metadata, calls } = await ask({
      read: async () => ({ text: null }),
      keep: (_, text) => kept.push(text),
    });
    expect(kept).toEqual(['Fine.']);
    expect(calls).toHaveLength(2);
    expect(metadata.context?.summary).toBe(true);
    expect(metadata.escalations).toEqual([]);
  });

  test('a store that is slow or gone, or none at all, leaves the cut without one', async () => {
    const never = { read: () => new Promise<never>(() => {}), keep: () => {} };
    const down = { read: () => Promise.reject(new Error('down')), keep: () => {} };
    for (const summaries of [never, down, undefined]) {
      const { metadata, calls, lane } = await ask(summaries);
      expect(calls).toHaveLength(1);
      expect(metadata.context).toMatchObject({ summary: false });
      expect(lane?.prefixes['anthropic/claude-haiku-5-5']?.[0]?.parts.left_out).toMatch(/^2-\d+$/);
    }
  });
});

test('traps T16, T17: of a turn that was answered behind a cut all that was thought is left out, of others nothing', () => {
  const thought = { type: 'thinking' as const, wire: 'anthropic-messages' as const, raw: {} };
  const said = { type: 'text' as const, text: 'Fine.' };
  const user: Message = { role: 'user', content: [said] };
  const answer: Message = { role: 'assistant', content: [thought, said] };
  const messages = [
    { ...user, role: 'system' as const, content: [said] },
    ...Array(4).fill([user, answer, answer]).flat(),
  ];
  const conversation: Conversation = {
    messages,
    ...{ tools: [], sampling: {}, reasoning: {}, hints: {} },
    output: { stop: [], n: 1, logprobs: false },
  };
  const thinks = (of: Conversation) =>
    of.messages.slice(1).map(({ content }) => content.some(({ type }) => type === 'thinking'));
  // The requests of the second and of the fifth answer were cut: 4 and 8 messages long.
  const left = thinks(withoutBound(conversation, { first: 4, last: 7 }));
  expect(left).toEqual([
    ...[false, true, true],
    ...[false, false, false],
    ...[false, false, false],
    ...[false, true, true],
  ]);
  expect(withoutBound(conversation, { first: 20, last: 20 })).toBe(conversation);
});
