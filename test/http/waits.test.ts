import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { budgetsInNode } from '../budget/book-in-node.ts';
import { sessionsInNode } from '../sessions/book-in-node.ts';
import { ask, type CustomerGateway, type Ground, KEYS, startGround } from './customer-gateway.ts';

/** One way to a store and back: what house.md counts. */
const WAIT_MS = 40;

let ground: Ground;
let gateway: CustomerGateway;
let calls: Call[] = [];

/** A call of a store or of the provider; `to` is open until it has come back. */
interface Call {
  what: 'store' | 'provider';
  from: number;
  to: number;
}

/** Begins at once, and takes 40 ms longer. */
async function slowly<T>(what: Call['what'], call: () => Promise<T>): Promise<T> {
  const span: Call = { what, from: performance.now(), to: Number.POSITIVE_INFINITY };
  calls.push(span);
  if (what === 'store') await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  try {
    return await call();
  } finally {
    span.to = performance.now();
  }
}

/** The most calls of stores that came one after the other, each begun when the one before was back, before the provider was asked. */
function waitsBefore(): number {
  const provider = calls.find(({ what }) => what === 'provider');
  const before = calls
    .filter(({ what, to }) => what === 'store' && to <= (provider?.from ?? 0))
    .sort((a, b) => a.from - b.from);
  return before.reduce(
    ({ waits, end }, { from, to }) => (from >= end ? { waits: waits + 1, end: to } : { waits, end }),
    { waits: 0, end: 0 },
  ).waits;
}

/** An object whose methods are as far away as any store. */
function faraway<T extends object>(object: T): T {
  return new Proxy(object, {
    get: (target, name) => {
      // Its own methods, which all give promises.
      const method = Reflect.get(target, name) as ((...args: unknown[]) => Promise<unknown>) | undefined;
      return method && ((...args: unknown[]) => slowly('store', () => method(...args)));
    },
  });
}

function start(): CustomerGateway {
  const [sessions, budgets] = [sessionsInNode(), budgetsInNode()];
  return ground.start({
    SESSIONS: { getByName: (name: string) => faraway(sessions.getByName(name)) } as never,
    BUDGETS: { getByName: (name: string) => faraway(budgets.getByName(name)) } as never,
  });
}

beforeAll(async () => {
  ground = await startGround();
}, 60_000);
afterAll(() => ground.close());
beforeEach(async () => {
  await ground.reset();
  const real = globalThis.fetch;
  const { hosts, upstream } = {
    hosts: [ground.postgres.url, ground.redis.url].map((url) => new URL(url).host),
    upstream: new URL(ground.upstream.url).host,
  };
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const { host } = new URL(input instanceof Request ? input.url : input);
    if (host === upstream) return slowly('provider', () => real(input, init));
    return hosts.includes(host) ? slowly('store', () => real(input, init)) : real(input, init);
  });
  gateway = start();
});
afterEach(async () => {
  await gateway.settled();
  vi.restoreAllMocks();
});

const step = async (headers: object = {}, body: object = {}) => {
  calls = [];
  const answer = await gateway.call(
    'POST',
    '/v1/chat/completions',
    KEYS.agent,
    { ...ask, max_tokens: 100, ...body },
    headers,
  );
  expect(answer.status).toBe(200);
  const waits = waitsBefore();
  await gateway.settled();
  return waits;
};

const SESSION = { 'x-fluxcompute-session': 'waits' };
/** A conversation that tells its session by itself. */
const ANSWERED = {
  messages: [
    { role: 'user', content: 'Count to three.' },
    { role: 'assistant', content: 'One, two, three.' },
    { role: 'user', content: 'And now backwards.' },
  ],
};

describe('waits before the provider is asked, with 40 ms in every store', () => {
  test('a cold isolate waits once for key, settings and limits together; a warm stateless step never', async () => {
    expect(await step()).toBe(1);
    expect(await step()).toBe(0);
    expect(await step({}, { stream: false, model: 'auto:hard' })).toBe(0);
  });

  test('a session is one wait, named or not, and a cold isolate makes it two', async () => {
    expect(await step(SESSION)).toBe(2);
    expect(await step(SESSION)).toBe(1);
    expect(await step({}, ANSWERED)).toBe(1);
  });

  test('a budget is one wait, and with a session it is still one: both are asked side by side', async () => {
    await gateway.call('PUT', '/api/limits', KEYS.acme, { usd_per_day: 1_000 });
    gateway = start();
    expect(await step()).toBe(2);
    expect(await step()).toBe(1);
    expect(await step(SESSION)).toBe(1);
    expect(calls.filter(({ what }) => what === 'store').length).toBeGreaterThanOrEqual(2);
    expect(await step({}, ANSWERED)).toBe(1);
  });

  test('nobody is asked for a session where nothing may be kept', async () => {
    await step();
    expect(await step({ ...SESSION, 'x-fluxcompute-no-store': '1' })).toBe(0);
  });
});
