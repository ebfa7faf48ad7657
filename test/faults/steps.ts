import { openDatabase } from '../../src/stores/database.ts';

/** Where and as whom to ask. */
export interface Target {
  url: string;
  key: string;
}

/** What a step's row says of how it ended. */
export interface Row {
  request_id: string;
  state: string;
  status: number;
  error_code: string | null;
  streamed: boolean;
  cost_usd: number | null;
}

export const question = {
  model: 'auto',
  messages: [{ role: 'user', content: 'What is the capital of France?' }],
};

/** Asks one question as plain HTTP; the answer's body is not read yet. */
export function ask(target: Target, body: object = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(`${target.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${target.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...question, ...body }),
    ...init,
  });
}

/** Asks and reads to the end: the request's id. @throws where there was no whole answer */
export async function answered(target: Target, body: object = {}): Promise<string> {
  const response = await ask(target, body);
  const text = await response.text();
  const whole =
    'stream' in body && body.stream ? text.endsWith('data: [DONE]\n\n') : text.includes('"choices"');
  if (response.status !== 200 || !whole) throw new Error(`${response.status} ${text.slice(-300)}`);
  return response.headers.get('x-fluxcompute-request-id') ?? '';
}

/** `count` steps, `width` at once, half of them streamed; `before` may hold up the one with a number. */
export async function manyAnswered(
  target: Target,
  count: number,
  width: number,
  before: (number: number) => Promise<unknown> | undefined = () => undefined,
): Promise<string[]> {
  const ids: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) {
      await before(number);
      ids.push(await answered(target, { stream: number % 2 === 0 }));
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return ids;
}

/** All rows of the log, or none while it can't be read. */
export async function rowsOf(databaseUrl: string): Promise<Row[]> {
  const query = 'SELECT request_id, state, status, error_code, streamed, cost_usd FROM queries';
  // The columns of schema.ts, as Postgres names them.
  return openDatabase(databaseUrl)
    .$client.query(query)
    .then((rows) => rows as unknown as Row[])
    .catch(() => []);
}

/** Ids of rows in order, for a comparison that shows a missing and a double one. */
export async function idsLogged(databaseUrl: string): Promise<string[]> {
  return (await rowsOf(databaseUrl)).map((row) => row.request_id).sort();
}
