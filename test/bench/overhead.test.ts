import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { BODIES, bodyOf } from '../../bench/overhead/bodies.ts';
import { compete } from '../../bench/overhead/contest.ts';
import type { Contestant } from '../../bench/overhead/contestant.ts';
import { load, writeRequest } from '../../bench/overhead/load.ts';
import { startChild } from '../../src/local/child.ts';
import { closeServer, listenOnLoopback } from '../../src/local/loopback-server.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const target = (port: number) => ({ port, path: '/v1/chat/completions', headers: {} });

async function startUpstream(): Promise<number> {
  const entry = new URL('../../bench/overhead/upstream.ts', import.meta.url).pathname;
  const child = startChild('upstream', entry, '', () => {});
  stops.push(() => child.stop(null, 1_000));
  return child.call<number>('start');
}

async function startServer(answer: (count: number) => number): Promise<number> {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      count += 1;
      response.writeHead(answer(count)).end('{}');
    });
  });
  stops.push(() => closeServer(server));
  await listenOnLoopback(server);
  return (server.address() as AddressInfo).port; // A TCP server's address is no string.
}

describe('the upstream of the bench', () => {
  test('answers every body as a provider would: whole JSON, or 200 chunks, usage and [DONE]', async () => {
    const port = await startUpstream();
    for (const [name, body] of Object.entries(BODIES)) {
      const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', body });
      const text = await response.text();
      if (name !== 'stream_200') {
        expect(JSON.parse(text)).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
        continue;
      }
      const events = text.split('\n\n').filter((event) => event !== '');
      expect(events).toHaveLength(202);
      expect(events.at(-1)).toBe('data: [DONE]');
    }
  });

  test('its bodies are as large as they are called', () => {
    const sizes = Object.values(BODIES).map((body) => body.length);
    expect(sizes[1]).toBeGreaterThan(7_500);
    expect(sizes[1]).toBeLessThan(9_500);
    expect(sizes[2]).toBeGreaterThan(200_000);
    expect(sizes[2]).toBeLessThan(230_000);
    expect(bodyOf(10_000_000).length).toBeLessThan(10 * 1024 * 1024);
  });
});

describe('the load of the bench', () => {
  test('reads answers to their end, JSON and streams alike, and sends no more than asked', async () => {
    const port = await startUpstream();
    for (const body of Object.values(BODIES)) {
      const result = await load(port, () => writeRequest(target(port), body), 4, { ms: 10_000, most: 12 });
      expect(result).toMatchObject({ answered: 12, failed: 0, statuses: { 200: 12 } });
      expect(result.latencies).toHaveLength(12);
    }
  });

  test('counts other statuses as failures, apart from each other', async () => {
    const port = await startServer((count) => (count % 3 === 0 ? 503 : 200));
    const result = await load(port, () => writeRequest(target(port), '{}'), 1, { ms: 10_000, most: 9 });
    expect(result).toMatchObject({ answered: 6, failed: 3, statuses: { 200: 6, 503: 3 } });
  });
});

describe('the contest', () => {
  const contestant = (name: string, port: number): Contestant => ({
    name,
    target: target(port),
    pid: process.pid,
    skips: name === 'picky' ? { small: 'it can not' } : {},
    settle: async () => {},
    stop: async () => {},
  });
  const pace = { rounds: 1, slice: 50, warmUp: 10 };

  test('the passthrough is its own measure, and who skips a body says why', async () => {
    const port = await startUpstream();
    const all = [contestant('passthrough', port), contestant('picky', port)];
    const scores = await compete(all, { name: 'small', text: BODIES.small ?? '' }, 2, pace, () => {});
    expect(scores).toMatchObject({ passthrough: { ratio: 1 }, picky: { skipped: 'it can not' } });
  });

  test('a contestant that fails ends the run', async () => {
    const port = await startServer(() => 500);
    const broken = compete(
      [contestant('passthrough', port)],
      { name: 'small', text: '{}' },
      1,
      pace,
      () => {},
    );
    await expect(broken).rejects.toThrow(/passthrough failed \d+ of small.*"500"/s);
  });
});
