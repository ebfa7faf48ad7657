import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dlqCommand } from '../../src/cli/dlq.ts';
import { writeSteps } from '../../src/log/steps-message.ts';
import { begunRecord } from '../../src/pipeline/record.ts';
import { REDIS_LISTS } from '../../src/stores/redis.ts';
import { step } from '../log/records.ts';
import { type FaultyPostgres, type FaultyRedis, startPostgres, startRedis } from '../log/stores.ts';
import { openPrepared } from '../prepared.ts';
import { run } from './shell.ts';

let postgres: FaultyPostgres;
let redis: FaultyRedis;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(openPrepared), startRedis()]);
});
afterAll(() => Promise.all([postgres.close(), redis.close()]));
afterEach(async () => {
  postgres.mood = 'up';
  redis.mood = 'up';
  await redis.direct.flushall();
  await postgres.read('TRUNCATE queries');
});

const flux = (args: string[], answers?: string[]) =>
  run(
    dlqCommand,
    args,
    { DATABASE_URL: postgres.url, UPSTASH_REDIS_REST_URL: redis.url, UPSTASH_REDIS_REST_TOKEN: 'token' },
    answers,
  );

async function bury(...entries: unknown[]): Promise<void> {
  for (const entry of entries) {
    await redis.direct.rpush(REDIS_LISTS.dead, typeof entry === 'string' ? entry : JSON.stringify(entry));
  }
}

async function park(...entries: unknown[]): Promise<void> {
  for (const entry of entries) await redis.direct.rpush(REDIS_LISTS.parked, JSON.stringify(entry));
}

async function rows(): Promise<string[]> {
  const found = await postgres.read('SELECT request_id FROM queries ORDER BY request_id');
  return found.map((row) => String(row.request_id));
}

const left = () => redis.direct.llen(REDIS_LISTS.dead);
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

/** Postgres takes no NUL in a text. */
const refused = (id: string) => step({ request_id: id, requested_model: 'a\u0000b' });

/** What is kept of a step under way. */
const begunOf = (id: string) => begunRecord.parse({ ...step({ request_id: id }), state: 'begun' });

describe('flux dlq list', () => {
  it('says how many, how old, which requests and why, and nothing of what is in them', async () => {
    await bury(
      step({ request_id: 'old', started_at: hoursAgo(49) }),
      { secret: 'MARKED content', request_id: 7 },
      '{"MARKED',
      step({ request_id: 'new', started_at: hoursAgo(1) }),
    );
    await park(step({ request_id: 'waiting', started_at: hoursAgo(2), customer: 'acme' }));
    const { code, out, notes } = await flux(['list']);
    expect(code).toBe(0);
    expect(out).toContain('dead: 4, oldest 2d 1h, newest 1h');
    expect(out).toMatch(/old +acme +2d 1h +Postgres refused the row/);
    expect(out).toContain("no step record: 'request_id' is missing or wrong");
    expect(out).toContain('not JSON');
    expect(out).toMatch(/waiting +acme +2h +waits for Postgres/);
    expect(out).toContain('flux dlq replay');
    expect(out + notes).not.toContain('MARKED');
  });

  it('shows the oldest of many, and counts them all', async () => {
    await bury(
      ...Array.from({ length: 130 }, (_, i) => step({ request_id: `r${i}`, started_at: hoursAgo(200 - i) })),
    );
    const { json } = await flux(['list', '--limit', '110', '--json']);
    expect(json.dead.count).toBe(130);
    expect(json.dead.entries).toHaveLength(110);
    expect(json.dead.entries[109].request_id).toBe('r109');
    expect(json.parked).toEqual({ count: 0, oldest_s: null, newest_s: null, entries: [] });
    expect((await flux(['list', '--limit', '1'])).out).toContain('and 129 more');
  });

  it('says so where there is nothing', async () => {
    expect((await flux(['list'])).out).toBe('dead: none\n\nparked: none\n\n');
  });
});

describe('flux dlq replay', () => {
  it('makes each a row once, whatever was there before, and keeps what can be none', async () => {
    await bury(
      step({ request_id: 'a' }),
      'nonsense',
      refused('b'),
      step({ request_id: 'a' }),
      step({ request_id: 'c' }),
    );
    await park(step({ request_id: 'p' }), { not: 'a step' });
    const first = await flux(['replay', '--json']);
    expect([first.code, first.json]).toEqual([1, { replayed: 4, kept: 3, discarded: 0 }]);
    expect(await rows()).toEqual(['a', 'c', 'p']);
    expect(await left()).toBe(3);
    const second = await flux(['replay']);
    expect([second.code, second.out]).toEqual([1, expect.stringContaining('0 replayed, 3 left')]);
    expect(await rows()).toEqual(['a', 'c', 'p']);
  });

  it('makes rows of a whole message, as a Worker of an older version leaves one that it can not read', async () => {
    await bury(
      JSON.parse(writeSteps([step({ request_id: 'm1' }), step({ request_id: 'm2' })])),
      JSON.parse(writeSteps([step({ request_id: 'm3' }), refused('m4')])),
      JSON.parse(writeSteps([begunOf('m5'), begunOf('m6')])),
      [step({ request_id: 'm7' }), { MARKED: 'content' }],
      [],
    );
    const { out } = await flux(['list']);
    expect(out).toContain('2 steps in one message: replay them');
    expect(out).not.toContain('MARKED');
    expect((await flux(['replay', '--json'])).json).toEqual({ replayed: 6, kept: 3, discarded: 0 });
    expect(await rows()).toEqual(['m1', 'm2', 'm3', 'm5', 'm6', 'm7']);
    expect(await left()).toBe(3);
    // What is thrown away then has no row that could be.
    await flux(['replay', '--discard', '--yes']);
    expect([await rows(), await left()]).toEqual([['m1', 'm2', 'm3', 'm5', 'm6', 'm7'], 0]);
  });

  it('goes through more than a page, with entries that stay among them, and tells how far it is', async () => {
    const entries = Array.from({ length: 250 }, (_, i) =>
      i % 5 === 0 ? `bad ${i}` : step({ request_id: `q${i}` }),
    );
    await bury(...entries);
    const { json, notes } = await flux(['replay', '--json']);
    expect(json).toEqual({ replayed: 200, kept: 50, discarded: 0 });
    expect(await rows()).toHaveLength(200);
    expect(notes).toContain('80 replayed');
  });

  it('discards only what can be no row, and only once that is confirmed', async () => {
    await bury('nonsense', refused('b'), step({ request_id: 'a' }));
    const no = await flux(['replay', '--discard'], ['']);
    expect(no.asked).toEqual([expect.stringContaining('Remove 2 entries')]);
    expect([no.code, await left()]).toEqual([1, 2]);
    const yes = await flux(['replay', '--discard', '--json'], ['y']);
    expect([yes.code, yes.json]).toEqual([0, { replayed: 0, kept: 0, discarded: 2 }]);
    expect([await left(), await rows()]).toEqual([0, ['a']]);
  });

  it('discards with nobody to ask only after --yes', async () => {
    await bury('nonsense');
    const unasked = await flux(['replay', '--discard']);
    expect([unasked.code, unasked.notes]).toEqual([2, expect.stringContaining('--yes')]);
    expect((await flux(['replay', '--discard', '--yes'])).out).toBe('0 replayed, 1 discarded.\n');
  });

  it.each(['dead', 'parked'] as const)(
    'loses nothing of %s while Postgres is down, and says which store it is',
    async (list) => {
      await (list === 'dead' ? bury : park)(step({ request_id: 'a' }));
      postgres.mood = 'down';
      const down = await flux(['replay']);
      expect(down.code).toBe(1);
      expect(down.notes).toContain('Postgres');
      expect(down.notes).not.toContain(postgres.url);
      postgres.mood = 'up';
      expect((await flux(['replay'])).code).toBe(0);
      expect(await rows()).toEqual(['a']);
    },
  );

  it('says that Redis is down', async () => {
    redis.mood = 'down';
    for (const command of ['list', 'replay']) {
      const { code, notes } = await flux([command]);
      expect([code, notes]).toEqual([1, expect.stringContaining('Redis')]);
    }
  });
});

describe('flux dlq finds the stores', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flux-dlq-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('of the running npm start in its data folder, where the environment names none', async () => {
    await bury(step({ request_id: 'a' }));
    writeFileSync(
      join(folder, 'stores.json'),
      JSON.stringify({
        DATABASE_URL: postgres.url,
        UPSTASH_REDIS_REST_URL: redis.url,
        UPSTASH_REDIS_REST_TOKEN: 'token',
      }),
    );
    const { out } = await run(dlqCommand, ['replay'], { FLUX_DATA_DIR: folder });
    expect(out).toBe('1 replayed.\n');
  });

  it.each([
    ['DATABASE_URL', 'postgres://user:SECRET@/db', 'the database URL'],
    ['UPSTASH_REDIS_REST_URL', 'http://[SECRET', 'UPSTASH_REDIS_REST_URL'],
  ])('says so where %s is no URL, without what is in it', async (name, value, words) => {
    const variables = {
      DATABASE_URL: postgres.url,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: 'token',
    };
    const { code, notes } = await run(dlqCommand, ['replay'], { ...variables, [name]: value });
    expect([code, notes]).toEqual([2, expect.stringContaining(words)]);
    expect(notes).not.toContain('SECRET');
  });

  it('and names what is missing', async () => {
    const none = await run(dlqCommand, ['list'], { FLUX_DATA_DIR: join(folder, 'none') });
    expect([none.code, none.notes]).toEqual([2, expect.stringContaining('UPSTASH_REDIS_REST_URL')]);
  });
});
