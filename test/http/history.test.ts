import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ANSWERS, json, type Reply, sse } from '../providers/upstream.ts';
import { ANSWERING, type CustomerGateway, type Ground, KEYS, startGround } from './customer-gateway.ts';

let ground: Ground;
let gateway: CustomerGateway;
beforeAll(async () => {
  ground = await startGround();
  gateway = ground.start();
}, 60_000);
afterAll(() => ground.close());
afterEach(async () => {
  await gateway.settled();
  await ground.reset();
  ground.upstream.replies = [ANSWERING];
});

const CALL = { type: 'tool_use', id: 'toolu_1', name: 'look_up', input: { key: 'a' } };
const CALLING: Reply = json(200, {
  ...ANSWERS['anthropic-messages'].body,
  content: [CALL],
  stop_reason: 'tool_use',
});
const PARIS = { role: 'assistant', content: [{ type: 'text', text: 'Paris it is.' }] };
const tools = [{ name: 'look_up', input_schema: { type: 'object', properties: {} } }];
const user = (text: unknown) => ({ role: 'user', content: text });
const RESULT = user([{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'found' }]);

/** What Redis is asked from now on until the provider is: told once it was. */
function countAsked(): () => number {
  const before = ground.redis.calls;
  let asked = Number.NaN;
  ground.upstream.replies = [
    (...args) => {
      asked = ground.redis.calls - before;
      ANSWERING(...args);
    },
  ];
  return () => asked;
}

interface Asking {
  session?: string;
  key?: string;
  of?: CustomerGateway;
  wish?: string;
  headers?: object;
}

/** One step of Anthropic's API, with what is new only. */
function say(messages: object[], more: object = {}, asking: Asking = {}) {
  const { session = 'one', key = KEYS.globex, of = gateway, wish = 'append', headers = {} } = asking;
  const own = { 'x-fluxcompute-session': session, 'x-fluxcompute-history': wish, ...headers };
  return of.call('POST', '/v1/messages', key, { model: 'auto', max_tokens: 50, messages, ...more }, own);
}
const sentBody = () => JSON.parse(ground.upstream.requests.at(-1)?.body ?? '{}');
/** Without the markers that the gateway sets, which take a text apart. */
const sentMessages = () => {
  const bare = (key: string, value: unknown) => (key === 'cache_control' ? undefined : value);
  const messages: { content: unknown }[] = JSON.parse(JSON.stringify(sentBody().messages, bare));
  return messages.map(({ content, ...rest }) => ({
    ...rest,
    content: typeof content === 'string' ? [{ type: 'text', text: content }] : content,
  }));
};
const plain = (text: string) => user([{ type: 'text', text }]);
const inHistory = (seen: { body: { fluxcompute: { context: object } } }) => seen.body.fluxcompute.context;

describe('only what is new is sent', () => {
  test('what was said stands before it, byte for byte, and the answer tells how much that is', async () => {
    const raw = '[ {"role":"user","content":"1e2 is 1.0" ,"odd":1.0} ]';
    const first = await gateway.call(
      'POST',
      '/v1/messages',
      KEYS.globex,
      `{"model":"auto","max_tokens":50,"messages":${raw}}`,
      { 'x-fluxcompute-session': 'one', 'x-fluxcompute-history': 'append' },
    );
    expect(inHistory(first)).toEqual({ history_messages: 0 });
    await gateway.settled();
    const second = await say([user('And Spain?')]);
    expect(inHistory(second)).toEqual({ history_messages: 2 });
    expect(ground.upstream.requests.at(-1)?.body).toContain(
      ' ,"odd":1.0},{"role":"assistant","content":[{"type":"text","text":"Paris it is."}]},{"role":"user","content":"And Spain?"}]',
    );
    await gateway.settled();
    expect(inHistory(await say([user('And Italy?')]))).toEqual({ history_messages: 4 });
  });

  test('system prompt and tools are as they last were where a request leaves them out, and what it brings wins', async () => {
    ground.upstream.replies = [CALLING, ANSWERING];
    await say([user('Look.')], { system: 'Be brief.', tools });
    await gateway.settled();
    await say([RESULT]);
    expect(sentBody()).toMatchObject({ system: [{ text: 'Be brief.' }], tools: [{ name: 'look_up' }] });
    expect(sentMessages()).toEqual([plain('Look.'), { role: 'assistant', content: [CALL] }, RESULT]);
    await gateway.settled();
    await say([user('Go on.')], { system: 'Be long.' });
    await gateway.settled();
    await say([user('On.')]);
    expect(sentBody()).toMatchObject({ system: [{ text: 'Be long.' }], tools: [{ name: 'look_up' }] });
  });

  test('traps T20: markers of earlier requests do not add up to more than four', async () => {
    const marked = (text: string) => user([{ type: 'text', text, cache_control: { type: 'ephemeral' } }]);
    for (let n = 0; n < 6; n += 1) {
      expect((await say([marked(`${n}`)])).status).toBe(200);
      await gateway.settled();
    }
    const places = sentBody().messages.flatMap(
      (message: { content: { cache_control?: object }[] }, at: number) =>
        message.content.some((block) => block.cache_control) ? [at] : [],
    );
    expect(places).toEqual([10]);
  });

  test('start begins anew, and what was kept before is gone', async () => {
    await say([user('Old.')]);
    await gateway.settled();
    const anew = await say([user('New.')], {}, { wish: 'start' });
    expect(inHistory(anew)).toEqual({ history_messages: 0 });
    await gateway.settled();
    await say([user('On.')]);
    expect(sentMessages()).toEqual([plain('New.'), PARIS, plain('On.')]);
    const [key = ''] = await ground.redis.direct.keys('flux:history:*');
    await gateway.settled();
    expect((await ground.redis.direct.hkeys(key)).toSorted()).toEqual(['e1', 'e2']);
  });

  test('to count tokens and to plan it stands before what is sent too, and nothing is kept of either', async () => {
    const ask = { model: 'auto', messages: [user('What is the capital of France?')] };
    const headers = { 'x-fluxcompute-session': 'chat', 'x-fluxcompute-history': 'append' };
    const chat = (path: string, body: object) => gateway.call('POST', path, KEYS.globex, body, headers);
    expect((await chat('/v1/chat/completions', ask)).status).toBe(200);
    await gateway.settled();
    const plan = () => chat('/v1/route', { model: 'auto', messages: [user('x '.repeat(3_000))] });
    const [one, other] = [await plan(), await plan()];
    expect(one.status).toBe(200);
    expect(other.body.candidates).toEqual(one.body.candidates);
    expect((await chat('/v1/chat/completions', ask)).body.fluxcompute.context).toEqual({
      history_messages: 2,
    });

    await say([user('First.')]);
    await gateway.settled();
    const count = await gateway.call(
      'POST',
      '/v1/messages/count_tokens',
      KEYS.globex,
      { model: 'auto', messages: [user('Second.')] },
      { 'x-fluxcompute-session': 'one', 'x-fluxcompute-history': 'append' },
    );
    expect(count.status).toBe(200);
    expect(sentBody().messages).toHaveLength(3);
  });
});

describe('what is refused', () => {
  test.each([
    ['an unknown word', { wish: 'prepend' }, {}, 'X-FluxCompute-History', 'append (only what is new'],
    ['no session', { session: '' }, {}, 'X-FluxCompute-Session', 'needs a session'],
    [
      'keeping nothing',
      { headers: { 'x-fluxcompute-no-store': '1' } },
      {},
      'X-FluxCompute-History',
      'send one of them',
    ],
    ['a conversation kept elsewhere', {}, { thread: { id: 't' } }, 'thread', 'send one of them'],
  ])('%s', async (_name, asking: Asking, more, field, words) => {
    const headers: Record<string, string> = {
      'x-fluxcompute-history': asking.wish ?? 'append',
      ...(asking.session === '' ? {} : { 'x-fluxcompute-session': 'one' }),
      ...asking.headers,
    };
    const body = { model: 'auto', max_tokens: 50, messages: [user('Hi')], ...more };
    const refused = await gateway.call('POST', '/v1/messages', KEYS.globex, body, headers);
    expect(refused.status).toBe(400);
    expect(refused.body.error.message).toContain(words);
    expect(JSON.stringify(refused.body)).toContain(field);
    expect(ground.upstream.requests).toEqual([]);
  });

  test.each([
    ['/v1/responses', { input: 'Hi', previous_response_id: 'resp_1' }, 'previous_response_id'],
    ['/v1/responses', { input: 'Hi', conversation: 'conv_1' }, 'conversation'],
    ['/v1/chat/completions', { messages: [user('Hi')], n: 2 }, 'n'],
    ['/v1/embeddings', { model: 'openai/text-embedding-3-small', input: 'Hi' }, 'X-FluxCompute-History'],
  ])('%s with another beginning, several ends, or none', async (path, body, param) => {
    const headers = { 'x-fluxcompute-session': 'one', 'x-fluxcompute-history': 'append' };
    const refused = await gateway.call('POST', path, KEYS.globex, { model: 'auto', ...body }, headers);
    expect([refused.status, refused.body.error.param]).toEqual([400, param]);
  });

  test('without a secret, and on another API than the one it began on', async () => {
    const open = ground.start({ FLUX_SECRET: '' });
    const refused = await say([user('Hi')], {}, { of: open });
    expect([refused.status, refused.body.error.message]).toEqual([
      400,
      expect.stringContaining('FLUX_SECRET'),
    ]);
    await say([user('Hi')]);
    await gateway.settled();
    const headers = { 'x-fluxcompute-session': 'one', 'x-fluxcompute-history': 'append' };
    const body = { model: 'auto', messages: [user('Hi')] };
    const other = await gateway.call('POST', '/v1/chat/completions', KEYS.globex, body, headers);
    expect(other.body.error.message).toContain('/v1/messages');
  });

  test('a result whose call is nowhere: the answer says what is counted', async () => {
    await say([user('Hi')]);
    await gateway.settled();
    const refused = await say([RESULT]);
    expect(refused.status).toBe(400);
    expect(refused.body.error.message).toContain('2 messages of the session');
    // It came to nothing, and nothing is left of it.
    await gateway.settled();
    expect(inHistory(await say([user('On.')]))).toEqual({ history_messages: 2 });
  });

  test('a conversation that has grown too large: 413 with advice', async () => {
    const small = ground.start({ FLUX_MAX_BODY_BYTES: '1000' });
    await say([user('x'.repeat(600))], {}, { of: small });
    await small.settled();
    const refused = await say([user('x'.repeat(600))], {}, { of: small });
    expect(refused.status).toBe(413);
    expect(refused.body.error.message).toContain('X-FluxCompute-History: start');
  });
});

describe('whose it is', () => {
  test('traps T23: another customer with the same session sees nothing, nor does another session', async () => {
    await say([user('Secret.')]);
    await gateway.settled();
    for (const asking of [{ key: KEYS.agent }, { session: 'two' }]) {
      expect(inHistory(await say([user('Hi')], {}, asking))).toEqual({ history_messages: 0 });
      expect(ground.upstream.requests.at(-1)?.body).not.toContain('Secret');
    }
    await gateway.settled();
    expect(await ground.redis.direct.keys('flux:history:*')).toHaveLength(3);
  });

  test('traps T48: Redis holds no word of it, and forgets it after 30 days, or sooner where the customer says so', async () => {
    await say([user('CANARY question')], { system: 'CANARY system' }, { session: 'CANARY' });
    await gateway.call('PUT', '/api/settings', KEYS.acme, { retention_days: 2 });
    await say([user('CANARY question')], {}, { key: KEYS.acme });
    await gateway.settled();
    const keys = await ground.redis.direct.keys('flux:history:*');
    const kept = await Promise.all(keys.map((key) => ground.redis.direct.hgetall(key)));
    expect(JSON.stringify([keys, kept])).not.toMatch(/CANARY|Paris|globex/);
    const seconds = await Promise.all(keys.map((key) => ground.redis.direct.ttl(key)));
    const days = seconds.map((one) => Math.ceil(one / 86_400));
    expect(days.toSorted((a, b) => a - b)).toEqual([2, 30]);
  });

  test('an entry that was moved, in its history or to another, does not open', async () => {
    await say([user('One.')]);
    await gateway.settled();
    await say([user('Two.')]);
    await gateway.settled();
    const { direct } = ground.redis;
    const [key = ''] = await direct.keys('flux:history:*');
    await direct.hset(key, { e0: await direct.hget<string>(key, 'e1') });
    const refused = await say([user('Three.')]);
    expect([refused.status, refused.body.error.message]).toEqual([503, expect.stringContaining('start')]);
    expect((await say([user('Three.')], {}, { wish: 'start' })).status).toBe(200);
  });

  test('with a new secret it goes on, under its new name; the old secret is needed no more', async () => {
    await say([user('Old.')], { system: 'Be brief.' });
    await gateway.settled();
    const [before] = await ground.redis.direct.keys('flux:history:*');
    const rotated = ground.start({ FLUX_SECRET: 'new', FLUX_PREVIOUS_SECRET: 'a secret of this deployment' });
    expect(inHistory(await say([user('New.')], {}, { of: rotated }))).toEqual({ history_messages: 2 });
    await rotated.settled();
    const keys = await ground.redis.direct.keys('flux:history:*');
    expect(keys).toHaveLength(1);
    expect(keys).not.toContain(before);
    const later = ground.start({ FLUX_SECRET: 'new' });
    expect(inHistory(await say([user('On.')], {}, { of: later }))).toEqual({ history_messages: 4 });
    expect(sentMessages()[0]).toEqual(plain('Old.'));
    expect(sentBody().system).toMatchObject([{ text: 'Be brief.' }]);
    await later.settled();
  });
});

test('start after a change of the secret forgets what was kept under the former one', async () => {
  await say([user('Old.')]);
  await gateway.settled();
  const [before] = await ground.redis.direct.keys('flux:history:*');
  const rotated = ground.start({ FLUX_SECRET: 'new', FLUX_PREVIOUS_SECRET: 'a secret of this deployment' });
  expect((await say([user('New.')], {}, { of: rotated, wish: 'start' })).status).toBe(200);
  await rotated.settled();
  const keys = await ground.redis.direct.keys('flux:history:*');
  expect(keys).toHaveLength(1);
  expect(keys).not.toContain(before);
});

test('traps T63: a history that there is no room for is not even opened', async () => {
  await say([user('One.')]);
  await gateway.settled();
  const [key = ''] = await ground.redis.direct.keys('flux:history:*');
  await ground.redis.direct.hset(key, { e0: 'id 1 99000000 what does not open' });
  const refused = await say([user('Two.')]);
  expect([refused.status, refused.body.error.message]).toEqual([
    503,
    expect.stringContaining('hands full of large requests'),
  ]);
});

describe('a step again', () => {
  test('traps T64: the same words twice are two messages', async () => {
    for (const messages of [0, 2, 4]) {
      expect(inHistory(await say([user('continue')]))).toEqual({ history_messages: messages });
      await gateway.settled();
    }
  });

  test('results that were given already can only be the same step over again: its answer is replaced', async () => {
    ground.upstream.replies = [CALLING, ANSWERING];
    await say([user('Look.')], { tools });
    await gateway.settled();
    for (let n = 0; n < 3; n += 1) {
      expect(inHistory(await say([RESULT]))).toEqual({ history_messages: 2 });
      await gateway.settled();
    }
    expect(inHistory(await say([user('Thanks.')]))).toEqual({ history_messages: 4 });
  });

  test('so is a question whose answer was a call', async () => {
    ground.upstream.replies = [CALLING, CALLING, ANSWERING];
    for (let n = 0; n < 2; n += 1) {
      expect(inHistory(await say([user('Look.')], { tools }))).toEqual({ history_messages: 0 });
      await gateway.settled();
    }
    expect(inHistory(await say([RESULT]))).toEqual({ history_messages: 2 });
    expect(sentBody().tools).toHaveLength(1);
  });

  test('traps T64: that a client library tries again is no reason to forget an answer', async () => {
    expect((await say([user('continue')])).status).toBe(200);
    await gateway.settled();
    // The first try of this second "continue" was refused by a rate limit, or never came.
    const again = { headers: { 'x-stainless-retry-count': '1' } };
    expect(inHistory(await say([user('continue')], {}, again))).toEqual({ history_messages: 2 });
    await gateway.settled();
    expect(inHistory(await say([user('On.')]))).toEqual({ history_messages: 4 });
  });
});

describe('steps that fail, and steps at once', () => {
  test('a step that fails, or is cut, appends nothing', async () => {
    await say([user('One.')]);
    await gateway.settled();
    const { start, said, end } = ANSWERS['anthropic-messages'];
    const cut = sse([...start, ...said], 'cut');
    ground.upstream.replies = [json(400, { error: { message: 'No.' } })];
    expect((await say([user('Two.')])).status).toBe(400);
    const stream = async () =>
      (
        await gateway.request(
          '/v1/messages',
          {
            method: 'POST',
            body: JSON.stringify({ model: 'auto', max_tokens: 50, messages: [user('Three.')], stream: true }),
            headers: { 'x-fluxcompute-session': 'one', 'x-fluxcompute-history': 'append' },
          },
          KEYS.globex,
        )
      ).text();
    ground.upstream.replies = [cut];
    expect(await stream()).toContain('event: error');
    await gateway.settled();
    ground.upstream.replies = [sse([...start, ...said, ...end])];
    expect(await stream()).toContain('"history_messages":2');
    await gateway.settled();
    ground.upstream.replies = [ANSWERING];
    await say([user('Four.')]);
    expect(sentMessages()).toEqual([plain('One.'), PARIS, plain('Three.'), PARIS, plain('Four.')]);
  });

  test('two at once: both are answered, the first to end is kept, and never a mixture', async () => {
    await say([user('One.')]);
    await gateway.settled();
    const held: (() => void)[] = [];
    ground.upstream.replies = [(...args) => void held.push(() => ANSWERING(...args))];
    const [slow, quick] = [say([user('Slow.')]), say([user('Quick.')])];
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(2);
    const isSlow = ground.upstream.requests.at(-1)?.body.includes('Slow.');
    held.at(isSlow ? 0 : 1)?.();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(inHistory(await quick)).toEqual({ history_messages: 2 });
    await expect
      .poll(async () => {
        const [key = ''] = await ground.redis.direct.keys('flux:history:*');
        return ground.redis.direct.hexists(key, 'e1');
      })
      .toBe(1);
    held.at(isSlow ? 1 : 0)?.();
    expect((await slow).status).toBe(200);
    await gateway.settled();
    expect(warn.mock.calls.join()).toContain('"history_not_kept","why":"another_step"');
    warn.mockRestore();
    ground.upstream.replies = [ANSWERING];
    expect(inHistory(await say([user('On.')]))).toEqual({ history_messages: 4 });
    expect(ground.upstream.requests.at(-1)?.body).not.toContain('Slow.');
  });

  test('the same step twice at once: the answer that comes last is the one its client has', async () => {
    const held: (() => void)[] = [];
    const saying = (text: string): Reply =>
      json(200, { ...ANSWERS['anthropic-messages'].body, content: [{ type: 'text', text }] });
    ground.upstream.replies = [(...args) => void held.push(() => saying(`answer ${held.length}`)(...args))];
    const both = [say([user('One.')]), say([user('One.')])];
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(2);
    held.shift()?.();
    await Promise.race(both);
    await expect.poll(() => ground.redis.direct.keys('flux:history:*')).toHaveLength(1);
    held.shift()?.();
    await Promise.all(both);
    await gateway.settled();
    ground.upstream.replies = [ANSWERING];
    expect(inHistory(await say([user('On.')]))).toEqual({ history_messages: 2 });
    expect(ground.upstream.requests.at(-1)?.body).toContain('answer 0');
  });
});

describe('start, while another step is under way', () => {
  /** Asks one after the other; the first ends first, or the second. */
  const both = async (wishes: [string, string], endsFirst: 0 | 1) => {
    const held: (() => void)[] = [];
    ground.upstream.replies = [(...args) => void held.push(() => ANSWERING(...args))];
    const asked: ReturnType<typeof say>[] = [];
    for (const [n, wish] of wishes.entries()) {
      asked.push(say([user(`${wish} ${n}`)], {}, { wish }));
      await expect.poll(() => held.length, { timeout: 10_000 }).toBe(n + 1);
    }
    const [key = ''] = await ground.redis.direct.keys('flux:history:*');
    const notes = async () => (await ground.redis.direct.hkeys(key)).filter((name) => /^begun/.test(name));
    held[endsFirst]?.();
    await asked[endsFirst];
    await expect.poll(notes).not.toHaveLength(2);
    held[1 - endsFirst]?.();
    await Promise.all(asked);
    await gateway.settled();
    ground.upstream.replies = [ANSWERING];
    await say([user('On.')]);
    await gateway.settled();
    return { sent: sentMessages(), fields: await ground.redis.direct.hkeys(key) };
  };

  test('what was begun before it and ends before it goes too', async () => {
    await say([user('Old.')]);
    await gateway.settled();
    const { sent, fields } = await both(['append', 'start'], 0);
    expect(sent).toEqual([plain('start 1'), PARIS, plain('On.')]);
    expect(fields.toSorted()).toEqual(['e2', 'e3']);
  });

  test('of two that start, the one that began last stays, whichever ends first', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    for (const endsFirst of [0, 1] as const) {
      const { sent } = await both(['start', 'start'], endsFirst);
      expect(sent).toEqual([plain('start 1'), PARIS, plain('On.')]);
    }
    expect(warn.mock.calls.join()).toContain('another_step');
    warn.mockRestore();
  });
});

describe('waits and outages', () => {
  test('one wait before the provider, for all of it; a client that is quicker than the write is waited for', async () => {
    await say([user('One.')]);
    await gateway.settled();
    await say([user('Two.')]);
    await gateway.settled();
    const asked = countAsked();
    await say([user('Three.')]);
    expect(asked()).toBe(1);
    // Nothing has settled.
    expect(inHistory(await say([user('Four.')]))).toEqual({ history_messages: 6 });
  });

  test('Redis down: 503 that says what to do; without the header answers keep coming', async () => {
    await say([user('One.')]);
    await gateway.settled();
    ground.redis.mood = 'down';
    const refused = await say([user('Two.')]);
    expect(refused.status).toBe(503);
    expect(refused.body.error.message).toContain('send the whole conversation');
    expect(refused.headers.get('retry-after')).toBe('5');
    const whole = { model: 'auto', max_tokens: 50, messages: [user('One.'), PARIS, user('Two.')] };
    const named = { 'x-fluxcompute-session': 'one' };
    expect((await gateway.call('POST', '/v1/messages', KEYS.globex, whole, named)).status).toBe(200);
    ground.redis.mood = 'up';
    expect(inHistory(await say([user('Two.')]))).toEqual({ history_messages: 2 });
  });

  test('traps T46: Redis slow: the same after two seconds, and nothing is left of a note that came late', async () => {
    await say([user('One.')]);
    await gateway.settled();
    ground.redis.delay = 2_300;
    expect((await say([user('Two.')])).status).toBe(503);
    ground.redis.delay = 0;
    // The note comes when the answer has long gone.
    await gateway.settled();
    const [key = ''] = await ground.redis.direct.keys('flux:history:*');
    expect(await ground.redis.direct.hkeys(key)).toEqual(['e0']);
  });

  test('what could not be kept is a hole that the next step does not go over', async () => {
    /** Steps that the session's object still waits for. */
    let under: string[] = [];
    const gone = () => Promise.reject(new Error('gone'));
    const SESSIONS = {
      getByName: () => ({
        ...{ begin: gone, peek: gone, settle: async () => {} },
        unsettled: async (ids: string[]) =>
          ids.filter((id) => under.includes(id)).map((id) => ({ id, isAbandoned: false })),
      }),
    };
    const of = ground.start({ SESSIONS: SESSIONS as never });
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await say([user('One.')], {}, { of });
    await of.settled();
    ground.upstream.replies = [
      (...args) => {
        ground.redis.mood = 'down';
        ANSWERING(...args);
      },
    ];
    const lost = await say([user('Two.')], {}, { of });
    expect(lost.status).toBe(200);
    await of.settled();
    expect(warn.mock.calls.join()).toContain('"history_not_kept","why":"store"');
    ground.redis.mood = 'up';
    ground.upstream.replies = [ANSWERING];
    const refused = await say([user('Three.')], {}, { of });
    expect([refused.status, refused.body.error.message]).toEqual([
      503,
      expect.stringContaining('something is missing'),
    ]);
    await of.settled();
    // Where it is still under way, it is no hole.
    under = [lost.headers.get('x-fluxcompute-request-id') ?? ''];
    const beside = await say([user('Three.')], {}, { of });
    expect(beside.status, JSON.stringify(beside.body)).toBe(200);
    under = [];
    await of.settled();
    const anew = await say(
      [user('One.'), PARIS, user('Two.'), PARIS, user('Three.')],
      {},
      { of, wish: 'start' },
    );
    expect(anew.status).toBe(200);
    await of.settled();
    expect(inHistory(await say([user('Four.')], {}, { of }))).toEqual({ history_messages: 6 });
    await of.settled();
    warn.mockRestore();
  });

  /** A gateway whose sessions' objects answer so, and a step that has noted that it began, so long ago. */
  const beside = async (unsettled: () => Promise<object[] | null>, ms: number) => {
    const gone = () => Promise.reject(new Error('gone'));
    const object = { begin: gone, peek: gone, settle: async () => {}, unsettled };
    const of = ground.start({
      FLUX_SESSION_TIMEOUT_MS: '50',
      SESSIONS: { getByName: () => object } as never,
    });
    await say([user('One.')], {}, { of });
    await of.settled();
    const [key = ''] = await ground.redis.direct.keys('flux:history:*');
    await ground.redis.direct.hset(key, { 'begun:other': String(Date.now() - ms) });
    const { status } = await say([user('Two.')], {}, { of });
    await of.settled();
    return { status, fields: (await ground.redis.direct.hkeys(key)).toSorted() };
  };
  const hours = (n: number) => n * 3_600_000;

  test('a note of a step that died is forgotten once its session is, and no sooner', async () => {
    expect(await beside(async () => null, hours(25))).toEqual({ status: 200, fields: ['e0', 'e1'] });
    await ground.redis.direct.flushall();
    expect(await beside(async () => null, hours(1))).toEqual({ status: 503, fields: ['begun:other', 'e0'] });
    await ground.redis.direct.flushall();
    // Its session knows that it has ended.
    expect((await beside(async () => [], hours(25))).status).toBe(503);
  });

  test('traps T46: a session that does not answer is not waited for', async () => {
    const { status } = await beside(() => new Promise(() => {}), 0);
    expect(status).toBe(200);
  });

  test('traps T46: beside another step a slow Redis is asked no longer than two seconds', async () => {
    await say([user('One.')]);
    await gateway.settled();
    const [key = ''] = await ground.redis.direct.keys('flux:history:*');
    await ground.redis.direct.hset(key, { 'begun:other': String(Date.now()) });
    const asked = countAsked();
    ground.redis.delay = 1_200;
    expect((await say([user('Two.')])).status).toBe(200);
    ground.redis.delay = 0;
    // A second look, which was given up, and no third.
    expect(asked()).toBe(2);
  });

  test('a store that takes what is written and then says nothing is written to once', async () => {
    await say([user('Old.')]);
    await gateway.settled();
    ground.upstream.replies = [
      (...args) => {
        ground.redis.losesAnswers = true;
        setTimeout(() => {
          ground.redis.losesAnswers = false;
        }, 100);
        ANSWERING(...args);
      },
    ];
    await say([user('One.')], {}, { wish: 'start' });
    await gateway.settled();
    ground.upstream.replies = [ANSWERING];
    // And what it takes the place of is gone all the same.
    const [key = ''] = await ground.redis.direct.keys('flux:history:*');
    expect(await ground.redis.direct.hkeys(key)).toEqual(['e1']);
    expect(inHistory(await say([user('Two.')]))).toEqual({ history_messages: 2 });
  });
});
