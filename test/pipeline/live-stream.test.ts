import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { usageOf } from '../../src/core/accounting/usage.ts';
import type { AnswerEvent } from '../../src/core/answer.ts';
import { chainOf } from '../../src/core/context/lane-chain.ts';
import { findLane } from '../../src/core/context/lanes.ts';
import type { CallOutcome, EndedStep, Failure, Ports } from '../../src/pipeline/ports.ts';
import { runStep } from '../../src/pipeline/step.ts';
import { answers, collect, portsOf, settingsOf, stepOf, streams } from './in-process.ts';

const settings = settingsOf();
const question = { stream: true, messages: [{ role: 'user', content: 'What is the capital of France?' }] };
const early: AnswerEvent = {
  type: 'start',
  id: 'msg',
  model: 'claude-haiku-5-5',
  usage: usageOf({ fresh: 1_000, output: 1 }),
};
const cut: Failure = {
  kind: 'unreachable',
  status: 0,
  message: 'cut',
  type: null,
  code: 'stream_cut',
  param: null,
  retryAfter: null,
  requestId: null,
  ms: 1,
};

async function open(reply: () => CallOutcome, more: Record<string, unknown> = {}) {
  const { ports, rows, calls } = portsOf(reply, answers());
  const outcome = await runStep(stepOf({ ...question, ...more }, settings), settings, ports);
  if (outcome.kind !== 'stream') throw new Error('no stream');
  return { live: outcome.stream, relay: outcome.relay, rows, calls };
}

const long: AnswerEvent[] = Array.from({ length: 100 }, () => ({
  type: 'text',
  text: 'some forty characters of an answer here ',
}));

describe('a stream that does not reach its end', () => {
  test('cut: its row counts what had been said by then, and says that it is estimated', async () => {
    const { live, rows } = await open(streams([early, ...long], cut).reply);
    await expect(collect(live.frames)).rejects.toMatchObject({ status: 502, code: 'stream_cut' });
    // 4,000 characters are about 1,300 tokens of Claude's newer tokenizer; the early usage had said 1.
    expect(rows).toMatchObject([{ state: 'failed', error_code: 'stream_cut', tokens: { fresh: 1_000 } }]);
    expect(rows[0]?.tokens.output).toBeGreaterThan(900);
    expect(rows[0]?.estimated).toContain('cost');
  });

  test('left by the client: the upstream is let go, and one row says abandoned', async () => {
    const { reply, aborted } = streams([early, ...long]);
    const { live, rows } = await open(reply);
    for (let i = 0; i < 50; i++) await live.frames.next();
    live.abandon();
    live.abandon();
    expect(aborted.count).toBeGreaterThan(0);
    expect(rows).toMatchObject([
      { state: 'abandoned', status: 499, estimated: expect.arrayContaining(['cost']) },
    ]);
    expect(rows[0]?.tokens.output).toBeGreaterThan(400);
  });

  test("an error about the provider's key is told in our words", async () => {
    const error: AnswerEvent = {
      type: 'error',
      status: 401,
      code: 'authentication_error',
      message: 'invalid x-api-key: sk-ant-SECRET',
    };
    const { live, rows } = await open(streams([early, { type: 'text', text: 'Par' }, error]).reply);
    const seen = await collect(live.frames).catch((error) => error);
    expect(seen).toMatchObject({ status: 502, code: 'provider_auth' });
    expect(seen.message).not.toContain('SECRET');
    expect(JSON.stringify(rows)).not.toContain('SECRET');
  });
});

describe('a stream that does', () => {
  const ending = (serviceTier?: string): AnswerEvent[] => [
    { type: 'usage', usage: usageOf({ fresh: 1_000, output: 100 }), ...(serviceTier ? { serviceTier } : {}) },
    { type: 'stop', reason: 'stop' },
    { type: 'end' },
  ];

  test('the last usage counts, and nothing is estimated of the cost', async () => {
    const { live, rows } = await open(streams([early, ...long, ...ending()]).reply);
    await collect(live.frames);
    const { metadata } = live.finish();
    expect(metadata).toMatchObject({ cost_usd: 0.00015, estimated: ['baseline'] });
    expect(rows).toMatchObject([{ state: 'ok', tokens: { output: 100 } }]);
  });

  test.each([
    ['standard', 0.00015],
    ['batch', 0.000075],
    // Capacity bought ahead has a price of its own: unknown, not the list price (T42).
    ['priority', null],
  ])('a tier of service has its price: %s', async (tier, cost) => {
    const { live } = await open(streams([early, ...long, ...ending(tier)]).reply);
    await collect(live.frames);
    expect(live.finish().metadata.cost_usd).toBe(cost);
  });
});

describe('the same wire on both sides', () => {
  const own = settingsOf({ FLUX_TIERS: '{"easy":["gpt-5.2"],"medium":["gpt-5.2"],"hard":["gpt-5.2"]}' });

  test('passes through, unless an answer has to be cut at a stop sequence', async () => {
    const events: AnswerEvent[] = [
      { type: 'start', id: 'c', model: 'gpt-5.2' },
      { type: 'text', text: 'one END two' },
    ];
    for (const [stop, relay] of [
      [null, true],
      ['END', false],
    ] as const) {
      const { ports } = portsOf(streams(events).reply);
      const outcome = await runStep(stepOf({ ...question, stop }, own), own, ports);
      if (outcome.kind !== 'stream') throw new Error('no stream');
      expect(outcome.relay).toBe(relay);
      if (relay) continue;
      const shown = (await collect(outcome.stream.frames)).flat().flatMap((frame) => frame.events);
      expect(shown).toContainEqual({ type: 'text', text: 'one ' });
      expect(shown.at(-1)).toMatchObject({ type: 'stop', stopSequence: 'END' });
    }
  });

  test('shows what the model thinks: only an answer that ends with nothing else is an empty one', async () => {
    const thinking: AnswerEvent[] = [
      { type: 'start', id: 'c', model: 'gpt-5.2' },
      { type: 'progress', thinks: true },
    ];
    const { ports, calls } = portsOf(streams(thinking).reply);
    const outcome = await runStep(stepOf(question, own), own, ports);
    if (outcome.kind !== 'stream') throw new Error('no stream');
    expect(calls.map(({ showsThinking }) => showsThinking)).toEqual([true]);
    expect((await collect(outcome.stream.frames)).flat().flatMap((frame) => frame.events)).toEqual(thinking);

    const empty = streams([...thinking, { type: 'stop', reason: 'stop' }, { type: 'end' }], undefined, 4);
    const further = portsOf(empty.reply, streams([early, { type: 'text', text: 'Paris' }]).reply);
    await runStep(stepOf(question, settings), settings, further.ports);
    expect(further.calls.map(({ showsThinking }) => showsThinking)).toEqual([false, false]);
  });
});

describe('the lane of a stream knows', () => {
  const own = settingsOf({ FLUX_TIERS: '{"easy":["gpt-5.2"],"medium":["gpt-5.2"],"hard":["gpt-5.2"]}' });
  const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
  /** The hash that the session is told, of a stream of these events. */
  async function answeredBy(events: AnswerEvent[], more: Record<string, unknown> = {}) {
    const told: EndedStep[] = [];
    const sessions: Ports['sessions'] = {
      begin: async (_object, _step, asked) => findLane([], asked, () => 'lane'),
      peek: async (_object, asked) => findLane([], asked, () => 'lane'),
      settle: (_object, step) => told.push(step),
      missed: () => {},
      opened: () => {},
    };
    const { ports } = portsOf(streams(events).reply);
    const session = { shown: 's', hash: 'hash' };
    const step = stepOf({ ...question, ...more }, own, { digest, session });
    const outcome = await runStep(step, own, { ...ports, sessions });
    if (outcome.kind !== 'stream') throw new Error('no stream');
    await collect(outcome.stream.frames);
    outcome.stream.finish();
    const messages = step.conversation.messages;
    const after = (text: string) =>
      chainOf([...messages, { role: 'assistant', content: [{ type: 'text', text }] }], digest).at(-1);
    return { answered: told[0]?.lane?.next.answered, after };
  }

  test('what the client was sent, where the answer was cut at a stop sequence', async () => {
    const events: AnswerEvent[] = [
      ...[{ type: 'start' as const, id: 'c', model: 'gpt-5.2' }],
      { type: 'text', text: 'one E' },
      { type: 'text', text: 'ND two' },
      { type: 'text', text: ' three' },
      ...[{ type: 'stop' as const, reason: 'stop' as const }, { type: 'end' as const }],
    ];
    const cut = await answeredBy(events, { stop: 'END' });
    expect(cut.answered).toBe(cut.after('one'));
    const whole = await answeredBy(events);
    expect(whole.answered).toBe(whole.after('one END two three'));
  });

  test('one of megabytes by what its client will send again', async () => {
    const text = 'caf\u0065\u0301 au lait, and more. '.repeat(100_000);
    const pieces = Array.from({ length: 1_000 }, (_, i) => text.slice(i * 2_900, (i + 1) * 2_900));
    const events: AnswerEvent[] = [
      ...[{ type: 'start' as const, id: 'c', model: 'gpt-5.2' }],
      ...pieces.map((piece): AnswerEvent => ({ type: 'text', text: piece })),
      ...[{ type: 'stop' as const, reason: 'stop' as const }, { type: 'end' as const }],
    ];
    const { answered, after } = await answeredBy(events);
    expect(answered).toBe(after(`${pieces.join('').normalize('NFC')}\n`));
  });
});

test('a refused stream is let go before the next tier is asked, and its cost is counted', async () => {
  const refused: AnswerEvent[] = [
    early,
    { type: 'stop', reason: 'refusal' },
    { type: 'usage', usage: usageOf({ fresh: 1_000, output: 100 }) },
  ];
  const { reply, aborted } = streams(refused);
  const { ports, rows } = portsOf(reply, streams([early, { type: 'text', text: 'Paris' }]).reply);
  await runStep(stepOf(question, settings), settings, ports);
  expect(aborted.count).toBe(1);
  expect(rows).toEqual([]);
});
