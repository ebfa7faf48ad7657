import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalStack } from '../../src/local/stack.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { openRedis } from '../../src/stores/redis.ts';

/** Every row of every table, as text, by the table's name. */
export async function postgresText(databaseUrl: string): Promise<Map<string, string>> {
  const { $client: client } = openDatabase(databaseUrl);
  const tables = await client.query(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
     WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'`,
  );
  const texts = new Map<string, string>();
  for (const { name } of tables) {
    const rows = await client.query(`SELECT t::text AS row FROM ${name} t`);
    texts.set(String(name), rows.map(({ row }) => String(row)).join('\n'));
  }
  return texts;
}

/** Every key of Redis with its value, as text. */
export async function redisText({ redisUrl, redisToken }: LocalStack): Promise<Map<string, string>> {
  const redis = openRedis(redisUrl, redisToken);
  const texts = new Map<string, string>();
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, { count: 100 });
    cursor = String(next);
    for (const key of keys) {
      const type = await redis.type(key);
      const value =
        type === 'list'
          ? await redis.lrange(key, 0, -1)
          : type === 'hash'
            ? await redis.hgetall(key)
            : type === 'set'
              ? await redis.smembers(key)
              : type === 'zset'
                ? await redis.zrange(key, 0, -1)
                : await redis.get(key);
      texts.set(key, `${key} ${JSON.stringify(value)}`);
    }
  } while (cursor !== '0');
  return texts;
}

/** Every file below a folder, byte by byte, by its path in it. */
export function filesText(folder: string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // One character a byte, so that nothing is lost to decoding.
    if (entry.isFile()) texts.set(path.slice(folder.length), readFileSync(path, 'latin1'));
  }
  return texts;
}

/** The places that hold a mark, plain or in hexadecimal, each with what stands around it. */
export function placesWith(mark: string, texts: Map<string, string>): string[] {
  const spellings = [mark, Buffer.from(mark).toString('hex')];
  return [...texts].flatMap(([name, text]) => {
    const at = Math.max(...spellings.map((spelling) => text.indexOf(spelling)));
    return at === -1 ? [] : [`${name}: …${text.slice(Math.max(0, at - 80), at + 80)}…`];
  });
}
