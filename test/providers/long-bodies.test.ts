import { randomBytes } from 'node:crypto';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeServer, listenOnLoopback } from '../../src/local/loopback-server.ts';
import type { LocalStack } from '../../src/local/stack.ts';
import { callProvider } from '../../src/providers/attempt.ts';
import { START_LIMIT, temporaryFolder } from '../journeys/gateway.ts';
import { startPrepared } from '../prepared.ts';
import { ANSWERS, callOf, json, type Reply, sse } from './upstream.ts';

const WIRE = 'anthropic-messages';
const { start, said, end, body: ANSWER } = ANSWERS[WIRE];
const KINDS = [
  ['ASCII', 'Which town is it?'],
  ['more than ASCII', 'Какой это город? 東京 🗾'],
] as const;

/** Nine megabytes: more than a connection's buffers take while nobody reads, and no two places look alike. */
function longBody(words: string, more: { stream: boolean }): string {
  const image = () => ({
    type: 'image',
    source: { type: 'base64', media_type: 'image/png', data: randomBytes(2_250_000).toString('base64') },
  });
  // With a marker of its own, for the gateway not to set one.
  const marked = { type: 'text', text: words, cache_control: { type: 'ephemeral' } };
  const content = [image(), image(), image(), marked];
  const messages = [{ role: 'user', content }];
  return JSON.stringify({ model: 'claude-haiku-5-5', max_tokens: 100, ...more, messages });
}

/** One request, and what was read of its body. */
interface Asked {
  request: IncomingMessage;
  response: ServerResponse;
  chunks: Buffer[];
}

/** A provider that answers as soon as it has the head of a request, and reads the body when it is told to. */
async function startHasty() {
  const asked: Asked[] = [];
  const replies: Reply[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.pause();
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    // Node throws away what nobody has begun to read when the answer is over.
    request.read(0);
    asked.push({ request, response, chunks });
    replies.shift()?.(response, request);
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    replies,
    close: () => {
      server.closeAllConnections();
      return closeServer(server);
    },
  };
}

/** The body of a request, read to its end. */
async function readOn({ request, chunks }: Asked): Promise<string> {
  if (!request.readableEnded) {
    await new Promise((resolve, reject) => {
      request.once('end', resolve).once('error', reject);
      request.resume();
    });
  }
  return Buffer.concat(chunks).toString();
}

/** Reads a request's body before it replies. */
const patient =
  (reply: Reply): Reply =>
  (response, request) =>
    void request.once('end', () => reply(response, request)).resume();

/** Megabytes of difference would be shown for minutes. */
function expectSame(arrived: string, sent: string): void {
  expect(arrived.length).toBe(sent.length);
  expect(arrived === sent).toBe(true);
}

let hasty: Awaited<ReturnType<typeof startHasty>>;
beforeAll(async () => {
  hasty = await startHasty();
});
beforeEach(() => {
  hasty.asked.length = 0;
  hasty.replies.length = 0;
});
afterAll(() => hasty.close());

function request(index: number): Asked {
  const asked = hasty.asked[index];
  if (!asked) throw new Error(`no request ${index}`);
  return asked;
}

describe.each(KINDS)('a long body of %s', (_, words) => {
  test('arrives whole where the answer begins before it is read', async () => {
    const text = longBody(words, { stream: true });
    hasty.replies.push(sse([...start, ...said], 'silence'));
    const body = new TextEncoder().encode(text);
    const outcome = await callProvider(callOf(WIRE, hasty.url, { stream: true, body }));
    // The call is over for us, and its bytes are let go of; it is not for the connection.
    expect(outcome.kind).toBe('stream');
    expect(body.byteLength).toBe(0);
    expectSame(await readOn(request(0)), text);
    if (outcome.kind === 'stream') outcome.stream.abort();
  });

  test('is the same at each try, and kept as long as there may be another', async () => {
    const text = longBody(words, { stream: false });
    hasty.replies.push(patient(json(500, {})), patient(json(529, {})), patient(json(200, ANSWER)));
    const body = new TextEncoder().encode(text);
    const outcome = await callProvider(callOf(WIRE, hasty.url, { body }));
    expect(outcome).toMatchObject({ kind: 'answer', failures: [{ status: 500 }, { status: 529 }] });
    for (const index of [0, 1, 2]) expectSame(await readOn(request(index)), text);
    expect(body.byteLength).toBe(0);
  });

  test('is let go of where no try went well', async () => {
    hasty.replies.push(patient(json(400, {})));
    const body = new TextEncoder().encode(longBody(words, { stream: false }));
    const outcome = await callProvider(callOf(WIRE, hasty.url, { body }));
    expect(outcome).toMatchObject({ kind: 'failed', failure: { status: 400 } });
    expect(body.byteLength).toBe(0);
  });
});

/** Sends a body of so many bytes part by part, and reads the answer once it has sent the last. */
function sendSlowly(url: URL, key: string, bytes: number): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': bytes,
    };
    const sending = httpRequest(url, { method: 'POST', headers });
    sending.on('error', reject);
    sending.on('response', async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, text });
    });
    const send = (left: number): void => {
      if (left <= 0) sending.end();
      else sending.write('x'.repeat(Math.min(left, 65_536)), () => setTimeout(send, 1, left - 65_536));
    };
    send(bytes);
  });
}

describe('the real Worker', () => {
  const folder = temporaryFolder();
  let stack: LocalStack;
  beforeAll(async () => {
    const variables = { ANTHROPIC_API_KEY: 'key', ANTHROPIC_BASE_URL: hasty.url, FLUX_RETRY_BASE_MS: '1' };
    stack = await startPrepared({ variables: { PORT: '0', FLUX_DATA_DIR: folder.path, ...variables } });
  }, START_LIMIT);
  afterAll(async () => {
    await stack.stop();
    folder.remove();
  });

  const ask = (body: string) =>
    fetch(`${stack.url}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' },
      body,
    });

  test.each(KINDS)('a body of %s arrives whole where a stream begins before it is read', async (_, words) => {
    const text = longBody(words, { stream: true });
    hasty.replies.push(sse([...start, ...said], 'silence'));
    const answer = await ask(text);
    // A stream is only begun once its first words are there: the call is over then.
    expect(answer.status).toBe(200);
    const { response, ...asked } = request(0);
    expect(asked.request.readableEnded).toBe(false);
    expectSame(await readOn(request(0)), text);
    sse(end)(response, asked.request);
    expect(await answer.text()).toContain('message_stop');
  });

  test.each(KINDS)(
    'a body of %s arrives whole where all of the answer is sent before it is read',
    async (_, words) => {
      const text = longBody(words, { stream: false });
      hasty.replies.push((response, asked) => {
        json(200, ANSWER)(response, asked);
        // The runtime hands out no whole answer before its request is written.
        asked.resume();
      });
      const answer = await ask(text);
      expect(await answer.json()).toMatchObject({ content: [{ text: 'Paris it is.' }] });
      expectSame(await readOn(request(0)), text);
    },
  );

  test.each(KINDS)('a body of %s is the same at each try', async (_, words) => {
    const text = longBody(words, { stream: false });
    hasty.replies.push(patient(json(500, {})), patient(json(529, {})), patient(json(200, ANSWER)));
    const answer = await ask(text);
    expect(answer.status).toBe(200);
    for (const index of [0, 1, 2]) expectSame(await readOn(request(index)), text);
  });

  test('one that is too long is refused in words, though its client is still sending it', async () => {
    const { status, text } = await sendSlowly(
      new URL('/v1/messages', stack.url),
      stack.key,
      12 * 1024 * 1024,
    );
    expect(status).toBe(413);
    expect(text).toContain('FLUX_MAX_BODY_BYTES');
    expect(hasty.asked).toHaveLength(0);
  });
});
