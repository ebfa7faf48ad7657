import { expect, test } from 'vitest';
import { modeOf, providerTargets, simulatedProviders, wantsSimulators } from '../../src/local/providers.ts';
import { readLocalSettings, workerVariables } from '../../src/local/settings.ts';

const anthropic = { id: 'anthropic', baseUrl: 'https://api.anthropic.com' };
const openai = { id: 'openai', baseUrl: 'https://api.openai.com/v1' };

test('providers are simulated only where nobody has set one up', () => {
  expect(wantsSimulators({})).toBe(true);
  // A tool on this machine may have set a base URL for itself: without a key that is no provider.
  expect(wantsSimulators({ ANTHROPIC_BASE_URL: 'http://127.0.0.1:8787' })).toBe(true);
  expect(wantsSimulators({ ANTHROPIC_API_KEY: 'k' })).toBe(false);
  expect(wantsSimulators({ OPENAI_API_KEY: 'k' })).toBe(false);
  expect(wantsSimulators({ FLUX_PROVIDERS: '[]' })).toBe(false);
});

test('the simulators answer for both providers, each with the base URL its SDK expects', () => {
  expect(simulatedProviders('http://127.0.0.1:5')).toMatchObject({
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:5',
    OPENAI_BASE_URL: 'http://127.0.0.1:5/v1',
  });
});

test('a key and the real address is live', () => {
  const targets = providerTargets([{ ...anthropic, apiKey: 'k' }, openai], 8787);
  expect(targets).toEqual([{ id: 'anthropic', url: 'https://api.anthropic.com', loopback: false }]);
  expect(modeOf(targets)).toBe('live');
});

test('one real provider beside a local one is live', () => {
  const own = { id: 'vllm', baseUrl: 'http://localhost:8000/v1' };
  expect(modeOf(providerTargets([own, { ...openai, apiKey: 'k' }], 8787))).toBe('live');
  expect(modeOf(providerTargets([own], 8787))).toBe('own');
});

test('a name that begins like loopback is not', () => {
  expect(modeOf(providerTargets([{ id: 'x', baseUrl: 'http://127.0.0.1.example.com' }], 8787))).toBe('live');
});

test('a gateway that would call itself is refused', () => {
  const itself = { ...anthropic, baseUrl: 'http://localhost:8787', apiKey: 'flx_key' };
  expect(() => providerTargets([itself], 8787)).toThrow(/is this gateway: it would call itself/);
  expect(providerTargets([itself], 9000)).toHaveLength(1);
});

test('the Worker is given its settings and the keys of its providers, and nothing else', () => {
  const given = workerVariables({
    PATH: '/bin',
    PORT: '1',
    FLUX_DATA_DIR: 'x',
    FLUX_MODE: 'observe',
    FLUX_TIERS: '',
    OPENAI_API_KEY: 'k',
    OPENAI_ORG_ID: 'o',
    UPSTASH_REDIS_REST_URL: 'u',
    DATABASE_URL: 'd',
    VLLM_KEY: 'v',
    OTHER_KEY: 'o',
    FLUX_PROVIDERS: '[{"id":"vllm","key_secret":"VLLM_KEY"},{"id":"ollama"},null]',
  });
  expect(Object.keys(given).sort()).toEqual([
    'DATABASE_URL',
    'FLUX_MODE',
    'FLUX_PROVIDERS',
    'OPENAI_API_KEY',
    'UPSTASH_REDIS_REST_URL',
    'VLLM_KEY',
  ]);
  expect(workerVariables({ FLUX_PROVIDERS: '{not json' })).toEqual({ FLUX_PROVIDERS: '{not json' });
});

test('port and folder have defaults, and a port that is none is named', () => {
  expect(readLocalSettings({})).toEqual({ port: 8787, folder: '.flux' });
  expect(readLocalSettings({ PORT: '0', FLUX_DATA_DIR: '/x' })).toEqual({ port: 0, folder: '/x' });
  expect(() => readLocalSettings({ PORT: '70000' })).toThrow(/PORT is '70000'/);
  expect(() => readLocalSettings({ PORT: 'http' })).toThrow(/PORT is 'http'/);
});
