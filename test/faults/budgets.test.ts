import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, START_LIMIT, startGateway, temporaryFolder } from '../journeys/gateway.ts';
import { ask as askOf } from './steps.ts';

const folder = temporaryFolder();
const ADMIN = 'flx_budgeted_key_of_acme';
const FREE = 'flx_key_of_globex_no_budget';
let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway(
    folder.path,
    { FLUX_API_KEYS: `${ADMIN}:acme:infer+read+admin,${FREE}:globex` },
    { entry: join(import.meta.dirname, 'worker.ts') },
  );
}, START_LIMIT);
afterAll(async () => {
  await gateway?.stop();
  folder.remove();
});

const tell = (what: string) => fetch(`${gateway.stack.url}/faults/${what}`).then((one) => one.text());
const ask = (body: object = {}, key = ADMIN) => askOf({ url: gateway.stack.url, key }, body);

/** A limit with what stands against it, as `GET /api/limits` shows it. */
interface Shown {
  key_id: string | null;
  tag: string | null;
  usd_per_day: number | null;
  today: { spent_usd: number; reserved_usd: number; ends_at: string } | null;
}
const limits = async (set?: object): Promise<Shown[]> => {
  const response = await fetch(`${gateway.stack.url}/api/limits`, {
    method: set ? 'PUT' : 'GET',
    headers: { authorization: `Bearer ${ADMIN}` },
    ...(set ? { body: JSON.stringify(set) } : {}),
  });
  if (!response.ok) throw new Error(await response.text());
  // The list that docs/api.md describes.
  return ((await response.json()) as { data: Shown[] }).data;
};
const today = async () => (await limits()).find(({ key_id, tag }) => key_id === null && tag === null)?.today;
/** Nano-dollars: whole numbers. */
const nano = (usd: number | undefined) => Math.round((usd ?? Number.NaN) * 1e9);

interface Answer {
  fluxcompute: { reserved_usd: number; cost_usd: number };
  error: { message: string; code: string };
}
const seen = async (response: Promise<Response>) => {
  const { status, headers } = await response;
  // An answer or an error of Chat Completions.
  return { status, headers, body: (await (await response).json()) as Answer };
};

/** 16 tokens of output at most: an actual cost far under what is reserved. */
const STEP = { model: 'auto', max_tokens: 16 };

describe('traps T43: a budget that many reach for at once', () => {
  test('of 200 requests on a budget for 20 exactly as many get in as there is room for, and what they leave is free again', async () => {
    await limits({ usd_per_day: 1_000 });
    const { body: first } = await seen(ask(STEP));
    const R = nano(first.fluxcompute.reserved_usd);
    expect(R).toBeGreaterThan(nano(first.fluxcompute.cost_usd));
    await expect.poll(async () => (await today())?.reserved_usd).toBe(0);
    const spent = nano((await today())?.spent_usd);
    expect(spent).toBe(nano(first.fluxcompute.cost_usd));

    const budget = 20 * R + Math.floor(R / 2);
    const room = Math.floor((budget - spent) / R);
    await limits({ usd_per_day: budget / 1e9 });
    await gateway.script({
      times: 'always',
      delay: { first_ms: 8_000, between_ms: 0 },
      answer: { text: 'Paris.', calls: [] },
    });
    const before = (await gateway.sent()).length;
    const asked = Array.from({ length: 200 }, () => seen(ask(STEP)));
    // While none has settled.
    await expect.poll(async () => nano((await today())?.reserved_usd)).toBe(room * R);
    const answers = await Promise.all(asked);
    const admitted = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(admitted).toHaveLength(room);
    expect((await gateway.sent()).length - before).toBe(room);
    expect(new Set(refused.map(({ status, body }) => `${status} ${body.error.code}`))).toEqual(
      new Set(['429 budget_exceeded']),
    );

    const actual = admitted.reduce((sum, { body }) => sum + nano(body.fluxcompute.cost_usd), spent);
    await expect
      .poll(async () => {
        const sums = await today();
        return [nano(sums?.spent_usd), sums?.reserved_usd];
      })
      .toEqual([actual, 0]);
    expect(actual).toBeLessThanOrEqual(budget);
    await gateway.script();
    expect((await seen(ask(STEP))).status).toBe(200);
  }, 60_000);
});

describe('what a step did cost', () => {
  test('streamed, failed and left steps settle; what was never sent gives everything back', async () => {
    await limits({ usd_per_day: 1_000 });
    await expect.poll(async () => (await today())?.reserved_usd).toBe(0);
    const before = nano((await today())?.spent_usd);

    const stream = await ask({ ...STEP, stream: true });
    const text = await stream.text();
    const cost = nano(Number(/"cost_usd":([\d.e-]+)/.exec(text)?.[1]));
    expect(text).toContain('"reserved_usd":');
    expect(cost).toBeGreaterThan(0);
    await expect.poll(async () => (await today())?.reserved_usd).toBe(0);
    expect(nano((await today())?.spent_usd)).toBe(before + cost);

    await gateway.script({ fault: { kind: 'status', status: 400 } } as never);
    expect((await ask(STEP)).status).toBe(400);
    // No model takes it: nothing is sent.
    expect((await ask({ ...STEP, logprobs: true, n: 3, tools: [], model: 'claude-haiku-5-5' })).status).toBe(
      400,
    );
    await expect.poll(async () => (await today())?.reserved_usd).toBe(0);
    expect(nano((await today())?.spent_usd)).toBe(before + cost);
    await gateway.script();
  });
});

describe('traps T46: the object of the budgets is gone', () => {
  test.each(['throw', 'hang'])(
    'budgets that %s fail closed, and whoever has none is answered',
    async (how) => {
      await limits({ usd_per_day: 1_000 });
      expect((await ask(STEP)).status).toBe(200);
      await tell(`budgets-${how}`);
      const before = (await gateway.sent()).length;
      const others = Promise.all(Array.from({ length: 5 }, () => ask(STEP, FREE)));
      const refused = await seen(ask(STEP));
      expect(refused).toMatchObject({ status: 503, body: { error: { code: 'budget_unavailable' } } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await others).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      // Theirs alone.
      expect((await gateway.sent()).length - before).toBe(5);
      // What is set is shown all the same.
      expect((await limits())[0]).toMatchObject({ usd_per_day: 1_000, today: null });
      await tell('budgets-work');
      expect((await ask(STEP)).status).toBe(200);
      await expect.poll(async () => (await today())?.reserved_usd).toBe(0);
      expect(gateway.lines.some((line) => line.includes('"code":"budget_reserve_failed"'))).toBe(true);
    },
  );
});
