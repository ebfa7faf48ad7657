import { expect, test } from 'vitest';
import { findLane } from '../../src/core/context/lanes.ts';
import type { KeptThought } from '../../src/core/context/thoughts.ts';
import type { BudgetRequest, CallOutcome, KeptThoughts, Ports, Sessions } from '../../src/pipeline/ports.ts';
import { runStep } from '../../src/pipeline/step.ts';
import type { StepRequest } from '../../src/pipeline/step-request.ts';
import { answers, fails, portsOf, settingsOf, stepOf } from './in-process.ts';

const TIERS = {
  easy: ['anthropic/claude-haiku-5-5'],
  medium: ['anthropic/claude-sonnet-5-5'],
  hard: ['anthropic/claude-opus-5-5'],
};
const settings = settingsOf({ FLUX_TIERS: JSON.stringify(TIERS) });
const call = { id: 'call_1', type: 'function', function: { name: 'look_up', arguments: '{}' } };
const loop = [
  { role: 'user', content: 'What of order 7?' },
  { role: 'assistant', content: null, tool_calls: [call] },
  { role: 'tool', tool_call_id: 'call_1', content: 'Found. '.repeat(40) },
];
const tools = [{ type: 'function', function: { name: 'look_up' } }];
const PINNED = { model: 'claude-opus-5-5', messages: loop, tools };
const AT = Date.UTC(2026, 10, 23, 12);
const raw = { type: 'thinking', thinking: 'Hm.', signature: 'sig' };

/** A deployment that keeps sessions and thoughts in memory. */
class Kept implements KeptThoughts {
  readonly thoughts = new Map<string, KeptThought>();
  reads: (readonly string[])[] = [];
  kept: [string, KeptThought][] = [];
  misses = 0;
  isSilent = false;

  given: AbortSignal | null = null;

  async read(_owner: unknown, hashes: readonly string[], given: AbortSignal) {
    this.reads.push(hashes);
    this.given = given;
    if (this.isSilent) return new Promise<never>(() => {});
    return new Map(hashes.flatMap((hash) => [...this.thoughts].filter(([one]) => one === hash)));
  }
  keep(_owner: unknown, thoughts: ReadonlyMap<string, KeptThought>) {
    this.kept.push(...thoughts);
    for (const [hash, thought] of thoughts) this.thoughts.set(hash, thought);
  }
  missed() {
    this.misses += 1;
  }
}

const sessions: Sessions = {
  begin: async (_object, _step, question) => findLane([], question, () => 'lane'),
  peek: async (_object, question) => findLane([], question, () => 'lane'),
  opened: () => {},
  settle: () => {},
  missed: () => {},
};

const inSession = (body: Record<string, unknown>, more: Partial<StepRequest> = {}) =>
  stepOf(body, settings, {
    digest: (text) => `#${text}`,
    session: { shown: 's', hash: 'hash' },
    startedAt: AT,
    ...more,
  });

function run(
  request: StepRequest,
  kept: Kept,
  replies: ((call: never) => CallOutcome)[],
  more: Partial<Ports> = {},
) {
  const { ports, calls } = portsOf(...(replies as Parameters<typeof portsOf>));
  const outcome = runStep(request, settings, { ...ports, sessions, thoughts: kept, ...more });
  return outcome.then(() => calls.map(({ body }) => JSON.parse(body)));
}

/** The first step of the loop, whose answer is thought for. */
async function begun(): Promise<Kept> {
  const kept = new Kept();
  const blocks = [
    { type: 'thinking' as const, wire: 'anthropic-messages' as const, raw },
    { type: 'tool_call' as const, id: 'call_1', name: 'look_up', arguments: '{}' },
  ];
  await run(inSession({ ...PINNED, messages: loop.slice(0, 1) }), kept, [
    answers({ blocks, stop: 'tool_calls' }),
  ]);
  return kept;
}

test('the first step of a session reads nothing; what is thought for a call is kept with who thought it', async () => {
  const kept = await begun();
  expect(kept.reads).toEqual([]);
  expect(kept.kept).toMatchObject([
    [
      expect.any(String),
      { producer: { provider: 'anthropic', name: 'claude-opus-5-5' }, raw: [raw], keptAt: AT },
    ],
  ]);
  const [sent] = await run(inSession(PINNED), kept, [answers()]);
  expect(sent.messages[1].content[0]).toEqual(raw);
});

test.each([
  ['of no session', inSession(PINNED, { digest: null })],
  [
    'without a call in it',
    inSession({
      ...PINNED,
      messages: [...loop.slice(0, 1), { role: 'assistant', content: 'x' }, ...loop.slice(0, 1)],
    }),
  ],
  ['of a client that carries thinking itself', inSession(PINNED, { wire: 'anthropic-messages' })],
  [
    'for a model that does not think',
    inSession(
      { ...PINNED, model: 'auto' },
      {
        wish: {
          kind: 'pinned',
          candidate: {
            ...settings.baseline,
            model: {
              ...settings.baseline.model,
              capabilities: { ...settings.baseline.model.capabilities, efforts: [], thinking: [] },
            },
          },
        },
      },
    ),
  ],
])('nothing is read for a step %s', async (_what, request) => {
  const kept = new Kept();
  await run(request, kept, [answers()]).catch(() => {});
  expect(kept.reads).toEqual([]);
});

test('what is given back is reserved for: it costs no more than the bound, and a step without it has the bound it had', async () => {
  const bounds: number[] = [];
  const budget = {
    count: 1,
    reserve: async ({ bound }: BudgetRequest) => {
      bounds.push(bound.most);
      return { reservedUsd: bound.most, isCapped: false };
    },
    settle: () => {},
  };
  const kept = await begun();
  await run(inSession(PINNED), kept, [answers()], { budget });
  await run(inSession(PINNED), kept, [answers()], { budget, thoughts: null });
  const [withThoughts = 0, without = 0] = bounds;
  const { rawBody } = inSession(PINNED);
  // Dearest input of Opus 5.5: an hour's write at $8 a million; half a token for each byte.
  expect(withThoughts - without).toBeCloseTo((rawBody.length / 2) * 8e-6, 12);
});

test('session, budgets and what was thought are asked side by side: one wait', async () => {
  const kept = await begun();
  const asked = new Set<string>();
  let allAsked = (): void => {};
  const all = new Promise<void>((resolve) => {
    allAsked = resolve;
  });
  // Nobody answers before all were asked.
  const ask = async (who: string): Promise<void> => {
    asked.add(who);
    if (asked.size === 3) allAsked();
    await all;
  };
  const [sent] = await run(inSession(PINNED), kept, [answers()], {
    sessions: {
      ...sessions,
      begin: async (...given) => ask('session').then(() => sessions.begin(...given)),
    },
    thoughts: {
      read: async (...given) => ask('thoughts').then(() => kept.read(...given)),
      keep: () => {},
      missed: () => kept.missed(),
    },
    budget: {
      count: 1,
      reserve: async ({ bound }: BudgetRequest) =>
        ask('budget').then(() => ({ reservedUsd: bound.most, isCapped: false })),
      settle: () => {},
    },
  });
  expect(JSON.stringify(sent)).toContain('signature');
  expect(kept.misses).toBe(0);
});

test('more than that is not given back', async () => {
  const kept = await begun();
  const [hash = '', thought] = [...kept.thoughts][0] ?? [];
  if (!thought) throw new Error('nothing was kept');
  const limit = Math.floor(inSession(PINNED).rawBody.length / 2);
  for (const [tokens, isGiven] of [
    [limit, true],
    [limit + 1, false],
  ] as const) {
    kept.thoughts.set(hash, { ...thought, tokens });
    const [sent] = await run(inSession(PINNED), kept, [answers()]);
    expect(JSON.stringify(sent).includes('signature')).toBe(isGiven);
  }
});

test('traps T46: a store that is silent is not waited for beyond the session’s patience, and counted', async () => {
  const kept = await begun();
  kept.isSilent = true;
  const [sent] = await run(inSession(PINNED), kept, [answers()]);
  expect(JSON.stringify(sent)).not.toContain('signature');
  expect(kept.misses).toBe(1);
  expect(kept.given?.aborted).toBe(true);
});

test('traps T16: a refusal of a request with thinking that its client can’t leave out is met by leaving it out, once', async () => {
  const refusal = fails('rejected', 400, { message: 'Invalid `signature` in `thinking` block' });
  const kept = await begun();
  const sent = await run(inSession(PINNED), kept, [refusal, answers()]);
  expect(sent.map((body) => JSON.stringify(body).includes('signature'))).toEqual([true, false]);
  await expect(run(inSession(PINNED), kept, [refusal, refusal])).rejects.toMatchObject({ status: 400 });
});

test('traps T18, T26: what is used is kept anew once it is half a day old, and under another key of the provider’s it is not used', async () => {
  const kept = await begun();
  kept.kept = [];
  const later = AT + 13 * 3_600_000;
  await run(inSession(PINNED, { startedAt: later }), kept, [answers()]);
  expect(kept.kept).toMatchObject([[expect.any(String), { raw: [raw], keptAt: later, madeAt: AT }]]);
  const other = settingsOf({ FLUX_TIERS: JSON.stringify(TIERS), ANTHROPIC_API_KEY: 'sk-ant-another' });
  const { ports, calls } = portsOf(answers());
  await runStep(inSession(PINNED), other, { ...ports, sessions, thoughts: kept });
  expect(calls[0]?.body).not.toContain('signature');
});
