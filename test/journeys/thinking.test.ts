import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FluxMetadata } from '../../src/core/metadata.ts';
import type { JournalEntry } from '../../src/local/simulated/journal.ts';
import type { ScriptEntry } from '../../src/local/simulated/script.ts';
import { type RunningSimulators, startSimulators } from '../../src/local/simulated/server.ts';
import { type FaultyRedis, startRedis } from '../log/stores.ts';
import { type Gateway, START_LIMIT, startGateway, temporaryFolder } from './gateway.ts';

const OPUS = 'claude-opus-5-5';
const SONNET = 'claude-sonnet-5-5';
const SOL = 'gpt-6.2-sol';
/** Stands in what models think, and must be in no store. */
const MARK = 'THOUGHT-CANARY';
const SECRET = 'a secret of this deployment, long enough';

const folder = temporaryFolder();
let simulators: RunningSimulators;
let redis: FaultyRedis;
let gateway: Gateway;

const start = () =>
  startGateway(
    folder.path,
    {
      FLUX_API_KEYS: 'flx_acme:acme,flx_globex:globex',
      FLUX_SECRET: SECRET,
      ANTHROPIC_API_KEY: 'sk-ant-simulated',
      ANTHROPIC_BASE_URL: simulators.url,
      OPENAI_API_KEY: 'sk-simulated',
      OPENAI_BASE_URL: `${simulators.url}/v1`,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: 'token',
      FLUX_TIERS: JSON.stringify({ easy: [SONNET], medium: [SOL], hard: [OPUS] }),
      // However busy the machine is: a store that hangs is what is slow.
      FLUX_SESSION_TIMEOUT_MS: '6000',
    },
    { simulatorUrl: simulators.url },
  );

beforeAll(async () => {
  [simulators, redis] = await Promise.all([startSimulators(), startRedis()]);
  gateway = await start();
  // As of an account of today: thinking is bound to all that stood before it.
  await fetch(`${simulators.url}/control/account`, {
    method: 'POST',
    body: JSON.stringify({ prefix_check: true }),
  });
}, START_LIMIT);
afterAll(async () => {
  await gateway?.stop();
  await Promise.all([simulators?.close(), redis?.close()]);
  folder.remove();
});
afterEach(() => {
  redis.mood = 'up';
});

type Body = Record<string, unknown>;
/** What is looked at of requests and answers of all wires. */
interface Seen {
  messages: { content: Body[] | string }[];
  input: Body[];
  include?: string[];
  content: Body[];
  output: Body[];
  id: string;
  fluxcompute: FluxMetadata;
}
interface Answer {
  body: Seen;
}

async function post(path: string, body: Body, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${gateway.stack.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer flx_acme', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  return { body: JSON.parse(text) };
}

const named = (session: string | null, more: Record<string, string> = {}) => ({
  ...(session === null ? {} : { 'x-fluxcompute-session': session }),
  ...more,
});

/** What the models do next: they think, and call a tool or say something. */
const thinks = (
  what: { call?: string; text?: string },
  thought: object[] = [{ type: 'thinking', text: MARK, tokens: 40 }],
): Partial<ScriptEntry> => ({
  // As a script file has it: what is left out has its default.
  answer: {
    parts: [
      ...thought,
      ...(what.text === undefined ? [] : [{ type: 'text', text: what.text }]),
      ...(what.call === undefined ? [] : [{ type: 'call', name: 'look_up', arguments: { key: what.call } }]),
    ],
  } as unknown as NonNullable<ScriptEntry['answer']>,
});

async function lastSent(): Promise<JournalEntry & { body: Seen }> {
  const [entry] = await gateway.sent(1);
  if (!entry) throw new Error('nothing was sent');
  // The simulator has checked it.
  return entry as JournalEntry & { body: Seen };
}

/** How much of the last input its provider's cache had. */
async function shareRead(): Promise<number> {
  const { usage } = await lastSent();
  if (!usage) throw new Error('no usage');
  const { output: _output, thinking: _inside, ...input } = usage;
  return usage.read / Object.values(input).reduce((sum, tokens) => sum + tokens, 0);
}

const isThought = (block: Body) => /thinking$|^reasoning$/.test(String(block.type));
/** The thinking in a request upstream, with the place of its message or item. */
async function thoughtSent(): Promise<{ at: number; block: Body }[]> {
  const { body } = await lastSent();
  const items = (body.input ?? []).map((item) => [item]);
  const lists = body.messages?.map(({ content }) => (typeof content === 'string' ? [] : content)) ?? items;
  return lists.flatMap((list, at) => list.filter(isThought).map((block) => ({ at, block })));
}

/** The blocks of a message that was sent. */
async function blocksSent(at: number): Promise<Body[]> {
  const content = (await lastSent()).body.messages[at]?.content;
  if (!Array.isArray(content)) throw new Error(`message ${at} has no blocks`);
  return content;
}

const SYSTEM = `You are an agent of a shop. ${'Be exact, be brief, and never guess. '.repeat(160)}`;
const schema = {
  type: 'object',
  properties: { key: { type: 'string' } },
  required: ['key'],
  additionalProperties: false,
};

/** An agent on Chat Completions in a loop of tools: the unmodified client, which knows nothing of thinking. */
class ChatAgent {
  readonly messages: OpenAI.ChatCompletionMessageParam[];
  readonly #headers: Record<string, string>;
  readonly #client: OpenAI;
  tools = [
    {
      type: 'function' as const,
      function: { name: 'look_up', description: 'Looks up.', parameters: schema },
    },
  ];

  constructor(
    session: string | null,
    ask = 'What of order 7?',
    headers: Record<string, string> = {},
    apiKey = 'flx_acme',
  ) {
    this.messages = [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: ask },
    ];
    this.#headers = named(session, headers);
    this.#client = new OpenAI({ apiKey, baseURL: `${gateway.stack.url}/v1`, maxRetries: 0 });
  }

  /** One step: its answer, and results for the calls in it, go to the history. */
  async step(model: string, stream = false): Promise<void> {
    const request = { model, messages: this.messages, tools: this.tools };
    const options = { headers: this.#headers };
    const answer = stream
      ? await this.#client.chat.completions.stream(request, options).finalChatCompletion()
      : await this.#client.chat.completions.create(request, options);
    const said = answer.choices[0]?.message;
    if (!said) throw new Error('no answer');
    this.messages.push(said);
    for (const { id } of said.tool_calls ?? []) {
      this.messages.push({
        role: 'tool',
        tool_call_id: id,
        content: `Found: ${'details of it, '.repeat(20)}`,
      });
    }
  }

  say(content: string): void {
    this.messages.push({ role: 'user', content });
  }
}

describe('a client whose wire carries no thinking', () => {
  test('who says no-store is given nothing, for nothing is kept', async () => {
    await gateway.script(thinks({ call: 'a' }), thinks({ call: 'b' }));
    const silent = new ChatAgent('silent', 'What of 5?', { 'x-fluxcompute-no-store': '1' });
    await silent.step(OPUS);
    await silent.step(OPUS);
    expect(await thoughtSent()).toEqual([]);
    expect((await lastSent()).body).not.toHaveProperty('include');
    expect(await redis.direct.keys('flux:kept:*')).toEqual([]);
  });

  test.each([
    [OPUS, false],
    [OPUS, true],
    [SOL, false],
    [SOL, true],
  ])(
    'traps T17: the openai client in a loop of tools on %s (streamed: %s): its thinking leads each turn again, and what was cached stays so',
    async (model, stream) => {
      const redacted = { type: 'thinking', redacted: true, tokens: 24 };
      const silent = { type: 'thinking', tokens: 16 };
      await gateway.script(
        thinks({ call: 'a' }, model === OPUS ? [silent, redacted] : [silent]),
        thinks({ text: 'Let me see.', call: 'b' }),
        thinks({ text: 'It is on its way.' }),
        thinks({ text: 'So is order 8.' }),
      );
      const agent = new ChatAgent(`loop ${model} ${stream}`);
      await agent.step(model, stream);
      if (model === SOL) expect((await lastSent()).body.include).toEqual(['reasoning.encrypted_content']);
      await agent.step(model, stream);
      const first = await thoughtSent();
      expect(first.map(({ block }) => block.type)).toEqual(
        model === OPUS ? ['thinking', 'redacted_thinking'] : ['reasoning'],
      );
      if (model === OPUS) {
        expect((await blocksSent(1)).map(({ type }) => type)).toEqual([
          'thinking',
          'redacted_thinking',
          'tool_use',
        ]);
      } else {
        const { input } = (await lastSent()).body;
        const place = input.findIndex(isThought);
        expect(input[place]).toMatchObject({ encrypted_content: expect.any(String) });
        expect(input[place + 1]).toMatchObject({ type: 'function_call' });
      }
      await agent.step(model, stream);
      expect((await thoughtSent()).slice(0, first.length)).toEqual(first);
      expect(await thoughtSent()).toHaveLength(first.length + 1);
      expect(await shareRead()).toBeGreaterThan(0.8);
      agent.say('And order 8?');
      await agent.step(model, stream);
      // The end of a turn called no tool: what was thought for it is of no use to the next.
      expect(await thoughtSent()).toHaveLength(first.length + 1);
      expect(await shareRead()).toBeGreaterThan(0.8);
    },
  );

  test('a Messages client on GPT, and a Responses client on Claude', async () => {
    const tools = [{ name: 'look_up', input_schema: schema }];
    await gateway.script(thinks({ call: 'a' }), thinks({ text: 'Done.' }));
    const messages: Body[] = [{ role: 'user', content: 'What of order 9?' }];
    const ask = { model: SOL, max_tokens: 2_000, tools, messages };
    const first = await post('messages', ask, named('messages on GPT'));
    const [call] = first.body.content.filter(({ type }) => type === 'tool_use');
    messages.push(
      { role: 'assistant', content: first.body.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: call?.id, content: 'Found.' }] },
    );
    await post('messages', ask, named('messages on GPT'));
    expect((await thoughtSent()).map(({ block }) => block.type)).toEqual(['reasoning']);

    await gateway.script(thinks({ call: 'a' }), thinks({ text: 'Done.' }));
    const input: Body[] = [{ role: 'user', content: 'What of order 9?' }];
    const request = {
      ...{ model: OPUS, input, store: false },
      tools: [{ type: 'function', name: 'look_up', parameters: schema, strict: true }],
    };
    const answer = await post('responses', request, named('responses on Claude'));
    const made = answer.body.output.find(({ type }) => type === 'function_call');
    input.push(...answer.body.output, {
      ...{ type: 'function_call_output', call_id: made?.call_id, output: 'Found.' },
    });
    await post('responses', request, named('responses on Claude'));
    expect((await thoughtSent()).map(({ block }) => block.type)).toEqual(['thinking']);
  });

  test('a session that only its conversation tells, and an answer of Responses that is named by its id', async () => {
    await gateway.script(...['a', 'b', 'c'].map((call) => thinks({ call })));
    const agent = new ChatAgent(null, 'What of order 21?');
    // Its first step is of no session (T62), and nothing is kept of it.
    for (let n = 0; n < 3; n += 1) await agent.step(OPUS);
    expect((await thoughtSent()).map(({ at }) => at)).toEqual([3]);

    await gateway.script(...['a', 'b'].map((call) => thinks({ call })));
    const request = {
      ...{ model: OPUS, input: 'What of order 22?' },
      tools: [{ type: 'function', name: 'look_up', parameters: schema, strict: true }],
    };
    const { body } = await post('responses', request, named('by id'));
    const made = body.output.find(({ type }) => type === 'function_call');
    const output = { type: 'function_call_output', call_id: made?.call_id, output: 'Found.' };
    await post('responses', { ...request, previous_response_id: body.id, input: [output] }, named('by id'));
    expect((await thoughtSent()).map(({ at }) => at)).toEqual([1]);
  });

  test('traps T16: each model is given its own, and after a change of the tools nothing that was thought before it', async () => {
    const agent = new ChatAgent('switching');
    await gateway.script(...['a', 'b', 'c', 'd', 'e'].map((call) => thinks({ call })));
    await agent.step(OPUS);
    await agent.step(SONNET);
    expect(await thoughtSent()).toEqual([]);
    await agent.step(OPUS);
    const own = await thoughtSent();
    expect(own.map(({ at }) => at)).toEqual([1]);
    await agent.step(OPUS);
    expect((await thoughtSent()).map(({ at }) => at)).toEqual([1, 5]);
    expect((await thoughtSent())[0]).toEqual(own[0]);
    const [tool] = agent.tools;
    if (tool) agent.tools = [tool, { ...tool, function: { ...tool.function, name: 'look_down' } }];
    await agent.step(OPUS);
    expect(await thoughtSent()).toEqual([]);
  });

  test('traps T23: another customer is given nothing of a session of the same name', async () => {
    await gateway.script(...['a', 'b', 'c'].map((call) => thinks({ call })));
    const agent = new ChatAgent('shared');
    await agent.step(OPUS);
    const other = new ChatAgent('shared', undefined, {}, 'flx_globex');
    other.messages.push(...agent.messages.slice(2));
    await other.step(OPUS);
    expect(await thoughtSent()).toEqual([]);
    await agent.step(OPUS);
    expect(await thoughtSent()).toHaveLength(1);
  });

  test('traps T46: Redis hangs: the answer comes without, and what was cached before the thinking is read', async () => {
    const agent = new ChatAgent('frozen');
    await gateway.script(...['a', 'b', 'c', 'd'].map((call) => thinks({ call })));
    await agent.step(OPUS);
    await agent.step(OPUS);
    await expect
      .poll(async () => (await redis.direct.keys('flux:kept:thoughts:*')).length)
      .toBeGreaterThan(1);
    redis.mood = 'hang';
    await agent.step(OPUS);
    expect(await thoughtSent()).toEqual([]);
    // A line takes its way through the gateway's output.
    await expect
      .poll(() => gateway.lines.some((line) => line.includes('thoughts_missed')), { timeout: 10_000 })
      .toBe(true);
    redis.mood = 'up';
    await agent.step(OPUS);
    expect((await thoughtSent()).length).toBeGreaterThan(1);
    expect(await shareRead()).toBeGreaterThan(0.5);
  });

  test('traps T18: reasoning that is refused is left out, once', async () => {
    const agent = new ChatAgent('refused');
    await gateway.script(thinks({ call: 'a' }));
    await agent.step(SOL);
    await gateway.script(
      {
        fault: {
          kind: 'status',
          status: 400,
          headers: {},
          code: 'invalid_encrypted_content',
          body: undefined,
        },
      },
      thinks({ call: 'b' }),
    );
    await agent.step(SOL);
    expect(await thoughtSent()).toEqual([]);
    const [refused] = await gateway.sent(2);
    expect(JSON.stringify(refused?.body)).toContain('encrypted_content');
  });

  test('a restart between two steps', async () => {
    const agent = new ChatAgent('restarted');
    await gateway.script(thinks({ call: 'a' }), thinks({ call: 'b' }));
    await agent.step(OPUS);
    await gateway.stop();
    gateway = await start();
    const again = new ChatAgent('restarted');
    again.messages.push(...agent.messages.slice(2));
    await again.step(OPUS);
    expect((await thoughtSent()).map(({ at }) => at)).toEqual([1]);
  });

  test('traps T48: what was thought stands nowhere in Redis in the clear, and goes', async () => {
    const keys = await redis.direct.keys('*');
    const kept = keys.filter((key) => key.startsWith('flux:kept:thoughts:'));
    expect(kept.length).toBeGreaterThan(10);
    for (const key of kept) {
      const value = (await redis.direct.get<string>(key)) ?? '';
      expect(`${key} ${value}`).not.toMatch(new RegExp(`${MARK}|signature|switching|restarted`));
      expect(await redis.direct.ttl(key)).toBeGreaterThan(86_400);
      expect(await redis.direct.ttl(key)).toBeLessThanOrEqual(129_600);
    }
    expect(gateway.lines.join('\n')).not.toContain(MARK);
  });
});

describe('a client that sends back what was thought', () => {
  test('traps T15, T16, T17: in a session that goes from one model to another and back, each is sent its own alone, as it was', async () => {
    const tools = [{ name: 'look_up', input_schema: schema }];
    const system = SYSTEM;
    const messages: Body[] = [{ role: 'user', content: 'What of order 11?' }];
    const dropped = (answer: Answer) =>
      answer.body.fluxcompute.adapted.filter(({ field }) => field === 'messages.thinking');
    const step = async (model: string) => {
      const answer = await post(
        'messages',
        { model, max_tokens: 4_000, system, tools, messages },
        named('messages'),
      );
      const { content } = answer.body;
      messages.push({ role: 'assistant', content });
      const results = content
        .filter(({ type }) => type === 'tool_use')
        .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'Found.' }));
      if (results.length > 0) messages.push({ role: 'user', content: results });
      return answer;
    };
    const silent = { type: 'thinking', tokens: 16 };
    const redacted = { type: 'thinking', redacted: true, tokens: 24 };
    await gateway.script(
      thinks({ call: 'a' }, [silent, redacted]),
      thinks({ call: 'b' }),
      thinks({ call: 'c' }),
      thinks({ text: 'Done.' }),
      thinks({ text: 'Done.' }),
    );
    const texts = (at: number) => {
      const content = messages[at]?.content;
      return Array.isArray(content) ? content.filter(isThought).map((block) => JSON.stringify(block)) : [];
    };

    expect(dropped(await step(OPUS))).toEqual([]);
    expect(texts(1)).toHaveLength(2);
    // The loop of tools is open, and goes on at another model without what the first one thought.
    expect(dropped(await step(SONNET))).toEqual([{ field: 'messages.thinking', action: 'dropped' }]);
    expect(await thoughtSent()).toEqual([]);
    // Back: its own, first in their turn, byte for byte; of the other's nothing.
    expect(dropped(await step(OPUS))).toEqual([{ field: 'messages.thinking', action: 'dropped' }]);
    expect((await blocksSent(1)).slice(0, 2).map((block) => JSON.stringify(block))).toEqual(texts(1));
    expect((await thoughtSent()).map(({ at }) => at)).toEqual([1, 1]);
    // The other again: only its own, of the third message.
    await step(SONNET);
    expect((await thoughtSent()).map(({ at, block }) => [at, JSON.stringify(block)])).toEqual(
      texts(3).map((text) => [3, text]),
    );
    // An edited history is a lane of its own, and knows who thought what up to the edit.
    const results = messages[4]?.content;
    if (!Array.isArray(results)) throw new Error('no results');
    messages.splice(4, Number.POSITIVE_INFINITY, {
      role: 'user',
      content: [...results, { type: 'text', text: 'No: what of order 12?' }],
    });
    await step(SONNET);
    expect((await thoughtSent()).map(({ at }) => at)).toEqual([3]);
  });

  test('a Responses client: reasoning goes on to other models of the account, as before', async () => {
    const input: Body[] = [{ role: 'user', content: 'What of order 13?' }];
    const ask = { input, store: false, include: ['reasoning.encrypted_content'] };
    await gateway.script(thinks({ text: 'Fine.' }), thinks({ text: 'Fine.' }));
    const first = await post('responses', { ...ask, model: SOL }, named('responses'));
    input.push(...first.body.output, { role: 'user', content: 'And 14?' });
    await post('responses', { ...ask, model: SOL }, named('responses'));
    expect(await thoughtSent()).toHaveLength(1);
    await gateway.script(thinks({ text: 'Fine.' }));
    await post('responses', { ...ask, model: OPUS }, named('responses'));
    expect(await thoughtSent()).toEqual([]);
  });
});
