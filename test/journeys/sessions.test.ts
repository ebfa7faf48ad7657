import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FluxMetadata } from '../../src/core/metadata.ts';
import type { RoutePlan } from '../../src/http/routes/route.ts';
import type { LocalStack } from '../../src/local/stack.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { startPrepared } from '../prepared.ts';

let stack: LocalStack;
let folder: string;
let client: OpenAI;
beforeAll(async () => {
  const tiers = {
    easy: ['claude-haiku-5-5'],
    medium: ['claude-sonnet-5-5', 'gpt-6.1-terra'],
    hard: ['claude-opus-5-5'],
  };
  // However busy the machine is: what is told of a session is what is tested.
  folder = await mkdtemp(join(tmpdir(), 'flux-sessions-'));
  const variables = {
    ...{ PORT: '0', FLUX_DATA_DIR: folder, FLUX_TIERS: JSON.stringify(tiers) },
    FLUX_SESSION_TIMEOUT_MS: '20000',
  };
  stack = await startPrepared({ variables });
  client = new OpenAI({ apiKey: stack.key, baseURL: `${stack.url}/v1`, maxRetries: 0 });
}, 90_000);
afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
});

type Messages = OpenAI.ChatCompletionMessageParam[];
const SYSTEM = `You are an agent of a shop. ${'Be exact, be brief, and never guess. '.repeat(120)}`;
const lookUp: OpenAI.ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'look_up',
    description: 'Looks something up.',
    parameters: {
      type: 'object',
      properties: { key: { type: 'string' } },
      required: ['key'],
      additionalProperties: false,
    },
  },
};

async function step(model: string, messages: Messages, session: string | null) {
  const headers = session === null ? {} : { 'x-fluxcompute-session': session };
  const answer = await client.chat.completions.create({ model, messages, tools: [lookUp] }, { headers });
  // Our own member beside OpenAI's.
  const { fluxcompute } = answer as unknown as { fluxcompute: FluxMetadata };
  return { flux: fluxcompute, input: answer.usage?.prompt_tokens ?? 0 };
}

/** What an agent adds for calls that it was answered with: they, and their results. */
function turn(n: number, calls: number, json = (i: number) => `{"key":"${n}-${i}"}`): Messages {
  const ids = Array.from({ length: calls }, (_, i) => `call_${n}_${i}`);
  return [
    {
      role: 'assistant',
      content: null,
      tool_calls: ids.map((id, i) => ({
        id,
        type: 'function',
        function: { name: 'look_up', arguments: json(i) },
      })),
    },
    ...ids.map((id) => ({
      role: 'tool' as const,
      tool_call_id: id,
      content: `Found ${id}: ${'details of it, '.repeat(10)}`,
    })),
  ];
}

const opening = (ask: string): Messages => [
  { role: 'system', content: SYSTEM },
  { role: 'user', content: ask },
];

async function rowsOf(where: string): Promise<Record<string, unknown>[]> {
  const { $client } = openDatabase(stack.databaseUrl);
  return $client.query(`SELECT * FROM ${where}`);
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('it did not come in thirty seconds');
}

describe('prompt caches of a session', () => {
  test.each([
    ['claude-sonnet-5-5', 'named'],
    ['claude-sonnet-5-5', null],
    ['gpt-6.1-terra', 'named'],
  ] as const)(
    'traps T21, T53: over 50 steps of %s (%s session), one with 25 parallel calls, cached reads never collapse',
    async (model, name) => {
      const messages = opening(`Look up all about order ${model} ${name}.`);
      let read = 0;
      let input = 0;
      for (let n = 0; n < 50; n += 1) {
        const { flux, input: tokens } = await step(model, messages, name && `${name}-${model}`);
        if (n >= 3) {
          read += flux.cache.cache_read_tokens;
          input += tokens;
          // What the step before has written is read; after the 25 calls that is not nine tenths of the input.
          if (n !== 21) expect(flux.cache.cache_read_tokens / tokens).toBeGreaterThan(0.9);
        }
        messages.push(...turn(n, n === 20 ? 25 : 1));
      }
      expect(read / input).toBeGreaterThan(0.9);
    },
    60_000,
  );
});

describe('what a session knows', () => {
  test('its lane, turn and number stand in the row, its sums in the table of sessions', async () => {
    const messages = opening('What is the state of order 7?');
    await step('auto', messages, 'shop-7');
    messages.push(...turn(1, 1));
    await step('auto', messages, 'shop-7');
    messages.push(
      { role: 'assistant', content: 'It is on its way.' },
      { role: 'user', content: 'And order 8?' },
    );
    await step('auto', messages, 'shop-7');
    const rows = await until(async () => {
      const found = await rowsOf(
        "queries WHERE requested_model = 'auto' AND session IS NOT NULL ORDER BY started_at",
      );
      return found.length === 3 ? found : undefined;
    });
    expect(new Set(rows.map(({ lane }) => lane)).size).toBe(1);
    expect(rows.map(({ turn: number }) => number)).toEqual([1, 1, 2]);
    const [session] = await rowsOf(`sessions WHERE id = '${rows[0]?.session}'`);
    expect(session).toMatchObject({ customer: 'default', steps: 3, unpriced: 0 });
    const cost = rows.reduce((sum, { cost_usd }) => sum + Number(cost_usd), 0);
    expect(Number(session?.cost_usd)).toBeCloseTo(cost, 12);
  });

  test('64 steps of one session at once are counted exactly', async () => {
    await Promise.all(
      Array.from({ length: 64 }, (_, n) => step('claude-haiku-5-5', opening(`Sub-task ${n}`), 'busy')),
    );
    const session = await until(async () => (await rowsOf('sessions WHERE steps = 64'))[0]);
    expect(session).toMatchObject({ steps: 64 });
    const lanes = await rowsOf(`queries WHERE session = '${session.id}'`);
    expect(new Set(lanes.map(({ lane }) => lane)).size).toBe(64);
  });

  test.each([false, true])(
    'traps T62: a conversation without a name knows at its second step what the first left warm (stream: %s)',
    async (stream) => {
      const messages = opening(`Compare orders 3 and 4, step by step (${stream}).`);
      const body = { model: 'claude-opus-5-5', messages, tools: [lookUp] };
      // Of the stream the client puts the answer together, as it does.
      const message = stream
        ? await client.chat.completions.stream({ ...body, stream: true }).finalMessage()
        : (await client.chat.completions.create(body)).choices[0]?.message;
      if (!message) throw new Error('no answer');
      messages.push(message, { role: 'user', content: 'And now?' });
      const warm = async (key = stack.key) => {
        const response = await fetch(`${stack.url}/v1/route`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'auto', messages, tools: [lookUp] }),
        });
        const { candidates } = (await response.json()) as RoutePlan;
        return candidates.map(({ model, tokens }) => [model, (tokens?.read ?? 0) > 1_000]);
      };
      const models = ['claude-haiku-5-5', 'claude-sonnet-5-5', 'gpt-6.1-terra', 'claude-opus-5-5'];
      const expected = models.map((model) => [model, model === 'claude-opus-5-5']);
      await expect.poll(() => warm()).toEqual(expected);
      // Once it has a step, its object knows it.
      const second = await step('claude-opus-5-5', messages, null);
      expect(second.flux.cache.cache_read_tokens).toBeGreaterThan(1_000);
      expect(await warm()).toEqual(expected);
    },
  );

  test('POST /v1/route plans with what is warm, and keeps nothing', async () => {
    const messages = opening('Compare orders 1 and 2, step by step.');
    await step('claude-opus-5-5', messages, 'warm');
    messages.push(...turn(1, 2));
    await step('claude-opus-5-5', messages, 'warm');
    messages.push(...turn(2, 1));
    const route = async () => {
      const response = await fetch(`${stack.url}/v1/route`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${stack.key}`,
          'content-type': 'application/json',
          'x-fluxcompute-session': 'warm',
        },
        body: JSON.stringify({ model: 'auto', messages, tools: [lookUp] }),
      });
      return response.json() as Promise<{ candidates: { model: string; tokens: { read: number } }[] }>;
    };
    const opus = async () => (await route()).candidates.find(({ model }) => model === 'claude-opus-5-5');
    const read = await until(async () => {
      const tokens = (await opus())?.tokens.read ?? 0;
      return tokens > 1_000 ? tokens : undefined;
    });
    expect((await opus())?.tokens.read).toBe(read);
    expect((await route()).candidates.find(({ model }) => model === 'claude-haiku-5-5')?.tokens.read).toBe(0);
  });
});

describe('a step that went wrong', () => {
  test('traps T38, T51: raises the floor of the next, which comes down once the task has recovered', async () => {
    const messages = opening('What is the capital of France?');
    const first = await step('auto', messages, 'wrong');
    expect(first.flux.floor).toBe('easy');
    messages.push(...turn(1, 1, () => '{"town":"Paris"}'));
    const raised = await step('auto', messages, 'wrong');
    expect(raised.flux).toMatchObject({ floor: 'medium', failure_signals: ['invalid_arguments'] });
    messages.push(...turn(2, 1));
    const recovered = await step('auto', messages, 'wrong');
    expect(recovered.flux.floor).toBe('easy');
    expect(recovered.flux).not.toHaveProperty('failure_signals');
  });
});
