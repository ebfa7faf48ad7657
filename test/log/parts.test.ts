import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { consumeSteps } from '../../src/log/consumer.ts';
import { migrate } from '../../src/log/migrate.ts';
import { writeSteps } from '../../src/log/steps-message.ts';
import type { StepRecord } from '../../src/pipeline/record.ts';
import { type Database, openDatabase } from '../../src/stores/database.ts';
import { openRedis, REDIS_LISTS, type Redis } from '../../src/stores/redis.ts';
import { FakeMessage } from './queue.ts';
import { step } from './records.ts';
import {
  type FaultyPostgres,
  type FaultyRedis,
  onEachPostgres,
  startPostgres,
  startRedis,
} from './stores.ts';

/*
 * Batches that are too long to be read at once: the consumer takes them in parts of some 128 KB of text.
 */

/** A message as a Worker sends it, and how often it was told what became of it. */
class TextMessage extends FakeMessage {
  told = 0;
  override ack(): void {
    this.told += 1;
    super.ack();
  }
  override retry(options?: { delaySeconds?: number }): void {
    this.told += 1;
    super.retry(options);
  }
}

const STEPS = 60;
/** Of a tenth of a megabyte: two are a part. */
const PADDING = 'x'.repeat(1_000);

const made = (part: Partial<StepRecord> = {}) => step({ tags: { padding: PADDING }, ...part });
const some = () => Array.from({ length: STEPS }, () => made());
const messageOf = (records: StepRecord[]) => new TextMessage(writeSteps(records));
const idsOf = (records: StepRecord[]) => records.map((record) => record.request_id).sort();

let postgres: FaultyPostgres;
let redisServer: FaultyRedis;
let database: Database;
let redis: Redis;
let lines: string[];

onEachPostgres((open) => {
  beforeAll(async () => {
    [postgres, redisServer] = await Promise.all([startPostgres(open), startRedis()]);
    await migrate(postgres.url);
  }, 60_000);

  afterAll(async () => {
    await Promise.all([postgres.close(), redisServer.close()]);
  });

  beforeEach(async () => {
    postgres.mood = 'up';
    redisServer.mood = 'up';
    await redisServer.direct.flushdb();
    await postgres.read('TRUNCATE queries, customers');
    database = openDatabase(postgres.url, 60_000);
    redis = openRedis(redisServer.url, 'token', 60_000);
    lines = [];
    for (const level of ['warn', 'error'] as const) {
      vi.spyOn(console, level).mockImplementation((line) => void lines.push(String(line)));
    }
  });

  const loggedIds = async () => {
    const rows = await postgres.read('SELECT request_id FROM queries ORDER BY request_id COLLATE "C"');
    return rows.map((row) => String(row.request_id));
  };
  const dead = async () =>
    (await redisServer.direct.lrange(REDIS_LISTS.dead, 0, -1)).map((entry) => JSON.parse(entry));

  /** Statements that are tried from now on; `after` runs behind each. */
  function watchStatements(after: (tried: number) => void = () => {}): { tried: number } {
    const statements = { tried: 0 };
    const client = database.$client;
    const query = client.query.bind(client);
    vi.spyOn(client, 'query').mockImplementation(((text: string, values: unknown[]) => {
      statements.tried += 1;
      return query(text, values).finally(() => after(statements.tried));
      // The consumer asks with a text and its values only, and waits for rows.
    }) as typeof client.query);
    return statements;
  }

  test('a long batch is written part by part, and each message is done once', async () => {
    const lists = Array.from({ length: 5 }, some);
    const messages = lists.map(messageOf);
    const statements = watchStatements();
    await consumeSteps({ messages }, { database, redis });
    expect(await loggedIds()).toEqual(idsOf(lists.flat()));
    expect(messages.map(({ outcome, told }) => [outcome, told])).toEqual(messages.map(() => ['acked', 1]));
    // Two and two and one.
    expect(statements.tried).toBe(3);
    expect(lines).toEqual([]);
  });

  test('a step of which two parts tell is one row: what it ended with', async () => {
    const ended = made();
    const unsettled: StepRecord = { ...ended, state: 'abandoned', status: 499, error_code: 'unsettled' };
    const statements = watchStatements();
    for (const [first, last] of [
      [ended, unsettled],
      [unsettled, ended],
    ] as const) {
      const between = some();
      const messages = [messageOf([...some(), first]), messageOf(between), messageOf([last])];
      statements.tried = 0;
      await consumeSteps({ messages }, { database, redis });
      expect(statements.tried).toBe(2);
      expect(
        await postgres.read('SELECT state FROM queries WHERE request_id = $1', [ended.request_id]),
      ).toEqual([{ state: 'ok' }]);
      await postgres.read('TRUNCATE queries');
    }
  });

  test('traps T47: Postgres goes away between two parts: what is written is done, the rest comes again later, and nobody waits for it twice', async () => {
    const lists = Array.from({ length: 9 }, some);
    const messages = lists.map(messageOf);
    for (const [index, message] of messages.entries()) message.attempts = 1 + (index % 3);
    const statements = watchStatements((tried) => {
      if (tried === 1) postgres.mood = 'down';
    });
    await consumeSteps({ messages }, { database, redis });
    expect(statements.tried).toBe(2);
    expect(messages.map(({ outcome }) => outcome)).toEqual(['acked', 'acked', 8, 2, 4, 8, 2, 4, 8]);
    expect(messages.every(({ told }) => told === 1)).toBe(true);
    expect(await loggedIds()).toEqual(idsOf(lists.slice(0, 2).flat()));

    postgres.mood = 'up';
    await consumeSteps({ messages: messages.slice(2) }, { database, redis });
    expect(await loggedIds()).toEqual(idsOf(lists.flat()));
    expect(await dead()).toEqual([]);
  });

  test('what is no step goes to the dead list while Postgres is down, in whichever part it stands', async () => {
    postgres.mood = 'down';
    const messages = [
      ...[messageOf(some()), new TextMessage('no JSON'), messageOf(some())],
      ...[messageOf(some()), messageOf(some()), new TextMessage({ request_id: 'half' })],
    ];
    const statements = watchStatements();
    await consumeSteps({ messages }, { database, redis });
    expect(messages.map(({ outcome }) => outcome)).toEqual([2, 'acked', 2, 2, 2, 'acked']);
    expect(messages.every(({ told }) => told === 1)).toBe(true);
    expect(await dead()).toEqual(['no JSON', { request_id: 'half' }]);
    expect(statements.tried).toBe(1);
  });

  test('a step that Postgres refuses in one part keeps none out, of its own part or of another', async () => {
    const lists = Array.from({ length: 5 }, some);
    const refused = made({ tokens: { ...step().tokens, fresh: 2 ** 40 } });
    const messages = lists.map((records, index) => messageOf(index === 1 ? [...records, refused] : records));
    await consumeSteps({ messages }, { database, redis });
    expect(await loggedIds()).toEqual(idsOf(lists.flat()));
    expect(messages.map(({ outcome, told }) => [outcome, told])).toEqual(messages.map(() => ['acked', 1]));
    expect(await dead()).toEqual([refused]);
  });
});
