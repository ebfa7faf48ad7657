import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { LocalStack } from '../../src/local/stack.ts';
import { curlLine, welcome } from '../../src/local/welcome.ts';

const stack: LocalStack = {
  url: 'http://127.0.0.1:8787',
  key: 'flx_key',
  keyMade: true,
  folder: '/data',
  mode: 'simulated',
  providers: [],
  simulatorUrl: 'http://127.0.0.1:5',
  databaseUrl: '',
  redisUrl: '',
  redisToken: '',
  stores: null,
  gatewayPid: 0,
  died: new Promise(() => {}),
  stop: async () => ({ cut: 0 }),
  kill: () => {},
};

test('the closing lines name what answers, the key, and what calls cost', () => {
  const text = welcome(stack, ['/docs']);
  expect(text).toMatch(/gateway +http:\/\/127.0.0.1:8787\/v1/);
  expect(text).toMatch(/docs +http:\/\/127.0.0.1:8787\/docs/);
  expect(text).not.toContain('dashboard');
  expect(text).toMatch(/key +flx_key/);
  expect(text).toContain('SIMULATED');
  expect(text).not.toContain('LIVE');
});

test('real providers are said in capitals', () => {
  const providers = [{ id: 'anthropic', url: 'https://api.anthropic.com', loopback: false }];
  const text = welcome({ ...stack, mode: 'live', simulatorUrl: null, providers }, []);
  expect(text).toContain('LIVE: CALLS GO TO REAL PROVIDERS AND COST MONEY');
  expect(text).toContain('anthropic: https://api.anthropic.com');
  expect(text).not.toContain('SIMULATED');
});

test('the curl line is one word after the other, whatever the key', () => {
  const line = curlLine('http://127.0.0.1:1', `a'b"c$d e`).replace('curl', `printf '%s\\n'`);
  const { stdout } = spawnSync('bash', ['-c', line]);
  const words = String(stdout).trimEnd().split('\n');
  expect(words).toContain(`authorization: Bearer a'b"c$d e`);
  expect(JSON.parse(words.at(-1) ?? '')).toMatchObject({ model: 'auto' });
});
