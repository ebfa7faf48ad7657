import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, test } from 'vitest';
import { answerOf, eventsOf, simulated } from './running.ts';

const sim = simulated();

const messages = [{ role: 'user' as const, content: 'Hello there' }];
const claude = { model: 'claude-opus-4-8', max_tokens: 500, messages };
const WIRES = [
  ['/v1/messages', claude],
  ['/v1/chat/completions', { model: 'gpt-4o', messages }],
  ['/v1/responses', { model: 'gpt-4.1', input: 'Hello there' }],
] as const;

describe.each(WIRES)('faults on %s', (path, body) => {
  const send = (more: object = {}) => sim.post(path, { ...body, ...more });

  test.each([401, 402, 403, 429, 500, 503, 529])('status %i in the API its own words', async (status) => {
    await sim.script({ fault: { kind: 'status', status, headers: { 'retry-after': '7' } } });
    const response = await send();
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe('7');
    const answer = await answerOf(response);
    expect(answer.error).toMatchObject({ type: expect.any(String), message: expect.any(String) });
    expect('type' in answer).toBe(path === '/v1/messages');
  });

  test('an error that quotes the key (traps T48)', async () => {
    await sim.script(
      { fault: { kind: 'status', status: 401, message: 'Bad key {{key}}' } },
      { fault: { kind: 'status', status: 502, body: '<html>{{key}}</html>' } },
    );
    expect((await answerOf(await send())).error?.message).toBe(`Bad key ${sim.key}`);
    expect(await (await send()).text()).toBe(`<html>${sim.key}</html>`);
  });

  test('a 200 with an error in the body', async () => {
    await sim.script({ fault: { kind: 'error_body', status: 500, message: 'boom' } });
    const response = await send();
    expect([response.status, (await answerOf(response)).error?.message]).toEqual([200, 'boom']);
  });

  test('a 200 with JSON that ends too soon', async () => {
    await sim.script({ fault: { kind: 'invalid_json' } });
    const response = await send();
    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow(SyntaxError);
  });

  test('an empty answer', async () => {
    await sim.script({ fault: { kind: 'empty' } });
    const answer = await answerOf(await send());
    expect(answer.content ?? answer.output ?? [answer.choices?.[0]?.message.content].filter(Boolean)).toEqual(
      [],
    );
  });

  test('an answer that failed on its way', async () => {
    await sim.script({ fault: { kind: 'failed', after_events: 2, message: 'boom' } });
    const events = await eventsOf(await send({ stream: true }));
    const failed = { message: 'boom' };
    expect(events).toHaveLength(3);
    expect(events.at(-1)?.[1]).toMatchObject(
      path === '/v1/responses'
        ? { type: 'response.failed', response: { status: 'failed', error: failed } }
        : { error: failed },
    );
  });

  test('a stream that breaks off at any byte, in pieces of any size', async () => {
    await sim.script(
      { answer: { text: 'Good morning, world' }, times: 2 },
      { answer: { text: 'Good morning, world' }, delay: { chunk_bytes: 7 } },
    );
    // Ids and padding are of one length on the whole, but not byte by byte.
    const whole = await (await send({ stream: true })).text();
    await sim.script({ fault: { kind: 'cut', after_bytes: 333 } });
    await send({ stream: true }).then((one) => one.text());
    const pieces = await send({ stream: true });
    const bytes: number[] = [];
    for await (const piece of pieces.body ?? []) bytes.push(piece.length);
    expect(whole.length).toBeGreaterThan(333);
    expect(bytes.length).toBeGreaterThan(20);
    const cut = await send({ stream: true });
    await expect(cut.text()).rejects.toThrow();
    expect((await sim.requests()).at(-1)).toMatchObject({ ended: 'cut', sent_bytes: 333 });
  });

  test('traps T28: a 200 whose first frame is an error', async () => {
    await sim.script({ fault: { kind: 'error_frame', message: 'boom' } });
    const events = await eventsOf(await send({ stream: true }));
    expect(events).toHaveLength(1);
    const [name, data] = events[0] ?? [];
    expect(name).toBe(path === '/v1/chat/completions' ? undefined : 'error');
    expect(JSON.stringify(data)).toContain('boom');
  });

  test('traps T30: a stream cut after some events', async () => {
    await sim.script({ fault: { kind: 'cut', after_events: 2 } });
    const response = await send({ stream: true });
    let text = '';
    const read = async () => {
      for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
    };
    await expect(read()).rejects.toThrow();
    expect(text.match(/^data: /gm)).toHaveLength(2);
    expect((await sim.requests()).at(-1)).toMatchObject({ status: 200, ended: 'cut' });
  });

  test('a body cut half-way', async () => {
    await sim.script({ fault: { kind: 'cut' } });
    await expect((await send()).text()).rejects.toThrow();
  });

  test('a connection reset', async () => {
    await sim.script({ fault: { kind: 'reset' } });
    await expect(send()).rejects.toThrow();
  });

  test('silence, until the client leaves', async () => {
    await sim.script({ fault: { kind: 'hang' } }, { fault: { kind: 'stall', after_events: 1 } });
    const leave = new AbortController();
    const options = {
      method: 'POST',
      headers: { authorization: `Bearer ${sim.key}`, 'anthropic-version': '2026-10-21' },
      signal: leave.signal,
    };
    const url = sim.url + path;
    const hung = fetch(url, { ...options, body: JSON.stringify(body) }).catch((error: unknown) => error);
    await expect.poll(async () => (await sim.requests()).length).toBe(1);
    const stalled = await fetch(url, { ...options, body: JSON.stringify({ ...body, stream: true }) });
    const reader = stalled.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toMatch(/^(event: |data: )/);
    leave.abort();
    expect(await hung).toMatchObject({ name: 'AbortError' });
    await expect.poll(async () => (await sim.requests()).map((one) => one.ended)).toEqual(['left', 'left']);
  });
});

test('the Anthropic SDK throws on an error inside a stream', async () => {
  await sim.script({ fault: { kind: 'error_frame', after_events: 3 } });
  const stream = sim.claude.messages.stream(claude);
  await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIError);
});
