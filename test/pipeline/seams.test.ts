import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { measureInput, tokensOn } from '../../src/core/accounting/estimate.ts';
import { usageOf } from '../../src/core/accounting/usage.ts';
import { findLane, type Lane, type LaneQuestion, openLane } from '../../src/core/context/lanes.ts';
import type { KeptThought } from '../../src/core/context/thoughts.ts';
import type { AssistantBlock, ThinkingBlock } from '../../src/core/conversation.ts';
import { ANTHROPIC_MESSAGES } from '../../src/core/dialects/anthropic-messages/dialect.ts';
import { findModel } from '../../src/core/routing/catalog.ts';
import { admitBudget } from '../../src/pipeline/budget.ts';
import type { Ports, Sessions } from '../../src/pipeline/ports.ts';
import { runStep } from '../../src/pipeline/step.ts';
import { sessionsIn } from '../../src/sessions/session-port.ts';
import { answers, collect, fails, portsOf, settingsOf, stepOf, streams } from './in-process.ts';

const settings = settingsOf();
const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
const named = { digest, session: { shown: 's', hash: 'h' } };
const thinking = (text: string) => ({ type: 'thinking', thinking: text, signature: text });
const thought = (text: string): ThinkingBlock => ({
  ...{ type: 'thinking', wire: 'anthropic-messages', raw: thinking(text) },
});

/** Sessions in which every conversation opens a lane, unless a test says otherwise. */
function sessionsOf(own: Partial<Sessions> = {}): Sessions {
  const find = async (_object: string, question: LaneQuestion) => findLane([], question, () => 'lane');
  return {
    begin: (object, _step, question) => find(object, question),
    peek: find,
    opened: () => {},
    settle: () => {},
    missed: () => {},
    ...own,
  };
}

const ASKED = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello.' },
  { role: 'user', content: 'And what of order 7?' },
];

describe('a step whose session', () => {
  test('has no binding is begun as one without, so that a Worker that dies leaves its row (T31)', async () => {
    const { ports, begun } = portsOf(answers());
    await runStep(stepOf({ messages: ASKED }, settings, { digest }), settings, ports);
    expect(begun).toHaveLength(1);
  });

  test('is slow, and which is refused meanwhile, is forgotten by it all the same', async () => {
    const told: unknown[] = [];
    const sessions = sessionsOf({
      begin: async (_object, _step, question) => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        return findLane([], question, () => 'lane');
      },
      settle: (_object, ended) => void told.push(ended),
    });
    const budget: Ports['budget'] = {
      count: 1,
      reserve: () => Promise.reject(new Error('429')),
      settle: () => {},
    };
    const hasty = { ...settings, timeouts: { ...settings.timeouts, session: 20 } };
    const { ports } = portsOf();
    const step = runStep(stepOf({ messages: ASKED }, settings, { digest }), hasty, {
      ...{ ...ports, sessions, budget },
    });
    await expect(step).rejects.toThrow('429');
    expect(told).toEqual([{ requestId: 'req-1', costUsd: 0, lane: null }]);
    // And one that is served is told what it cost.
    const served = portsOf(answers());
    await runStep(stepOf({ messages: ASKED }, settings, { digest }), hasty, { ...served.ports, sessions });
    expect(told.slice(1)).toEqual([{ requestId: 'req-1', costUsd: served.rows[0]?.cost_usd, lane: null }]);
  });

  test('was opened by a first step finds that again after a step that was refused', async () => {
    const seen: (string | null)[] = [];
    const object = {
      begin: async (_step: unknown, _question: unknown, opened: Lane | null) =>
        void seen.push(opened?.id ?? null),
      settle: async () => {},
    };
    // Of the namespace `getByName` alone is called.
    const sessions = sessionsIn(
      { getByName: () => object } as never,
      () => {},
      () => {},
    );
    const step = { requestId: 'r2', dueAt: 1 } as never;
    const question = { chain: [], at: 1 };
    sessions.opened('seams', openLane('first', 1));
    await sessions.begin('seams', step, question);
    sessions.settle('seams', { requestId: 'r2', costUsd: 0, lane: null });
    await sessions.begin('seams', step, question);
    expect(seen).toEqual(['first', 'first']);
  });
});

describe('traps T16: what was thought', () => {
  const usage = usageOf({ write_5m: 900, output: 10 });

  test.each([false, true])('for a first step is known by its lane (stream: %s)', async (stream) => {
    const lanes: Lane[] = [];
    const sessions = sessionsOf({ opened: (_object, lane) => void lanes.push(lane) });
    const said: AssistantBlock[] = [thought('T'), { type: 'text', text: 'Paris.' }];
    const reply = stream
      ? streams([
          { type: 'start', id: 'm', model: 'claude-opus-5-5', usage },
          { type: 'block', block: thought('T') },
          { type: 'text', text: 'Paris.' },
          { type: 'stop', reason: 'stop' },
          { type: 'usage', usage },
          { type: 'end' },
        ]).reply
      : answers({ blocks: said, usage });
    const { ports } = portsOf(reply);
    const body = {
      ...{ model: 'claude-opus-5-5', max_tokens: 100, stream },
      messages: [{ role: 'user', content: 'Capital of France?' }],
    };
    const outcome = await runStep(stepOf(body, settings, { digest }, ANTHROPIC_MESSAGES), settings, {
      ...{ ...ports, sessions },
    });
    if (outcome.kind === 'stream') {
      await collect(outcome.stream.frames);
      outcome.stream.finish();
    }
    expect(lanes[0]?.thinkers).toEqual([{ by: 'anthropic/claude-opus-5-5', at: [lanes[0]?.answered] }]);
  });

  test('behind a cut stays out of an edited history, and out of a second try where nobody can tell', async () => {
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: [thinking('CUT'), { type: 'text', text: 'b' }] },
      { role: 'user', content: 'c, edited' },
    ];
    const body = { model: 'claude-opus-5-5', max_tokens: 9, messages };
    const asked = () => stepOf(body, settings, named, ANTHROPIC_MESSAGES);
    const cut = (question: LaneQuestion): Lane => ({
      ...openLane('old', 0),
      ...{ sent: 'x', answered: 'y', bound: { first: 1, last: 1 } },
      marks: [{ hash: question.chain[0] ?? '', blocks: 1, tokens: {} }],
    });
    const edited = portsOf(answers());
    await runStep(asked(), settings, {
      ...edited.ports,
      sessions: sessionsOf({
        begin: async (_object, _step, question) => findLane([cut(question)], question, () => 'new'),
      }),
    });
    expect(edited.calls.map(({ body: sent }) => sent.includes('CUT'))).toEqual([false]);

    const missed = portsOf(fails('rejected', 400), answers());
    await runStep(asked(), settings, {
      ...missed.ports,
      sessions: sessionsOf({ begin: () => Promise.reject(new Error('gone')) }),
    });
    expect(missed.calls.map(({ body: sent }) => sent.includes('CUT'))).toEqual([true, false]);
  });

  test('and was refused once is not sent again', async () => {
    const kept = new Map<string, KeptThought>();
    const thoughts: Ports['thoughts'] = {
      read: async (_owner, hashes) =>
        new Map(
          hashes.flatMap((hash) => {
            const one = kept.get(hash);
            return one ? [[hash, one] as const] : [];
          }),
        ),
      keep: (_owner, some) => {
        for (const [hash, one] of some) kept.set(hash, one);
      },
      missed: () => {},
    };
    const calls = (n: number) => [
      { type: 'function', id: `c${n}`, function: { name: 'look', arguments: '{}' } },
    ];
    const reply = (n: number) =>
      answers({
        blocks: [thought(`t${n}`), { type: 'tool_call', id: `c${n}`, name: 'look', arguments: '{}' }],
        stop: 'tool_calls',
      });
    const messages: object[] = [{ role: 'user', content: 'What of order 7?' }];
    const sent: number[][] = [];
    for (const [index, replies] of [[reply(0)], [fails('rejected', 400), reply(1)], [reply(2)]].entries()) {
      const { ports, calls: made } = portsOf(...replies);
      const tools = [{ type: 'function', function: { name: 'look' } }];
      const body = { model: 'claude-opus-5-5', messages, tools };
      await runStep(stepOf(body, settings, named), settings, { ...ports, sessions: sessionsOf(), thoughts });
      sent.push(made.map(({ body: text }) => text.split('"signature"').length - 1));
      messages.push(
        { role: 'assistant', content: null, tool_calls: calls(index) },
        { role: 'tool', tool_call_id: `c${index}`, content: 'ok' },
      );
    }
    expect(sent).toEqual([[0], [1, 0], [0]]);
  });
});

describe('traps T44: the share that a cut leaves out', () => {
  /** A long conversation whose latest turns show images. */
  const messages = [
    ...Array.from({ length: 24 }, (_, turn) => [
      {
        role: 'user',
        content: [
          { type: 'text', text: `question ${turn} `.repeat(60) },
          ...(turn < 20
            ? []
            : Array.from({ length: 4 }, () => ({
                type: 'image_url',
                image_url: { url: 'https://x.test/i.png' },
              }))),
        ],
      },
      { role: 'assistant', content: 'answer words '.repeat(160) },
    ]).flat(),
    { role: 'user', content: 'What is the capital of France?' },
  ];

  test('is of all that the model would have been handed, images too', async () => {
    const body = { model: 'auto', max_tokens: 50, messages };
    const request = stepOf(body, settings, named);
    const { ports } = portsOf(answers());
    const outcome = await runStep(request, settings, { ...ports, sessions: sessionsOf() });
    if (outcome.kind !== 'answer') throw new Error('no answer');
    const { context, context_compression: share, model_selected } = outcome.metadata;
    const model = findModel('anthropic', model_selected);
    if (!model || context?.left_out_tokens === undefined) throw new Error('nothing was left out');
    const whole = tokensOn(model, measureInput(request.conversation)).total;
    expect(share).toBeCloseTo(context.left_out_tokens / whole, 3);
  });
});

describe('traps T43: a budget under which a cut may be summed up', () => {
  const asks = async (handover: 'off' | 'summary') => {
    const all = { ...settings, handover };
    let most = Number.NaN;
    const budget: Ports['budget'] = {
      count: 1,
      reserve: async ({ bound }) => {
        most = bound.most;
        return { reservedUsd: bound.most, isCapped: false };
      },
      settle: () => {},
    };
    await admitBudget(stepOf({ model: 'auto:hard', max_tokens: 200_000, messages: ASKED }, all), all, {
      budget,
    });
    return most;
  };

  test('holds back what the summary may cost, however long the answer may be', async () => {
    const summary = (await asks('summary')) - (await asks('off'));
    // 1,000 tokens of it written by the easy tier's model, and read by the top.
    expect(summary).toBeGreaterThan((1_000 * 0.5 + 1_000 * 2) / 1e6);
  });
});
